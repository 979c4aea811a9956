"""Workflows that wait for a record."""
