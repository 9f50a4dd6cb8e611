"""A package, so that `python -m tests.benchmarks` finds this folder and not one of the same name that some distribution installs."""
