"""One command deploys the stack, proves that callers reach what was deployed, and goes back (docs/operations.md)."""
