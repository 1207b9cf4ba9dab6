"""A user's function for one thread as a kernel.

    def one(i, y, x, n, m):
        y[i] = 0.5 * x[n - 1 - i]

    def custom_one_3f5c2a917be4(threads: int64, y: pointer(float32), x: pointer(float32), n: int64, m: int64):
        i = cuda.grid(1)
        if i < threads:
            y[i] = float32(0.5) * x[n - 1 - i]

The first parameter is the thread's number, then come the answer and the operands as flat memory in C order, then, if
the function wants them, the sizes of all their axes. Numbers with a point take the dtype of the answer.
"""

from __future__ import annotations

import ast
import functools

from ..emit_cuda import Text, storage
from ..scalars import function_of
from ..sources import digest


@functools.cache
def emit(source: str, dtypes: tuple[str, ...], ranks: tuple[int, ...]) -> Text:
    """The kernel of a function's source.

    Args:
        dtypes, ranks: of the answer and of each operand.

    Raises:
        TypeError: the function takes another number of arguments.

    >>> print(emit("def one(i, y, x):\\n    y[i] = 0.5 * x[i]", ("float32", "float32"), (1, 1)).text.split("):")[1])
    <BLANKLINE>
        i = cuda.grid(1)
        if i < threads:
            y[i] = float32(0.5) * x[i]
    <BLANKLINE>
    """
    tree = function_of(source)
    names = [a.arg for a in tree.args.args]
    memory, sizes = names[1 : 1 + len(dtypes)], names[1 + len(dtypes) :]
    if len(memory) != len(dtypes) or len(sizes) not in (0, sum(ranks)):
        raise TypeError(
            f"{tree.name}: it takes {len(names)} arguments. A thread is given its number, the answer, the operands"
            f" ({1 + len(dtypes)} in all), and if it wants the sizes of their axes, all of them ({sum(ranks)} more)."
        )
    kind = next((d for d in dtypes if d.startswith("float")), "float32")
    body = [_Typed(kind if kind != "float16" else "float32").visit(s) for s in tree.body]
    parameters = ["threads: int64"]
    parameters += [f"{name}: pointer({storage(dtype)})" for name, dtype in zip(memory, dtypes, strict=True)]
    parameters += [f"{name}: int64" for name in sizes]
    inner = [line for s in body for line in ast.unparse(ast.fix_missing_locations(s)).splitlines()]
    lines = [f"    {names[0]} = cuda.grid(1)", f"    if {names[0]} < threads:", *(f"        {line}" for line in inner)]
    name = f"custom_{tree.name}_{digest(source, repr((dtypes, ranks)))}"
    title = f'"""{name}: one thread for each {names[0]}."""\n\n\n'
    return Text(name, f"{title}def {name}({', '.join(parameters)}):\n" + "\n".join(lines) + "\n", False, "map")


class _Typed(ast.NodeTransformer):
    """Numbers with a point in a dtype."""

    def __init__(self, dtype: str):
        self.dtype = dtype

    def visit_Constant(self, node):
        if isinstance(node.value, float):
            return ast.Call(ast.Name(self.dtype, ast.Load()), [node], [])
        return node


@functools.cache
def _function(device, source, dtypes, ranks):
    return device.load(emit(source, dtypes, ranks))


def run(device, source: str, out, operands, threads: int) -> None:
    """Run `threads` threads of a function's source.

    Args:
        out, operands: C-contiguous arrays of the device.
    """
    arrays = (out, *operands)
    function = _function(device, source, tuple(x.dtype.name for x in arrays), tuple(x.ndim for x in arrays))
    sizes = [n for x in arrays for n in x.shape]
    words = [threads, *(x.address for x in arrays), *sizes]
    count = len(function_of(source).args.args)
    if threads:
        device.launch(function, -(-threads // device.threads), device.threads, words[:count])
