"""The operator's command line: look at a deployed stack, and set going again what has stopped."""
