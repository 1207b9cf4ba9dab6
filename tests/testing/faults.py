"""Faults, as data: what is planted into numblocks, and which public check must find it.

Each is planted in a process of its own (`python tests/testing/faults.py NAME`), because kernels are memoised. It
prints one line of JSON: whether the check failed, after how many seconds, and the smallest case it found. Without a
name all are planted, one after the other, and `results.json` is written anew.
"""

import contextlib
import inspect
import json
import math
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import NamedTuple

import numpy

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
if str(Path(__file__).parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # reference.py

from hypothesis import strategies as st
from reference import REFERENCE

from numblocks import autograd, custom, gluon, np, npx, optimizer, tape, testing
from numblocks.formats import params
from numblocks.graph import axes, compiled, fuse, loop, lower, memory, rules, trace, traced
from numblocks.kernels import entry, few, loops, native, pooling, replay, reuse, rows, softmax, teamwork, transposing
from numblocks.op import REGISTRY, bind
from numblocks.ops import elementwise as ew
from numblocks.ops import index, move, pullback, reduce
from numblocks.ops import random as rnd
from numblocks.testing import layers, programs, training
from numblocks.testing.large import large_calls


class Fault(NamedTuple):
    """`plant()` changes numblocks for the rest of the process; `check()` must raise."""

    kind: str
    what: str
    plant: object
    check: object


FAULTS: dict[str, Fault] = {}


def fault(kind, check):
    """Register a planting function; its docstring says what is wrong."""
    return lambda plant: FAULTS.setdefault(plant.__name__, Fault(kind, plant.__doc__, plant, check)) and plant


def on_op(name):
    return lambda: testing.check_op(name, reference=REFERENCE.get(name))


def on_large(name, max_examples=12):
    """Calls that take threads, pieces, kernels over rows, memory used again."""
    return lambda: testing.check_op(
        name, reference=REFERENCE.get(name), cases=large_calls(name), order=1, max_examples=max_examples
    )


def on_loops():
    """Loops of a few steps, hybridized: outputs, states and an operand that all steps share."""

    def check(case):
        length, width, seed = case
        rng = numpy.random.default_rng(seed)
        x, start, w = (rng.uniform(-1, 1, s) for s in ((length, width), (width,), (width,)))

        def run(x, start, w):
            return npx.foreach(lambda row, state: (state * row, np.tanh(row * w + state * state)), x, start)

        testing.check_gradients(run, x, start, w, modes=("hybridized",))

    testing.drawn(check, st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 99)), 30)


def on_dense_nets():
    testing.drawn(testing.check_block, layers.trees(max_layers=3, kinds=("dense",)), 150)


def on_programs(count=300):
    testing.drawn(testing.check_program, programs.programs(), count)


def on_training():
    testing.drawn(testing.check_training, training.trainings(), 150)


def on_tape():
    testing.check_autograd()


def set_vjp(name, index_, vjp):
    """Exchange one VJP of an op, whatever shortcuts were made of the old one."""
    found = REGISTRY[name]
    found.vjp = (
        tuple(vjp if k == index_ else v for k, v in enumerate(found.vjp)) if isinstance(found.vjp, tuple) else vjp
    )


def rewrite(module, name, old, new):
    """Exchange text in the source of a function or method (`Class.method`)."""
    holder = module
    *path, last = name.split(".")
    for part in path:
        holder = getattr(holder, part)
    function = inspect.unwrap(getattr(holder, last))
    source = textwrap.dedent(inspect.getsource(function))
    assert old in source, f"{name} does not contain {old!r} any more:\n{source}"
    source = source[source.index("def ") :].replace(old, new)
    namespace = function.__globals__
    kept = namespace.get(last)
    exec(compile(source, f"<faulty {name}>", "exec"), namespace)
    made = namespace[last]
    if path:
        setattr(holder, last, made)
        if kept is None:
            del namespace[last]
        else:
            namespace[last] = kept
    else:
        setattr(module, last, made)
    return made


