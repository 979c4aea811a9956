"""The merchant's operations, a room each: its route, its request, its answer, and the few lines between."""
