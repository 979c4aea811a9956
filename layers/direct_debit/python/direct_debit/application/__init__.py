"""One use case per file, and the ports through which they act."""