# ---- derivatives -------------------------------------------------------------------------------------------------


@fault("vjp", on_op("cos"))
def wrong_sign():
    """The VJP of cos lacks its minus."""
    set_vjp("cos", 0, lambda g, y, x: g * ew.sin(x))


@fault("vjp", on_op("tanh"))
def forgotten_square():
    """The VJP of tanh is 1 - y."""
    set_vjp("tanh", 0, lambda g, y, x: g * (1.0 - y))


@fault("vjp", on_op("multiply"))
def swapped_operands():
    """The VJP of multiply in a is g * a."""
    set_vjp("multiply", 0, lambda g, y, a, b: g * a)


@fault("vjp", on_op("divide"))
def missing_minus_in_divide():
    """The VJP of divide in b lacks its minus."""
    set_vjp("divide", 1, lambda g, y, a, b: g * y / b)


@fault("vjp", on_op("power"))
def missing_logarithm():
    """The VJP of power in the exponent is g * y."""
    set_vjp("power", 1, lambda g, y, a, b: g * y)


@fault("vjp", on_op("erf"))
def factor_two():
    """The VJP of erf has half the factor."""
    set_vjp("erf", 0, lambda g, y, x: g * (1.0 / math.sqrt(math.pi)) * ew.exp(-ew.square(x)))


@fault("vjp", on_op("gelu"))
def missing_term():
    """The VJP of gelu lacks the term of the density."""
    set_vjp("gelu", 0, lambda g, y, x: g * (0.5 * (1.0 + ew.erf(x * math.sqrt(0.5)))))


@fault("vjp", on_op("where"))
def unmasked_branch():
    """The VJP of where sends everything to the second branch, too."""
    set_vjp("where", 2, lambda g, y, c, a, b: g)


@fault("vjp", on_op("softplus"))
def dtype_slip():
    """The VJP of softplus rounds to float32 on the way."""
    set_vjp("softplus", 0, lambda g, y, x: ew.astype(ew.astype(g * ew.sigmoid(x), "float32"), x.dtype))


@fault("vjp", on_op("sigmoid"))
def second_order_only():
    """The VJP of sigmoid uses a detached answer: right to first order, wrong to second."""
    set_vjp("sigmoid", 0, lambda g, y, x: g * (y * (1.0 - y)).detach())


@fault("vjp", on_op("softmax"))
def missing_projection():
    """The VJP of softmax lacks the sum over the axis."""
    set_vjp("softmax", 0, lambda g, y, x, *, axis: y * g)


@fault("vjp", on_op("max"))
def wrong_winner():
    """The VJP of max gives everything to the smallest element."""
    right = REGISTRY["min"].vjp[0]
    set_vjp("max", 0, lambda g, y, x, **spec: right(g, reduce.min_(x, **spec), x, **spec))


@fault("vjp", on_op("prod"))
def missing_division():
    """The VJP of prod is the whole product."""
    set_vjp("prod", 0, lambda g, y, x, *, axis, keepdims: reduce.spread(g * y, x, axis, keepdims))


@fault("vjp", on_op("cumsum"))
def scan_not_reversed():
    """The VJP of cumsum runs forward."""
    cumsum = REGISTRY["cumsum"]
    set_vjp("cumsum", 0, lambda g, y, x, *, axis: cumsum(g, axis=axis))


@fault("vjp", on_op("concat"))
def off_by_one_at_the_seam():
    """The VJP of concat starts one element early from the second array on."""

    def vjp(g, y, *xs, index, axis):
        start = max(sum(x.shape[axis] for x in xs[:index]) - (index > 0), 0)
        return move.slice_(
            g, key=move.freeze_key((slice(None),) * axis + (slice(start, start + xs[index].shape[axis]),))
        )

    REGISTRY["concat"].vjp = vjp


