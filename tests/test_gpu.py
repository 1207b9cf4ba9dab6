"""Arrays on a GPU: a simulated one here, the machine's own where the `device` fixture finds it.

Values are compared with the CPU's: equal to the bit where an op only rounds once, within ulps otherwise.
"""

import copy
import functools
import math
import pickle

import numpy
import pytest

from numblocks import autograd, cpu, custom, device, gpu, nd, np, npx, num_gpus, pytest_plugin
from numblocks.base import MXNetError
from numblocks.cuda import Buffer
from numblocks.kernels.cuda import compiler, devices
from numblocks.op import REGISTRY
from numblocks.ops.index import take
from numblocks.testing import check_consistency, check_op
from numblocks.testing.calls import calls
from numblocks.testing.drawn import drawn
from numblocks.testing.opcheck import OpCheck
from numblocks.testing.ops import arranged

pytestmark = pytest.mark.usefixtures("simulated_gpus")


def on_both(function, *arrays):
    """Answer and gradients of `function` on the CPU and on the GPU, as two lists of NumPy arrays."""
    found = []
    for place in (cpu(0), gpu(0)):
        xs = [np.array(a, ctx=place) for a in arrays]
        for x in xs:
            if x.dtype.kind == "f":
                x.attach_grad()
        with autograd.record():
            y = function(*xs)
        assert y.ctx == place and isinstance(y._data, Buffer) == (place == gpu(0))
        if y._node is not None:
            y.backward()
        found.append([y.asnumpy(), *(x.grad.asnumpy() for x in xs if x.dtype.kind == "f" and x.grad is not None)])
    return found


def agree(function, *arrays, rtol=2e-6, atol=2e-6):
    for a, b in zip(*on_both(function, *arrays), strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        numpy.testing.assert_allclose(b, a, rtol=rtol, atol=atol * max(1, numpy.abs(a).max(initial=0)))


def normal(*shape, dtype="float32", seed=0):
    return numpy.random.default_rng(seed).standard_normal(shape).astype(dtype)


# Registered ops that run on a GPU, beside all elementwise ones with a scalar function.
PRESENT = set(
    "argmax argmin broadcast_to concat conv conv_grad_data conv_grad_weight linear log_softmax matmul max max_pool"
    " max_pool_gather max_pool_grad mean min pad pick pick_grad reshape scatter_add slice softmax sum take transpose"
    " unslice window_sum window_sum_grad".split()
)
DRAWN_ELSEWHERE = ("custom.", "uniform01", "normal01", "multibox_target")


@pytest.mark.parametrize("name", sorted(n for n in REGISTRY if not n.startswith(DRAWN_ELSEWHERE)))
def test_registered_op(name):
    """Answer and gradients are the CPU's, for drawn calls in any layout; or the op says that it is not there."""
    check = OpCheck(REGISTRY[name], None, 1, 0.0)
    try:
        drawn(functools.partial(check.elsewhere, gpu(0)), arranged(check.op, calls(check.op)), 6, 0)
    except MXNetError as error:
        assert "not available on gpu(0) yet" in str(error)
        assert name not in PRESENT and (check.op.kind != "elementwise" or check.op.scalar is None)


def test_every_memory_layout():
    x = normal(4, 6)
    views = [x.T, x[::2], x[:, ::-1], x[1:, 2:5], numpy.broadcast_to(x[:1], (4, 6)), x[2], x[..., 3], x[:0], x[2:2, 1:]]
    for view in views:
        agree(lambda a: np.tanh(a) * 2 + 1, view)
    agree(lambda a: (a.T[::-1, 1:] * a.T[:5, :3][:, 2]).sum(), normal(6, 6))
    agree(lambda a: np.tanh(a.transpose(6, 5, 4, 3, 2, 1, 0)) + 1, normal(2, 1, 2, 3, 2, 2, 2))


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 130), (2, 3, 4), (0, 3)])
def test_reductions(shape):
    x = normal(*shape)
    for axis in {None, 0 if shape else None, -1 if shape else None}:
        agree(lambda a, axis=axis: a.sum(axis=axis), x)
        agree(lambda a, axis=axis: a.mean(axis=axis, keepdims=True), x)
        if x.size:
            agree(lambda a, axis=axis: a.max(axis=axis), x)
            with autograd.pause():
                agree(lambda a, axis=axis: (a * 0.1 + 1).prod(axis=axis).detach(), x)
    if not x.size:
        with pytest.raises(ValueError, match="no elements"):
            np.array(x, ctx=gpu(0)).max()


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int32", "bool", "uint64"])
def test_long_rows_are_shared_among_blocks(dtype):
    x = (normal(2, 3, 700) * 3 + 5).astype(dtype)
    gpu0 = devices.get(0)
    for how, axis in (("sum", None), ("max", (1, 2)), ("min", (2,)), ("sum", (1, 2))):
        if dtype == "bool" and how != "sum":
            continue
        before = gpu0.launches
        found = getattr(np.array(x, ctx=gpu(0)), how)(axis=axis)
        if gpu0.name == "simulated":
            assert gpu0.launches == before + (1 if axis == (2,) else 2)
        wanted = getattr(x.astype("f8") if dtype.startswith("f") else x, how)(axis=axis).astype(found.dtype)
        numpy.testing.assert_allclose(found.asnumpy(), wanted, rtol=2e-3 if dtype == "float16" else 1e-5)


