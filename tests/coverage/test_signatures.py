"""Calls written for MXNet 1.9 fit: parameters have its names, order and plain defaults (`signatures.json`)."""

import inspect
import json
import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import table

THEIRS = json.loads((table.HERE / "signatures.json").read_text())
# what differs, and why
OTHERWISE = {
    "gluon.SymbolBlock.forward": "takes as many inputs as the net has",
    "gluon.data.DataLoader.thread_pool": "None is the default here and means threads; False asks for processes",
    "gluon.contrib.cnn.DeformableConvolution.op_name": "there is one operator for this layer, so None will do",
    "gluon.contrib.cnn.ModulatedDeformableConvolution.op_name": "there is one operator for this layer, so None will do",
    "image.ImageDetIter.draw_next": "opens no window, so it has no name",
    "image.copyMakeBorder": "a function, not an operator that has a name",
    "kvstore.KVStore": "made by kvstore.create, from a name instead of the handle of a C object",
    "metric.register": "the parameter is the decorated class",
    **{f"np.{name}": "in NumPy's order; a bool in the place of out= is taken for keepdims, which MXNet has there"
       for name in "all amax amin any max min sometrue sum".split()},
    **{f"np.{name}": "in NumPy's order: density comes before weights, normed is its old name"
       for name in "histogram histogram2d histogramdd".split()},
    **{f"np.{name}": "NumPy 2 calls interpolation method, in the same place; the old name is taken, too"
       for name in "percentile quantile".split()},
    **{f"np.{name}.kind": "there is one way to select" for name in ("argpartition", "partition")},
    "npx.softmax": "Gluon 2 has axis before length; an array in the place of axis is taken for the length",
    "np.pad": "pad_width has no default: MXNet's None is an error, too",
    "optimizer.Optimizer.set_lr_scale": "deprecated in MXNet, where it only says so",
}
# rules begin with a learning rate of their own, which the class says
RATES = {f"optimizer.{name}" for name in "Adam Adamax Ftrl LAMB Nadam RMSProp Signum".split()}


def value(text):
    """The value that a default's text stands for."""
    return eval(text, {"inf": math.inf, "nan": math.nan})


def named(path):
    """Our thing of that name, None if it is left out."""
    namespace, _, name = path.rpartition(".")
    return getattr(table.ours(namespace), name, None)


@pytest.mark.parametrize("namespace", sorted({path.rpartition(".")[0] for path in THEIRS}))
def test_calls_fit(namespace):
    wrong = []
    for path, theirs in THEIRS.items():
        thing = named(path) if path.rpartition(".")[0] == namespace and path not in OTHERWISE else None
        if thing is None:
            continue
        found = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters
        anything = any(p.kind is p.VAR_KEYWORD for p in found.values())
        loose = any(p.kind is p.VAR_POSITIONAL for p in found.values())
        names = [name for name, _ in theirs]
        absent = [name for name in names if name not in found and not anything and not loose]
        ordered = [name for name in found if name in names]
        if absent or ordered != [name for name in names if name in found]:
            wrong.append(f"{path}: {names} against {list(found)}")
        for name, default in theirs:
            if name in found and default not in (None, "?") and not (path in RATES and name == "learning_rate"):
                ours = found[name].default
                if ours is inspect.Parameter.empty or (ours != value(default) and f"{path}.{name}" not in OTHERWISE):
                    wrong.append(f"{path}: {name}={default} against {ours!r}")
    assert wrong == []


def test_exceptions_are_needed():
    known = set(THEIRS) | {f"{path}.{name}" for path, theirs in THEIRS.items() for name, _ in theirs}
    assert set(OTHERWISE) <= known and all(len(reason) > 20 for reason in OTHERWISE.values())


@pytest.mark.parametrize("path", sorted(RATES))
def test_learning_rates(path):
    default = dict(THEIRS[path])["learning_rate"]
    assert named(path)().learning_rate == value(default)