@fault("vjp", on_op("transpose"))
def permutation_not_inverted():
    """The VJP of transpose permutes once more instead of back (seen with three axes only)."""

    def vjp(g, y, x, *, axes):
        back = move.transpose(g, axes=axes)
        return back if back.shape == x.shape else move.transpose(g, axes=tuple(int(k) for k in numpy.argsort(axes)))

    set_vjp("transpose", 0, vjp)


@fault("vjp", on_op("slice"))
def steps_ignored():
    """The VJP of slice treats negative steps as positive."""

    def vjp(g, y, x, *, key):
        plus = tuple(("s", None, None, 1) if isinstance(k, tuple) and k[1:] == (None, None, -1) else k for k in key)
        return move.unslice(g, key=plus, shape=x.shape)

    set_vjp("slice", 0, vjp)


@fault("vjp", on_op("matmul"))
def batch_not_reduced():
    """The VJP of matmul takes the first of the broadcast matrices instead of their sum."""

    def vjp(g, y, a, b):
        d = REGISTRY["matmul"](g, REGISTRY["transpose"](b, axes=(*range(b.ndim - 2), b.ndim - 1, b.ndim - 2)))
        while d.ndim > a.ndim:
            d = reduce.sum_(d[:1], axis=(0,), keepdims=False)
        return reduce.sum_to(d, a.shape)

    set_vjp("matmul", 0, vjp)


@fault("vjp", on_op("conv"))
def padding_side():
    """The VJP of conv in the weight sees the input shifted by one."""
    right = REGISTRY["conv"].vjp[1]

    def vjp(g, y, x, w, **spec):
        shifted = REGISTRY["concat"](x[..., 1:], x[..., :1], axis=x.ndim - 1)
        return right(g, y, shifted, w, **spec)

    set_vjp("conv", 1, vjp)


@fault("vjp", on_op("window_sum"))
def count_of_padding():
    """The VJP of average pooling divides by the elements of the padded window."""
    right = REGISTRY["window_sum"].vjp[0]
    set_vjp(
        "window_sum",
        0,
        lambda g, y, x, *, divide, **spec: right(g, y, x, divide="padded" if divide == "inside" else divide, **spec),
    )


@fault("vjp", on_op("leaky_relu"))
def negative_side_lost():
    """The VJP of leaky_relu in the slope is taken on the positive side."""
    set_vjp("leaky_relu", 1, lambda g, y, x, slope: ew.where(x > 0, g * x, 0.0))


@fault("vjp", on_op("take"))
def repeated_rows_overwrite():
    """The transpose of take keeps only the last of repeated indices."""
    scatter = REGISTRY["scatter_add"]

    def run(g, index_, *, axis, size, mode="raise", out=None):
        y = numpy.zeros((*g.shape[:axis], size, *g.shape[axis + index_.ndim :]), g.dtype) if out is None else out
        y[...] = 0
        y[(slice(None),) * axis + (index.in_range("take", index_, size, mode),)] = g
        return y

    scatter.run = run


# ---- the tape ----------------------------------------------------------------------------------------------------


@fault("tape", on_programs)
def missing_reduction_over_broadcast_axes():
    """The gradient of broadcasting takes the first instead of the sum along repeated axes."""

    def sum_to(g, shape):
        while g.ndim > len(shape):
            g = reduce.sum_(g, axis=(0,), keepdims=False)
        for k, n in enumerate(shape):
            if n == 1 and g.shape[k] != 1:
                g = move.slice_(g, key=move.freeze_key((slice(None),) * k + (slice(0, 1),)))
        return g

    for module in (reduce, tape, sys.modules["numblocks.ops.matmul"]):
        module.sum_to = sum_to


@fault("tape", on_tape)
def dropped_accumulation():
    """Of several cotangents that arrive at a variable the last one stays."""
    rewrite(tape, "deposit", 'if first and leaf.req != "add":', 'if leaf.req != "add":')


@fault("tape", on_tape)
def add_is_write():
    """grad_req 'add' overwrites."""
    rewrite(tape, "deposit", 'if first and leaf.req != "add":', "if first:")


