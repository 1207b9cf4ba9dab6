"""Every layer: MXNet's numbers and texts, eager and hybridized alike, gradients, files, deferred sizes, dtypes."""

import sys
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from layer_rows import LAYERS
from loss_rows import LOSSES
from recurrent_rows import RECURRENT
from running import call, layer, measure, prepared, stored

import numblocks as mx
from numblocks.gluon.naming import NameManager
from numblocks.testing import check_gradients

TEXTS, ARRAYS = stored()
ROWS = LAYERS | RECURRENT | LOSSES
pytestmark = pytest.mark.filterwarnings("ignore:sequential0. all blocks of this Sequential")


def close(found, wanted, rtol, atol):
    assert found.keys() == wanted.keys()
    for key, x in found.items():
        scale = max(1.0, abs(wanted[key]).max(initial=0.0))
        assert x.shape == wanted[key].shape, key
        numpy.testing.assert_allclose(x, wanted[key], rtol=rtol, atol=atol * scale, err_msg=key)


class Call(mx.gluon.Block):
    """A block called as its row says; arguments that are None are no inputs."""

    def __init__(self, row, block):
        super().__init__()
        self.row, self.block = row, block

    def forward(self, *xs):
        left = iter(xs)
        return call(self.row, self.block, [None if spec is None else next(left) for spec in self.row.inputs])


@pytest.mark.parametrize("name", ROWS)
def test_numbers_and_texts(name):
    row, text, wanted = ROWS[name], TEXTS[name], ARRAYS[name]
    told, eager = layer(mx, row, mx.np.array)
    if "shape" in row.ours or text.get("semantics") in ("nd", "outputs") and wanted["output 0"].shape == (1,):
        # former arrays have one axis at least
        wanted["output 0"] = wanted["output 0"].reshape(eager["output 0"].shape)
    with NameManager():
        _, compiled = layer(mx, row, mx.np.array, hybridize=True)
    close(compiled, eager, 1e-5, 1e-6)
    if "refused" in text:
        assert row.ours.keys() == {""}, f"MXNet says {text['refused']}"
    elif "" not in row.ours:
        same = [key for key in eager if key in wanted and not key.startswith(tuple(row.ours))]
        close({key: eager[key] for key in same}, {key: wanted[key] for key in same}, row.near, row.near)
        assert eager.keys() == wanted.keys() or text["semantics"] == "outputs"
    for key in told.keys() & text.keys() - ({"before", "after"} if "text" in row.ours else set()):
        assert told[key] == text[key]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.smooth])
def test_gradients(name):
    row = ROWS[name]
    block, xs, _ = prepared(mx, row, mx.np.array, integer="int32")
    check_gradients(Call(row, block), *(x for x in xs if x is not None), train_mode=row.train)


@pytest.mark.parametrize("name", ROWS)
def test_files_and_sizes(name, tmp_path):
    row = ROWS[name]
    block, xs, _ = prepared(mx, row, mx.np.array)
    wanted = measure(mx, row, block, xs, mx.np.array)
    block, xs, _ = prepared(mx, row, mx.np.array)
    block.save_parameters(tmp_path / "p")
    explicit, _, text = prepared(mx, row, mx.np.array, arguments=row.arguments | row.known)
    assert not row.known or text == repr(block).replace(block.prefix, explicit.prefix)
    for param in explicit.collect_params().values():
        param.set_data(param.data() * 0)
    explicit.load_parameters(tmp_path / "p")
    close(measure(mx, row, explicit, xs, mx.np.array), wanted, 0, 0)


@pytest.mark.parametrize("dtype", ["float64", "float16"])
@pytest.mark.parametrize("name", ROWS)
def test_dtypes(name, dtype):
    row = ROWS[name]
    _, wanted = layer(mx, row, mx.np.array, dtype="half values" if dtype == "float16" else "float32")
    for hybridize in (False, True):
        with NameManager():
            _, found = layer(mx, row, mx.np.array, hybridize=hybridize, dtype=dtype)
        for key, x in found.items():
            assert x.dtype == (dtype if x.dtype != "float32" or "BatchNorm" not in row.kind else "float32"), key
        if row.half or dtype == "float64":
            close(found, wanted, *((1e-5, 1e-5) if dtype == "float64" else (1e-2, 1e-2)))


def test_every_layer_has_rows():
    kinds, g = {row.kind for row in ROWS.values()}, mx.gluon
    known = {name for module in (g.nn, g.rnn, g.loss, g.contrib.nn, g.contrib.rnn, g.contrib.cnn)
             for name in module.__all__}  # fmt: skip
    bases = {"Block", "HybridBlock", "SymbolBlock", "Loss", "RecurrentCell", "HybridRecurrentCell", "ModifierCell"}
    aliases = {"Concatenate", "HybridConcatenate", "CELoss"}
    assert known - kinds == bases | aliases


@pytest.mark.parametrize("name", ["LSTM hidden_size=5", "GRU hidden_size=5 num_layers=2 bidirectional=True"])
def test_recurrent_files_by_either_name(name, tmp_path):
    net = mx.gluon.nn.HybridSequential()
    net.add(prepared(mx, ROWS[name], mx.np.array)[0])
    plain = {key: param.data() for key, param in net.named_parameters()}
    assert set(plain).isdisjoint(net._collect_params_with_prefix())
    mx.npx.save(str(tmp_path / "plain"), plain)
    net.save_parameters(tmp_path / "cells")
    for file in ("plain", "cells"):
        for param in net.collect_params().values():
            param.set_data(param.data() * 0)
        net.load_parameters(tmp_path / file)
        assert all((param.data() == plain[key]).all() for key, param in net.named_parameters())
