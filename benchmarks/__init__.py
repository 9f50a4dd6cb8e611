"""Benchmarks of skmle against what people use today: run ``python -m benchmarks --help``.

`problems` declares what is measured, and `candidates`, `peers` and `peers_laws` which programs take
part. `worker` and `measure` take the time. `distance` says how far from the optimum each answer is.
`requirements`, `report` and `figures` write it down.
"""
