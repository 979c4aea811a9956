"""What a stored change means to others.

Use cases are record_change, and retell for an operator; event_types is the catalogue of which they tell.
"""