@fault("tape", on_tape)
def fan_out_forgets():
    """A value used twice gets the cotangent of one use."""
    tape.add = lambda a, b: b


@fault("tape", on_tape)
def stale_residual():
    """A walk sees the first operand of a product in place of the second."""
    right = REGISTRY["multiply"].vjp[0]
    set_vjp("multiply", 0, lambda g, y, a, b: right(g, y, a, a if getattr(b, "shape", None) == a.shape else b))


@fault("tape", on_tape)
def pause_ignored():
    """pause() keeps recording."""
    autograd.pause = lambda train_mode=False: autograd._Scope(None, train_mode)
    testing.machine.autograd.pause = autograd.pause


@fault("tape", on_tape)
def function_gradient_of_last_time():
    """autograd.Function hands out the cotangents of its first walk for ever."""
    rewrite(autograd, "_function_op", "key = id(g)", "key = 0")


# ---- kernels and NumPy functions ---------------------------------------------------------------------------------


@fault("kernel", on_op("silu"))
def kernel_differs_from_numpy():
    """The kernel of silu has the sign of the exponent wrong."""

    def silu(x):
        return x / (1.0 + math.exp(x))

    REGISTRY["silu"].scalar = silu


@fault("kernel", on_op("softplus"))
def numpy_differs_from_kernel():
    """The NumPy function of softplus adds log(1 + ...) with a slip in a constant."""
    found = REGISTRY["softplus"]
    found.numpy = lambda x: numpy.logaddexp(x, 0.001)
    found.direct = lambda *args, **spec: bind(found, args, spec)  # the shortcut knows the old one


@fault("kernel", on_op("add"))
def strides_of_length_one_axes():
    """A kernel walks along an axis of length 1 that should repeat."""
    rewrite(loops, "aligned_strides", "strides.append(0)", "strides.append(natural[k])")


@fault("kernel", on_op("max_pool"))
def window_edge():
    """Max pooling's gradient counts windows one column too far right."""
    pooling._edges.cache_clear()
    rewrite(pooling, "_edges", "shift = numpy.arange(k) - p", "shift = numpy.arange(k) - p + (p > 0)")


@fault("kernel", on_op("window_sum"))
def counts_at_the_edge():
    """Average pooling counts one element too many at the upper edge."""
    pooling._counts.cache_clear()
    rewrite(pooling, "_counts", "numpy.minimum(start + k, n)", "numpy.minimum(start + k, n + 1)")


@fault("kernel", on_op("conv"))
def convolution_loses_a_tap():
    """Convolution drops the last tap of each kernel when there is padding."""
    found = REGISTRY["conv"]
    right = found.run

    def run(x, w, *, pad, out=None, **spec):
        if any(pad) and w.shape[-1] > 1:
            w = w.copy()
            w[..., -1] = 0
        return right(x, w, pad=pad, out=out, **spec)

    found.run = run


@fault("kernel", on_large("matmul"))
def product_loses_a_piece():
    """Of a product that is cut into pieces for several threads, the last is not computed."""
    right = native.pieces

    def pieces(*args):
        count, cut = right(*args)
        return count - (count > 1), cut

    native.pieces = pieces


@fault("kernel", on_large("sum", 60))
def whole_reduction_loses_a_part():
    """A large array that is reduced as a whole is cut into sixteen parts, of which fifteen are added."""
    rewrite(rows, "_plan", "second(first(x))", "second(np.append(first(x)[1:], x.dtype.type(0)))")


@fault("kernel", on_large("softmax"))
def projection_added_in_large_rows():
    """The kernel for the gradient of softmax over many rows adds the sum along the row."""

    def share(g, y, s):
        return y * (g + s)

    rows.share = share


@fault("memory", on_large("gelu"))
def block_handed_out_while_seen():
    """Memory is used again although one array still looks into it."""
    rewrite(reuse, "empty", "_count(block.memory) == _FREE", "_count(block.memory) <= _FREE + 1")


