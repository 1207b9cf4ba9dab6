"""Operators of detectors and the Hawkes likelihood: gradients against differences, compiled against eager, errors."""

import numpy
import pytest

from numblocks import nd
from numblocks.errors import MXNetError
from numblocks.testing import check_gradients

c = nd.contrib
ROIS = nd.array([[0, 1, 1, 8, 9], [1, 0, 2, 12, 10], [0, 3, 3, 3, 3]], dtype="float64")
ROTATED = nd.array([[0, 4, 4, 6, 5, 30.0], [1, 5, 6, 8, 4, -20]], dtype="float64")
SQUARE = {"spatial_scale": 0.5, "output_dim": 2, "pooled_size": 3, "group_size": 3}
MARKS = nd.array([[0, 1, 2], [1, 1, 0]], dtype="int32")
CASES = {
    "deformable": (lambda x, o, w: c.DeformableConvolution(x, o, w, kernel=(3, 3), pad=(1, 1), no_bias=True,
                                                           num_deformable_group=2),
                   [(2, 4, 4, 5), (2, 36, 4, 5), (3, 4, 3, 3)]),
    "modulated": (lambda x, o, m, w: c.ModulatedDeformableConvolution(x, o, m, w, kernel=(3, 3), pad=(1, 1),
                                                                      no_bias=True, num_group=2),
                  [(2, 4, 4, 5), (2, 18, 4, 5), (2, 9, 4, 5), (4, 2, 3, 3)]),
    "position-sensitive": (lambda x: c.PSROIPooling(x, ROIS, **SQUARE), [(2, 18, 6, 7)]),
    "deformable regions": (lambda x, t: c.DeformablePSROIPooling(x, ROIS, t, part_size=2, sample_per_part=2,
                                                                 trans_std=0.1, **SQUARE),
                           [(2, 18, 6, 7), (3, 4, 2, 2)]),
    "rotated": (lambda x: c.RROIAlign(x, ROTATED, (2, 3), 0.5, 2), [(2, 3, 6, 7)]),
    "hawkes": (lambda lda, alpha, beta, state, lags: c.hawkesll(
        abs(lda) + 0.5, abs(alpha) + 0.1, abs(beta) + 0.5, abs(state), abs(lags) + 0.1, MARKS,
        nd.array([2, 3]), nd.array([9.0, 12.0], dtype="float64")),
        [(2, 3), (3,), (3,), (2, 3), (2, 3)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_gradients(name):
    function, shapes = CASES[name]
    rng = numpy.random.default_rng(1)
    points = [rng.standard_normal(s) for s in shapes]
    check_gradients(function, *[nd.array(p, dtype="float64") for p in points], modes=("eager", "hybridized"))


def test_errors():
    with pytest.raises(MXNetError, match="two for each tap"):
        c.DeformableConvolution(nd.zeros((1, 2, 5, 5)), nd.zeros((1, 18, 5, 5)), nd.zeros((2, 2, 3, 3)), kernel=(3, 3))
    with pytest.raises(MXNetError, match="anchors"):
        c.Proposal(nd.zeros((1, 4, 2, 2)), nd.zeros((1, 8, 2, 2)), nd.array([[32, 32, 1]]))
    with pytest.raises(MXNetError, match="one image"):
        c.Proposal(nd.zeros((2, 24, 2, 2)), nd.zeros((2, 48, 2, 2)), nd.array([[32, 32, 1]] * 2))
    with pytest.raises(ValueError, match="num_weights"):
        nd.multi_sgd_update(nd.zeros(2), nd.zeros(2), lrs=(0.1, 0.1), wds=(0.0, 0.0), num_weights=2)
    with pytest.raises(MXNetError, match="begins with"):
        nd.random_pdf_normal(nd.zeros((2, 3)), nd.zeros(3), nd.ones(3))
