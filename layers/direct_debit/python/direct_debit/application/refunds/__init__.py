"""Refunds, one for each payment."""
