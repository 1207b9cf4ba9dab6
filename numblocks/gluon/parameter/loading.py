"""Setting many parameters from loaded arrays: everything is checked first, then everything is assigned."""

from __future__ import annotations

import numpy

from ...array import ndarray, values
from ...dtype import as_dtype
from ...formats import params as files
from .parameter import Parameter, _devices


def read_named(where: str, filename) -> dict[str, numpy.ndarray]:
    """The arrays of a `.params` file by name; `ValueError` if it holds a list without names."""
    names, arrays = files.read(filename)
    if arrays and not names:
        raise ValueError(
            f"{where} '{filename}': the file holds {len(arrays)} arrays without names. Parameters are found"
            f" by name. Save a net with save_parameters, or read the list with npx.load."
        )
    return dict(zip(names, arrays, strict=True))


def short_name(name: str) -> str:
    """A name without the `arg:` or `aux:` that exported files put before it."""
    return name.removeprefix("arg:").removeprefix("aux:")


def assign_loaded(
    where: str, params: dict[str, Parameter], loaded: dict, ctx=None, allow_missing=False,
    ignore_extra=False, cast_dtype=False, dtype_source="current",
) -> None:  # fmt: skip
    """Set `params` from `loaded`, both by the same kind of name; nothing is changed unless all of it fits.

    Args:
        where: begins the error messages.
        params: parameters by name. One object under several names (a shared layer) needs one of them in the
            file.
        loaded: arrays, of numblocks or of NumPy, by name.
        ctx: device(s) for parameters that were not initialized yet.
        allow_missing: parameters without an array keep what they have.
        ignore_extra: arrays without a parameter are passed over.
        cast_dtype: allow another dtype, see `dtype_source`.
        dtype_source: `'current'` converts the array to the parameter's dtype, `'saved'` the parameter to the
            array's.

    Raises:
        AssertionError: missing names, or a shape or dtype that does not fit.
        ValueError: extra names.
    """
    if dtype_source not in ("current", "saved"):
        raise ValueError(
            f"{where}: dtype_source is {dtype_source!r}. Either side may win. Use 'current' or 'saved'."
        )
    known = {id(p) for n, p in params.items() if n in loaded}
    missing = [n for n, p in params.items() if n not in loaded and id(p) not in known]
    extra = [n for n in loaded if n not in params]
    if missing and not allow_missing:
        raise AssertionError(
            f"{where}: parameter {missing[0]!r} is missing in the file. Names"
            f" differ:\n{_diff(missing, extra)}\nLoad it into the net that was saved, or set"
            f" allow_missing=True to keep what those parameters have."
        )
    if extra and not ignore_extra:
        raise ValueError(
            f"{where}: {extra[0]!r} in the file is no parameter of the net. Names"
            f" differ:\n{_diff(missing, extra)}\nLoad it into the net that was saved, or set"
            f" ignore_extra=True to pass over those arrays."
        )
    pairs = [(n, params[n], _raw(loaded[n])) for n in params if n in loaded]
    for name, param, array in pairs:
        _check_fits(where, name, param, array, cast_dtype)
    devices = _devices(ctx) if ctx is not None else None
    for _, param, array in pairs:
        dtype = array.dtype.name if cast_dtype and dtype_source == "saved" else None
        _assign(param, array, dtype, devices)


def _raw(array) -> numpy.ndarray:
    return values(array._data) if isinstance(array, ndarray) else numpy.asarray(array)


def _diff(missing: list[str], extra: list[str]) -> str:
    """`- name` for what only the net has, `+ name` for what only the file has; long lists are cut."""
    lines = [f"  - {n}  (in the net only)" for n in missing] + [f"  + {n}  (in the file only)" for n in extra]
    return "\n".join(lines[:20] + ([f"  ... and {len(lines) - 20} more"] if len(lines) > 20 else []))


def _check_fits(where: str, name: str, param: Parameter, array: numpy.ndarray, cast_dtype: bool) -> None:
    shape = param.shape
    if shape is not None and (
        len(shape) != array.ndim or any(a > 0 and a != b for a, b in zip(shape, array.shape, strict=True))
    ):
        raise AssertionError(
            f"{where}: parameter '{param.name}' ({name}) has shape {shape}, the file has {array.shape}. A"
            f" value must have its parameter's shape. Load it into the net that was saved."
        )
    if not cast_dtype and numpy.dtype(array.dtype) != as_dtype(param.dtype):
        raise AssertionError(
            f"{where}: parameter '{param.name}' ({name}) is {as_dtype(param.dtype).name}, the file has"
            f" {array.dtype}. Converting may lose digits. Set cast_dtype=True to convert, or"
            f" net.cast('{array.dtype}') first."
        )


def _assign(param: Parameter, array: numpy.ndarray, dtype: str | None, devices) -> None:
    if dtype is not None:
        param.cast(dtype)
    param.shape = array.shape
    if param._arrays:
        if devices is not None and list(param._arrays) != devices:
            param.reset_ctx(devices)
        param.set_data(array)
    else:
        deferred_on = param._deferred[1] if param._deferred is not None else None
        param._place(array, devices or deferred_on or _devices(None))
