"""Print the oldest versions that pyproject.toml allows.

`python .ci/oldest.py python` prints that of Python; `python .ci/oldest.py packages` those of the
packages that README.md's installation for the tests asks for, as constraints for pip.
"""

import re
import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]


def least(requirement: str) -> str:
    """Turn ``name>=version`` into ``name==version``."""
    found = re.match(r"([\w.-]*)>=([\d.]+)", requirement)
    if not found:
        sys.exit(
            f"pyproject.toml: {requirement!r} has no least version. Allowed: name>=version. "
            "State the oldest with which the tests pass."
        )
    return "==".join(found.groups())


if sys.argv[1] == "python":
    print(least(project["requires-python"]).removeprefix("=="))
else:
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *extras["test"], *extras["plot"]]:
        print(least(requirement))
