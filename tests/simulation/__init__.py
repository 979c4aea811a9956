"""The deterministic simulation: the shipped code lives through drawn bad days, the bank's ledger judges (docs/simulation.md)."""
