"""Optimizer steps on many arrays, and on float16 weights with a float32 copy (`mp_`), in place.

`multi_sgd_update(w0, g0, w1, g1, lrs=..., wds=..., num_weights=2, out=[w0, w1])`: the arrays of one weight after those
of another. With `preloaded_` the rates and decays are arrays, the last two. A float16 weight is its float32 copy,
rounded after each step.
"""

from __future__ import annotations

from . import update_rules as rules
from .array import NDArray
from .update import _write, nag_mom_update, sgd_mom_update, sgd_update


def _rounded(weight, weight32, out) -> NDArray:
    """The float32 copy, rounded, in `out` if that is not None."""
    return _write(rules.same_dtype(weight32.detach(), weight), out)


def mp_sgd_update(weight, grad, weight32, lr, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0, lazy_update=True,
                  out=None) -> NDArray:  # fmt: skip
    """`sgd_update` of the float32 copy."""
    sgd_update(weight32, rules.same_dtype(grad, weight32), lr, wd, rescale_grad, clip_gradient, out=weight32)
    return _rounded(weight, weight32, out)


def mp_sgd_mom_update(weight, grad, mom, weight32, lr, momentum=0.0, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0,
                      lazy_update=True, out=None) -> NDArray:  # fmt: skip
    """`sgd_mom_update` of the float32 copy."""
    grad = rules.same_dtype(grad, weight32)
    sgd_mom_update(weight32, grad, mom, lr, momentum, wd, rescale_grad, clip_gradient, out=weight32)
    return _rounded(weight, weight32, out)


def mp_nag_mom_update(weight, grad, mom, weight32, lr, momentum=0.0, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0,
                      out=None) -> NDArray:  # fmt: skip
    """`nag_mom_update` of the float32 copy."""
    grad = rules.same_dtype(grad, weight32)
    nag_mom_update(weight32, grad, mom, lr, momentum, wd, rescale_grad, clip_gradient, out=weight32)
    return _rounded(weight, weight32, out)


def mp_lamb_update_phase1(weight, grad, mean, var, weight32, wd, t, out=None, **options) -> NDArray:
    """`lamb_update_phase1` of the float32 copy; the direction is float32."""
    return rules.lamb_update_phase1(weight32, rules.same_dtype(grad, weight32), mean, var, wd, t, out=out, **options)


def mp_lamb_update_phase2(weight, g, r1, r2, weight32, lr, lower_bound=-1.0, upper_bound=-1.0, out=None) -> NDArray:
    """`lamb_update_phase2` of the float32 copy."""
    rules.lamb_update_phase2(weight32, g, r1, r2, lr, lower_bound, upper_bound, weight32)
    return _rounded(weight, weight32, out)


def mp_adamw_update(weight, grad, mean, var, weight32, rescale_grad, lr, eta, out=None, **options) -> NDArray:
    """`adamw_update` of the float32 copy."""
    options["out"] = weight32
    rules.adamw_update(weight32, rules.same_dtype(grad, weight32), mean, var, rescale_grad, lr, eta, **options)
    return _rounded(weight, weight32, out)


def _each(rule, data, per: int, out, *numbers, **options) -> list[NDArray]:
    """`rule` for every `per` arrays of `data`, with the numbers that belong to them."""
    groups = [data[k : k + per] for k in range(0, len(data), per)]
    outs = [None] * len(groups) if out is None else list(out) if isinstance(out, (list, tuple)) else [out]
    return [
        rule(*group, *rates, out=target, **options)
        for group, target, *rates in zip(groups, outs, *numbers, strict=True)
    ]


