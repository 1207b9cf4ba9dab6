"""The arithmetic of recurrent cells, one time step each, as Programs over `(batch, hidden)`.

`z` is the input's share of the pre-activations (without bias), `a` the hidden state's, `b` the biases. What the
backward pass needs of the forward pass are the activated gates. Backward programs take a cotangent for everything
the forward programs give out, gates included, so that derivatives of derivatives exist.

Gates in Gluon's order: LSTM input, forget, candidate, output (Hochreiter and Schmidhuber 1997; Gers et al. 2000);
GRU reset, update, candidate (Cho et al. 2014, with the reset gate behind the hidden product).
"""

from __future__ import annotations

import functools
import math

from .loops import Body
from .program import Operand, Program, Store


def gate(z, a, b): return 1.0 / (1.0 + math.exp(-(z + a + b)))  # noqa: E704


def squash(z, a, b): return math.tanh(z + a + b)  # noqa: E704


def rectify(z, a, b): return max(z + a + b, 0.0)  # noqa: E704


def tanh_slope(y): return 1.0 - y * y  # noqa: E704


def step_slope(y): return 1.0 if y > 0.0 else 0.0  # noqa: E704


def gate_back(d, y): return d * y * (1.0 - y)  # noqa: E704


def squash_back(d, y): return d * (1.0 - y * y)  # noqa: E704


def plus(a, b): return a + b  # noqa: E704


def times(a, b): return a * b  # noqa: E704


def times_plus(a, b, c): return a * b + c  # noqa: E704


def lstm_cell(i, f, g, c): return f * c + i * g  # noqa: E704


def lstm_out(o, c): return o * math.tanh(c)  # noqa: E704


def lstm_through(d, dh, o, c):
    """The cell's cotangent: from the next step and through h = o tanh(c)."""
    t = math.tanh(c)
    return d + dh * o * (1.0 - t * t)


def lstm_o(dh, c, gg): return dh * math.tanh(c) + gg  # noqa: E704


def gru_candidate(z, b, r, m): return math.tanh(z + b + r * m)  # noqa: E704


def gru_mix(u, n, h): return (1.0 - u) * n + u * h  # noqa: E704


def gru_n(dh, u, gg): return dh * (1.0 - u) + gg  # noqa: E704


def gru_u(dh, h, n, gg): return dh * (h - n) + gg  # noqa: E704


class _Step(Body):
    """A program under construction over axes (batch, hidden)."""

    def __init__(self, dtype: str):
        super().__init__()
        self.dtype, self.reads, self.writes = dtype, [], []

    def read(self, names: str, layout: str = "sc") -> list[str]:
        """Read operands of these names."""
        self.reads += [Operand(n, self.dtype, layout) for n in names.split()]
        return names.split()

    def calc(self, function, *args) -> str:
        """One line."""
        return self.line(function, args, self.dtype)

    def write(self, **values: str) -> None:
        """Write operands and what goes there."""
        for name, value in values.items():
            self.writes.append(Operand(name, self.dtype, "sc"))
            self.statements.append(Store(name, value))

    def program(self) -> Program:
        """The finished Program."""
        return Program("mm", tuple(self.reads), tuple(self.writes), (), tuple(self.statements))


@functools.cache
def lstm_forward(dtype: str) -> Program:
    """Reads z, a and b of the 4 gates, and c before; writes the 4 gates, c and h."""
    s = _Step(dtype)
    z, a, b = s.read("zi zf zg zo"), s.read("ai af ag ao"), s.read("bi bf bg bo", "0c")
    (before,) = s.read("c0")
    i, f, g, o = (s.calc(gate if k != 2 else squash, z[k], a[k], b[k]) for k in range(4))
    c = s.calc(lstm_cell, i, f, g, before)
    s.write(i=i, f=f, g=g, o=o, c=c, h=s.calc(lstm_out, o, c))
    return s.program()


@functools.cache
def lstm_backward(dtype: str) -> Program:
    """Reads gates, c and c before, cotangents of h (two parts), c (two parts) and gates; writes dz and dc before."""
    s = _Step(dtype)
    (i, f, g, o), (c, before) = s.read("i f g o"), s.read("c c0")
    (gy, rec, gc, dc), gg = s.read("gy rec gc dc"), s.read("ggi ggf ggg ggo")
    dh = s.calc(plus, gy, rec)
    dc = s.calc(lstm_through, s.calc(plus, gc, dc), dh, o, c)
    s.write(
        di=s.calc(gate_back, s.calc(times_plus, dc, g, gg[0]), i),
        df=s.calc(gate_back, s.calc(times_plus, dc, before, gg[1]), f),
        dg=s.calc(squash_back, s.calc(times_plus, dc, i, gg[2]), g),
        do=s.calc(gate_back, s.calc(lstm_o, dh, c, gg[3]), o),
        dcp=s.calc(times, dc, f),
    )
    return s.program()


@functools.cache
def gru_forward(dtype: str) -> Program:
    """Reads z, a, the two kinds of biases and h before; writes r, u, n, m (the candidate's hidden product) and h."""
    s = _Step(dtype)
    z, a, b = s.read("zr zu zn"), s.read("ar au an"), s.read("br bu bn bm", "0c")
    (before,) = s.read("h0")
    r, u = s.calc(gate, z[0], a[0], b[0]), s.calc(gate, z[1], a[1], b[1])
    m = s.calc(plus, a[2], b[3])
    n = s.calc(gru_candidate, z[2], b[2], r, m)
    s.write(r=r, u=u, n=n, m=m, h=s.calc(gru_mix, u, n, before))
    return s.program()


@functools.cache
def gru_backward(dtype: str) -> Program:
    """Reads gates, h before, cotangents of h (three parts) and gates; writes dz, da and the direct part of dh."""
    s = _Step(dtype)
    (r, u, n, m), (before,) = s.read("r u n m"), s.read("h0")
    (gy, rec, direct), gg = s.read("gy rec direct"), s.read("ggr ggu ggn ggm")
    dh = s.calc(plus, s.calc(plus, gy, rec), direct)
    pre = s.calc(squash_back, s.calc(gru_n, dh, u, gg[2]), n)
    dm = s.calc(times_plus, pre, r, gg[3])
    dr = s.calc(gate_back, s.calc(times_plus, pre, m, gg[0]), r)
    du = s.calc(gate_back, s.calc(gru_u, dh, before, n, gg[1]), u)
    s.write(zr=dr, zu=du, zn=pre, ar=dr, au=du, an=dm, dhp=s.calc(times, dh, u))
    return s.program()


@functools.cache
def rnn_forward(dtype: str, activation: str) -> Program:
    """Reads z, a, b; writes h."""
    s = _Step(dtype)
    (z, a), (b,) = s.read("z a"), s.read("b", "0c")
    s.write(h=s.calc(squash if activation == "tanh" else rectify, z, a, b))
    return s.program()


@functools.cache
def rnn_backward(dtype: str, activation: str) -> Program:
    """Reads h and its cotangent (two parts); writes dz."""
    s = _Step(dtype)
    (h,), (gy, rec) = s.read("h"), s.read("gy rec")
    slope = s.calc(tanh_slope if activation == "tanh" else step_slope, h)
    s.write(dz=s.calc(times, s.calc(plus, gy, rec), slope))
    return s.program()
