"""The deterministic simulation: the shipped code lives through bad days, the bank's ledger judges."""
