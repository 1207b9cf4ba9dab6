"""Nested arguments and results: arrays out, everything else as a hashable description, and back."""

from __future__ import annotations

from ..array import ndarray

ARRAY = "*"


def flatten(value, outputs_of: str | None = None):
    """`(arrays, structure)`: the ndarrays in `value`, in order, and a hashable description of the rest.

    Args:
        value: an ndarray, or lists, tuples and dicts of such, None and plain values, nested in any way.
        outputs_of: name of the function whose results these are; then every leaf must be an array or None.

    Raises:
        TypeError: a leaf cannot be part of a signature (it is not hashable), or is no array where one is needed.
    """
    arrays: list[ndarray] = []
    return arrays, _describe(value, arrays, outputs_of)


def _describe(value, arrays, outputs_of):
    if isinstance(value, ndarray):
        arrays.append(value)
        return ARRAY
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return (type(value), tuple([_describe(v, arrays, outputs_of) for v in value]))
    if isinstance(value, dict):
        return (dict, tuple([(k, _describe(v, arrays, outputs_of)) for k, v in value.items()]))
    if outputs_of is not None:
        raise TypeError(
            f"{outputs_of}: forward returned {value!r} ({type(value).__name__}). Compiled functions return arrays,"
            f" None, and lists, tuples and dicts of them. Return an array, or leave this Block unhybridized."
        )
    try:
        hash(value)
    except TypeError:
        raise TypeError(
            f"hybridized call: argument {value!r} ({type(value).__name__}) cannot be part of the compiled function's"
            f" signature. Arguments are arrays, lists, tuples and dicts of them, None and hashable values. Convert it."
        ) from None
    return ("value", type(value), value)


def rebuild(structure, arrays):
    """The nested value with `arrays` in their places."""
    return _rebuild(structure, iter(arrays))


def _rebuild(structure, arrays):
    if structure is ARRAY or structure == ARRAY:
        return next(arrays)
    if structure is None:
        return None
    kind = structure[0]
    if kind == "value":
        return structure[2]
    if kind is dict:
        return {k: _rebuild(v, arrays) for k, v in structure[1]}
    parts = [_rebuild(v, arrays) for v in structure[1]]
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