def _sgd(one, per: int, preloaded: bool, name: str, momentum_too: bool):
    def call(*data, lrs=None, wds=None, momentum=0.0, rescale_grad=1.0, clip_gradient=-1.0, num_weights=1, out=None):
        if preloaded:
            *data, lrs, wds = data
            lrs, wds = lrs.asnumpy().tolist(), wds.asnumpy().tolist()
        if len(data) != per * num_weights:
            raise ValueError(
                f"{name}: {len(data)} arrays for {num_weights} weights. Each weight comes with {per - 1} more, one"
                f" after the other. Pass {per * num_weights} arrays, or another num_weights."
            )
        options = {"rescale_grad": rescale_grad, "clip_gradient": clip_gradient}
        if momentum_too:
            options["momentum"] = momentum
        step = lambda *args, **rest: one(*args[:-2], lr=args[-2], wd=args[-1], **rest)
        return _each(step, data, per, out, lrs, wds, **options)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`{one.__name__}` for {'each weight' if not preloaded else 'each weight, rates and decays last'}."
    return call


_MADE = {
    prefix + name: _sgd(one, per, bool(prefix), prefix + name, "mom" in name)
    for prefix in ("", "preloaded_")
    for name, one, per in (
        ("multi_sgd_update", sgd_update, 2), ("multi_sgd_mom_update", sgd_mom_update, 3),
        ("multi_mp_sgd_update", mp_sgd_update, 3), ("multi_mp_sgd_mom_update", mp_sgd_mom_update, 4),
    )
}  # fmt: skip
globals().update(_MADE)


def multi_adamw_update(weights, grads, mean, var, rescale_grad, lrs, wds, etas, out=None, size=0, **options):
    """`adamw_update` for each weight."""
    step = lambda w, g, m, v, lr, wd, eta, **rest: rules.adamw_update(w, g, m, v, rescale_grad, lr, eta, wd=wd, **rest)
    data = [x for group in zip(weights, grads, mean, var, strict=True) for x in group]
    return _each(step, data, 4, out, lrs, wds, etas, **options)


def multi_mp_adamw_update(weights, grads, mean, var, weights32, rescale_grad, lrs, wds, etas, out=None, size=0,
                          **options):  # fmt: skip
    """`mp_adamw_update` for each weight."""
    step = lambda w, g, m, v, w32, lr, wd, eta, **rest: mp_adamw_update(
        w, g, m, v, w32, rescale_grad, lr, eta, wd=wd, **rest
    )
    data = [x for group in zip(weights, grads, mean, var, weights32, strict=True) for x in group]
    return _each(step, data, 5, out, lrs, wds, etas, **options)


def _lamb(w, g, m, v, lr, wd, t, lower_bound=-1.0, upper_bound=-1.0, out=None, **options):
    step = rules.lamb_update_phase1(w, g, m, v, wd, t, **options)
    return rules.lamb_update_phase2(w, step, rules.norm_of(w), rules.norm_of(step), lr, lower_bound, upper_bound, out)


def multi_lamb_update(weights, grads, mean, var, step_count, lrs, wds, out=None, num_tensors=0, **options):
    """Both phases of LAMB for each weight."""
    data = [x for group in zip(weights, grads, mean, var, strict=True) for x in group]
    return _each(_lamb, data, 4, out, lrs, wds, step_count, **options)


def multi_mp_lamb_update(weights, grads, mean, var, weights32, step_count, lrs, wds, out=None, num_tensors=0,
                         **options):  # fmt: skip
    """Both phases of LAMB for the float32 copy of each weight."""

    def step(w, g, m, v, w32, lr, wd, t, out, **rest):
        _lamb(w32, rules.same_dtype(g, w32), m, v, lr, wd, t, out=w32, **rest)
        return _rounded(w, w32, out)

    data = [x for group in zip(weights, grads, mean, var, weights32, strict=True) for x in group]
    return _each(step, data, 5, out, lrs, wds, step_count, **options)


CONTRIB = {f.__name__: f for f in (
    rules.adamw_update, rules.group_adagrad_update, mp_adamw_update, multi_adamw_update, multi_mp_adamw_update,
    multi_lamb_update, multi_mp_lamb_update,
)}  # fmt: skip
__all__ = [
    "mp_lamb_update_phase1", "mp_lamb_update_phase2", "mp_nag_mom_update", "mp_sgd_mom_update", "mp_sgd_update",
    *_MADE,
]  # fmt: skip
