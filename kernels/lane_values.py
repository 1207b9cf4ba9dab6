"""The stand-ins that lane functions are called with: operators and functions on them write LLVM
instructions.
"""
import functools

import llvmlite.binding as llvm
import numpy
from llvmlite import ir

from .math32 import fmod_f32

_FLOATS = {"float32": ir.FloatType(), "float64": ir.DoubleType()}
_LLVM = {
    "fma": "llvm.fmuladd",
    "sqrt": "llvm.sqrt",
    "floor": "llvm.floor",
    "ceil": "llvm.ceil",
    "trunc": "llvm.trunc",
    "rint": "llvm.rint",
    "copysign": "llvm.copysign",
    "abs": "llvm.fabs",
    "maximum": "llvm.maximum",
    "minimum": "llvm.minimum",
}


def _llvm(dtype):
    return (
        _FLOATS[dtype]
        if dtype in _FLOATS
        else ir.IntType(1 if dtype == "bool" else 8 * numpy.dtype(dtype).itemsize)
    )


class Value:
    """A lane's value: operators on it append LLVM instructions. `dtype` tells what the bits mean."""

    __slots__ = ("builder", "ir", "dtype")
    __array_ufunc__ = None  # NumPy numbers step back and let `__radd__` and its like answer

    def __init__(self, builder, value, dtype):
        self.builder, self.ir, self.dtype = builder, value, dtype

    @property
    def kind(self):
        return numpy.dtype(self.dtype).kind

    def like(self, x):
        """`x` as a value of this dtype: itself, or a constant."""
        if isinstance(x, Value):
            if x.dtype != self.dtype:
                raise TypeError(
                    f"lane function: {self.dtype} meets {x.dtype}. Lanes have one dtype. Use cast"
                )
            return x
        number = numpy.dtype(self.dtype).type(x)
        typ = _llvm(self.dtype)
        return self.new(ir.Constant(typ, float(number) if self.kind == "f" else int(number)))

    def new(self, value, dtype=None):
        return Value(self.builder, value, dtype or self.dtype)

    def emit(self, name, args):
        return _EMIT[name](*args) if name in _EMIT else _intrinsic(name, args)

    def binary(self, x, floating, integer, swap=False):
        a, b = self, self.like(x)
        if swap:
            a, b = b, a
        return a.new(getattr(a.builder, floating if a.kind == "f" else integer)(a.ir, b.ir))

    def compare(self, x, op):
        b = self.like(x)
        if self.kind == "f":
            how = self.builder.fcmp_unordered if op == "!=" else self.builder.fcmp_ordered
        else:
            how = self.builder.icmp_signed if self.kind == "i" else self.builder.icmp_unsigned
        return self.new(how(op, self.ir, b.ir), "bool")

    def __add__(self, x):
        return self.binary(x, "fadd", "add")  # noqa: E704

    def __radd__(self, x):
        return self.binary(x, "fadd", "add", True)  # noqa: E704

    def __sub__(self, x):
        return self.binary(x, "fsub", "sub")  # noqa: E704

    def __rsub__(self, x):
        return self.binary(x, "fsub", "sub", True)  # noqa: E704

    def __mul__(self, x):
        return self.binary(x, "fmul", "mul")  # noqa: E704

    def __rmul__(self, x):
        return self.binary(x, "fmul", "mul", True)  # noqa: E704

    def __truediv__(self, x):
        return self.binary(x, "fdiv", "no integer '/'")  # noqa: E704

    def __rtruediv__(self, x):
        return self.binary(x, "fdiv", "no integer '/'", True)  # noqa: E704

    def __and__(self, x):
        return self.binary(x, "no float '&'", "and_")  # noqa: E704

    def __or__(self, x):
        return self.binary(x, "no float '|'", "or_")  # noqa: E704

    def __xor__(self, x):
        return self.binary(x, "no float '^'", "xor")  # noqa: E704

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __lt__(self, x):
        return self.compare(x, "<")  # noqa: E704

    def __le__(self, x):
        return self.compare(x, "<=")  # noqa: E704

    def __gt__(self, x):
        return self.compare(x, ">")  # noqa: E704

    def __ge__(self, x):
        return self.compare(x, ">=")  # noqa: E704

    def __eq__(self, x):
        return self.compare(x, "==")  # noqa: E704

    def __ne__(self, x):
        return self.compare(x, "!=")  # noqa: E704

    __hash__ = None

    def __lshift__(self, x):
        return self._shift(x, self.builder.shl, 0)

    def __rshift__(self, x):
        if self.kind == "i":
            return self._shift(x, self.builder.ashr, select(self < 0, self.like(-1), 0))
        return self._shift(x, self.builder.lshr, 0)

    def __rlshift__(self, x):
        return self.like(x) << self  # noqa: E704

    def __rrshift__(self, x):
        return self.like(x) >> self  # noqa: E704

    def _shift(self, x, instruction, beyond):
        """LLVM leaves shifts by the width or more undefined; NumPy fills."""
        width = self.ir.type.width
        if not isinstance(x, Value):
            return self.new(instruction(self.ir, self.like(x).ir)) if 0 <= x < width else self.like(beyond)
        inside = x.new(x.ir, "u" + x.dtype.lstrip("u")) < width
        return select(inside, self.new(instruction(self.ir, select(inside, x, 0).ir)), beyond)

    def __invert__(self):
        return self.new(self.builder.not_(self.ir))

    def __neg__(self):
        return self.new(self.builder.fneg(self.ir) if self.kind == "f" else self.builder.neg(self.ir))

    def __abs__(self):
        if self.kind == "f":
            return _intrinsic("abs", (self,))
        return select(self < 0, -self, self) if self.kind == "i" else self

    def __bool__(self):
        raise TypeError(
            "lane function: a condition decides what runs. Lanes run in step. Use select(c, a, b)"
        )