def test_softmax_and_losses_made_of_parts():
    agree(lambda a: npx.softmax(a, axis=-1)[:, 1], normal(4, 9))
    agree(lambda a: npx.log_softmax(a, axis=0)[2:], normal(4, 9))
    agree(lambda a: npx.layer_norm(a, np.ones(9, ctx=a.ctx), np.zeros(9, ctx=a.ctx)), normal(4, 9), atol=1e-5)


@pytest.mark.parametrize(
    ("a", "b"), [((3, 4), (4, 5)), ((17, 9), (9, 8)), ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((0, 3), (3, 2)),
                 ((3, 0), (0, 2)), ((4,), (4,)), ((4,), (4, 2))],
)  # fmt: skip
def test_products(a, b):
    agree(np.matmul if len(b) > 1 else np.dot, normal(*a), normal(*b, seed=1), rtol=1e-5)


def test_products_of_transposed_operands_and_dense_layers():
    agree(lambda a, b: np.dot(a.T, b.T), normal(4, 3), normal(5, 4), rtol=1e-5)
    agree(lambda x, w, b: npx.fully_connected(x, w, b, num_hidden=5), normal(3, 4), normal(5, 4), normal(5), rtol=1e-5)


def test_joins_and_movements():
    x, y = normal(2, 3), normal(2, 2)
    agree(lambda a, b: np.concatenate([a, b, a], axis=1).reshape(4, 4) * 2, x, y)
    agree(lambda a: np.pad(a, ((1, 0), (0, 2))) * np.pad(a, ((1, 0), (0, 2))), x)
    agree(lambda a: np.stack([a.T, a.T + 1]).transpose(2, 0, 1), x)
    agree(lambda a: np.broadcast_to(a.reshape(2, 1, 3), (2, 4, 3)), x)
    agree(lambda a: np.expand_dims(a, 0).swapaxes(0, 2)[1], x)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("mode", ["clip", "wrap", "raise"])
def test_rows_by_index(axis, mode):
    index = numpy.array([[1, 0, 1], [2, 2, 0]]) if mode == "raise" else numpy.array([[1, 5, -1], [2, -7, 0]])
    for dtype in ("int64", "int32", "float32"):
        agree(lambda a, i: take(a, i, axis=axis, mode=mode) * 1.5, normal(3, 4, 3), index.astype(dtype), rtol=1e-5)
    agree(lambda a, i: take(a.T, i, axis=axis, mode=mode), normal(3, 4, 3), index)
    with pytest.raises(IndexError, match="out of bounds"):
        take(np.ones((3, 2), ctx=gpu(0)), np.array([3], ctx=gpu(0)), axis=0, mode="raise")


