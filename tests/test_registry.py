"""Every registered op, driven by its record: forward, dtypes, layouts, VJP, second order, and eager == hybridized.

A new op is tested by existing: it needs a row in `reference.py` and, unless its kind says how to call it, examples.
"""

import numpy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference import REFERENCE
from strategies import calls, domains, elementwise, layouts, values

from numblocks import autograd
from numblocks.array import wrap
from numblocks.device import cpu
from numblocks.op import REGISTRY
from numblocks.ops import random as rnd
from numblocks.testing import check_op
from numblocks.testing.calls import Call
from numblocks.testing.opcheck import TOLERANCE, OpCheck, close, kernels_always

RANDOM = {n for n, op in REGISTRY.items() if op.kind == "random"}
SEVERAL = {n for n, op in REGISTRY.items() if op.nout > 1}  # with several answers: gluon/test_rnn.py, ops/test_boxes.py
OPS = sorted(n for n in set(REGISTRY) - RANDOM - SEVERAL if not n.startswith("custom."))
INTEGERS = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift", "gcd", "lcm"}
LINEAR = {n for n in OPS if REGISTRY[n].kind == "linalg"}
ELEMENTWISE = [n for n in OPS if REGISTRY[n].kind == "elementwise" and n != "cast" and n not in INTEGERS]
SMOOTH = [
    n for n in OPS if REGISTRY[n].vjp is not None and n != "with_gradient"
]  # that one has another gradient on purpose
LAYERS = {"rnn_scan", "im2col", "col2im", "roi_places", "roi_align", "roi_align_grad", "nms_places",
    "multibox_detection",
          "ctc_loss", "ctc_loss_grad"}  # fmt: skip

NO_BOOL = {"subtract", "negative", "sign", "softmax", "log_softmax"}  # NumPy refuses them, too
NO_HALF_KERNEL = {
    "erf",
    "gelu",
    "gammaln",
    "gamma",
    "digamma",
    "erfinv",
}  # float16 is storage; these have no NumPy function to serve it
INT_TO_FLOAT = {
    "softmax",
    "log_softmax",
    "conv",
    "conv_bias",
    "conv_grad_data",
    "conv_grad_weight",
    "max_pool_grad",
    "max_pool_gather",
    "window_sum",
    "window_sum_grad",
    "recurrence",
}
SUMS = {"sum", "prod", "cumsum", "cumprod"}
NO_REPEATS = LINEAR | {
    "sort",
    "argsort",
    "searchsorted",
    "nms_places",
    "multibox_detection",
}  # what equal rows are worth is not theirs to say
INDICES = {"argsort", "searchsorted", "roi_places", "nms_places", "poisson_quantile"}
DRAWS = {"gamma_slope", "poisson_quantile"}
ROUGH = {"gamma_slope": 1e-7}  # the reference is a difference quotient


def nd(x):
    """An ndarray over `x`, strides and all."""
    return wrap(x, cpu(0))


def retyped(name, args, dtype):
    """The call's float64 arguments in another dtype; index arrays stay."""
    dtype = numpy.dtype(dtype)
    change = {"b": lambda x: x > 0.6, "i": lambda x: numpy.ceil(numpy.abs(x) if name == "power" else x),
              "u": lambda x: numpy.ceil(numpy.abs(x))}  # fmt: skip
    change = change.get(dtype.kind, lambda x: x)
    return [numpy.asarray(change(x), dtype) if x.dtype == "f8" else x for x in args]


def dtypes(name):
    """The dtypes an op takes."""
    if name in LINEAR or name in LAYERS or name in DRAWS:
        return ["float32", "float64"]
    if name in INTEGERS:
        return ["int32", "int64", "uint8"] + ["bool"] * name.startswith(("bitwise", "inv"))
    names = ["float32", "float64", "int32", "int64", "float16", "bool"]
    if name == "sort" or name == "argsort" or name in NO_BOOL:
        names.remove("bool")
    return names


def expected_dtype(name, dtype, spec):
    """The dtype of the answer: numblocks' promotion table, said once more."""
    op, kind = REGISTRY[name], numpy.dtype(dtype).kind
    if name == "cast":
        return spec["dtype"]
    if op.result == "bool":
        return "bool"
    if name.startswith("arg") or name in INDICES:
        return "int64"
    if name in SUMS and kind != "f":
        return "int64"
    if (op.result == "float" or name in INT_TO_FLOAT) and kind != "f":
        return "float32"
    return dtype


