"""The house: imports go only downward, modules stay small, everything public is documented, nothing
heavy is imported early.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

import skmle

PACKAGE = Path(skmle.__file__).parent
FILES = {
    path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", "."): path
    for path in PACKAGE.rglob("*.py")
}
MODULES = {name.removesuffix(".__init__"): path for name, path in FILES.items()}

LONGEST_FILE = 16_384  # characters
LONGEST_WRAPPER = 8_192  # of which the base is none
LONGEST_FUNCTION = 60  # lines of code as formatted, docstring excluded

# The floors of the design, by the beginning of a module's name; the longest that fits counts.
FLOORS = {
    "skmle": 7,
    "skmle.information": 6,
    "skmle.distribution": 5,
    "skmle.distribution_search": 5,
    "skmle._decomposition": 5,
    "skmle.formula": 5,
    "skmle._goodness_of_fit": 5,
    "skmle.classifier": 5,
    "skmle.regressor": 5,
    "skmle.ordinal": 5,
    "skmle.metrics": 5,
    "skmle.pipeline": 5,
    "skmle._path": 5,
    "skmle._loo": 5,
    "skmle._group_fits": 5,
    "skmle._group_problems": 5,
    "skmle._groups": 5,
    "skmle.observations": 5,
    "skmle.selection": 5,
    "skmle.likelihood_ratio": 5,
    "skmle.non_nested": 5,
    "skmle.plotting": 5,
    "skmle.onnx": 6,
    "skmle._any_model": 4,
    "skmle._shared": 3,
    "skmle.inference": 2,
    "skmle._engine": 2,
    "skmle.families": 1,
    "skmle.exceptions": 0,
    "skmle._spelling": 0,
}

# Rooms that may not look into others, even on a lower floor.
CLOSED = {
    "skmle._engine.solvers": (
        "skmle.families",
        "skmle._engine.data",
        "skmle._engine.likelihood.design",
        "skmle._engine.likelihood.objective",
        "skmle._engine.fit",
    ),
    "skmle.inference": ("skmle.families", "skmle._engine"),
}

# Every file of the engine, from the bottom: what it may build on stands before it.
ENGINE = """
    evaluation verdict
    data.sums data.padded data.one_hot data.products data.sparse data.blocks data.sandwiches
    data.observed data.survey
    data.exact data.basis
    likelihood.factor likelihood.design likelihood.slopes likelihood.coordinates
    likelihood.penalties
    likelihood.curvature likelihood.watch likelihood.objective likelihood.scores
    likelihood.equality
    likelihood.leverage likelihood.jeffreys likelihood.left_out likelihood.cusped
    likelihood.class_weights likelihood.many
    solvers.pairs solvers.quadratic solvers.newton solvers.conjugate solvers.growing
    solvers.working solvers.proximal solvers.cusps solvers.many solvers
    problem
    prepare.merging prepare.row_space prepare.starts prepare.groups
    prepare.robust prepare.trials
    prepare.feasible prepare.perturbed prepare.modes
    prepare.closed prepare.columns prepare.likelihood prepare.evidence
    prepare.profiled prepare.constrained
    prepare.closer prepare.residuals
    judge.freedom judge.interior judge.behind judge.left judge.growth judge.separation
    judge.loose judge.nearest judge.lone judge.alarm
    judge.receding judge.fewest judge.separated judge.polish judge.edge judge.barrier
    judge.face judge.domain judge.limits judge.limit_rows judge.ridge
    judge.unused judge.outcome judge.verdict
    fit path strength maxima batch resampled