def test_second_derivative():
    x = np.array([0.5, -1.0, 2.0], ctx=gpu(0))
    x.attach_grad()
    with autograd.record():
        dx = autograd.grad((np.tanh(x) * x).sum(), x, create_graph=True)[0]
        dx.backward()
    t = numpy.tanh(x.asnumpy())
    s = 1 - t * t
    numpy.testing.assert_allclose(x.grad.asnumpy(), 2 * s - 2 * x.asnumpy() * t * s, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "int8", "uint8", "bool", "int64"])
def test_dtypes(dtype):
    x = numpy.array([[0, 1, 2], [3, 100, 7]]).astype(dtype)
    for other in ("float16", "float32", "float64", "int8", "int32", "bool"):
        agree(lambda a, other=other: a.astype(other), x)
    agree(lambda a: a + a if dtype != "bool" else np.logical_and(a, a), x)
    agree(lambda a: a.sum(axis=0), x)
    agree(lambda a: a > 1, x)
    agree(lambda a: a * 2.5, x, rtol=1e-3 if dtype == "float16" else 1e-6)
    agree(lambda a: a / 2, x, rtol=1e-3 if dtype == "float16" else 1e-6)


def test_creation_copies_and_printing():
    with gpu(0):
        made = [np.zeros((2, 3)), np.ones(3), np.full((2,), 7.0), np.arange(5), np.eye(2), np.array([1, 2])]
    for x in made:
        assert x.ctx == gpu(0) and isinstance(x._data, Buffer)
    x = np.array([[1.0, 2.0]], ctx=gpu(0))
    assert repr(x) == "array([[1., 2.]], ctx=gpu(0))" and str(x) == "[[1. 2.]]"
    assert "@gpu(0)" in repr(nd.array([1], ctx=gpu(0)))
    there = x.as_in_ctx(gpu(1)) if num_gpus() > 1 else x
    for y in (x.copyto(cpu()), x.as_in_context(cpu()), there.as_in_ctx(cpu())):
        assert type(y._data) is numpy.ndarray and y.tolist() == [[1.0, 2.0]]
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.copy()):
        assert y.ctx == gpu(0) and y._data.block is not x._data.block and y.tolist() == [[1.0, 2.0]]
    assert float(x.sum()) == 3.0 and x[0, 1].item() == 2.0 and numpy.asarray(x).tolist() == [[1.0, 2.0]]
    assert x.zeros_like().ctx == np.zeros_like(x).ctx == gpu(0)
    target = np.zeros((1, 2), ctx=gpu(0))
    assert x.copyto(target) is target and target.tolist() == [[1.0, 2.0]]


def test_writing_in_place():
    found = []
    for place in (cpu(0), gpu(0)):
        x = np.array(numpy.arange(12.0).reshape(3, 4), dtype="float32", ctx=place)
        x[1] = 7
        x[:, ::2] += 1
        x[0, 1:3] = np.array([5.0, 6.0], ctx=place)
        x[...] = x[::-1] * 2
        x[:] = x[:, ::-1]  # what is read is what is written, the other way round
        x -= 1
        found.append(x.asnumpy())
    numpy.testing.assert_array_equal(*found)


def test_gradients_are_added_where_asked():
    x = np.ones((3,), ctx=gpu(0))
    x.attach_grad("add")
    for _ in range(3):
        with autograd.record():
            (x * 2).sum().backward()
    assert x.grad.tolist() == [6.0] * 3 and isinstance(x.grad._data, Buffer)


def test_gradients_cross_devices():
    x = np.array([1.0, 2.0])
    x.attach_grad()
    with autograd.record():
        y = (x * 3).as_in_ctx(gpu(0))
        z = (y * y).sum()
    z.backward()
    assert x.grad.ctx == cpu(0) and x.grad.tolist() == [18.0, 36.0]


