"""Inputs that nobody thought of, for everything that reads what others wrote: see docs/fuzzing.md."""
