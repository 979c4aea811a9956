"""One call to DOKU, and what it needs: the circuit, the tokens, the answer to a refused key."""
