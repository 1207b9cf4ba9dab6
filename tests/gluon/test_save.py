"""Saving and loading parameters: names, what fits, and that nothing is half done."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import np
from numblocks.errors import MXNetError
from numblocks.formats import params as files
from numblocks.gluon import nn
from numblocks.gluon.naming import NameManager


class MLP(nn.Block):
    def __init__(self, extra=False, **kwargs):
        super().__init__(**kwargs)
        self.hidden = nn.Dense(4, activation="relu")
        self.output = nn.Dense(2)
        if extra:
            self.extra = nn.Dense(3, in_units=3)

    def forward(self, x):
        return self.output(self.hidden(x))


X = numpy.linspace(-1, 1, 6, dtype="float32").reshape(2, 3)


def trained(**kwargs):
    net = MLP(**kwargs)
    net.initialize()
    net(np.array(X))
    return net


def values(net):
    return {name: p.data().asnumpy() for name, p in net.named_parameters()}


def same(a, b):
    return a.keys() == b.keys() and all((a[k] == b[k]).all() for k in a)


def test_round_trip_into_an_uninitialized_net(tmp_path):
    net = trained()
    net.save_parameters(tmp_path / "mlp.params")
    assert files.read(tmp_path / "mlp.params")[0] == [
        "hidden.weight",
        "hidden.bias",
        "output.weight",
        "output.bias",
    ]
    clone = MLP()
    clone.load_parameters(tmp_path / "mlp.params")
    assert (clone(np.array(X)).asnumpy() == net(np.array(X)).asnumpy()).all()
    deferred = MLP()
    deferred.initialize()
    deferred.load_parameters(tmp_path / "mlp.params")
    assert same(values(deferred), values(net))


def test_sequential_names_and_running_statistics(tmp_path):
    net = nn.Sequential(nn.Dense(2, in_units=2), nn.BatchNorm(in_channels=2))
    net.initialize()
    net.save_parameters(tmp_path / "n")
    assert set(files.read(tmp_path / "n")[0]) == {
        "0.weight", "0.bias", "1.gamma", "1.beta", "1.running_mean", "1.running_var",
    }  # fmt: skip


def test_save_before_initialize_leaves_the_file(tmp_path):
    path = tmp_path / "p"
    path.write_bytes(b"old")
    net = MLP()
    with pytest.raises(RuntimeError, match="dense0_weight"):
        net.save_parameters(path)
    net.initialize()
    with pytest.raises(MXNetError, match="dense0_weight"):
        net.save_parameters(path)
    assert path.read_bytes() == b"old"


def test_missing_and_extra(tmp_path):
    small, large = trained(), trained(extra=True)
    small.save_parameters(tmp_path / "small")
    large.save_parameters(tmp_path / "large")
    before = values(large)
    with pytest.raises(AssertionError, match=r"extra.weight(.|\n)*- extra.bias"):
        large.load_parameters(tmp_path / "small")
    assert same(values(large), before)
    large.load_parameters(tmp_path / "small", allow_missing=True)
    assert same({k: v for k, v in values(large).items() if "extra" not in k}, values(small))
    before = values(small)
    with pytest.raises(ValueError, match=r"extra.weight(.|\n)*\+ extra.bias"):
        small.load_parameters(tmp_path / "large")
    assert same(values(small), before)
    small.load_parameters(tmp_path / "large", ignore_extra=True)


def test_shape_and_dtype(tmp_path):
    net = trained()
    before = values(net)
    arrays = {k: v + 1 for k, v in before.items()}
    arrays["output.weight"] = numpy.ones((2, 9), "float32")  # the last but one: the first must not be set
    files.write(tmp_path / "p", list(arrays), list(arrays.values()))
    with pytest.raises(AssertionError, match=r"dense1_weight.*\(2, 4\).*\(2, 9\)"):
        net.load_parameters(tmp_path / "p")
    assert same(values(net), before)
    files.write(tmp_path / "p", list(before), [v.astype("float64") for v in before.values()])
    with pytest.raises(AssertionError, match="cast_dtype"):
        net.load_parameters(tmp_path / "p")
    net.load_parameters(tmp_path / "p", cast_dtype=True)
    assert net.hidden.weight.data().dtype == "float32"
    net.load_parameters(tmp_path / "p", cast_dtype=True, dtype_source="saved")
    assert net.hidden.weight.data().dtype == "float64"


def test_no_such_file(tmp_path):
    with pytest.raises(ValueError, match="nope.params"):
        trained().load_parameters(tmp_path / "nope.params")


@pytest.mark.parametrize("keep", [0, 7, 30, 100, -1])
def test_truncated_file(tmp_path, keep):
    net = trained()
    net.save_parameters(tmp_path / "p")
    data = (tmp_path / "p").read_bytes()
    (tmp_path / "p").write_bytes(data[:keep])
    before = values(net)
    with pytest.raises(MXNetError):
        net.load_parameters(tmp_path / "p")
    assert same(values(net), before)


def test_full_names_and_exported_names(tmp_path):
    net = trained()
    full = {"arg:" + p.name: p.data().asnumpy() + 1 for _, p in net.named_parameters()}
    files.write(tmp_path / "p", list(full), list(full.values()))
    net.load_parameters(tmp_path / "p")
    assert (net.output.bias.data().asnumpy() == full["arg:dense1_bias"]).all()
    net.collect_params().save(tmp_path / "q")
    assert files.read(tmp_path / "q")[0][0] == "dense0_weight"
    other = trained()
    with pytest.raises(AssertionError):
        other.collect_params().load(tmp_path / "q")
    net.collect_params().load(tmp_path / "q")


def test_prefixed_names_without_the_net_prefix(tmp_path):
    with NameManager():
        net = nn.HybridSequential(prefix="net_")
        with net.name_scope():
            net.add(nn.Dense(2, in_units=2))
    net.initialize()
    net.collect_params().save(tmp_path / "p", strip_prefix="net_")
    assert files.read(tmp_path / "p")[0] == ["dense0_weight", "dense0_bias"]
    net.load_parameters(tmp_path / "p")
    net.collect_params().load(tmp_path / "p", restore_prefix="net_")


def test_shared_layer_and_deduplicate(tmp_path):
    def tied():
        layer = nn.Dense(3, in_units=3)
        return nn.Sequential(layer, layer)

    net = tied()
    net.initialize()
    net.save_parameters(tmp_path / "all")
    net.save_parameters(tmp_path / "once", deduplicate=True)
    assert len(files.read(tmp_path / "all")[0]) == 4 and len(files.read(tmp_path / "once")[0]) == 2
    for name in ("all", "once"):
        other = tied()
        other.load_parameters(tmp_path / name)
        assert same(values(other), values(net))


def test_unassigned_parameters_and_constants_are_saved(tmp_path):
    class Layer(nn.Block):
        def __init__(self):
            super().__init__()
            self.params.get("hidden_one", shape=(2,))
            self.c = self.params.get_constant("c", [1.0, 2.0])

    net = Layer()
    net.initialize()
    net.save_parameters(tmp_path / "p")
    assert set(files.read(tmp_path / "p")[0]) == {"c", "hidden_one"}
    Layer().load_parameters(tmp_path / "p")


@settings(deadline=None, max_examples=20)
@given(units=st.lists(st.integers(1, 5), min_size=1, max_size=4), width=st.integers(1, 5))
def test_any_stack_round_trips(tmp_path_factory, units, width):
    path = tmp_path_factory.mktemp("p") / "net"
    net = nn.Sequential(*(nn.Dense(n) for n in units))
    net.initialize()
    x = np.ones((2, width))
    y = net(x)
    net.save_parameters(path)
    other = nn.Sequential(*(nn.Dense(n) for n in units))
    other.load_parameters(path)
    assert (other(x).asnumpy() == y.asnumpy()).all()
