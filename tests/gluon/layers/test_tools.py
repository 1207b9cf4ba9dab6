"""Optimizers, learning rates, initializers, metrics and transforms: MXNet's figures and texts."""

import sys
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from running import stored
from tool_rows import METRICS, OPTIMIZERS
from tools import TABLE, draw, optimize, transform

import numblocks as mx

TEXTS, ARRAYS = stored()
# where the figures are not MXNet's, by the beginnings of the names, and why
OURS = {
    "optimizer dcasgd momentum=0.9": "MXNet asks whether its momentum is true and raises",
    "optimizer nadam learning_rate=0.05 begin_num_update=3": "MXNet's momentum begins its schedule anew",
    "optimizer nag momentum=0.9 wd=0.1": "MXNet's momentum decays by the weight after the step, which it overwrites",
    "optimizer lbsgd schedule=True": "MXNet asks for the rate before it counts, so the first weight is one step behind",
    "fill 12 ": "MXNet knows running statistics of old strings alone",
    "fill 11 ": "MXNet knows running statistics of old strings alone",
    "fill 16 ": "MXNet knows running statistics of old strings alone",
    "metric 24 PearsonCorrelation {'average': 'micro'}": "MXNet's knows no figures since the last local reset",
    "metric 4 TopKAccuracy": "ValueError here",
}


def ours(name):
    return name.startswith(tuple(OURS))


def near(name, function, key, x, wanted):
    if function is draw and "Orthogonal" not in name:  # four figures of what is drawn
        uniform = "Uniform" in name or "gaussian" not in name and "Xavier" in name
        numpy.testing.assert_allclose(x[0], wanted[0], atol=0.1 * wanted[1])
        numpy.testing.assert_allclose(x[1], wanted[1], rtol=0.06)
        numpy.testing.assert_allclose(x[2:], wanted[2:], rtol=0.02 if uniform else 0.5)
    elif function is transform:
        pixels = TEXTS[name]["dtype"] == "uint8" and ("Resize" in name or "Crop" in name or "Hue" in name)
        assert x.shape == wanted.shape  # OpenCV scales pixels in whole numbers of 11 bits, ours are rounded once
        numpy.testing.assert_allclose(x, wanted, rtol=1e-5, atol=1 if pixels else 2e-6)
    else:
        half = "float16" in name
        assert x.shape == wanted.shape
        numpy.testing.assert_allclose(x, wanted, rtol=2e-3 if half else 1e-5, atol=1e-3 if half else 2e-6, err_msg=key)


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.filterwarnings("ignore")
def test_as_mxnet(name):
    (function, *arguments), text, wanted = TABLE[name], TEXTS[name], ARRAYS[name]
    if "refused" in text and not ours(name):
        with pytest.raises(Exception) as caught:
            function(mx, mx.np.array, *arguments)
        assert text["refused"][0].startswith(type(caught.value).__name__)
        return
    if ours(name):
        return
    told, found = function(mx, mx.np.array, *arguments)
    for key, text_here in told.items():
        if key == "config":  # the original leaves out arguments that its metrics need
            text_here = {k: text_here[k] for k in text[key]}
        assert text_here == text[key]
    assert found.keys() == wanted.keys()
    for key, x in found.items():
        near(name, function, key, x, wanted[key])


def test_everything_has_rows():
    optimizers = {kind for kind, _ in OPTIMIZERS.values()}
    assert {each.lower() for each in mx.optimizer.Optimizer.opt_registry} - optimizers == {"adamw", "sgld"}
    assert {row[0] for row in METRICS} == {name for name, each in vars(mx.metric).items() if isinstance(each, type)} - {
        "EvalMetric", "CompositeEvalMetric", "CustomMetric"}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.filterwarnings("ignore")
def test_weights_updated_in_one_call(name):
    wanted = ARRAYS[f"optimizer {name}"]
    if not ours(f"optimizer {name}"):
        _, found = optimize(mx, mx.np.array, *OPTIMIZERS[name], together=True)
        for key, x in found.items():
            near(name, optimize, key, x, wanted[key])
