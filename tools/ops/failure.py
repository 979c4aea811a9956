"""What the operator is told when a command could not do its work."""


class OpsError(Exception):
    """The command ends with status 1; the text says why and, where that helps, what to do."""
