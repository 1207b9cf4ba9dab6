"""export_compiled: what is written runs in a Python that has NumPy and nothing else, and computes the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from numblocks import gluon, np, npx, random
from numblocks.formats import deployed, params
from numblocks.gluon import nn, rnn
from numblocks.kernels import share


def rand(*shape):
    return numpy.random.default_rng(0).normal(size=shape).astype("float32")


def written(tmp_path, net, *inputs, name="net"):
    """`net` hybridized, called, written; the answer and the path."""
    net.initialize()
    net.hybridize()
    y = net(*inputs)
    path = str(tmp_path / name)
    files = net.export_compiled(path)
    assert sorted(os.listdir(tmp_path)) == sorted(os.path.basename(f) for f in files)
    return y, path


def close(a, b):
    return numpy.allclose(a, b.asnumpy() if hasattr(b, "asnumpy") else b, rtol=1e-5, atol=1e-6)


def lone_python(folder, script):
    """Run `script` in an isolated Python whose only package is NumPy."""
    site = Path(numpy.__file__).parents[1]
    lone = folder / "site"
    lone.mkdir()
    for name in ("numpy", "numpy.libs"):
        if (site / name).exists():
            (lone / name).symlink_to(site / name)
    head = f"import sys; sys.path[:0] = [{str(lone)!r}, {str(folder)!r}]\n"
    command = [sys.executable, "-I", "-S", "-c", head + script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


SCRIPT = """
import numpy, json, importlib
for forbidden in ("numblocks", "numba", "llvmlite"):
    try:
        importlib.import_module(forbidden)
    except ImportError:
        continue
    raise SystemExit(f"{forbidden} is here")