@pytest.mark.parametrize("draw", [np.random.uniform, np.random.normal])
def test_random_numbers_are_those_of_the_cpu(draw):
    found = []
    for place in (cpu(0), gpu(0)):
        np.random.seed(3)
        found.append(draw(0, 1, (300,), ctx=place))
        assert found[-1].ctx == place
    numpy.testing.assert_allclose(found[1].asnumpy(), found[0].asnumpy(), rtol=1e-5, atol=1e-6)


# --- ops of one's own ---


@custom.scalar
def mish(x):
    return x * math.tanh(math.log1p(math.exp(x)))


@custom.scalar
def soft(x, a):
    size = abs(x)
    if size > a:
        return size - 0.5 * a
    return 0.5 * x * x / a


@pytest.mark.parametrize("op", [mish, soft], ids=lambda op: op.name)
def test_custom_scalar_ops(op):
    assert check_op(op, max_examples=12, devices=[gpu(0)]) > 12
    shapes = [(2, 3), (3,)][: op.nin]
    xs = [numpy.abs(normal(*s, seed=k)) + 0.5 for k, s in enumerate(shapes)]
    check_consistency(op, *xs, devices=[cpu(0), gpu(0)])


def test_a_fault_on_the_device_is_seen(monkeypatch):
    wrong = custom.scalar(vjp=lambda g, y, x: g * (2.0 if x.ctx == gpu(0) else 3.0))(thrice)
    with pytest.raises(AssertionError, match=r"custom.thrice on gpu\(0\)"):
        check_op(wrong, order=1, max_examples=8, devices=[gpu(0)])


def thrice(x):
    return 3.0 * x


def test_custom_loops_say_that_they_run_on_the_cpu():
    @custom.loop
    def doubled(y, x):
        for i in range(len(x)):
            y[i] = 2 * x[i]

    with pytest.raises(MXNetError, match=r"custom.doubled: not available on gpu\(0\) yet"):
        doubled(np.ones(3, ctx=gpu(0)))


def row_sums(y, x):
    for i in range(x.shape[0]):
        y[i] = 0.5 * x[i].sum()


def row_sum(i, y, x, rows, n, m):
    total = 0.0
    for j in range(m):
        total = total + x[i * m + j]
    y[i] = 0.5 * total


def spread_back(dx, g, x):
    for i in range(x.shape[0]):
        dx[i] = 0.5 * g[i]


