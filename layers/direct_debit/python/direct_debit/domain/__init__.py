"""The rules: states, transitions, money. Standard library only."""