import net
model = net.load()
given = numpy.load(PLACE + "/given.npz")
for k in range(len(given.files) // 2):
    y = model(given[f"x{k}"])
    assert numpy.allclose(y, given[f"y{k}"], rtol=1e-5, atol=1e-6), abs(y - given[f"y{k}"]).max()
    assert numpy.array_equal(y, model(given[f"x{k}"]))
print("computed", len(given.files) // 2)
"""

NETS = {
    "mlp": (lambda: [nn.Dense(8, activation="tanh"), nn.Dropout(0.5), nn.LayerNorm(), nn.Dense(3)], (4, 5), (1, 5)),
    "convolutions": (
        lambda: [nn.Conv2D(4, 3, activation="relu"), nn.MaxPool2D(2), nn.BatchNorm(), nn.AvgPool2D(2),
                 nn.Conv2D(6, 3, padding=1, strides=2), nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(3)],
        (2, 3, 14, 14), (5, 3, 20, 14)),
    "recurrent": (
        lambda: [rnn.LSTM(4, num_layers=2, bidirectional=True, layout="NTC"), rnn.RNN(5, layout="NTC"),
                 rnn.GRU(3, layout="NTC"), nn.Dense(2, flatten=False)],
        (2, 6, 3), (1, 4, 3)),
}  # fmt: skip


@pytest.mark.parametrize("which", NETS)
def test_a_python_with_numpy_alone(tmp_path, which):
    layers, *shapes = NETS[which]
    net = nn.HybridSequential(*layers())
    net.initialize()
    net.hybridize()
    given = {}
    for k, shape in enumerate(shapes):
        given[f"x{k}"] = rand(*shape)
        given[f"y{k}"] = net(np.array(given[f"x{k}"])).asnumpy()
    net.export_compiled(tmp_path / "net")
    numpy.savez(tmp_path / "given.npz", **given)
    out = lone_python(tmp_path, SCRIPT.replace("PLACE", repr(str(tmp_path))))
    assert out == f"computed {len(shapes)}\n"


def test_parameters_may_be_changed_and_unknown_signatures_are_refused(tmp_path):
    net = nn.HybridSequential(nn.Dense(3))
    y, path = written(tmp_path, net, np.array(rand(2, 4)))
    model = deployed.load(path)
    assert close(model(rand(2, 4)), y) and set(model.params) == {"0.weight", "0.bias"}
    model.params["0.bias"][:] += 1
    assert close(model(rand(2, 4)), y + 1)
    assert close(model(numpy.asfortranarray(rand(2, 4))), y + 1)
    with pytest.raises(ValueError, match=r"called with \(float32\[3, 4\]\), but written for \(float32\[2, 4\]\)"):
        model(rand(3, 4))
    with pytest.raises(ValueError, match="float64"):
        model(rand(2, 4).astype("float64"))


def test_embedding_checks_its_indices(tmp_path):
    net = nn.HybridSequential(nn.Embedding(5, 3), nn.Dense(2, flatten=False))
    words = numpy.array([[0, 4, 2]], "int32")
    y, path = written(tmp_path, net, np.array(words))
    model = deployed.load(path)
    assert close(model(words), y)
    with pytest.raises(IndexError):
        model(words + 1)


class Nested(gluon.HybridBlock):
    def forward(self, x, rest, scale):
        a, b = rest["a"], rest["b"][1]
        turned = x.T
        return {"sum": x * scale + a, "moved": [turned, np.concatenate([a, b], axis=0)], "same": x, "int": (b > 0)}


def test_nested_arguments_and_results(tmp_path):
    inputs = rand(2, 3), {"a": rand(2, 3) + 1, "b": (None, rand(1, 3))}, 2.5
    arrays = np.array(inputs[0]), {"a": np.array(inputs[1]["a"]), "b": (None, np.array(inputs[1]["b"][1]))}, 2.5
    y, path = written(tmp_path, Nested(), *arrays)
    found = deployed.load(path)(*inputs)
    assert list(found) == ["sum", "moved", "same", "int"] and type(found["moved"]) is list
    assert close(found["sum"], y["sum"]) and close(found["same"], y["same"]) and found["int"].dtype == bool
    assert all(close(a, b) for a, b in zip(found["moved"], y["moved"], strict=True))
    with pytest.raises(ValueError, match="called with"):
        deployed.load(path)(inputs[0], inputs[1], 3.5)


def test_nothing_compiled():
    net = nn.HybridSequential(nn.Dense(3))
    net.initialize()
    with pytest.raises(RuntimeError, match="nothing compiled to write"):
        net.export_compiled("never")


class Cumulative(gluon.HybridBlock):
    def forward(self, x):
        return np.cumsum(x, axis=0) + 1


class Noisy(gluon.HybridBlock):
    def forward(self, x):
        return x + random.uniform(shape=x.shape)


@pytest.mark.parametrize(("block", "op"), [(Cumulative, "cumsum"), (Noisy, "uniform01")])
def test_what_cannot_be_written_is_named(tmp_path, block, op):
    with pytest.raises(NotImplementedError, match=f"op '{op}' has no form outside numblocks"):
        written(tmp_path, block(), np.array(rand(3, 2, 2)))
    assert os.listdir(tmp_path) == []


def test_no_c_compiler(tmp_path, monkeypatch):
    monkeypatch.setattr(share.shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="no C compiler is found"):
        written(tmp_path, nn.HybridSequential(nn.Dense(2)), np.array(rand(3, 2)))
    assert os.listdir(tmp_path) == []


def test_another_processor_and_another_format_are_refused(tmp_path):
    _, path = written(tmp_path, nn.HybridSequential(nn.Dense(2, activation="relu")), np.array(rand(3, 2)))
    data = json.loads(Path(path + ".json").read_text())
    Path(path + ".json").write_text(json.dumps({**data, "processor": {**data["processor"], "machine": "abacus"}}))
    with pytest.raises(OSError, match="abacus"):
        deployed.load(path)
    Path(path + ".json").write_text(json.dumps({**data, "format": "numblocks compiled 99"}))
    with pytest.raises(ValueError, match="Export the net again"):
        deployed.load(path)


def test_the_loader_reads_params_files(tmp_path):
    arrays = {"a": rand(2, 3), "b": numpy.array([1, 2]), "c": numpy.float64(3), "d": numpy.zeros((0, 2), "bool")}
    params.write(tmp_path / "x.params", list(arrays), list(arrays.values()))
    found = deployed.read_params(tmp_path / "x.params")
    assert list(found) == list(arrays)
    assert all(numpy.array_equal(found[k], x) and found[k].dtype == numpy.asarray(x).dtype for k, x in arrays.items())
    (tmp_path / "x.params").write_bytes((tmp_path / "x.params").read_bytes()[:50])
    with pytest.raises(Exception, match="cut short|unpack"):
        deployed.read_params(tmp_path / "x.params")


def test_activations_and_norms(tmp_path):
    class Many(gluon.HybridBlock):
        def forward(self, x):
            return npx.softmax(npx.gelu(x) + npx.sigmoid(x) * np.exp(-x * x)).reshape(2, -1)

    y, path = written(tmp_path, Many(), np.array(rand(4, 6)))
    assert close(deployed.load(path)(rand(4, 6)), y)
