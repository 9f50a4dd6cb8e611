"""Benchmarks of skmle against what people use today: run ``python -m benchmarks --help``.

`problems` declares what is measured, `ours` and `peers*` who is measured, `worker` and `measure` take the time, `distance` says how far
from the optimum each answer is, and `requirements`, `report` and `figures` write it down.
"""