def _alike(*args):
    """Arguments as values of the dtype of the first that is one."""
    model = next(x for x in args if isinstance(x, Value))
    return [model.like(x) for x in args]


def _call(value, name, args, out):
    """Call an external function that reads and writes no memory, so that calls can be moved and merged."""
    typ = ir.FunctionType(out.ir.type if isinstance(out, Value) else out, [x.type for x in args])
    module = value.builder.module
    function = module.globals.get(name)
    if function is None:
        function = ir.Function(module, typ, name)
        if not name.startswith("llvm."):
            for attribute in ("nounwind", "readnone"):
                function.attributes.add(attribute)
    return value.builder.call(function, args)


def _intrinsic(name, args):
    args = _alike(*args)
    if args[0].kind != "f":
        return args[0]  # floor, ceil, trunc, rint of an integer
    suffix = "f32" if args[0].dtype == "float32" else "f64"
    return args[0].new(_call(args[0], f"{_LLVM[name]}.{suffix}", [x.ir for x in args], args[0]))


def select(c, a, b):
    """LLVM's select: both sides are computed, no branch."""
    if not isinstance(a, Value) and not isinstance(b, Value):
        a = constant(c.builder, a)
    a, b = _alike(a, b)
    if not isinstance(c, Value):
        return a if c else b
    return a.new(a.builder.select(c.ir, a.ir, b.ir))


def constant(builder, x):
    """A number as a value; NumPy numbers keep their dtype."""
    dtype = numpy.asarray(x).dtype.name
    return Value(builder, None, dtype).like(x)


def _extremum(name, op):
    def emit(a, b):
        a, b = _alike(a, b)
        return _intrinsic(name, (a, b)) if a.kind == "f" else select(a.compare(b, op), a, b)

    return emit


def _cast(x, T):
    dtype = numpy.dtype(T).name
    builder, target, source = x.builder, _llvm(numpy.dtype(T).name), x.kind
    if dtype == x.dtype:
        return x
    if dtype == "bool":
        return x != 0
    kind, width = numpy.dtype(dtype).kind, getattr(target, "width", 0)
    if source == "f" and kind == "f":
        out = (builder.fpext if dtype == "float64" else builder.fptrunc)(x.ir, target)
    elif source == "f":  # narrow and unsigned integers through a wider one: out of range wraps as in NumPy
        wide = ir.IntType(32 if width < 32 else 64 if dtype == "uint32" else width)
        convert = builder.fptoui if dtype == "uint64" else builder.fptosi
        out = convert(x.ir, wide)
        out = out if wide == target else builder.trunc(out, target)
    elif kind == "f":
        out = (builder.sitofp if source == "i" else builder.uitofp)(x.ir, target)
    elif width == x.ir.type.width:
        out = x.ir
    elif width < x.ir.type.width:
        out = builder.trunc(x.ir, target)
    else:
        out = (builder.sext if source == "i" else builder.zext)(x.ir, target)
    return x.new(out, dtype)


