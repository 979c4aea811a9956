"""What AWS refuses or does and the emulators do not: one rule a file, each with its source.

Those that stand for a service (`transactions`, `items`, `queues`, `bus`) are wrappers around whatever client a test
uses; the others judge the translated template or make events of the shape that AWS makes.
"""
