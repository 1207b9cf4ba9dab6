"""What a failed gradient check says, and the script that repeats it."""

from __future__ import annotations

from .again import Again


class GradientError(AssertionError):
    """An analytic gradient differs from differences by more than their error.

    Attributes:
        where: which array: `input 0` or `parameter dense0_weight`.
        element: index of the worst element in it.
        analytic, numeric, error, tolerance: there.
        method: of the numeric value: 'central differences' or 'complex step'.
        seed: of directions, head gradients and random numbers.
        script: text that repeats the check.
    """

    where, element, script = "", (), ""

    def __init__(self, message: str, **fields):
        super().__init__(message)
        self.__dict__.update(fields)


def script(f, names, arrays, options: dict) -> str:
    """A Python script that repeats the check on these arrays."""
    again, tree = Again(), getattr(f, "recipe", None)
    lines = ["import math, numpy", "from numblocks import autograd, np, npx",
             "from numblocks.testing import check_gradients"]  # fmt: skip
    if tree:
        again.lines.append(f"from numblocks.testing.layers import build\nf = build({tree!r})")
    elif (made := again.expression(f, "f")) != "f":
        again.lines.append(f"f = {made}")
    inputs = [x for n, x in zip(names, arrays, strict=True) if n.startswith("input")]
    body = [f"x{k} = np.array({again.array(x, f'x{k}')})" for k, x in enumerate(inputs)]
    values = {n.split(" ", 1)[1]: x for n, x in zip(names, arrays, strict=True) if n.startswith("parameter")}
    if values and (tree or again.missing):  # a Block that was pickled has them
        body.append("f(" + ", ".join(f"x{k}" for k in range(len(inputs))) + ")  # completes shapes")
        body.append("values = [")
        body += [f"    {again.array(x, f'p{k}')},  # {n}" for k, (n, x) in enumerate(values.items())]
        body.append("]")
        body.append("trained = [p for p in f.collect_params().values() if p.grad_req != 'null']")
        body.append("for p, value in zip(trained, values, strict=True):\n    p.set_data(np.array(value))")
    given = "".join(f", {k}={v!r}" for k, v in options.items())
    body.append("check_gradients(f" + "".join(f", x{k}" for k in range(len(inputs))) + given + ")")
    start = again.lines[:1] if again.lines and again.lines[0].startswith("import sys") else []
    return "\n".join([*start, *lines, *again.lines[len(start) :], *body])
