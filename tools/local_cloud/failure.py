"""The one error of the local cloud: something outside this program did not do what it should."""


class LocalCloudError(Exception):
    """A part of the local cloud failed; the message says which, and ends with that part's own last words."""