@fault("kernel", on_large("linear", 40))
def transpose_leaves_the_last_band():
    """The transposed copy of a weight lacks the columns behind the last whole vector."""
    rewrite(transposing, "bands", "-(-columns // tile.lanes(dtype))", "columns // tile.lanes(dtype)")


@fault("threads", on_large("tanh"))
def shared_loop_leaves_the_rest():
    """A loop that threads share stops at the last whole piece."""
    assert "%number = sdiv i64 %up4, %size" in teamwork._SPREAD
    teamwork._SPREAD = teamwork._SPREAD.replace("%number = sdiv i64 %up4, %size", "%number = sdiv i64 %a2, %size")


@fault("loop", on_loops)
def residual_of_the_step_before():
    """A loop keeps the state behind a step in the place of the state before it."""
    rewrite(loop, "_Chain.after", "self.kept[order[step + 1], ...]", "self.kept[order[step], ...]")


# ---- short ways, and what they remember ----------------------------------------------------------------------------


def ways(name):
    """The module that made the short way of an op."""
    return sys.modules[REGISTRY[name].direct.__module__]


def used(name):
    """An op of which everything is remembered that is remembered at all: what is planted now comes late."""
    parts = ("forward", "remembered", "gradients")
    testing.check_op(name, reference=REFERENCE.get(name), max_examples=40, parts=parts)
    if REGISTRY[name].kind == "elementwise":
        testing.check_op(name, reference=REFERENCE.get(name), cases=large_calls(name), order=1, max_examples=4)


@fault("remembered", on_op("max_pool"))
def keyword_not_in_the_key():
    """Pooling settles its keywords once for all paddings."""
    rewrite(
        ways("max_pool"), "fixed",
        "key = (op, *sorted(spec.items()))", 'key = (op, *sorted((k, v) for k, v in spec.items() if k != "pad"))',
    )  # fmt: skip


@fault("remembered", on_op("softmax"))
def launch_by_shape_alone():
    """A launch that was worked out for one dtype serves arrays of the other, too."""
    before = replay.made

    def made(function, arrays):
        found = before(function, arrays)
        if found is None:
            return None
        launch, *rest = found
        cast = lambda xs: [numpy.asarray(x, kept.dtype, order="C") for x, kept in zip(xs, arrays, strict=True)]
        return lambda *xs: launch(*cast(xs[:-1]), xs[-1]), *rest

    replay.made = made


@fault("remembered", on_programs)
def running_sums_along_another_axis():
    """Running sums of few elements are remembered by the shape, whatever the axis."""

    class Known(type(few._running)):
        def __getitem__(self, key):
            return super().__getitem__(key[:2])

        def learn(self, key, found):
            return super().learn(key[:2], found)

    few._running = Known()


@fault("entry", on_large("where", 40))
def shapes_not_compared():
    """Machine code takes arrays of several shapes for arrays of the first one's."""
    before = entry.launcher

    def launcher(kernel, extent, limit, template, operands, keep=()):
        right = before(kernel, extent, limit, template, operands, keep)
        if right is None or extent != entry.EACH:
            return right

        def launch(*xs):
            shape = next(x.shape for x in xs if type(x) is numpy.ndarray)
            seen = lambda x: numpy.resize(x, shape) if type(x) is numpy.ndarray and x.size else x
            return right(*map(seen, xs[:-1]), xs[-1])

        return launch

    entry.launcher = launcher


@fault("pullback", on_large("tanh"))
def operands_of_a_line_swapped():
    """The loop that does a VJP takes the operands of each line the wrong way round."""
    rewrite(pullback, "_Trace.evaluate", "self.body.line(op.scalar, names,", "self.body.line(op.scalar, names[::-1],")


