"""What a stored change means to others."""
