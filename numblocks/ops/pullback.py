"""The VJP of an elementwise op as one loop: what `g * (y * (1.0 - y))` passes over memory three times, at once.

VJPs are written with ops, so a walk back that is itself recorded differentiates them. Where nothing is recorded only
their values count: the VJP is run once on arrays without values, the ops it calls become lines of one generated
kernel, and that is remembered for operands of these dtypes and layouts. The lines are those that the ops' own
kernels have, each rounded to its dtype, so the values are the same.
"""

from __future__ import annotations

import numpy

from ..array import Aval, ndarray
from ..eager import one_lane
from ..kernels import loops, reuse
from ..kernels.program import Operand, Program, Store
from ..op import Op, current
from ..shortcut import concrete

LARGE = 1 << 12  # elements from which one loop beats the ops one by one
_FLOATS = (concrete.FLOAT32, concrete.FLOAT64)


class _Refused(Exception):
    """The VJP calls something that is no line of a loop."""


class _Line(Aval):
    """The value of a line."""

    __slots__ = ("name",)

    def __init__(self, name: str, shape, dtype):
        super().__init__(shape, dtype)
        self.name = name


def fused(op: Op, index: int, pullback, g: ndarray, y: ndarray, args) -> ndarray | None:
    """`pullback(g, y, *args)` by one kernel; None where there is none: the ops do it one by one.

    Args:
        op: an elementwise op without keywords.
        index: of the argument whose cotangent is wanted.
        pullback: its VJP.
        g, y: the cotangent of the answer, and the answer.
        args: arrays and numbers.
    """
    data = g._data
    dtype, cls, device = data.dtype, type(g), g._device
    if type(data) is not concrete.CONCRETE or dtype not in _FLOATS or current.record is not None:
        return None
    key: list = [op, index, pullback]  # which may have been exchanged
    raw = []
    for x in (g, y, *args):
        if isinstance(x, ndarray):
            d = x._data
            fits = type(d) is concrete.CONCRETE and d.dtype is dtype
            if not fits or type(x) is not cls or x._device is not device:
                return None
            key += (d.shape, d.strides)
        elif type(x) is float or type(x) is int:
            d = x
            key += (type(x), repr(x))  # -0.0 is another number than 0.0
        else:
            return None
        raw.append(d)
    key.append(dtype.num)
    found = loops.remembered(tuple(key), lambda: _Fused.of(pullback, raw, dtype, cls, device))
    if found is None:
        return None
    z = cls()
    z._data, z._device, z._node = found.run(raw, dtype), device, None
    return z


class _Fused:
    """A kernel that does a VJP, prepared for operands of one kind."""

    __slots__ = ("launch", "used", "numbers", "shape")

    def __init__(self, launch, used, numbers, shape):
        self.launch, self.used, self.numbers, self.shape = launch, used, numbers, shape

    def run(self, raw, dtype) -> numpy.ndarray:
        """The cotangent, from the operands that the kernel reads."""
        out = reuse.empty(self.shape, dtype)
        self.launch.run([*[raw[k] for k in self.used], out], self.numbers)
        return out

    @classmethod
    def of(cls, pullback, raw, dtype, kind, device) -> _Fused | None:
        """None where the VJP is not a chain of elementwise ops, or is but one, or fits no nest of loops."""
        trace = _Trace(dtype)
        stand_ins = [trace.read(k, x, kind, device) for k, x in enumerate(raw)]
        evaluate, current.evaluate = current.evaluate, trace.evaluate
        try:
            z = pullback(*stand_ins)
        except Exception:  # whatever it did with a value: there are none
            return None
        finally:
            current.evaluate = evaluate
        z = z._data if isinstance(z, ndarray) else None
        if type(z) is not _Line or z.dtype != dtype or len(trace.body.statements) < 2:
            return None
        used = sorted(trace.used)
        steps = [loops.aligned_strides(raw[k], z.shape) for k in used] + [loops.natural_strides(z.shape)]
        axes, sizes, steps = loops.nest(z.shape, steps)
        if not loops.fits(axes):
            return None
        layouts = [loops.layout(s) for s in steps]
        reads = tuple(Operand(f"x{k}", dtype.name, lay) for k, lay in zip(used, layouts, strict=False))
        program = Program(
            axes,
            reads,
            (Operand("z", dtype.name, layouts[-1]),),
            tuple((name, dtype.name) for name in trace.numbers.values()),
            (*trace.body.statements, Store("z", z.name)),
        )
        launch = loops.Prepared(program, loops.program_kernel(program), sizes, steps)
        return cls(launch, used, [value for _, value in trace.numbers], z.shape)


class _Trace:
    """Writes the ops that are called as lines."""

    def __init__(self, dtype):
        self.body, self.dtype, self.used = loops.Body(), dtype, set()
        self.numbers: dict[tuple, str] = {}

    def read(self, k: int, x, kind, device):
        """What stands for operand `k`: a number is itself."""
        return self.array(f"x{k}", x.shape, kind, device) if isinstance(x, numpy.ndarray) else x

    def array(self, name: str, shape, kind, device, dtype=None):
        """An array without values."""
        y = kind()
        y._data, y._device, y._node = _Line(name, shape, dtype or self.dtype), device, None
        return y

    def evaluate(self, op: Op, args, spec):
        """The evaluator while a VJP is run."""
        if op.kind != "elementwise" or op.scalar is None or spec or one_lane(op.scalar, self.dtype):
            raise _Refused
        names, like = [], None
        for x in args:
            if isinstance(x, ndarray):
                if type(x._data) is not _Line:
                    raise _Refused
                like, name = x, x._data.name
                if name.startswith("x"):
                    self.used.add(int(name[1:]))
            elif type(x) is float or type(x) is int:
                name = self.numbers.setdefault((repr(x), float(x)), f"c{len(self.numbers)}")
            else:
                raise _Refused
            names.append(name)
        aval = op.infer(*[x._data if isinstance(x, ndarray) else x for x in args])
        if aval.dtype != self.dtype and aval.dtype != concrete.BOOL:
            raise _Refused
        name = self.body.line(op.scalar, names, aval.dtype.name)
        return self.array(name, aval.shape, type(like), like._device, aval.dtype)
