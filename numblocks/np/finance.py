"""Interest, as NumPy had it up to 1.19 and MXNet's `np` still does.

Payments are made at the end of a period unless `when` says 'begin'.
"""

from __future__ import annotations

import numpy

from ..array import ndarray
from ..ops import elementwise as ew
from .host import values
from .reductions import _as_array, sum

_WHEN = {"end": 0, "begin": 1, "e": 0, "b": 1, 0: 0, 1: 1}


def _when(when) -> int:
    if when not in _WHEN:
        raise ValueError(f"when is {when!r}. It says whether payments are made at the 'begin' or 'end' of a period.")
    return _WHEN[when]


def npv(rate, values) -> ndarray:
    """The present value of payments, the first one now."""
    v = _as_array(values)
    periods = _as_array(numpy.arange(v.shape[-1]).astype(v.dtype if v.dtype.kind == "f" else "float32"))
    return sum(v / ew.power(_as_array(rate) + 1.0, periods), axis=-1)


def _annuity(rate, nper, when):
    """(growth over all periods, worth of one payment each period at the end)."""
    growth = ew.power(rate + 1.0, nper)
    zero = ew.equal(rate, 0)
    return growth, ew.where(zero, nper, (growth - 1.0) / ew.where(zero, 1.0, rate) * (rate * when + 1.0))


def pv(rate, nper, pmt, fv=0, when="end") -> ndarray:
    """What payments `pmt` over `nper` periods and `fv` at the end are worth now."""
    growth, worth = _annuity(_as_array(rate), _as_array(nper), _when(when))
    return -(_as_array(pmt) * worth + fv) / growth


def _payment(rate, nper, value, fv, when):
    growth, worth = _annuity(rate, nper, when)
    return -(value * growth + fv) / worth


def ppmt(rate, per, nper, pv, fv=0, when="end") -> ndarray:
    """The part of payment number `per` that pays off the loan `pv`."""
    rate, per, nper, value, begin = _as_array(rate), _as_array(per), _as_array(nper), _as_array(pv), _when(when)
    payment = _payment(rate, nper, value, fv, begin)
    growth = ew.power(rate + 1.0, per - 1.0)
    _, worth = _annuity(rate, per - 1.0, begin)
    interest = (value * growth + payment * worth) * rate
    if begin:
        interest = ew.where(ew.equal(per, 1), 0.0, interest / (rate + 1.0))
    return payment - interest


def rate(nper, pmt, pv, fv, when="end", guess=0.1, tol=1e-6, maxiter=100) -> ndarray:
    """The interest rate of a loan, by Newton's method in float64; NaN if it does not settle. Not differentiable."""
    n, p, v, f = (numpy.asarray(values(x, "rate"), numpy.float64) for x in (nper, pmt, pv, fv))
    begin, r = _when(when), numpy.asarray(values(guess, "rate"), numpy.float64)
    for _ in range(maxiter):
        growth = (1 + r) ** n
        slope = n * (1 + r) ** (n - 1)
        worth = (growth - 1) * (1 + r * begin) / r
        d_worth = slope * (1 + r * begin) / r + (growth - 1) * begin / r - worth / r
        step = (f + v * growth + p * worth) / (v * slope + p * d_worth)
        r = r - step
        if numpy.abs(step).max() < tol:
            return _as_array(numpy.asarray(r, "float32"))
    return _as_array(numpy.asarray(r * numpy.nan, "float32"))


def mirr(values, finance_rate, reinvest_rate) -> ndarray:
    """The modified internal rate of return of payments of both signs."""
    v = _as_array(values)
    n = v.shape[0]
    gains, losses = ew.where(v > 0, v, 0.0), ew.where(v < 0, v, 0.0)
    ratio = ew.abs_(npv(reinvest_rate, gains)) / ew.abs_(npv(finance_rate, losses))
    return ew.power(ratio, 1.0 / (n - 1)) * (_as_array(reinvest_rate) + 1.0) - 1.0


__all__ = ["mirr", "npv", "ppmt", "pv", "rate"]
