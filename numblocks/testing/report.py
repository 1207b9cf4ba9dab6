"""What a failed gradient check says, and the script that repeats it."""

from __future__ import annotations

import inspect
import os
import tempfile
import textwrap

import numpy

from ..gluon.block import Block

SHOWN = 64  # elements of an array written out in the script; larger arrays go into a file


class GradientError(AssertionError):
    """An analytic gradient differs from differences by more than their error.

    Attributes:
        where: which array: `input 0` or `parameter dense0_weight`.
        element: index of the worst element in it.
        analytic, numeric, error, tolerance: there.
        seed: of directions, head gradients and random numbers.
        script: text that repeats the check.
    """

    def __init__(self, message: str, **fields):
        super().__init__(message)
        self.__dict__.update(fields)


def literal(x: numpy.ndarray, folder: list, name: str) -> str:
    """Source text that makes the array again."""
    if x.size <= SHOWN:
        text = repr(x.tolist()).replace("inf", "np.inf").replace("nan", "np.nan")
        shape = f".reshape({x.shape})" if x.size == 0 or x.ndim == 0 else ""
        return f"numpy.array({text}, numpy.{x.dtype.name}{'_' if x.dtype == bool else ''}){shape}"
    if not folder:
        folder.append(tempfile.mkdtemp(prefix="numblocks-check-"))
    path = os.path.join(folder[0], f"{name}.npy")
    numpy.save(path, x)
    return f"numpy.load({path!r})"


def recipe(f) -> list[str]:
    """Lines that define `f` again, as far as its source can be found."""
    made = getattr(f, "recipe", None)
    if made:
        return [f"from numblocks.testing.layers import build\nf = build({made!r})"]
    if isinstance(f, Block):
        return [f"f = ...  # build the net of your test:\n{textwrap.indent(repr(f), '#   ')}\nf.initialize()"]
    name = getattr(f, "__qualname__", "")
    if name and "<" not in name and getattr(f, "__module__", "") not in ("", "__main__", None):
        return [f"from {f.__module__} import {name.split('.')[0]}\nf = {name}"]
    try:
        source = textwrap.dedent(inspect.getsource(f)).strip()
    except (OSError, TypeError):
        return [f"f = ...  # {f!r}"]
    if source.startswith("def "):
        return [source, f"f = {f.__name__}"]
    return [f"f = ...  # from this line: {source.splitlines()[0]}"]


def script(f, names, arrays, options: dict) -> str:
    """A Python script that repeats the check on these arrays."""
    folder: list = []
    lines = [
        "import math, numpy",
        "from numblocks import autograd, np, npx",
        "from numblocks.testing import check_gradients",
        *recipe(f),
    ]
    inputs = [x for n, x in zip(names, arrays, strict=True) if n.startswith("input")]
    lines += [f"x{k} = np.array({literal(x, folder, f'x{k}')})" for k, x in enumerate(inputs)]
    values = {n.split(" ", 1)[1]: x for n, x in zip(names, arrays, strict=True) if n.startswith("parameter")}
    if values:
        lines.append("f(" + ", ".join(f"x{k}" for k in range(len(inputs))) + ")  # completes shapes")
        lines.append("values = [")
        lines += [f"    {literal(x, folder, f'p{k}')},  # {n}" for k, (n, x) in enumerate(values.items())]
        lines.append("]")
        lines.append("trained = [p for p in f.collect_params().values() if p.grad_req != 'null']")
        lines.append("for p, value in zip(trained, values, strict=True):\n    p.set_data(np.array(value))")
    given = "".join(f", {k}={v!r}" for k, v in options.items())
    lines.append("check_gradients(f" + "".join(f", x{k}" for k in range(len(inputs))) + given + ")")
    return "\n".join(lines)
