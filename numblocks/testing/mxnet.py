"""The names of MXNet's `test_utils` that Gluon projects use in tests of their own.

They work on ndarrays, functions and Blocks; there are no symbols and executors here.
"""

from __future__ import annotations

import contextlib
import functools
import os

import numpy

from .. import autograd
from ..array import ndarray
from ..device import Device, cpu, current_device, gpu, num_gpus
from ..gluon.block import Block
from ..gluon.check import check_hybrid
from ..nd import array as nd_array
from ..random import numpy_generator
from . import compare
from .compare import almost_equal, assert_almost_equal, effective_dtype, same
from .consistency import check_consistency
from .gradients import check_gradients
from .subject import Subject, raw

_default: list[Device] = []


def default_context() -> Device:
    """The device that tests run on: as set by `set_default_context`, else the current one."""
    return _default[-1] if _default else current_device()


def set_default_context(ctx: Device) -> None:
    """Set the device that tests run on."""
    _default[:] = [ctx]


default_device, set_default_device = default_context, set_default_context


def default_dtype():
    """float32."""
    return numpy.float32


def list_gpus() -> range:
    """Numbers of the GPUs."""
    return range(num_gpus())


def default_rtols() -> dict:
    """Relative tolerances by dtype."""
    return {numpy.dtype(name): value for name, value in compare.RTOL.items()}


def default_atols() -> dict:
    """Absolute tolerances by dtype."""
    return {numpy.dtype(name): value for name, value in compare.ATOL.items()}


def get_rtol(rtol=None, dtype="float64") -> float:
    """`rtol`, or that of the dtype."""
    return compare.RTOL[numpy.dtype(dtype).name] if rtol is None else rtol


def get_atol(atol=None, dtype="float64") -> float:
    """`atol`, or that of the dtype."""
    return compare.ATOL[numpy.dtype(dtype).name] if atol is None else atol


def get_tols(x, y, rtol=None, atol=None) -> tuple[float, float]:
    """Tolerances for comparing two arrays."""
    return compare.tolerances(x, y, rtol, atol)


def assert_allclose(a, b, rtol=1e-7, atol=0.0, equal_nan=True) -> None:
    """`assert_almost_equal` with NumPy's tolerances."""
    assert_almost_equal(a, b, rtol, atol, equal_nan=equal_nan)


def assert_almost_equal_ignore_nan(a, b, rtol=None, atol=None, names=("a", "b")) -> None:
    """The same where neither is NaN."""
    x, y = numpy.array(raw(a)), numpy.array(raw(b))
    nan = numpy.isnan(x) | numpy.isnan(y)
    assert_almost_equal(numpy.where(nan, 0, x), numpy.where(nan, 0, y), rtol, atol, names)


def assert_almost_equal_with_err(
    a, b, rtol=None, atol=None, etol=None, names=("a", "b"), equal_nan=False, mismatches=(10, 10)
) -> None:
    """The same, but a share `etol` of the elements may differ."""
    if not etol:
        return assert_almost_equal(a, b, rtol, atol, names, equal_nan, mismatches=mismatches)
    x, y = numpy.broadcast_arrays(raw(a), raw(b))
    rtol, atol = compare.tolerances(x, y, rtol, atol)
    share = 1 - numpy.isclose(x, y, rtol, atol, equal_nan).mean()
    assert share <= etol, f"{names[0]} and {names[1]} differ in {share:.2%} of the elements, allowed are {etol:.2%}"


def assert_exception(f, exception_type, *args, **kwargs) -> None:
    """`f(*args, **kwargs)` raises."""
    try:
        f(*args, **kwargs)
    except exception_type:
        return
    raise AssertionError(f"{getattr(f, '__name__', f)} did not raise {exception_type}")


def same_array(array1, array2) -> bool:
    """Whether two arrays share their memory."""
    return numpy.shares_memory(raw(array1), raw(array2)) and raw(array1).shape == raw(array2).shape


def compare_ndarray_tuple(t1, t2, rtol=None, atol=None) -> None:
    """Compare nested tuples of arrays."""
    if t1 is None or t2 is None:
        return
    if isinstance(t1, (tuple, list)):
        for a, b in zip(t1, t2, strict=True):
            compare_ndarray_tuple(a, b, rtol, atol)
    else:
        assert_almost_equal(t1, t2, rtol, atol)


def rand_ndarray(
    shape, stype="default", density=None, dtype=None, modifier_func=None, distribution=None, ctx=None, **ignored
) -> ndarray:
    """Uniform numbers on [-1, 1) from numblocks' random stream, as an `nd` array."""
    if stype != "default":
        raise ValueError(f"rand_ndarray: storage type {stype!r} does not exist here. Arrays are dense. Use 'default'.")
    x = numpy_generator().uniform(-1, 1, shape)
    if modifier_func is not None:
        x = numpy.vectorize(modifier_func)(x)
    return nd_array(x, ctx=ctx or default_context(), dtype=dtype or "float32")


def rand_shape_nd(num_dim: int, dim: int = 10, allow_zero_size: bool = False) -> tuple[int, ...]:
    """A random shape with sizes up to `dim`."""
    return tuple(int(n) for n in numpy_generator().integers(0 if allow_zero_size else 1, dim + 1, num_dim))


def rand_shape_2d(dim0: int = 10, dim1: int = 10, allow_zero_size: bool = False) -> tuple[int, int]:
    """A random shape of two axes."""
    return tuple(rand_shape_nd(1, d, allow_zero_size)[0] for d in (dim0, dim1))


def rand_shape_3d(
    dim0: int = 10, dim1: int = 10, dim2: int = 10, allow_zero_size: bool = False
) -> tuple[int, int, int]:
    """A random shape of three axes."""
    return tuple(rand_shape_nd(1, d, allow_zero_size)[0] for d in (dim0, dim1, dim2))


