"""Random little programs over arrays: what fusion, memory planning and the walk back have to get right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from .. import np as mx
from .. import npx
from ..array import wrap
from ..device import cpu
from .gradients import check_gradients

UNARY = {
    "tanh": mx.tanh, "sigmoid": npx.sigmoid, "sin": mx.sin, "gelu": npx.gelu, "softplus": npx.softplus,
    "relu": npx.relu,
    "negative": lambda x: -x, "scale": lambda x: 0.7 * x + 0.1, "square": lambda x: 0.3 * x * x,
    "reciprocal": lambda x: 1 / (2 + mx.abs(x)), "exp": lambda x: mx.exp(0.1 * x),
}  # fmt: skip
BINARY = {
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b, "maximum": mx.maximum,
    "where": lambda a, b: mx.where(a > b, a, 0.5 * b), "divide": lambda a, b: a / (2 + b * b),
}  # fmt: skip
REDUCE = {"sum": mx.sum, "mean": mx.mean, "max": mx.max, "var": mx.var}
ALONG = {
    "softmax": npx.softmax, "log_softmax": lambda x, axis: 0.1 * npx.log_softmax(x, axis=axis),
    "cumsum": lambda x, axis: 0.3 * mx.cumsum(x, axis=axis), "flip": lambda x, axis: mx.flip(x, axis),
    "centred": lambda x, axis: x - x.mean(axis=axis, keepdims=True),
    "twice": lambda x, axis: mx.concatenate([x, 2 * x], axis=axis), "insert": lambda x, axis: mx.expand_dims(x, axis),
    "rest": lambda x, axis: x[(slice(None),) * axis + (slice(1, None) if x.shape[axis] > 1 else slice(None),)],
}  # fmt: skip
MOVES = {
    "T": lambda x: x.T, "turn": lambda x: mx.moveaxis(x, 0, -1) if x.ndim > 1 else x,
    "flat": lambda x: x.reshape(-1), "column": lambda x: x.reshape(-1, 1),
    "gram": lambda x: mx.dot(x, 0.2 * x.T) if x.ndim == 2 else x, "dropout": lambda x: npx.dropout(x, 0.5),
}  # fmt: skip
UNSEEN = {"detach": lambda x: x.detach(), "cast": lambda x: x.astype("float32") * 1}  # by differences, wrong or rough
TABLES = {"unary": UNARY | UNSEEN, "binary": BINARY, "reduce": REDUCE, "along": ALONG, "move": MOVES}


class Program(NamedTuple):
    """A program as data; it is a function of ndarrays.

    Attributes:
        steps: `(kind, name, operands, keywords)`; operands are numbers of values: inputs first, then results in order.
        outputs: numbers of the values it returns.
        shapes: of the inputs.
        seed: of the inputs' values.
    """

    steps: tuple
    outputs: tuple
    shapes: tuple
    seed: int

    def __call__(self, *inputs) -> list:
        """Run it."""
        pool = list(inputs)
        for kind, name, operands, keywords in self.steps:
            pool.append(TABLES[kind][name](*[pool[k] for k in operands], **keywords))
        return [pool[k] for k in self.outputs]

    def inputs(self) -> list[np.ndarray]:
        """Values for its inputs, away from 0, float64."""
        rng = np.random.default_rng(self.seed)
        return [np.asarray(rng.uniform(0.1, 1.5, s) * rng.choice([-1.0, 1.0], s)) for s in self.shapes]


def fit(a, b) -> bool:
    """Whether two shapes broadcast."""
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


@st.composite
def programs(draw, longest=10, unseen=False):
    """Random programs of elementwise ops, reductions, softmaxes, scans, products, views, dropout, with fan-out.

    Valid by construction: each is run while it is drawn.

    Args:
        longest: most steps.
        unseen: steps, too, whose gradient differences do not give: `detach`, and casts to float32.

    >>> program = programs().example()
    >>> len(program(*[wrap(x, cpu(0)) for x in program.inputs()])) == len(program.outputs)
    True
    """
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    more = draw(st.lists(st.sampled_from([(rows, columns), (columns,), (rows, 1), ()]), max_size=2))
    shapes, seed = ((rows, columns), *more), draw(st.integers(0, 999))
    pool, steps = [wrap(np.full(s, 0.5), cpu(0)) for s in shapes], []
    for _ in range(draw(st.integers(1, longest))):
        k = draw(st.sampled_from([len(pool) - 1] * 3 + list(range(len(pool)))))  # chains are where fusion happens
        x = pool[k]
        kinds = ["unary", "unary", "binary", "binary", "move", "move", *(["reduce", "along"] if x.ndim else [])]
        kind = draw(st.sampled_from(kinds))
        names = sorted(n for n in TABLES[kind] if unseen or n not in UNSEEN) + ["T", "turn"] * (kind == "move")
        names += [steps[-1][1]] * 3 if steps and steps[-1][1] in names else []  # rewrite rules are about such pairs
        name, operands, keywords = draw(st.sampled_from(names)), (k,), {}
        if kind == "binary":
            operands = (k, draw(st.sampled_from([j for j, y in enumerate(pool) if fit(x.shape, y.shape)])))
        elif kind in ("reduce", "along"):
            keywords["axis"] = draw(st.integers(0, x.ndim - 1))
            if kind == "reduce":
                keywords["keepdims"] = draw(st.booleans())
        y = TABLES[kind][name](*[pool[j] for j in operands], **keywords)
        if y.size <= 1000 and y.ndim <= 4:
            pool.append(y)
            steps.append((kind, name, operands, keywords))
            if "axis" in keywords and x.ndim > 1:  # what was remembered of this one is no use
                keywords = {**keywords, "axis": (keywords["axis"] + 1) % x.ndim}
                pool.append(TABLES[kind][name](x, **keywords))
                steps.append((kind, name, operands, keywords))
    last = len(pool) - 1
    return Program(tuple(steps), tuple({*draw(st.lists(st.integers(0, last), max_size=1)), last}), shapes, seed)


def check_program(program: Program, hybrid: bool = True) -> None:
    """Gradients of a program, eager and compiled, against differences; its compiled answers against the eager ones."""
    check_gradients(program, *program.inputs(), modes=("eager", "hybridized") if hybrid else ("eager",))
