"""Links between customers and their accounts."""