def spread_one(i, dx, g, x, n, m, k, n_, m_):
    dx[i] = 0.5 * g[i // m]


def test_custom_loops_with_a_form_for_gpus():
    back = custom.loop(shape=lambda g, x: x, gpu=spread_one)(spread_back)
    halves = custom.loop(
        shape=lambda x: x[:1], vjp=back, gpu=row_sum, examples=((((3, 4),), {}), (((2, 1),), {})), jit=False
    )(row_sums)
    agree(halves, normal(3, 4))
    assert check_op(halves, order=1, max_examples=6, devices=[gpu(0)]) > 6
    check_consistency(halves, normal(5, 3), devices=[cpu(0), gpu(0)])
    with pytest.raises(TypeError, match="spread_one: it takes 9 arguments"):
        custom.loop(gpu=spread_one)(row_sums)(np.ones((2, 2), ctx=gpu(0)))


# --- errors, memory, devices ---


def test_what_has_no_kernel_says_so():
    x = np.ones((3, 3), ctx=gpu(0))
    index = np.array([0, 1], dtype="int64", ctx=gpu(0))
    absent = (lambda: np.argsort(x), lambda: x[index], lambda: np.linalg.svd(x), lambda: npx.topk(x))
    for call in (*absent, lambda: index & index, lambda: np.signbit(x), lambda: x.cumsum()):
        with pytest.raises(MXNetError, match=r"not available on gpu\(0\) yet"):
            call()
    with pytest.raises(MXNetError, match=r"argument 0 is on gpu\(0\) and argument 1 on cpu\(0\)"):
        x + np.ones((3, 3))
    with pytest.raises(MXNetError, match="asnumpy"):
        numpy.sin(x._data.__array__())
    with pytest.raises(MXNetError, match=r"gpu\(9\): there is no such GPU"):
        np.ones(3, ctx=gpu(9))
    if num_gpus() > 1:
        with pytest.raises(MXNetError, match=r"on gpu\(0\) and argument 1 on gpu\(1\)"):
            x + np.ones((3, 3), ctx=gpu(1))


def test_errors_of_shape_and_index_are_those_of_the_cpu():
    for place in (cpu(0), gpu(0)):
        x = np.ones((2, 3), ctx=place)
        with pytest.raises(MXNetError, match="could not be broadcast"):
            x + np.ones((4,), ctx=place)
        with pytest.raises(MXNetError, match="cannot take shape"):
            x.reshape(4, 2)
        with pytest.raises(IndexError, match="out of bounds"):
            x[5]
        with pytest.raises(MXNetError, match="do not multiply"):
            np.matmul(x, x)
        with pytest.raises(ValueError, match="broadcast"):
            x[0] = np.ones((2,), ctx=place)


def test_memory_goes_back_and_is_used_again():
    pool = devices.get(0).pool
    keep = np.ones((100,), ctx=gpu(0))
    used, y = pool.used, np.tanh(keep) + 1
    del y
    assert pool.used == used
    before = pool.allocations
    for _ in range(5):
        np.tanh(keep) + 1
    assert pool.allocations == before
    part = keep[10:20]
    del keep
    assert pool.used == used and part.tolist() == [1.0] * 10  # a view keeps the memory
    free, total = device.gpu_memory_info(0)
    assert 0 < free <= total
    gpu(0).empty_cache()
    assert pool.kept == 0


def test_an_op_is_one_launch_and_no_copy():
    x = np.ones((4, 5), ctx=gpu(0))
    device_ = devices.get(0)
    before = device_.launches, device_.copied
    np.tanh(x.T) * 2
    assert (device_.launches - before[0], device_.copied) == (2, before[1])


def test_without_a_gpu_naming_one_is_free(monkeypatch):
    monkeypatch.setenv("NUMBLOCKS_CUDA", "off")
    devices.forget()
    assert num_gpus() == 0 and str(gpu(0)) == "gpu(0)"
    with pytest.raises(MXNetError, match=r"gpu\(0\): there is no such GPU, 0 can be used"):
        np.ones(3, ctx=gpu(0))
    monkeypatch.setenv("NUMBLOCKS_CUDA", "maybe")
    devices.forget()
    with pytest.raises(ValueError, match="NUMBLOCKS_CUDA: 'maybe'"):
        num_gpus()


@pytest.mark.parametrize("place", sorted({"gpu(0)", *pytest_plugin.devices()}))
def test_on_every_device(place):
    """The plugin's `device` fixture runs a test on these: with a real GPU this is the smoke test of a machine."""
    kind, number = place.rstrip(")").split("(")
    with getattr(device, kind)(int(number)) as here:
        steps_on(here)


def steps_on(device):
    x, w = (np.array(normal(*s)) for s in ((5, 4), (4, 3)))
    w.attach_grad()
    with autograd.record():
        loss = (npx.softmax(np.tanh(np.dot(x, w))) ** 2).sum()
    loss.backward()
    v = w.as_in_ctx(cpu(0))
    v.attach_grad()
    with autograd.record():
        (npx.softmax(np.tanh(np.dot(x.as_in_ctx(cpu(0)), v))) ** 2).sum().backward()
    assert w.ctx is device
    numpy.testing.assert_allclose(w.grad.asnumpy(), v.grad.asnumpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(not compiler.available(), reason="numba-cuda is not installed")
def test_what_ran_here_compiles_too():
    """The simulator is no typed language: what it took, the compiler must take (last in the file: it has seen all)."""
    for name, text in getattr(devices.get(0), "loaded", {}).items():
        assert compiler.build(text, name, (9, 0))[0].code[:4] == b"\x7fELF"