def _bits(x):
    dtype = "int32" if x.dtype == "float32" else "int64"
    return x.new(x.builder.bitcast(x.ir, _llvm(dtype)), dtype)


def _from_bits(x):
    dtype = "float32" if x.ir.type.width == 32 else "float64"
    return x.new(x.builder.bitcast(x.ir, _llvm(dtype)), dtype)


@functools.cache
def _scales():
    """Whether the processor has an instruction that multiplies by a power of two (AVX-512's vscalef)."""
    return llvm.get_host_cpu_features().get("avx512f", False)


def _ldexp(x, n):
    """Without the instruction by the halves of n: two exact steps, one rounding."""
    if _scales():
        return x.new(_call(x, "llvm.ldexp.f32.i32", [x.ir, n.ir], x))
    both = n + 254  # two biased exponents
    half = both >> 1
    return x * _from_bits(half << 23) * _from_bits((both - half) << 23)


def _accumulate(total, x):
    if total.kind != "f":
        return total + x
    return total.new(total.builder.fadd(total.ir, total.like(x).ir, flags=["reassoc"]))


def _accumulate_product(total, x):
    if total.kind != "f":
        return total * x
    return total.new(total.builder.fmul(total.ir, total.like(x).ir, flags=["reassoc"]))


def _libm(x, name, *rest):
    args = _alike(x, *rest)
    symbol = name + ("f" if args[0].dtype == "float32" else "")
    return args[0].new(_call(args[0], symbol, [v.ir for v in args], args[0]))


def _divmod(a, b):
    """Quotient and remainder with NumPy's conventions (floats: Python's divmod, after fmod)."""
    a, b = _alike(a, b)
    builder = a.builder
    if a.kind == "f":
        r = fmod_f32(a, b) if a.dtype == "float32" else _libm(a, "fmod", b)
        quotient = (a - r) / b
        turn = (r != 0) & ((b < 0) ^ (r < 0))
        r = select(turn, r + b, select(r == 0, _intrinsic("copysign", (a.like(0), b)), r))
        quotient = select(turn, quotient - 1, quotient)
        whole = _intrinsic("floor", (quotient,))
        whole = select(quotient - whole > 0.5, whole + 1, whole)
        whole = select(quotient == 0, _intrinsic("copysign", (a.like(0), a / b)), whole)
        return select(b == 0, a / b, whole), r
    zero = b == 0
    if a.kind in "ub":
        safe = select(zero, 1, b)
        q, r = a.new(builder.udiv(a.ir, safe.ir)), a.new(builder.urem(a.ir, safe.ir))
    else:  # the processor traps on b = 0 and on the smallest integer by -1
        minus = b == -1
        safe = select(zero | minus, 1, b)
        q, r = a.new(builder.sdiv(a.ir, safe.ir)), a.new(builder.srem(a.ir, safe.ir))
        turn = (r != 0) & ((r < 0) ^ (b < 0))
        q, r = select(turn, q - 1, q), select(turn, r + b, r)
        q = select(minus, -a, q)
    return select(zero, 0, q), select(zero, 0, r)


def _ipow(a, b):
    a, b = _alike(a, b)
    y, square = a.like(1), a
    for k in range(a.ir.type.width - 1):
        y = select(((b >> k) & 1) != 0, y * square, y)
        square = square * square
    if a.kind == "i":
        odd = (b & 1) != 0
        y = select(b < 0, select(a == 1, a.like(1), select(a == -1, select(odd, a.like(-1), 1), 0)), y)
    return y


_EMIT = {
    "select": select,
    "cast": _cast,
    "bits": _bits,
    "from_bits": _from_bits,
    "ldexp": _ldexp,
    "accumulate": _accumulate,
    "accumulate_product": _accumulate_product,
    "libm": _libm,
    "maximum": _extremum("maximum", ">"),
    "minimum": _extremum("minimum", "<"),
    "ipow": _ipow,
    "floordiv": lambda a, b: _divmod(a, b)[0],
    "mod": lambda a, b: _divmod(a, b)[1],
}
