"""What DOKU tells by itself."""
