"""Random little programs over arrays, and ways to look at what hybridizing makes of a Block."""

import numpy
from hypothesis import strategies as st
from strategies import generator

from numblocks import autograd, np, npx
from numblocks.gluon import HybridBlock
from numblocks.graph.lower import Launch
from numblocks.graph.schedule import Call, Copy


class Function(HybridBlock):
    """A Block round a plain function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def hybrid(function):
    """`function` as a hybridized Block."""
    block = Function(function)
    block.hybridize()
    return block


def entries(block):
    """The traced signatures of a hybridized Block, oldest first."""
    return list(block._traced.compiled.entries.values())


def steps(schedule):
    """How many kernel launches, calls of whole ops and copies a schedule makes."""
    kinds = [type(s) for s in schedule.steps] if schedule else []
    return {"launches": kinds.count(Launch), "calls": kinds.count(Call), "copies": kinds.count(Copy)}


def counted(block, *args, train=True):
    """`(forward, backward)` step counts of the plan that serves `block(*args)`."""
    with autograd.record(train_mode=train):
        block(*args)
    plan = entries(block)[-1].plan
    return steps(plan.first), steps(plan.second)


UNARY = {
    "tanh": np.tanh,
    "sigmoid": npx.sigmoid,
    "sin": np.sin,
    "gelu": npx.gelu,
    "softplus": npx.softplus,
    "relu": npx.relu,
    "negative": lambda x: -x,
    "scale": lambda x: 0.7 * x + 0.1,
    "square": lambda x: 0.3 * x * x,
    "detach": lambda x: x.detach(),
    "reciprocal": lambda x: 1 / (2 + np.abs(x)),
    "cast": lambda x: x.astype("float32") * 1,
}
BINARY = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "maximum": np.maximum,
    "where": lambda a, b: np.where(a > b, a, 0.5 * b),
    "divide": lambda a, b: a / (2 + b * b),
}
REDUCE = {
    "sum": lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims) * 0.3,
    "mean": lambda x, axis, keepdims: np.mean(x, axis=axis, keepdims=keepdims),
    "max": lambda x, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims),
    "var": lambda x, axis, keepdims: np.var(x, axis=axis, keepdims=keepdims),
}
ALONG = {
    "softmax": lambda x, axis: npx.softmax(x, axis=axis),
    "log_softmax": lambda x, axis: 0.1 * npx.log_softmax(x, axis=axis),
    "cumsum": lambda x, axis: 0.3 * np.cumsum(x, axis=axis),
    "flip": lambda x, axis: np.flip(x, axis),
    "norm": lambda x, axis: x - x.mean(axis=axis, keepdims=True),
    "twice": lambda x, axis: np.concatenate([x, x], axis=axis),
    "insert": lambda x, axis: np.expand_dims(x, axis),
}
MOVES = {
    "T": lambda x: x.T,
    "flat": lambda x: x.reshape(-1),
    "rest": lambda x: x[1:] if x.shape and x.shape[0] > 1 else x,
    "column": lambda x: x.reshape(-1, 1),
    "gram": lambda x: np.tanh(np.dot(x, x.T)) if x.ndim == 2 else x,
}
TABLES = {"unary": UNARY, "binary": BINARY, "reduce": REDUCE, "along": ALONG, "move": MOVES}


def evaluate(program, outputs, inputs):
    """Run a program `[(kind, name, operands, keywords)]` on ndarrays; its outputs are values by number."""
    pool = list(inputs)
    for kind, name, operands, keywords in program:
        pool.append(TABLES[kind][name](*[pool[k] for k in operands], **keywords))
    return [pool[k] for k in outputs]


@st.composite
def programs(draw, longest=10):
    """`(program, outputs, inputs)`: valid by construction, for it is run while it is drawn."""
    rng = generator(draw)
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    shapes = draw(st.lists(st.sampled_from([(rows, columns), (columns,), (rows, 1), ()]), min_size=1, max_size=2))
    inputs = [numpy.asarray(rng.uniform(-1, 1, s)) for s in [(rows, columns), *shapes]]
    pool, program = [np.array(x, dtype="float64") for x in inputs], []
    for _ in range(draw(st.integers(1, longest))):
        k = draw(st.integers(0, len(pool) - 1))
        x = pool[k]
        kind = draw(
            st.sampled_from(["unary", "unary", "binary", "binary", "move", *(["reduce", "along"] if x.ndim else [])])
        )
        name, operands, keywords = draw(st.sampled_from(sorted(TABLES[kind]))), (k,), {}
        if kind == "binary":
            fits = [j for j, y in enumerate(pool) if fit(x.shape, y.shape)]
            operands = (k, draw(st.sampled_from(fits)))
        elif kind in ("reduce", "along"):
            keywords["axis"] = draw(st.integers(0, x.ndim - 1))
            if kind == "reduce":
                keywords["keepdims"] = draw(st.booleans())
        y = TABLES[kind][name](*[pool[j] for j in operands], **keywords)
        if y.size <= 2000 and y.ndim <= 4:
            pool.append(y)
            program.append((kind, name, operands, keywords))
    outputs = draw(st.lists(st.integers(0, len(pool) - 1), max_size=2)) + [len(pool) - 1]
    return program, outputs, inputs


def fit(a, b):
    """Whether two shapes broadcast."""
    try:
        numpy.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


def results(block, inputs, dtype="float64", retain=False):
    """Outputs and input gradients of `block`, whose outputs are a list; each head gets weights of its own."""
    xs = [np.array(x, dtype=dtype) for x in inputs]
    for x in xs:
        x.attach_grad()
    with autograd.record():
        ys = block(*xs)
    heads = [
        np.array(numpy.asarray(numpy.cos(numpy.arange(y.size) + k)).reshape(y.shape), dtype=y.dtype)
        for k, y in enumerate(ys)
    ]
    on = [k for k, y in enumerate(ys) if y._node is not None]
    if on:
        autograd.backward([ys[k] for k in on], [heads[k] for k in on], retain_graph=retain)
    return [y.asnumpy() for y in ys], [x.grad.asnumpy() for x in xs]
