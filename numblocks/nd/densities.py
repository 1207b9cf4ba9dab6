"""Densities of the distributions that `nd.random` draws from, differentiable in samples and parameters.

The shape of the parameters begins that of the samples: sample `[i, ...]` belongs to parameter `[i]`. The logarithm
(`is_log`) is what is computed, from gammaln; the density is its exponential. Counts have no gradient.
"""

from __future__ import annotations

import math

from ..errors import MXNetError
from ..ops import elementwise as ew
from ..ops import special
from ..ops.move import reshape
from ..ops.reduce import sum_
from .array import NDArray
from .wrapping import legacy


def _beside(name: str, sample, *parameters, inner: int = 0):
    """The parameters with axes of length 1 where only samples vary; the last `inner` axes stay last."""
    found = []
    for p in parameters:
        lead, own = p.shape[: p.ndim - inner], p.shape[p.ndim - inner :]
        between = sample.ndim - inner - len(lead)
        if sample.shape[: len(lead)] != lead or between < 0 or sample.shape[sample.ndim - inner :] != own:
            raise MXNetError(
                f"{name}: samples of shape {sample.shape} and parameters of shape {p.shape}. The shape of samples"
                f" begins with that of the parameters. Reshape one of them."
            )
        found.append(reshape(p, shape=(*lead, *(1,) * between, *own)))
    return found


def _log_factorial(x):
    return special.gammaln(x + 1.0)


def _uniform(x, low, high):
    return x * 0.0 - ew.log(high - low)


def _normal(x, mu, sigma):
    return -0.5 * ew.square((x - mu) / sigma) - ew.log(sigma) - 0.5 * math.log(2 * math.pi)


def _gamma(x, alpha, beta):
    return alpha * ew.log(beta) + (alpha - 1.0) * ew.log(x) - beta * x - special.gammaln(alpha)


def _exponential(x, lam):
    return ew.log(lam) - lam * x


def _poisson(x, lam):
    x = x.detach()
    return x * ew.log(lam) - lam - _log_factorial(x)


def _negative_binomial(x, k, p):
    x = x.detach()
    chosen = special.gammaln(x + k) - _log_factorial(x) - special.gammaln(k)
    return chosen + k * ew.log(p) + x * ew.log1p(-p)


def _generalized_negative_binomial(x, mu, alpha):
    return _negative_binomial(x, 1.0 / alpha, 1.0 / (mu * alpha + 1.0))


def _dirichlet(x, alpha):
    last = (x.ndim - 1,)
    total = lambda v: sum_(v, axis=(v.ndim - 1,), keepdims=False)
    terms = sum_((alpha - 1.0) * ew.log(x), axis=last, keepdims=False)
    return terms + special.gammaln(total(alpha)) - total(special.gammaln(alpha))


def _density(name: str, log_density, parameters: str, inner: int = 0):
    def density(sample, *args, is_log=False, **named) -> NDArray:
        args = [*args, *(named[p] for p in parameters.split()[len(args) :])]
        y = log_density(sample, *_beside(name, sample, *args, inner=inner))
        return y if is_log else ew.exp(y)

    density.__doc__ = (
        f"The density{' (probability)' if 'poisson' in name or 'binomial' in name else ''} of `sample` under"
        f" {name[11:].replace('_', ' ')} distributions with {parameters.replace(' ', ' and ')}; its logarithm if"
        f" `is_log`."
    )
    return legacy(density, name=name)


_FORMULAS = {
    "uniform": (_uniform, "low high"), "normal": (_normal, "mu sigma"), "gamma": (_gamma, "alpha beta"),
    "exponential": (_exponential, "lam"), "poisson": (_poisson, "lam"), "dirichlet": (_dirichlet, "alpha", 1),
    "negative_binomial": (_negative_binomial, "k p"),
    "generalized_negative_binomial": (_generalized_negative_binomial, "mu alpha"),
}  # fmt: skip
_MADE = {f"random_pdf_{k}": _density(f"random_pdf_{k}", *row) for k, row in _FORMULAS.items()}
globals().update(_MADE)
__all__ = list(_MADE)
