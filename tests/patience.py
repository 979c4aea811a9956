"""How long a test waits for what surely comes.

No test measures the machine: each waits for the event itself, and only a product that hangs meets this limit.
"""

PATIENCE_SECONDS = 600.0
