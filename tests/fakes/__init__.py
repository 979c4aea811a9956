"""The ports without AWS: deterministic, fast, type-checked against the Protocols and tested like the real adapters."""