def want(name, args, spec, dtype):
    """The reference's answer, floats computed in float64."""
    exact = numpy.dtype(dtype).kind == "f" or expected_dtype(name, dtype, spec).startswith("float")
    wide = [x.astype("f8") if exact and x.dtype.kind != "i" or (exact and x.dtype == dtype) else x for x in args]
    with numpy.errstate(all="ignore"):
        return numpy.asarray(REFERENCE[name](*wide, **spec))


def check_forward(name, args, spec, dtype):
    y = REGISTRY[name](*[nd(x) for x in args], **spec).asnumpy()
    assert y.dtype == expected_dtype(name, dtype, spec), f"{name}({dtype}) gives {y.dtype}"
    wanted = want(name, args, spec, dtype)
    if y.dtype.kind == "f":
        close(y, wanted, max(TOLERANCE[y.dtype.name], TOLERANCE.get(str(dtype), 0), ROUGH.get(name, 0)), name)
    else:
        assert y.shape == wanted.shape and (y == wanted.astype(y.dtype)).all(), (y, wanted)


# ---- the tables --------------------------------------------------------------------------------------------


def test_every_op_has_a_reference():
    assert set(REFERENCE) == {n for n in REGISTRY if not n.startswith("custom.")}  # other tests declare custom ops


@pytest.mark.parametrize("name", OPS)
def test_every_op_can_be_called(name):
    calls(name)


def test_every_vjp_covers_the_arguments():
    for name in SMOOTH:
        op = REGISTRY[name]
        assert callable(op.vjp) or len(op.vjp) == op.nin, name


# ---- forward -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPS)
@given(st.data())
def test_forward(name, data):
    args, spec = data.draw(calls(name))
    dtype = data.draw(st.sampled_from(dtypes(name)))
    assume(not (dtype == "float16" and name in NO_HALF_KERNEL))
    args = [data.draw(layouts(x, name not in NO_REPEATS)) for x in retyped(name, args, dtype)]
    check_forward(name, args, spec, dtype)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_generated_kernel(name, dtype):
    """The kernel that serves large arrays: contiguous, and broadcast over strides and reversed axes."""
    op, rng = REGISTRY[name], numpy.random.default_rng(1)
    plain = [values(rng, (3, 5), d) for d in domains(op)]
    mixed = [values(rng, s, d) for s, d in zip([(6, 4, 1), (4, 2), (2,), (1, 2)], domains(op), strict=False)]
    mixed[0] = mixed[0][::-2]
    with kernels_always():
        check_forward(name, retyped(name, plain, dtype), {}, dtype)
        check_forward(name, retyped(name, mixed, dtype), {}, dtype)


@pytest.mark.parametrize("name", ["add", "where", "gelu"])
@settings(max_examples=40)
@given(st.data())
def test_generated_kernel_in_any_layout(name, data):
    args, spec = data.draw(elementwise(REGISTRY[name]))
    args = [data.draw(layouts(x, name not in NO_REPEATS)) for x in retyped(name, args, "float32")]
    with kernels_always():
        check_forward(name, args, spec, "float32")


@pytest.mark.parametrize("shape", [(130, 130), (3, 70_000)])
@pytest.mark.parametrize("name", ["add", "tanh", "where", "softplus", "sum", "softmax", "matmul", "cumsum", "max"])
def test_large(name, shape):
    op, rng = REGISTRY[name], numpy.random.default_rng(2)
    args = [values(rng, shape).astype("f4") for _ in range(op.nin)]
    spec = {}
    if name == "where":
        args[0] = args[0] > 0
    if name == "matmul":
        args[1] = args[1].T
    if op.kind == "reduce":
        spec = {"axis": (1,), "keepdims": False}
    if name in ("softmax", "cumsum"):
        spec = {"axis": 1}
    y = op(*[nd(x) for x in args], **spec).asnumpy()
    wanted = want(name, args, spec, "float32")
    numpy.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-4 * numpy.abs(wanted).max())


SPECIAL = [
    numpy.nan,
    numpy.inf,
    -numpy.inf,
    0.0,
    -0.0,
    1e-40,
    -1e-40,
    1.0,
    -1.0,
    3e38,
    -3e38,
    88.0,
    -88.0,
    104.0,
    -104.0,
]


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if REGISTRY[n].nin == 1 and REGISTRY[n].numpy is not None])
def test_special_values_pass_alike(name):
    """NaN, infinities, zeros and the ends of the range: the kernel answers as NumPy does."""
    x = numpy.array(SPECIAL, "f4")
    if name in ("sin", "cos", "tan"):
        x = x[
            numpy.isnan(x) | (numpy.abs(x) < 2**50) | numpy.isinf(x)
        ]  # the kernel answers NaN beyond, as mathlib says
    small = REGISTRY[name](nd(x)).asnumpy()
    with kernels_always():
        large = REGISTRY[name](nd(x)).asnumpy()
    numpy.testing.assert_allclose(large, small, rtol=2e-6, atol=2e-38)


