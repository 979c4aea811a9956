"""The one error of a deployment."""


class DeployError(Exception):
    """The deployment can not go on; the message says why, and what to do."""
