"""Scalar functions: what is read, how it is rendered, what is refused."""

import math

import numpy as np
import pytest

from numblocks.kernels import math32
from numblocks.kernels.typed import SUFFIX, Scalar, closure, conditions, render, scalar, typed

CONSTANT = 2.0


def relu(x):
    """Documented."""
    return max(x, 0.0)


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))  # noqa: E704


def silu(x):
    return x * sigmoid(x)  # noqa: E704


def exp(x):
    return math.exp(x)  # noqa: E704


def where(c, a, b):
    return a if c else b  # noqa: E704


def gate(c, x):
    return x if c and not x < 0.0 else 0.0  # noqa: E704


def add(a, b):
    return a + b  # noqa: E704


def steps(x, y):
    z = x * 2.0
    z += y
    if z > 1.0:
        return 1.0
    if z < -1.0:
        return -1.0
    return z


def test_literals_take_the_dtype():
    assert (
        render(scalar(relu), "float32")
        == "@lane(float32)\ndef relu_f32(x):\n    return maximum(x, float32(0))\n"
    )
    assert "float64(0)" in render(scalar(relu), "float64")
    assert "int8(0)" in render(scalar(relu), "int8")
    assert "float32" in render(scalar(relu), "float16")  # halves are computed in float32


def test_other_scalars_and_math_come_along():
    texts = closure(scalar(silu), "float32")
    assert list(texts)[-2:] == ["sigmoid_f32", "silu_f32"] and "logistic_divisor_f32" in texts
    assert "(x * sigmoid_f32(x))" in texts["silu_f32"] or "x * sigmoid_f32(x)" in texts["silu_f32"]


def falling(x):
    return 1.0 + math.exp(-(x * x))


def rising(x):
    return 1.0 + math.exp(x)


def test_one_and_a_falling_exp_are_one_function():
    assert render(scalar(falling), "float32").endswith("return logistic_divisor_f32((x * x))\n")
    assert "logistic" not in render(scalar(falling), "float64") + render(scalar(rising), "float32")
    y = falling(0.5)
    assert closure(scalar(falling), "float16").keys() == closure(scalar(falling), "float32").keys()
    assert abs(math32.logistic_divisor_f32(np.float32(0.25)) - y) < 1e-6


def bent(x):
    return math.log1p(math.exp(-abs(x)))


def straight(x):
    return math.log1p(math.exp(-x))


def test_log1p_of_an_exp_below_one_is_one_function():
    assert render(scalar(bent), "float32").endswith("return log1pexp_f32((-abs(x)))\n")
    assert "log1pexp" not in render(scalar(bent), "float64") + render(scalar(straight), "float32")
    assert abs(math32.log1pexp_f32(np.float32(-0.25)) - bent(0.25)) < 1e-6


def test_a_scalar_that_is_a_function_of_mathlib_is_that_function():
    from numblocks.kernels import mathlib

    assert typed(scalar(exp), "float32").text == mathlib.closure("exp_f32")["exp_f32"]


def test_statements_become_selects():
    assert render(scalar(steps), "float64") == (
        "@lane(float64)\ndef steps_f64(x, y):\n    z = x * float64(2)\n    z = z + y\n"
        "    return select((z > float64(1)), float64(1), select((z < float64(-1)), float64(-1), z))\n"
    )


def test_conditions_are_the_arguments_only_asked_whether_they_hold():
    assert conditions(scalar(where)) == (True, False, False)
    assert conditions(scalar(gate)) == (True, False)
    assert conditions(scalar(add)) == (False, False)


def test_scalars_run_as_plain_python():
    assert scalar(silu)(0.0) == 0.0 and scalar(steps)(0.25, 0.25) == 0.75 and scalar(steps)(1.0, 1.0) == 1.0
    assert math.isnan(scalar(relu)(math.nan))
    assert scalar(scalar(relu)) is scalar(relu)
    assert (
        isinstance(scalar(relu), Scalar)
        and scalar(relu).nargs == 1
        and "Documented" not in scalar(relu).source
    )


def global_constant(x):
    return x * CONSTANT  # noqa: E704


def call_print(x):
    return print(x)  # noqa: E704


def index(x):
    return x[0]  # noqa: E704


def text_literal(x):
    return x + "a"  # noqa: E704


def loop(x):
    for _ in range(3):
        x = x * x
    return x


def no_return(x):
    y = x  # noqa: F841


def default(x, y=1.0):
    return x + y  # noqa: E704


def unknown_math(x):
    return math.nextafter(x, 1.0)  # noqa: E704


@pytest.mark.parametrize(
    "function, words",
    [
        (global_constant, "`CONSTANT` is not known"),
        (call_print, "`print` is not known"),
        (index, "`x\\[0\\]`"),
        (text_literal, "'a'"),
        (loop, "straight-line"),
        (no_return, "returns a value"),
        (default, "positional"),
        (unknown_math, "math.nextafter"),
    ],
)
def test_everything_else_is_refused_with_function_and_line(function, words):
    with pytest.raises(TypeError, match=words) as found:
        scalar(function)
    assert function.__name__ in str(found.value) and "test_typed.py" in str(found.value)
    line = function.__code__.co_firstlineno
    assert any(str(n) in str(found.value) for n in range(line, line + 4))


@pytest.mark.parametrize("thing", [len, 3, type("C", (), {})(), eval("lambda x: x")])
def test_only_functions_with_source(thing):
    with pytest.raises(TypeError):
        scalar(thing)


def divide(a, b):
    return a / b  # noqa: E704


def half(x):
    return x * 0.5  # noqa: E704


@pytest.mark.parametrize("function", [divide, half, exp])
def test_floats_do_not_sneak_into_integers(function):
    with pytest.raises(TypeError, match="[Cc]ast"):
        render(scalar(function), "int32")


def test_every_dtype_has_a_suffix():
    for dtype in SUFFIX:
        assert f"add_{SUFFIX[dtype]}(a, b)" in render(scalar(add), dtype)
    with pytest.raises(TypeError, match="complex64"):
        render(scalar(add), "complex64")