@pytest.mark.parametrize(
    "name",
    [
        "maximum",
        "minimum",
        "add",
        "multiply",
        "divide",
        "equal",
        "less",
        "hypot",
        "arctan2",
        "power",
        "logical_and",
        "logical_xor",
    ],
)
def test_special_pairs_pass_alike(name):
    a, b = numpy.meshgrid(numpy.array(SPECIAL, "f4"), numpy.array(SPECIAL, "f4"))
    small = REGISTRY[name](nd(a), nd(b)).asnumpy()
    with kernels_always():
        large = REGISTRY[name](nd(a.copy()), nd(b.copy())).asnumpy()
    numpy.testing.assert_allclose(large, small, rtol=4e-6, atol=2e-38)


@given(
    st.sampled_from([(), (0,), (7,), (2, 3)]),
    st.sampled_from(["float32", "float64"]),
    st.integers(0, 99),
    st.integers(0, 99),
)
@pytest.mark.parametrize("name", sorted(RANDOM))
def test_random_is_a_hash_of_seed_stream_and_place(name, shape, dtype, seed, stream):
    rnd.generator.reseed(seed)
    y = REGISTRY[name](shape=shape, dtype=dtype, stream=stream).asnumpy()
    wanted = REFERENCE[name](rnd.generator.key(stream), shape, dtype)
    assert y.dtype == dtype
    close(y, wanted, TOLERANCE[dtype], name)


# ---- derivatives -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMOOTH)
def test_vjp_against_differences(name):
    """To second order; the public check does all of it."""
    check_op(name, parts=("gradients",), max_examples=settings().max_examples)


@pytest.mark.parametrize(
    "name", [n for n in SMOOTH if REGISTRY[n].kind in ("elementwise", "reduce", "contraction", "composite")]
)
@settings(max_examples=8)
@given(st.data())
def test_gradients_come_in_the_dtype_of_the_variable(name, data):
    op = REGISTRY[name]
    args, spec = data.draw(calls(name))
    args = [data.draw(layouts(x, name not in NO_REPEATS)) for x in retyped(name, args, "float32")]
    assume(spec.get("dtype", "float32").startswith("float"))
    xs = [nd(x) for x in args]
    for k, x in enumerate(xs):
        if op.differentiable(k) and x.dtype.kind == "f":
            x.attach_grad()
    with autograd.record():
        y = op(*xs, **spec)
    y.backward()
    for x in xs:
        if x.grad is not None:
            assert x.grad.dtype == "float32" and x.grad.shape == x.shape


def from_examples_or_pair(name):
    """Arguments and keywords of an op without derivatives."""
    x = nd(numpy.array([1, 2]) if name in INTEGERS else numpy.array([0.5, 1.0]))
    spec = {"axis": 0, "keepdims": False} if name in ("argmax", "argmin") else {}
    spec = {"argsort": {"axis": 0, "descending": False}, "searchsorted": {"side": "left"}}.get(name, spec)
    return [x] * REGISTRY[name].nin, spec


@pytest.mark.parametrize("name", sorted(set(OPS) - set(SMOOTH) - LAYERS - {"with_gradient"}))
def test_what_has_no_derivative_is_off_the_tape(name):
    op = REGISTRY[name]
    args, spec = from_examples_or_pair(name)
    for x in args:
        x.attach_grad()
    with autograd.record():
        y = op(*args, **spec)
    assert y._node is None


# ---- hybridized --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPS)
@settings(max_examples=8)
@given(st.data())
def test_eager_equals_hybridized(name, data):
    op = REGISTRY[name]
    args, spec = data.draw(calls(name))
    dtype = data.draw(st.sampled_from(["float32", *dtypes(name)] if "float32" in dtypes(name) else dtypes(name)))
    assume(dtype != "int64" and not (dtype == "float16" and name in NO_HALF_KERNEL))
    args = [data.draw(layouts(x, name not in NO_REPEATS)) for x in retyped(name, args, dtype)]
    OpCheck(op, None, 1, 0.0).hybridized(Call(args, spec))
