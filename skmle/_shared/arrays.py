"""Arrays of other libraries: numpy's inside, and those of the user's library outside.

Whatever has the array API is converted where it comes in. Results are given back as arrays of the
same library and device if scikit-learn is told to do so (``array_api_dispatch=True``), and as
numpy's otherwise. Fitted attributes are numpy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils._array_api import _convert_to_numpy, device, get_namespace


def _is_foreign(array: Any) -> bool:
    """Return whether it is an array of another library than numpy, and no data frame."""
    if isinstance(array, (np.ndarray, np.generic, list, tuple)) or array is None:
        return False
    return (
        getattr(array, "__array_namespace__", None) is not None
        or type(array).__module__.split(".")[0] == "torch"
    )


def to_numpy(array: Any, what: str) -> Any:
    """Return an array of another library as numpy's, and anything else as it is.

    Raises
    ------
    TypeError
        If numpy cannot have it, as if it is on a device that numpy does not reach, or if it holds
        no rows, as scipy's censored data.
    """
    if type(array).__name__ == "CensoredData":
        raise TypeError(
            f"{what}: scipy's CensoredData keeps no rows, which fits, folds and weights need. "
            "Allowed: rows [lower, upper]. Make them by skmle.censored(time, event), or by its "
            "lower= and upper=, and put families.Censored(...) around the family."
        )
    if not _is_foreign(array):
        return array
    try:
        if get_config()["array_api_dispatch"]:
            return _convert_to_numpy(array, get_namespace(array)[0])
        return np.asarray(array)
    except Exception as error:
        library = type(array).__module__.split(".")[0]
        place = getattr(array, "device", "unknown")
        raise TypeError(
            f"{what}: numpy cannot read this array of {library} on the device {place} ({error}). "
            "Allowed: arrays in the computer's own memory, and any under "
            "sklearn.config_context(array_api_dispatch=True) that scikit-learn can convert. Move "
            "it there first."
        ) from error


def like(source: Any, result: Any) -> Any:
    """Return a result for a user who gave the array `source`: in its library and on its device.

    Labels that are no numbers stay numpy's, as other libraries have none.
    """
    if not (get_config()["array_api_dispatch"] and _is_foreign(source)):
        return result
    if isinstance(result, tuple):
        return tuple(like(source, part) for part in result)
    result = np.asarray(result)
    if result.dtype.kind not in "biuf":
        return result
    xp = get_namespace(source)[0]
    if result.dtype.kind == "f" and source.dtype == xp.float32:
        result = result.astype(np.float32)
    return xp.asarray(result, device=device(source))


def in_precision_of(X: Any, values: Any) -> tuple[Any, Any]:
    """Return coefficients in the precision of X, single or double, and what was rounded off.

    scikit-learn's have that precision. They stay in double precision if one of them would become
    zero or infinite.
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(X.dtype, copy=False)
    lost = (np.isinf(rounded) != np.isinf(values)) | ((rounded == 0.0) != (values == 0.0))
    if rounded.dtype == values.dtype or np.any(lost):
        return values, np.float64(0.0)
    # An infinite coefficient is exact; infinity less infinity would be nan.
    return rounded, np.subtract(
        values, rounded, out=np.zeros_like(values), where=np.isfinite(values)
    )
