"""Calls that mean the same in `mxnet.nd` and `numblocks.nd`: optimizer steps, densities, operators of detectors.

`python tests/nd/nd_cases.py` under mxnet 1.9.1 (numpy 1.23.5) writes what MXNet answers to `nd_answers.npz`.
"""

from pathlib import Path

import numpy as np

SMOOTH = ("pdf", "smooth")
ANSWERS = Path(__file__).with_name("nd_answers.npz")


def draws(seed, *shapes):
    """float32 arrays; NumPy's legacy generator gives the same in every version."""
    r = np.random.RandomState(seed)
    return [np.asarray(r.randn(*s), "f4") for s in shapes]


class Arrays:
    """Arrays of a library, drawn afresh for each case; all of them are looked at afterwards, as states change."""

    def __init__(self, nd):
        self.nd, self.made, self.watched = nd, [], False

    def __call__(self, x, dtype="float32"):
        self.made.append(self.nd.array(x, dtype=dtype))
        if self.watched:
            self.made[-1].attach_grad()
        return self.made[-1]

    def normal(self, seed, *shapes, dtype="float32"):
        """Normal numbers."""
        return [self(x, dtype) for x in draws(seed, *shapes)]

    def positive(self, seed, *shapes):
        """Their magnitudes, away from 0."""
        return [self(np.abs(x) + 0.5) for x in draws(seed, *shapes)]


def single(nd, a, name, states, half=False, contrib=False, **options):
    """One step of an optimizer on one weight."""
    dtype = "float16" if half else "float32"
    w, g = a.normal(0, (3, 4), (3, 4), dtype=dtype)
    args = [w, g] + a.positive(1, *[(3, 4)] * states)
    if half:
        args.append(a(w.asnumpy().astype("f4")))
    if "adamw" in name:
        args.append(a([0.5]))
    return getattr(nd.contrib if contrib else nd, name)(*args, out=w, **options)


def several(nd, a, name, states, half=False, preloaded=False, **options):
    """One step on two weights, the arrays in a row."""
    data, weights = [], []
    for k, shape in enumerate([(3, 4), (5,)]):
        w, g = a.normal(k, shape, shape, dtype="float16" if half else "float32")
        data += [w, g] + a.positive(k + 5, *[shape] * states) + ([a(w.asnumpy().astype("f4"))] if half else [])
        weights.append(w)
    rates = {"lrs": (0.1, 0.2), "wds": (0.01, 0.3)}
    if preloaded:
        data, rates = data + [a(rates["lrs"]), a(rates["wds"])], {}
    return getattr(nd, name)(*data, num_weights=2, out=weights, **rates, **options)


def lists(nd, a, name, half=False, **options):
    """One step on two weights, given as lists."""
    weights, grads, mean, var, copies = [], [], [], [], []
    for k, shape in enumerate([(3, 4), (5,)]):
        w, g = a.normal(k, shape, shape, dtype="float16" if half else "float32")
        m, v = a.positive(k + 5, shape, shape)
        for part, x in zip((weights, grads, mean, var, copies), (w, g, m, v, a(w.asnumpy().astype("f4"))), strict=True):
            part.append(x)
    args = [weights, grads, mean, var] + ([copies] if half else [])
    return getattr(nd.contrib, name)(*args, out=weights, **options)


def density(nd, a, name, parameters, low=0.2, whole=False, **options):
    """Densities of positive samples, three for each parameter."""
    args = a.positive(2, *[(2,)] * parameters)
    if name.endswith("uniform"):
        args = [a([0.0, -1.0]), a([9.0, 8.0])]
    if "negative_binomial" in name and "generalized" not in name:
        args[1] = a([0.3, 0.8])
    sample = np.abs(draws(3, (2, 3))[0]) + low
    return getattr(nd, "random_pdf_" + name)(a(np.round(sample) if whole else sample), *args, **options)


