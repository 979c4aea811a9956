"""How fast the built application is, beside a floor written by hand and DOKU's own library (`make bench`).

python -m tests.benchmarks.speed [--only P1,P3] [--quick]

A measurement is a fresh interpreter (driver.py) that works for the built function or for the floor (floor.py). AWS and
DOKU are one other process (stage.py), so that their work is not counted. Unit: CPU seconds, user and system.
"""
