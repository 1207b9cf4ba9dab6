"""Tracing: hash-consed nodes, rules, listings, and errors that name the line and the argument."""

import numpy
import pytest
from hybrids import Function, entries, hybrid
from hypothesis import given
from hypothesis import strategies as st

from numblocks import autograd, np, npx
from numblocks.array import wrap
from numblocks.device import cpu
from numblocks.errors import TraceError
from numblocks.graph.graph import Graph, Node
from numblocks.graph.rules import RULES
from numblocks.graph.trace import Builder, tracing
from numblocks.ops import elementwise as ew
from numblocks.ops import move, reduce


def rand(*shape):
    return np.array(numpy.random.default_rng(0).normal(size=shape).astype("float32"))


def traced(function, *shapes, dtype="float32"):
    """The Graph of a function of arrays of these shapes."""
    builder = Builder(cpu(0))
    xs = [wrap(builder.input(s, numpy.dtype(dtype), f"argument {k}"), cpu(0)) for k, s in enumerate(shapes)]
    with tracing(builder):
        y = function(*xs)
    return Graph(builder.inputs, [part._data for part in (y if isinstance(y, list) else [y])])


def names(graph):
    return [n.op.name for n in graph.nodes]


def test_equal_computations_are_one_node():
    assert names(traced(lambda x: np.tanh(x) * np.tanh(x), (3,))) == ["tanh", "multiply"]
    assert names(traced(lambda x, y: [(x + y) * 2, (x + y) * 3], (3,), (3,))) == ["add", "multiply", "multiply"]
    assert names(traced(lambda x: [x * 1.0, x * True, x * 2, x * 2.0], (3,))).count("multiply") >= 1


def test_two_draws_stay_two():
    graph = traced(lambda x: x + np.random.uniform(size=(3,)) + np.random.uniform(size=(3,)), (3,))
    assert names(graph).count("uniform01") == 2


def test_dropout_twice_gives_two_masks():
    block = hybrid(lambda x: [npx.dropout(x, 0.5), npx.dropout(x, 0.5)])
    with autograd.record():
        a, b = block(np.ones((30, 30)))
    assert (a.asnumpy() != b.asnumpy()).any()


LAWS = {
    "x * 1 is kept: a mean over one element is indexed as one over many": (lambda x: x * 1, ["multiply"]),
    "-(-x)": (lambda x: -(-x), []),  # noqa: B002
    "astype of the same": (lambda x: ew.cast(x, dtype="float32"), []),
    "sum over no axis": (lambda x: reduce.sum_(x, axis=(), keepdims=False), []),
    "max over no axis": (lambda x: reduce.max_(x, axis=(), keepdims=True), []),
    "reshape to the same": (lambda x: x.reshape(2, 3), []),
    "broadcast to the same": (lambda x: np.broadcast_to(x, (2, 3)), []),
    "reshape twice": (lambda x: x.reshape(3, 2).reshape(6), ["reshape"]),
    "transpose twice": (lambda x: x.T.T, []),
    "transposed product": (lambda x: np.dot(x, x.T).T, ["transpose", "matmul"]),
    "x + 0 is kept: -0 + 0 = 0": (lambda x: x + 0, ["add"]),
}


@pytest.mark.parametrize("law", LAWS)
def test_rules(law):
    function, left = LAWS[law]
    assert names(traced(function, (2, 3))) == left
    x = rand(2, 3)
    assert numpy.allclose(hybrid(function)(x).asnumpy(), function(x).asnumpy(), rtol=1e-6)


def test_every_rule_names_an_op():
    from numblocks.op import REGISTRY

    assert {op for op, _, _ in RULES} <= set(REGISTRY)


@pytest.mark.parametrize("law", ["-(-x)", "x + 0 is kept: -0 + 0 = 0"])
@given(x=st.lists(st.floats(width=32), min_size=1, max_size=6))
def test_rules_hold_for_every_float(law, x):
    function, _ = LAWS[law]
    x = np.array(numpy.array(x, "f4"))
    found, wanted = hybrid(function)(x).asnumpy(), function(x).asnumpy()
    assert (
        numpy.array_equal(found, wanted, equal_nan=True)
        and (numpy.signbit(found) == numpy.signbit(wanted))[wanted == 0].all()
    )


def test_listing_reads_like_a_program():
    text = str(traced(lambda x, y: np.tanh(np.dot(x, y) + 1).sum(axis=0), (2, 3), (3, 4)))
    lines = [line.split(" : ") for line in text.splitlines()]
    assert lines[0] == ["input  argument 0", "float32[2,3]"]
    assert [line[0].split(" = ")[1].split("(")[0] for line in lines[2:-1]] == ["matmul", "add", "tanh", "sum"]
    assert lines[-1][0].startswith("return v") and "float32[2,4]" in text and "axis=(0,)" in text


def test_nodes_remember_the_users_line():
    graph = traced(lambda x: np.tanh(x), (3,))
    file, line, layer = graph.nodes[0].where
    assert layer == ""
    assert file == __file__ and "np.tanh(x), (3,)" in open(file).read().splitlines()[line - 1]