def calls(nd):
    """Name -> a function of `Arrays` that gives an array or a list."""
    s = {"lr": 0.1, "wd": 0.01, "rescale_grad": 0.5, "clip_gradient": 0.4}
    rest = {"rescale_grad": 0.5, "clip_gradient": 0.4}
    adam, lamb = {"lr": 0.1, "eta": 0.7, "wd": 0.01, "clip_gradient": 0.4}, {"lrs": (0.1, 0.2), "wds": (0.01, 0.3)}
    found = {
        "sgd": lambda a: single(nd, a, "sgd_update", 0, **s),
        "sgd_mom": lambda a: single(nd, a, "sgd_mom_update", 1, momentum=0.9, **s),
        "nag": lambda a: single(nd, a, "nag_mom_update", 1, momentum=0.9, lr=0.1, **rest),
        "adam": lambda a: single(nd, a, "adam_update", 2, **s),
        "rmsprop": lambda a: single(nd, a, "rmsprop_update", 1, **s),
        "signsgd": lambda a: single(nd, a, "signsgd_update", 0, **s),
        "ftml": lambda a: single(nd, a, "ftml_update", 3, lr=0.1, wd=0.01, rescale_grad=0.5, clip_grad=0.4, t=3),
        "ftrl": lambda a: single(nd, a, "ftrl_update", 2, **s),
        "lamb1": lambda a: nd.lamb_update_phase1(
            *a.normal(0, (3, 4), (3, 4)), *a.positive(1, (3, 4), (3, 4)), wd=0.01, t=3, **rest),
        "lamb1_plain": lambda a: nd.lamb_update_phase1(
            *a.normal(0, (3, 4), (3, 4)), *a.positive(1, (3, 4), (3, 4)), wd=0.01, t=3, bias_correction=False),
        "lamb2": lambda a: nd.lamb_update_phase2(*a.normal(0, (3, 4), (3, 4)), a([3.0]), a([2.0]), lr=0.1),
        "lamb2_bounds": lambda a: nd.lamb_update_phase2(
            *a.normal(0, (3, 4), (3, 4)), a([3.0]), a([2.0]), lr=0.1, lower_bound=0.5, upper_bound=1.5),
        "lamb2_zero": lambda a: nd.lamb_update_phase2(*a.normal(0, (3, 4), (3, 4)), a([0.0]), a([2.0]), lr=0.1),
        "rmspropalex": lambda a: single(nd, a, "rmspropalex_update", 3, epsilon=9.0, gamma1=0.5, **s),
        "signum": lambda a: single(nd, a, "signum_update", 1, momentum=0.4, wd_lh=0.3, **s),
        "mp_sgd": lambda a: single(nd, a, "mp_sgd_update", 0, True, **s),
        "mp_sgd_mom": lambda a: single(nd, a, "mp_sgd_mom_update", 1, True, momentum=0.9, **s),
        "mp_nag": lambda a: single(nd, a, "mp_nag_mom_update", 1, True, momentum=0.9, lr=0.1, **rest),
        "multi_lars": lambda a: nd.multi_lars(
            a([0.1, 0.2, 0.3]), a([4.0, 0.0, 9.0]), a([1.0, 2.0, 3.0]), a([0.1, 0.1, 0.0]), eta=0.3, eps=1e-3,
            rescale_grad=0.5),
        "adamw": lambda a: single(nd, a, "adamw_update", 2, contrib=True, **adam),
        "mp_adamw": lambda a: single(nd, a, "mp_adamw_update", 2, True, True, **adam),
        "multi_sgd": lambda a: several(nd, a, "multi_sgd_update", 0, **rest),
        "multi_sgd_mom": lambda a: several(nd, a, "multi_sgd_mom_update", 1, momentum=0.9, **rest),
        "multi_mp_sgd": lambda a: several(nd, a, "multi_mp_sgd_update", 0, True, **rest),
        "multi_mp_sgd_mom": lambda a: several(nd, a, "multi_mp_sgd_mom_update", 1, True, momentum=0.9, **rest),
        "preloaded_multi_sgd": lambda a: several(nd, a, "preloaded_multi_sgd_update", 0, preloaded=True, **rest),
        "preloaded_multi_mp_sgd_mom": lambda a: several(
            nd, a, "preloaded_multi_mp_sgd_mom_update", 1, True, True, momentum=0.9, **rest),
        "multi_adamw": lambda a: lists(nd, a, "multi_adamw_update", rescale_grad=0.5, etas=(0.7, 0.8), **lamb),
        "multi_mp_adamw": lambda a: lists(
            nd, a, "multi_mp_adamw_update", True, rescale_grad=0.5, etas=(0.7, 0.8), **lamb),
        "multi_lamb": lambda a: lists(nd, a, "multi_lamb_update", step_count=(1, 4), rescale_grad=0.5, **lamb),
        "multi_mp_lamb": lambda a: lists(nd, a, "multi_mp_lamb_update", True, step_count=(1, 4), **lamb),
    }  # fmt: skip
    for name, count, whole in (("uniform", 2, False), ("normal", 2, False), ("gamma", 2, False),
                               ("exponential", 1, False), ("poisson", 1, True), ("negative_binomial", 2, True),
                               ("generalized_negative_binomial", 2, True)):  # fmt: skip
        for log in (False, True):
            found[f"pdf_{name}{'_log' * log}"] = lambda a, n=name, c=count, w=whole, log=log: density(
                nd, a, n, c, whole=w, is_log=log)  # fmt: skip
    rois = [[0, 1, 1, 8, 9], [1, 0, 2, 12, 10], [0, 3, 3, 3, 3], [1, 3, 1, 9, 8]]
    square = {"spatial_scale": 0.5, "output_dim": 2, "pooled_size": 3, "group_size": 3}
    boxes = {"rpn_pre_nms_top_n": 50, "rpn_post_nms_top_n": 10, "output_score": True}
    chance = lambda a, n: a(np.random.RandomState(n).rand(n, 24, 4, 5))
    c = nd.contrib
    found.update({
        "smooth_deformable": lambda a: c.DeformableConvolution(
            *a.normal(4, (2, 4, 6, 7), (2, 36, 6, 7), (6, 2, 3, 3), (6,)), kernel=(3, 3), pad=(1, 1), num_filter=6,
            num_group=2, num_deformable_group=2),
        "smooth_deformable_strided": lambda a: c.DeformableConvolution(
            *a.normal(5, (2, 4, 6, 7), (2, 12, 3, 6), (5, 4, 3, 2)), kernel=(3, 2), pad=(2, 0), stride=(2, 1),
            dilate=(2, 1), num_filter=5, no_bias=True),
        "modulated": lambda a: c.ModulatedDeformableConvolution(
            *a.normal(6, (2, 4, 6, 7), (2, 36, 6, 7), (2, 18, 6, 7), (6, 2, 3, 3), (6,)), kernel=(3, 3), pad=(1, 1),
            num_filter=6, num_group=2, num_deformable_group=2),
        "psroi": lambda a: c.PSROIPooling(*a.normal(7, (2, 18, 6, 7)), a(rois), **square),
        "psroi_groups": lambda a: c.PSROIPooling(
            *a.normal(7, (2, 8, 6, 7)), a(rois), spatial_scale=0.5, output_dim=2, pooled_size=5, group_size=2),
        "dpsroi": lambda a: c.DeformablePSROIPooling(
            *a.normal(8, (2, 18, 6, 7)), a(rois), *a.normal(9, (4, 4, 2, 2)), part_size=2, sample_per_part=2,
            trans_std=0.1, **square),
        "dpsroi_still": lambda a: c.DeformablePSROIPooling(
            *a.normal(8, (2, 18, 6, 7)), a(rois), sample_per_part=3, no_trans=True, **square),
        "rroi": lambda a: c.RROIAlign(
            *a.normal(10, (2, 3, 6, 7)), a([[0, 4, 4, 6, 5, 30.0], [1, 5, 6, 8, 4, -20]]), pooled_size=(2, 3),
            spatial_scale=0.5, sampling_ratio=2),
        "rroi_adaptive": lambda a: c.RROIAlign(
            *a.normal(10, (2, 3, 6, 7)), a([[0, 4, 4, 16, 5, 30.0], [1, 5, 6, 8, 14, -20]]), pooled_size=(2, 3),
            spatial_scale=0.5),
        "proposal": lambda a: c.Proposal(chance(a, 1), a(0.1 * draws(11, (1, 48, 4, 5))[0]), a([[64, 80, 1]]), **boxes),
        "proposal_corners": lambda a: c.Proposal(
            chance(a, 1), a(4 * draws(11, (1, 48, 4, 5))[0]), a([[50, 80, 1.5]]), iou_loss=True, **boxes),
        "multi_proposal": lambda a: c.MultiProposal(
            chance(a, 2), a(0.1 * draws(12, (2, 48, 4, 5))[0]), a([[64, 80, 1], [60, 70, 1]]), **boxes),
        "hawkes": lambda a: c.hawkesll(
            a(np.tile([1.5, 2.0, 3.0], (4, 1))), a([0.2, 0.3, 0.4]), a([1.0, 2.0, 3.0]), *a.positive(13, (4, 3)),
            a([[6, 7, 8, 9], [1, 2, 3, 4], [3, 4, 5, 6], [0.1, 0.2, 0.3, 0.1]]),
            nd.array([[0, 1, 2, 0], [1, 1, 1, 0], [2, 0, 0, 1], [0, 0, 1, 0]], dtype="int32"), a([1, 2, 3, 4]),
            a([20.0, 30.0, 20.0, 5.0])),
    })  # fmt: skip
    for log in (False, True):
        found["pdf_dirichlet" + "_log" * log] = lambda a, log=log: nd.random_pdf_dirichlet(
            a([[[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]], [[0.6, 0.3, 0.1], [0.3, 0.3, 0.4]]]),
            a([[1.0, 2.0, 3.0], [0.5, 0.7, 2.0]]), is_log=log)  # fmt: skip
    return found


def parts(y):
    """The arrays of an answer."""
    return [p.asnumpy() for p in (y if isinstance(y, (list, tuple)) else [y])]


def answers(nd, autograd, name):
    """The answer, and every array of the case afterwards; of cases with derivatives, the gradients."""
    a = Arrays(nd)
    if name.startswith(SMOOTH):
        a.watched = True
        with autograd.record():
            y = calls(nd)[name](a)
            y = list(y) if isinstance(y, (list, tuple)) else [y]
            loss = sum((part * part).sum() for part in y)
        loss.backward()
        return parts(y) + [x.grad.asnumpy() for x in a.made]
    found = parts(calls(nd)[name](a))
    if "adamw" in name:
        return found  # MXNet scales the gradient in place
    return found + parts(a.made)


if __name__ == "__main__":
    import mxnet

    stored = {}
    for name in calls(mxnet.nd):
        try:
            for k, part in enumerate(answers(mxnet.nd, mxnet.autograd, name)):
                stored[f"{name}.{k}"] = part
        except Exception as error:
            print(name, repr(error)[:300])
    np.savez_compressed(ANSWERS, **stored)
