"""The smaller modules of MXNet that Gluon code imports: kv, name, viz, sym, runtime, engine, profiler, aliases."""

import warnings

import numpy
import pytest

import numblocks as mx
from numblocks import autograd, gluon, nd
from numblocks.gluon import nn


def values(x):
    return x.asnumpy().tolist()


def test_kvstore_sums_replaces_and_updates():
    kv, a = mx.kv.create("local"), nd.zeros((2,))
    kv.init(3, nd.ones((2,)))
    kv.pull(3, out=a)
    assert values(a) == [1, 1]
    kv.push(3, [nd.ones((2,)), nd.ones((2,)) * 7])
    kv.pull(3, out=a)
    assert values(a) == [8, 8]
    kv.init(["v", "w"], [nd.ones((1,)), nd.ones((1,))])
    kv.push(["v", "w"], [[nd.ones((1,))] * 2, [nd.ones((1,))] * 3])
    both = [nd.zeros((1,)), [nd.zeros((1,), ctx=mx.cpu(1)), nd.zeros((1,))]]
    kv.pull(["v", "w"], out=both)
    assert values(both[0]) == [2] and [values(x) for x in both[1]] == [[3], [3]]
    kv._set_updater(lambda key, pushed, stored: stored.__iadd__(pushed * 2))
    kv.pushpull(3, nd.ones((2,)), out=a)
    assert values(a) == [10, 10]
    kv.set_optimizer(mx.optimizer.SGD(learning_rate=1.0))
    kv.pushpull(3, nd.ones((2,)), out=a)
    assert values(a) == [9, 9]
    assert (kv.type, kv.rank, kv.num_workers, kv.is_capable("optimizer")) == ("local", 0, 1, True)


def test_kvstore_keeps_momenta(tmp_path):
    def trained(store, steps):
        for _ in range(steps):
            store.push(0, nd.ones((1,)))
        out = nd.zeros((1,))
        store.pull(0, out=out)
        return out.asscalar()

    def fresh(value):
        store = mx.kvstore.create("device")
        store.init(0, nd.array([value]))
        store.set_optimizer(mx.optimizer.SGD(learning_rate=0.5, momentum=0.5))
        return store

    whole, first = fresh(1.0), fresh(1.0)
    here = trained(first, 2)
    first.save_optimizer_states(str(tmp_path / "states"))
    second = fresh(here)
    second.load_optimizer_states(str(tmp_path / "states"))
    assert trained(second, 3) == trained(whole, 5)


@pytest.mark.parametrize("call, error, text", [
    (lambda: mx.kv.create("dist_sync"), mx.MXNetError, "several processes"),
    (lambda: mx.kv.create("nothing"), mx.MXNetError, "unknown"),
    (lambda: mx.kv.create().pull(7, out=nd.zeros((1,))), mx.MXNetError, "key 7 has not been inited"),
    (lambda: mx.kv.create().row_sparse_pull(7), NotImplementedError, "dense"),
    (lambda: gluon.Trainer([], "sgd", kvstore="dist_async"), mx.MXNetError, "several processes"),
    (lambda: mx.viz.plot_network(nn.Dense(1)), NotImplementedError, "net.summary"),
    (lambda: mx.viz.print_summary(nn.Dense(1)), ValueError, "shape"),
    (lambda: mx.sym.var("data"), NotImplementedError, "HybridBlock"),
    (lambda: mx.symbol.Symbol(), NotImplementedError, "HybridBlock"),
    (lambda: mx.mod.Module, AttributeError, "gluon.Trainer"),
    (lambda: mx.runtime.Features().is_enabled("sorcery"), RuntimeError, "unknown"),
])  # fmt: skip
def test_refusals_say_what_to_use(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("kvstore", ["device", "local", None, mx.kv.create("local")])
def test_a_trainer_takes_a_store(kvstore):
    net = nn.Dense(1, in_units=1)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1.0}, kvstore=kvstore)
    before = net.weight.data().item()
    with autograd.record():
        loss = net(nd.ones((1, 1)))
    loss.backward()
    trainer.step(1)
    assert net.weight.data().item() == pytest.approx(before - 1)


def test_prefixes_and_attributes():
    with mx.name.Prefix("left_"):
        first, second = nn.Dense(2), nn.Dense(2)
        with mx.AttrScope(lr_mult="2"):
            own = nn.Dense(2, prefix="mine_")
    assert [first.prefix, second.weight.name, own.prefix] == ["left_dense0_", "left_dense1_weight", "mine_"]
    with mx.name.NameManager():
        assert nn.Dense(2).name == "dense0"


def test_print_summary_of_a_hybridized_net(capsys):
    net = nn.HybridSequential()
    net.add(nn.Dense(3), nn.Dense(2))
    net.initialize()
    net.hybridize()
    mx.viz.print_summary(net, shape={"data": (1, 4)})
    assert "Total params: 23" in capsys.readouterr().out
    assert net._active and net[0]._active


def test_switches_are_accepted():
    assert mx.runtime.Features()["LAPACK"].enabled and "CUDA" in str(mx.runtime.feature_list())
    with mx.engine.bulk(8):
        assert mx.engine.set_bulk_size(8) == 8
    assert mx.context.num_gpus() == mx.num_gpus() and not isinstance(nd.ones((1,)), mx.sym.Symbol)
    for seed in (1, numpy.int64(1)):
        mx.random.seed(seed, ctx=mx.cpu())


def test_other_names_of_the_same():
    import numblocks.ndarray as ndarray
    import numblocks.numpy as mxnp
    from numblocks.numpy_extension import relu

    assert ndarray is mx.ndarray is nd and mxnp is mx.numpy is mx.np and relu is mx.npx.relu
    assert mx.rnd is mx.random and mx.img is mx.image


def test_spans_are_in_the_table():
    domain = mx.profiler.Domain("input")
    mx.profiler.reset()
    with domain.new_task("unseen"):
        pass
    mx.profiler.profiler_set_config(mode="all", filename="profile.json")
    mx.profiler.profiler_set_state("run")
    counter = domain.new_counter("images", 3)
    counter += 2
    with domain.new_task("decode"), mx.profiler.Event("round"), domain.new_frame("f"):
        domain.new_marker("now").mark()
    mx.profiler.profiler_set_state("stop")
    found = {(row.kind, row.name) for row in mx.profiler.rows()}
    mx.profiler.reset()
    assert counter.value == 5
    assert found == {("task", "input.decode"), ("event", "round"), ("frame", "input.f"), ("marker", "input.now")}


def test_warnings_point_at_the_line_that_asked():
    net = nn.Sequential()
    net.add(nn.Dense(2, in_units=2))
    net.initialize()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        net.initialize()
        net.collect_params().initialize()
        net[0].weight.initialize()
    assert len(found) == 5 and {w.filename for w in found} == {__file__}


def test_a_block_moves_as_a_whole():
    net = nn.Dense(1, in_units=1)
    net.initialize(ctx=mx.cpu(0))
    net.reset_ctx(mx.cpu(1))
    assert net.weight.list_ctx() == [mx.cpu(1)]