def test_check_finds_disorder_and_wrong_shapes():
    graph = traced(lambda x: np.tanh(x) + 1, (3,))
    graph.check()
    graph.nodes.reverse()
    with pytest.raises(AssertionError, match="before it is computed"):
        graph.check()
    graph.nodes.reverse()
    graph.nodes[0].shape = (4,)
    with pytest.raises(AssertionError, match="but its op infers"):
        graph.check()


def test_constants_and_outside_arrays_become_inputs():
    table = rand(3)
    graph = traced(lambda x: x + table + numpy.ones(3, "f4") + numpy.float32(2), (3,))
    assert len(graph.inputs) == 3 and names(graph) == ["add"] * 3
    block = hybrid(lambda x: x * table)
    x = rand(3)
    before = block(x).asnumpy()
    table[:] = table * 2  # an outside array is read at every call
    assert numpy.allclose(block(x).asnumpy(), 2 * before)


def test_what_depends_on_nothing_traced_is_computed_at_once():
    assert names(traced(lambda x: x + np.tanh(np.ones(3)), (3,))) == ["add"]


def test_shapes_are_known_and_values_are_not():
    seen = []

    def function(x):
        seen.append((x.shape, x.dtype, x.ndim, x.size, len(x), x.ctx))
        return x * x.shape[0]

    hybrid(function)(rand(4, 2))
    assert seen == [((4, 2), numpy.float32, 2, 8, 4, cpu(0))]


FORBIDDEN = {
    "bool()": lambda x, y: x if (x.sum() + y.sum()) > 0 else y,
    "asnumpy()": lambda x, y: np.array((x + y).asnumpy()),
    "float()": lambda x, y: x * float(y.sum() + x.sum()),
    "int()": lambda x, y: x[: int(x.sum() + y.sum())],
    "item()": lambda x, y: x * (x + y).sum().item(),
    "tolist()": lambda x, y: (x + y).tolist(),
    "index": lambda x, y: x[: (x + y).argmax()],
    "numpy.asarray()": lambda x, y: np.array(numpy.asarray(x + y)),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_values_are_refused_by_name(what):
    block = hybrid(FORBIDDEN[what])
    with pytest.raises(TraceError) as caught:
        block(rand(3), rand(3))
    text = str(caught.value)
    assert what in text and "argument 0, argument 1" in text and "is traced" in text


def test_only_the_arguments_it_depends_on_are_named():
    with pytest.raises(TraceError, match=r"depends on argument 1\)"):
        hybrid(lambda x, y: x if y.sum() > 0 else -x)(rand(3), rand(3))


def write(x):
    x[0] = 1
    return x


def add(x):
    x += 1
    return x


def copy_out(x):
    y = np.zeros((3,))
    y[:] = x
    return y


@pytest.mark.parametrize("function", [write, add, copy_out])
def test_writing_in_place_is_refused(function):
    x = rand(3)
    before = x.asnumpy()
    with pytest.raises(TraceError, match="in place|not"):
        hybrid(function)(x)
    assert (x.asnumpy() == before).all()


def test_a_temporary_may_be_updated():
    def function(x):
        y = x * 2
        y += 1
        return y

    x = rand(3)
    assert numpy.allclose(hybrid(function)(x).asnumpy(), x.asnumpy() * 2 + 1)


def test_a_mask_cannot_select():
    with pytest.raises(TraceError, match="mask"):
        hybrid(lambda x: x[x > 0])(rand(3))


def test_an_error_while_tracing_restores_everything():
    block = hybrid(lambda x: np.dot(x, np.ones((7, 2))))
    with pytest.raises(Exception, match="shapes"):
        block(rand(2, 3))
    with pytest.raises(Exception, match="shapes"), autograd.record():
        block(rand(2, 3))
    assert hybrid(lambda x: x + 1)(rand(2)).shape == (2,)


def test_nodes_are_avals():
    node = Node(None, (), {}, (2, 3), numpy.dtype("float32"), 0, label="x")
    assert node.is_input and str(node) == "float32[2,3]" and node.size == 6 and node.origin() == " (it depends on x)"


def test_a_view_key_is_part_of_the_node():
    graph = traced(lambda x: [x[1:], x[:-1], x[1:]], (4,))
    assert names(graph) == ["slice", "slice"] and graph.outputs[0] is graph.outputs[2]
    assert graph.nodes[0].spec["key"] == move.freeze_key((slice(1, None),))


def test_composites_are_traced_in_parts():
    assert names(traced(lambda x: npx.softmax(x), (2, 3))) == ["max", "subtract", "exp", "sum", "divide"]


def test_a_block_traced_in_a_block_is_inlined():
    inner = hybrid(lambda x: np.tanh(x))
    outer = Function(lambda x: inner(x) + 1)
    outer.hybridize()
    outer(rand(3))
    assert names(entries(outer)[0].plan.forward) == ["tanh", "add"]
    assert inner._traced is None