def random_arrays(*shapes):
    """Standard normal NumPy arrays, float32; a single one is not in a list."""
    rng = numpy_generator()
    found = [numpy.asarray(rng.standard_normal(s), numpy.float32) for s in shapes]
    return found[0] if len(found) == 1 else found


def random_uniform_arrays(*shapes, low=0.0, high=1.0, dtype="float32"):
    """Uniform NumPy arrays."""
    return [numpy.asarray(numpy_generator().uniform(low, high, s), dtype) for s in shapes]


def np_reduce(dat, axis, keepdims, numpy_reduce_func):
    """A NumPy reduction over one or several axes."""
    axes = range(numpy.ndim(dat)) if axis is None else (axis,) if isinstance(axis, int) else axis
    y = numpy.asarray(dat)
    for k in sorted((a % y.ndim for a in axes), reverse=True):
        y = numpy_reduce_func(y, axis=k)
    return (
        y.reshape(tuple(1 if k in {a % numpy.ndim(dat) for a in axes} else n for k, n in enumerate(numpy.shape(dat))))
        if keepdims
        else y
    )


def numeric_grad(f, location, eps: float = 1e-4, use_forward_train: bool = True, **ignored) -> list[numpy.ndarray]:
    """Gradients of the sum of the outputs of a Block or function by central differences, element by element,"
    " float64."""
    subject = Subject(f, location, True, use_forward_train, 0)
    total = lambda arrays: sum(float(y.sum()) for y in subject.values(arrays))
    found = []
    for k, x in enumerate(subject.start[: len(location)]):
        g = numpy.zeros(x.shape)
        for at in numpy.ndindex(x.shape) if x.dtype.kind == "f" else ():
            sides = []
            for h in (eps, -eps):
                moved = [v.copy() for v in subject.start]
                moved[k][at] += h
                sides.append(total(moved))
            g[at] = (sides[0] - sides[1]) / (2 * eps)
        found.append(g)
    return found


def check_numeric_gradient(f, location, aux_states=None, numeric_eps=None, rtol=None, atol=None, grad_nodes=None,
                           use_forward_train=True, ctx=None, grad_stype_dict=None, dtype=None) -> None:  # fmt: skip
    """`check_gradients` under MXNet's name, for Blocks and functions.

    Args:
        f: a Block or a function of ndarrays.
        location: list of inputs, or a dict, whose values are taken in order.
        numeric_eps, rtol, atol: accepted for old code; steps and tolerances come from the error estimate.
    """
    inputs = list(location.values()) if isinstance(location, dict) else list(location)
    check_gradients(f, *inputs, train_mode=bool(use_forward_train))


def simple_forward(f, *inputs, is_train: bool = False):
    """The answer as NumPy arrays."""
    with autograd.pause(train_mode=is_train):
        y = f(*[x if isinstance(x, ndarray) else nd_array(x) for x in inputs])
    return [v.asnumpy() for v in y] if isinstance(y, (list, tuple)) else y.asnumpy()


def check_gluon_hybridize_consistency(
    net_builder, data_l, numpy_func=None, test_grad=True, rtol=1e-4, atol=1e-4
) -> None:
    """A net built by `net_builder` gives the same eagerly, hybridized, and by `numpy_func`."""
    net: Block = net_builder()
    net.initialize()
    check_hybrid(net, *data_l, rtol=rtol, atol=atol)
    if numpy_func is not None:
        assert_almost_equal(net(*data_l), numpy_func(*[raw(x) for x in data_l]), rtol, atol)


def retry(n: int):
    """Decorator: a test may fail n - 1 times (for tests of statistics)."""

    def decorate(test):
        @functools.wraps(test)
        def run(*args, **kwargs):
            for k in range(n):
                try:
                    return test(*args, **kwargs)
                except AssertionError:
                    if k == n - 1:
                        raise

        return run

    return decorate


@contextlib.contextmanager
def environment(*args):
    """Environment variables for a while: `environment(name, value)` or `environment({name: value})`; None unsets."""
    wanted = args[0] if len(args) == 1 else {args[0]: args[1]}
    before = {name: os.environ.get(name) for name in wanted}
    try:
        _set(wanted)
        yield
    finally:
        _set(before)


def _set(values) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def mean_check(generator, mu, sigma, nsamples: int = 100_000) -> bool:
    """Whether the mean of samples is within three standard errors of `mu`."""
    return bool(abs(numpy.mean(numpy.asarray(generator(nsamples))) - mu) < 3 * sigma / nsamples**0.5)


def var_check(generator, sigma, nsamples: int = 100_000) -> bool:
    """Whether the variance of samples is within three standard errors of `sigma`^2."""
    return bool(abs(numpy.var(numpy.asarray(generator(nsamples))) - sigma**2) < 3 * (2 / nsamples) ** 0.5 * sigma**2)


__all__ = [
    "almost_equal", "assert_allclose", "assert_almost_equal", "assert_almost_equal_ignore_nan",
    "assert_almost_equal_with_err",
    "assert_exception", "check_consistency", "check_gluon_hybridize_consistency", "check_numeric_gradient",
    "compare_ndarray_tuple", "cpu", "default_atols", "default_context", "default_device", "default_dtype",
    "default_rtols",
    "effective_dtype", "environment", "get_atol", "get_rtol", "get_tols", "gpu", "list_gpus", "mean_check", "np_reduce",
    "numeric_grad", "rand_ndarray", "rand_shape_2d", "rand_shape_3d", "rand_shape_nd", "random_arrays",
    "random_uniform_arrays", "retry", "same", "same_array", "set_default_context", "set_default_device",
    "simple_forward",
    "var_check",
]  # fmt: skip