@fault("pullback", on_large("arctan2", 40))
def large_sum_forgotten():
    """What a VJP in one loop gives for an operand that was repeated is not added up."""

    def sum_to(g, shape):
        if g.size < pullback.LARGE:
            return reduce.sum_to(g, shape)
        first = numpy.broadcast_to(numpy.zeros(shape), g.shape).strides
        key = tuple(slice(0, 1) if s == 0 else slice(None) for s in first)
        return move.reshape(move.slice_(g, key=move.freeze_key(key)), shape=shape)

    tape.sum_to = sum_to


@fault("kernel", on_op("var"))
def few_elements_have_another_share():
    """The kernel for variances divides by all elements, whatever `ddof` is."""
    rewrite(rows, "_plan_variance", "1.0 / (n - ddof)", "1.0 / n")


@fault("kernel", on_op("softmax"))
def short_rows_rounded():
    """The kernel for softmaxes over short rows gives float32, the one for long rows what it is given."""

    def staged(x, out, logarithm):
        done = softmax.rows(x, out, logarithm)
        out[...] = out.astype("float32")
        return done

    rows.staged = staged


@fault("remembered", on_large("sigmoid"))
def vjp_exchanged_late():
    """A wrong VJP comes when the loop of the right one is remembered."""
    used("sigmoid")
    set_vjp("sigmoid", 0, lambda g, y, x: g * (y * (1.0 + y)))


@fault("remembered", on_op("window_sum"))
def loop_exchanged_late():
    """A wrong loop of average pooling comes when launches of the right one are remembered."""
    used("window_sum")
    found = REGISTRY["window_sum"]
    right = found.run
    found.run = lambda x, *, out=None, **spec: right(x * x.dtype.type(1.001), out=out, **spec)


@fault("remembered", on_op("softsign"))
def scalar_exchanged_late():
    """A wrong scalar function comes when launches of the right one are remembered."""
    used("softsign")

    def softsign(x):
        return x / (1.001 + abs(x))

    REGISTRY["softsign"].scalar = softsign


@fault("remembered", on_op("maximum"))
def numpy_exchanged_late():
    """A wrong NumPy function comes when the short way was made of the right one."""
    used("maximum")
    REGISTRY["maximum"].numpy = numpy.minimum


# ---- fusion, memory, compiled functions --------------------------------------------------------------------------


@fault("fusion", on_programs)
def transpose_fused_as_identity():
    """A transpose of a square array inside a fused loop indexes as if nothing was moved."""
    right = 'tuple(axes[k] for k in node.spec["axes"])'
    wrong = f"tuple(axes) if node.shape == node.inputs[0].shape else {right}"
    fuse.realigned = rewrite(axes, "realigned", f"return {right}", f"return {wrong}")


@fault("fusion", on_programs)
def false_rule():
    """A rewrite rule says that -(-x) = -x."""
    rules.BY_OP["negative"] = [(lambda n: rules._made_by(n.inputs[0], "negative"), lambda n, build: n.inputs[0])]


@fault("fusion", on_programs)
def factor_lost():
    """A rewrite rule takes any number for 1 in a product."""
    rules.BY_OP["multiply"] = [(lambda n: isinstance(n.inputs[1], float), lambda n, build: n.inputs[0])]


@fault("fusion", on_programs)
def offset_of_reversed_views():
    """A window on a buffer that runs backwards starts at its lowest address."""
    rewrite(lower, "moved", "base.offset + start", "base.offset")


@fault("fusion", on_programs)
def buffers_freed_too_early():
    """The arena thinks a buffer is free one step before its last use."""
    rewrite(memory, "Arena.want", "first, last,", "first, max(first, last - 1),")


@fault("fusion", on_dense_nets)
def lost_state_update():
    """A compiled net forgets to update running statistics."""
    rewrite(trace, "Builder.assign", "+ [(source, node)]", "")


@fault("random", on_dense_nets)
def shared_dropout_stream():
    """All dropouts of a compiled net use the same random stream."""
    rewrite(trace, "tracing", "return builder.draws - 1", "return 0")
    traced.tracing = contextlib.contextmanager(trace.tracing)


