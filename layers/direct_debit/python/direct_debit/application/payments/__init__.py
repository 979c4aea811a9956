"""Payments, from the request to their final state."""
