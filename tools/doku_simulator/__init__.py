"""DOKU and CIMB on one machine: a strict, deterministic double of the SNAP direct-debit API.

It imports nothing of the product, so that it cross-checks the product's signing instead of repeating its mistakes.
"""
