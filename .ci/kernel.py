"""Print the kernels of OpenBLAS that numpy and scipy compute with.

Given the name of a kernel, fail unless all of them are it.
"""

import sys
from importlib import import_module
from pathlib import Path

from threadpoolctl import threadpool_info

for package in ("numpy.linalg", "scipy.linalg"):
    import_module(package)  # loads the library that threadpoolctl looks for
libraries = [library for library in threadpool_info() if library["internal_api"] == "openblas"]
# The folders are numpy.libs and scipy.libs: each package brings a library of its own.
kernels = {Path(library["filepath"]).parent.name: library["architecture"] for library in libraries}
for name, kernel in kernels.items():
    print(f"{name}: {kernel}")
for asked in sys.argv[1:]:
    if set(kernels.values()) != {asked}:
        found = kernels or "not those of OpenBLAS"
        sys.exit(f"OPENBLAS_CORETYPE={asked} had no effect: the kernels are {found}.")
