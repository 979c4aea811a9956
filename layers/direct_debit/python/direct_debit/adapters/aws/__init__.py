"""AWS's services: their clients, and what these are made of."""
