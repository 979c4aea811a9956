"""Invokes one function with one event against the running local stack: by `sam local`, or without Docker."""