""".split()

HEAVY = (
    "scipy.stats",
    "pandas",
    "polars",
    "matplotlib",
    "dask",
    "distributed",
    "jax",
    "joblib",
    "threadpoolctl",
)


def fits(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def floor(module: str) -> int:
    if module == "skmle":
        return FLOORS["skmle"]
    known = [prefix for prefix in FLOORS if prefix != "skmle" and fits(module, prefix)]
    assert known, f"{module} has no floor: name it in FLOORS"
    return FLOORS[max(known, key=len)]


def imported(module: str, path: Path, top_level: bool = False, typing: bool = False) -> set[str]:
    """Names of the modules that a file imports, at its top level only or anywhere.

    Those for type checkers only if asked for.
    """
    tree = ast.parse(path.read_text())
    nodes = [
        n
        for statement in tree.body
        if typing or not typing_only(statement)
        for n in (walk_top(statement) if top_level else ast.walk(statement))
    ]
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in MODULES else str(node.module))
    return found


def typing_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def walk_top(node: ast.AST):
    """Yield a node and all below it that run on import."""
    yield node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from walk_top(child)


def ours(names: set[str]) -> set[str]:
    return {name for name in names if fits(name, "skmle")}


# ---------------------------------------------------------------- who may import whom


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_downward(module):
    higher = {
        name for name in ours(imported(module, MODULES[module])) if floor(name) > floor(module)
    }
    assert not higher, f"{module} (floor {floor(module)}) imports {higher}"


@pytest.mark.parametrize("module", [m for m in sorted(MODULES) if fits(m, "skmle.families")])
def test_families_know_families_only(module):
    strangers = {
        name for name in ours(imported(module, MODULES[module])) if not fits(name, "skmle.families")
    }
    assert not strangers


@pytest.mark.parametrize(
    "module", [m for m in sorted(MODULES) if fits(m, "skmle.families") or fits(m, "skmle._engine")]
)
def test_lower_floors_take_little_of_scikit_learn(module):
    """Families take parameters, clone and repr from BaseEstimator, and checked random numbers.

    The engine takes nothing.
    """
    taken = {name for name in imported(module, MODULES[module]) if fits(name, "sklearn")}
    assert taken <= ({"sklearn.base", "sklearn.utils"} if fits(module, "skmle.families") else set())


@pytest.mark.parametrize("room", CLOSED)
@pytest.mark.slow
def test_closed_rooms(room):
    for module in (m for m in MODULES if fits(m, room)):
        seen = {
            name
            for name in ours(imported(module, MODULES[module]))
            if any(fits(name, other) for other in CLOSED[room])
        }
        assert not seen, f"{module} imports {seen}"


@pytest.mark.slow
def test_the_engine_is_built_from_the_bottom():
    """Imports for type checkers count, too."""
    files = {
        m.removeprefix("skmle._engine.")
        for m in MODULES
        if fits(m, "skmle._engine.") or m.startswith("skmle._engine.")
    }
    empty = {"data", "likelihood", "judge", "prepare"}
    assert files == set(ENGINE) | empty, "name each file of the engine in ENGINE"
    rank = {f"skmle._engine.{name}": i for i, name in enumerate(ENGINE)}
    for module, i in rank.items():
        higher = {
            name
            for name in imported(module, MODULES[module], typing=True)
            if rank.get(name, -1) >= i and name != module
        }
        assert not higher, f"{module} imports {higher}"


@pytest.mark.slow
def test_no_import_cycle():
    graph = {
        module: ours(imported(module, path, top_level=True)) & set(MODULES) - {module}
        for module, path in MODULES.items()
    }
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"cycle: {' -> '.join([*path, module])}"
        if module not in done:
            for other in sorted(graph[module]):
                visit(other, (*path, module))
            done.add(module)

    for module in graph:
        if module != "skmle":  # its submodules are loaded when asked for
            visit(module, ())


def test_only_one_file_knows_sparse_and_dense():
    """What asks whether X is sparse.

    Its blocks, what looks at all of X once before a fit, and the estimators.
    """
    asking = {module for module, path in MODULES.items() if "issparse" in path.read_text()}
    before = {
        f"skmle._engine.{name}"
        for name in (
            "data.blocks",
            "data.survey",
            "data.basis",
            "prepare.row_space",
            "prepare.merging",
        )
    }
    lower = {
        m
        for m in asking
        if fits(m, "skmle.families") or fits(m, "skmle.inference") or fits(m, "skmle._engine")
    }
    assert lower <= before


# ---------------------------------------------------------------- sizes and words


@pytest.mark.parametrize("module", sorted(MODULES))
def test_files_are_short(module):
    """In characters: a limit on lines is paid for in their width."""
    size = len(MODULES[module].read_text())
    assert size <= LONGEST_FILE, f"{size} characters"


WRAPPERS = [m for m in sorted(MODULES) if m.startswith("skmle.families.wrappers.")]


@pytest.mark.parametrize("module", [m for m in WRAPPERS if not m.endswith(".base")])
def test_wrappers_are_short(module):
    size = len(MODULES[module].read_text())
    assert size <= LONGEST_WRAPPER, f"{size} characters: what wrappers share has files of its own"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_functions_are_short(module):
    long = {}
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = (
                node.body[0].lineno
                - node.lineno
                + (body[-1].end_lineno - body[0].lineno + 1 if body else 0)
            )
            if lines > LONGEST_FUNCTION:
                long[node.name] = lines
    assert not long


@pytest.mark.slow
def test_no_protocol_by_hasattr_among_our_own():
    """`hasattr` asks foreign data what they are (frames, sparse matrices) and estimators whether
    they are fitted, nothing else.
    """
    inner = [
        m
        for m in MODULES
        if fits(m, "skmle._engine") or fits(m, "skmle.families") or fits(m, "skmle.inference")
    ]
    asked = {}
    for module in inner:
        calls = [
            n
            for n in ast.walk(ast.parse(MODULES[module].read_text()))
            if isinstance(n, ast.Call) and ast.unparse(n.func) == "hasattr"
        ]
        allowed = {"toarray", "sched_getaffinity", "__array__"}
        if found := [ast.unparse(c) for c in calls if ast.literal_eval(c.args[1]) not in allowed]:
            asked[module] = found
    assert not asked


def public_callables():
    """Every function, class and method of a public module, by name.

    A method that overrides a documented one inherits its words.
    """
    for info in pkgutil.walk_packages(skmle.__path__, "skmle."):
        if any(part.startswith("_") for part in info.name.split(".")):
            continue
        for name, item in vars(importlib.import_module(info.name)).items():
            if (
                name.startswith("_")
                or not callable(item)
                or getattr(item, "__module__", "") != info.name
            ):
                continue
            yield f"{info.name}.{name}", item
            for attribute, member in vars(item).items() if inspect.isclass(item) else ():
                inherited = any(
                    hasattr(base, attribute) or attribute in inspect.get_annotations(base)
                    for base in item.__mro__[1:-1]
                )
                if (
                    not attribute.startswith("_")
                    and (inspect.isfunction(member) or isinstance(member, property))
                    and not inherited
                ):
                    yield f"{info.name}.{name}.{attribute}", member


def test_public_callables_are_documented():
    found = dict(public_callables())
    assert {
        "skmle.regressor.MLERegressor.fit",
        "skmle.families.gamma.Gamma",
        "skmle.information.measures.entropy",
    } <= set(found)
    first = {
        name: (inspect.getdoc(item) or "").strip().split("\n\n")[0] for name, item in found.items()
    }
    assert not {name: text for name, text in first.items() if not text.endswith((".", ":", "?"))}


# ---------------------------------------------------------------- import time


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nothing_heavy_at_top_level(module):
    heavy = {
        name
        for name in imported(module, MODULES[module], top_level=True)
        if any(fits(name, h) for h in HEAVY)
    }
    assert not heavy


@lru_cache
def loaded_by(statement: str) -> set[str]:
    """Modules loaded in a fresh interpreter after the statement."""
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    environment = {"PYTHONPATH": str(PACKAGE.parent)}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return set(run.stdout.split())


STATEMENTS = [
    "import skmle",
    "from skmle import MLEDistribution",
    "from skmle import MLERegressor, CrossEntropyClassifier",
]


@pytest.mark.slow
@pytest.mark.parametrize("statement", STATEMENTS)
def test_imports_are_light(statement):
    """Heavy libraries are loaded only if scikit-learn's base class and validation do so."""
    anyway = loaded_by("import sklearn.base, sklearn.utils.validation")
    loaded = loaded_by(statement) - anyway
    assert not {name for name in loaded if any(fits(name, h) for h in HEAVY)}


def test_the_package_alone_loads_nothing():
    loaded = loaded_by("import skmle")
    assert not {name for name in loaded if name.split(".")[0] in ("numpy", "scipy", "sklearn")}
    assert {name for name in loaded if name.startswith("skmle")} == {"skmle"}
