"""One call to DOKU, and what it needs: the circuit, the tokens, the answer to a refused key.

All modules are parts: use cases call call_doku, which the others are parts of.
"""
