"""The cases of tests/reference: their data, models and values of other programs."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skmle import OrdinalClassifier, censored
from skmle.families import Censored, Family, Truncated

FOLDER = Path(__file__).parents[1] / "reference"


class Model(NamedTuple):
    """How a family of the cases is called here.

    Its name, and (name, power) of each of its parameters; and which of theirs are logarithms of
    ours, so that their identity is our link log.
    """

    family: str | Family | type[OrdinalClassifier]
    parameters: dict[str, tuple[str, int]]
    logarithms: tuple[str, ...] = ()


LOG_TIME = {"mu": ("scale", 1), "sigma": ("shape", -1)}  # location and scale of its logarithm


MODELS = {
    "poisson": Model("poisson", {"mu": ("mean", 1)}),
    "bernoulli": Model("bernoulli", {"p": ("probability", 1)}),
    "gamma": Model("gamma", {"mu": ("mean", 1), "phi": ("shape", -1)}),
    "inverse_gaussian": Model("inverse_gaussian", {"mu": ("mean", 1), "phi": ("shape", -1)}),
    "beta": Model("beta", {"mu": ("mean", 1), "phi": ("precision", 1)}),
    "normal": Model("normal", {"mu": ("loc", 1), "sigma": ("scale", 1)}),
    "student_t": Model("student_t", {"mu": ("loc", 1), "sigma": ("scale", 1), "nu": ("df", 1)}),
    "negbin2": Model("negative_binomial", {"mu": ("mean", 1), "alpha": ("dispersion", 1)}),
    "multinomial": Model("categorical", {}),
    "tobit": Model(Censored("normal"), {"mu": ("loc", 1), "sigma": ("scale", 1)}),
    "aft_lognormal": Model(Censored("lognormal"), {"mu": ("loc", 1), "sigma": ("scale", 1)}),
    "aft_weibull": Model(Censored("weibull"), LOG_TIME, ("mu",)),
    "ztpoisson": Model(Truncated("poisson", low=0.0), {"mu": ("mean", 1)}),
    "aft_loglogistic": Model(Censored("log_logistic"), LOG_TIME, ("mu",)),
    "ordinal": Model(OrdinalClassifier, {"eta": ("location", 1), "cut": ("cut", 1)}),
}


# Cases whose family has no model yet, with that family.
NOT_YET: dict[str, str] = {}


def needs(spec: dict[str, Any]) -> str:
    """Return the family that a case asks for."""
    return str(spec["model"]["family"])


# ---------------------------------------------------------------- data


@dataclass
class Case:
    """One file: the columns of its data and what it says of them."""

    spec: dict[str, Any]
    columns: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.model, self.polished, self.reference = (
            self.spec["model"],
            self.spec.get("polished", {}),
            self.spec["reference"],
        )
        self.columns = load_columns(self.spec["data"])
        self.terms = {
            name: [t for t in p["terms"] if t != "const"]
            for name, p in self.model["parameters"].items()
        }
        self.names = [
            f"{parameter}:{t}"
            for parameter, p in self.model["parameters"].items()
            for t in p["terms"]
        ]
        self.names += self.model.get("extra_parameters", [])

    @property
    def X(self) -> pd.DataFrame:
        """All columns that any parameter depends on, and the exposure."""
        names = list(dict.fromkeys(t for terms in self.terms.values() for t in terms))
        exposure = [p["exposure"] for p in self.model["parameters"].values() if "exposure" in p]
        return pd.DataFrame(
            {name: np.asarray(self.columns[name], float) for name in names + exposure}
        )

    @property
    def y(self) -> np.ndarray:
        response = self.model["response"]
        if "time" in response:
            return censored(self.columns[response["time"]], self.columns[response["event"]])
        column = self.columns[response["column"]]
        limits = {end: response[end] for end in ("lower", "upper") if end in response}
        return censored(column, **limits) if limits else column

    @property
    def weight(self) -> np.ndarray | None:
        return (
            np.asarray(self.columns[self.model["weights"]["column"]], float)
            if "weights" in self.model
            else None
        )

    @property
    def alpha(self) -> float:
        """The ridge per row of a penalty on the sum over rows."""
        penalty = self.model.get("penalty")
        if penalty is None or self.penalty:
            return 0.0
        assert penalty["type"] == "l2" and penalty["exclude"] == [
            n for n in self.names if n.endswith(":const")
        ]
        return penalty["strength"] / len(self.y)

    @property
    def penalty(self) -> str | None:
        """The name of a penalty that has no strength."""
        return "jeffreys" if self.model.get("penalty") == "firth" else None

    def array(self, key: str) -> np.ndarray:
        return np.array([self.polished[key][name] for name in self.names])


def load_columns(data: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the columns of a case's data, as its README says."""
    if data["type"] == "inline":
        columns = {name: np.asarray(values) for name, values in data["columns"].items()}
    elif data["type"] == "package_csv":
        folder = Path(importlib.import_module(data["package"]).__file__).parent
        frame = pd.read_csv(folder / data["path"], **data.get("read_csv", {}))
        columns = {str(name): frame[name].to_numpy() for name in frame.columns}
    else:
        assert data["type"] == "module"
        frame = getattr(importlib.import_module(data["module"]), data["call"])(
            **data.get("kwargs", {})
        )
        frame = getattr(frame, data["attr"]) if "attr" in data else frame
        columns = {name: frame[name].to_numpy() for name in frame.columns}
    names = {"np": np, "log": np.log, "exp": np.exp, "sqrt": np.sqrt, "where": np.where, "len": len}
    for item in data.get("derive", []):
        columns[item["name"]] = np.asarray(
            eval(item["expr"], {"__builtins__": {}}, names | columns)
        )
    if data.get("subset"):
        keep = np.asarray(eval(data["subset"], {"__builtins__": {}}, names | columns), bool)
        columns = {name: values[keep] for name, values in columns.items()}
    return columns


def load_specs() -> dict[str, dict[str, Any]]:
    """Return the cases of all files by their names; a file may have several of the same data."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        spec = json.loads(path.read_text())
        several = spec.pop("cases", None)
        parts = {path.stem: {}} if several is None else several
        found |= {
            name if several is None else f"{path.stem}_{name}": spec | part
            for name, part in parts.items()
        }
    return found


SPECS = load_specs()

MODELLED = {name: spec for name, spec in SPECS.items() if needs(spec) in MODELS}

ESTIMATED = [name for name, spec in MODELLED.items() if spec.get("expect") != "separation"]

SEPARATED = [name for name, spec in MODELLED.items() if spec.get("expect") == "separation"]