@fault("random", on_programs)
def backward_draws_again():
    """The walk back of a compiled function uses the next stream's dropout mask."""
    rewrite(
        compiled, "Recorded.pull" if hasattr(compiled, "Recorded") else "pull", "run(step.base)", "run(step.base + 1)"
    )


@fault("random", on_dense_nets)
def compiled_numbers_differ():
    """Eager draws of small arrays start at another element of the stream than compiled ones."""
    before = rnd._launch

    def shifted(op, name):
        launch, dtype = before(op, name)
        rnd._launches[op, name] = (lambda out, key: launch(out, (key + rnd._GOLDEN) & rnd._MASK)), dtype
        return rnd._launches[op, name]

    rnd._launch = shifted


# ---- training, files, ops of one's own -----------------------------------------------------------------------------


@fault("training", on_training)
def momentum_sign():
    """SGD subtracts its momentum."""
    rewrite(
        optimizer.sgd, "SGD.rule", "v = self.momentum * state[0] - lr * g", "v = -self.momentum * state[0] - lr * g"
    )


@fault("training", on_training)
def no_bias_correction():
    """Adam does not correct its moments for their start."""
    optimizer.Adam.factors = lambda self, t: (1.0,)


@fault("training", on_training)
def batch_size_ignored():
    """Trainer.step does not divide by the batch size."""
    before = gluon.Trainer.step
    gluon.Trainer.step = lambda self, batch_size, **more: before(self, 1, **more)


@fault("files", on_dense_nets)
def rounded_in_the_file():
    """Parameter files hold float32 whatever the parameter's dtype."""
    before = params.write
    rounded = lambda path, names, arrays: before(path, names, [
        a.astype("float32").astype(a.dtype) if a.dtype == "float64" else a for a in arrays])  # fmt: skip
    for module in (params, sys.modules["numblocks.gluon.save"]):
        for name, value in list(vars(module).items()):
            if value is before:
                setattr(module, name, rounded)


@fault("custom", lambda: testing.check_op(_custom()))
def derived_wrongly():
    """The derivative of tanh, as derived for scalar functions, is 1 + y^2."""
    custom.derive.ONE["tanh"] = "1.0 + y * y"


@fault("custom", lambda: testing.check_op(_custom()))
def choice_not_differentiated():
    """Of a conditional expression the derivative of the first branch is taken."""
    before = custom.derive.Deriver.of

    def of(self, node):
        return self.of(node.body) if type(node).__name__ == "IfExp" else before(self, node)

    custom.derive.Deriver.of = of


def _custom():
    @custom.scalar
    def bent(x):
        return math.tanh(x) if x < 0.5 else x * x

    return bent


# ---- running -----------------------------------------------------------------------------------------------------


def run(name: str) -> dict:
    """Plant a fault and run its check."""
    found = FAULTS[name]
    found.plant()
    start, cpu = time.perf_counter(), time.process_time()
    took = lambda: {
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
    }
    try:
        found.check()
    except BaseException as error:
        notes = [n for n in getattr(error, "__notes__", ())]
        return {"name": name, "caught": True, **took(), "error": type(error).__name__,
                "says": str(error).strip().splitlines()[0][:300],
                "example": " ".join(" ".join(notes).split())[:600]}  # fmt: skip
    return {"name": name, "caught": False, **took()}


def run_all(path: Path) -> None:
    """Every fault in a process of its own; what they gave is stored."""
    kept = json.loads(path.read_text())
    kept["faults"] = []
    for name in FAULTS:
        done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, timeout=600)
        kept["faults"].append(json.loads(done.stdout.splitlines()[-1]))
        print(name, kept["faults"][-1]["caught"], kept["faults"][-1]["cpu_seconds"], flush=True)
    path.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(run(sys.argv[1])))
    else:
        run_all(Path(__file__).with_name("results.json"))
