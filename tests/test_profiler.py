"""profiler: counts what runs, eager and compiled, and is not there when it does not run."""

import json

import numpy
import pytest

from numblocks import MXNetError, autograd, np, npx, profiler
from numblocks.gluon import nn
from numblocks.graph import observe
from numblocks.op import REGISTRY


@pytest.fixture(autouse=True)
def stopped():
    before = {op: op.eager for op in REGISTRY.values()}
    yield
    profiler.stop()
    profiler.reset()
    profiler.set_config(profile_symbolic=True, profile_imperative=True, filename="profile.json")
    assert before == {op: op.eager for op in before} and not observe.watchers


def count():
    return {(row.kind, row.name): row.count for row in profiler.rows()}


def test_eager_ops_are_counted_with_bytes():
    x = np.ones((10, 20))
    profiler.start()
    y = np.tanh(x) + np.tanh(x)
    profiler.stop()
    np.tanh(y)
    found = {row.name: row for row in profiler.rows()}
    assert found["tanh"].count == 2 and found["add"].count == 1
    assert found["tanh"].nbytes == 2 * 2 * 800 and found["add"].nbytes == 3 * 800
    assert found["tanh"].kind == "op" and 0 < found["tanh"].shortest <= found["tanh"].mean <= found["tanh"].longest
    assert sum(row.share for row in found.values()) == pytest.approx(1)


def test_parts_of_a_composite_are_not_counted_twice():
    x = np.ones((64, 64), dtype="float16")  # no kernel takes it whole
    profiler.start()
    npx.softmax(x)
    profiler.stop()
    found = {row.name: row for row in profiler.rows()}
    assert found["softmax"].nbytes == 0 and len(found) > 1
    (whole,) = [e for e in profiler._events if e[1] == "softmax"]
    assert sum(row.total for row in found.values()) == pytest.approx(whole[3])


def test_a_composite_without_parts_counts_for_itself():
    x = np.ones((64, 64))
    profiler.start()
    npx.softmax(x)
    profiler.stop()
    (row,) = profiler.rows()
    assert (row.name, row.nbytes) == ("softmax", 2 * 64 * 64 * 4)


def mlp():
    net = nn.HybridSequential(nn.Dense(8, activation="relu"), nn.Dense(3))
    net.initialize()
    return net


def test_steps_of_compiled_nets_are_counted():
    net, x = mlp(), np.ones((4, 5))
    net.hybridize()
    net(x)
    expected = net(x).asnumpy()
    profiler.set_state("run")
    found = [net(x).asnumpy() for _ in range(3)]
    assert count()["BLAS", "matmul"] == 6 and sum(n for (kind, _), n in count().items() if kind == "kernel") == 6
    profiler.set_state("stop")
    assert all(numpy.array_equal(expected, y) for y in found)
    before = count()
    net(x)
    assert count() == before
    explained = {s.name: s.nbytes for s in net.explain(x).forward.steps if s.kind == "kernel"}
    rows = {row.name: row for row in profiler.rows()}
    assert all(rows[name].nbytes == 3 * nbytes for name, nbytes in explained.items())


def test_a_training_loop_with_trainer():
    from numblocks import gluon

    net, x = mlp(), np.ones((4, 5))
    net.hybridize()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})

    def step():
        with autograd.record():
            y = net(x)
        y.backward()
        trainer.step(4)

    step()
    step()
    profiler.start()
    step()
    found = count()
    profiler.stop()
    step()
    assert found["BLAS", "matmul"] == 5 and any("multiply" in name for kind, name in found if kind == "kernel")


def test_pause_resume_and_switches():
    net, x = mlp(), np.ones((4, 5))
    net.hybridize()
    profiler.start()
    profiler.start()
    profiler.pause()
    np.exp(x)
    profiler.resume()
    np.log(x)
    profiler.stop()
    assert set(count()) == {("op", "log")} and profiler.state() == "stop"
    profiler.reset()
    profiler.set_config(profile_imperative=False)
    profiler.start()
    np.log(x)
    net(x)
    assert {kind for kind, _ in count()} == {"BLAS", "kernel"}
    profiler.stop()
    profiler.reset()
    profiler.set_config(profile_all=True)
    profiler.start()
    np.log(x)
    profiler.stop()
    assert count() == {("op", "log"): 1}


def test_texts(tmp_path):
    profiler.set_config(filename=str(tmp_path / "trace.json"), aggregate_stats=True)
    profiler.start()
    np.exp(np.ones(3))
    np.sqrt(np.ones(3))
    np.sqrt(np.ones(3))
    text = profiler.dumps(sort_by="count")
    assert text.startswith("profile: ") and text.splitlines()[2].split()[1:3] == ["sqrt", "2"] and "%" in text
    assert json.loads(profiler.dumps(format="json", sort_by="name", ascending=True))[0]["name"] == "exp"
    profiler.dump()
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert [e["name"] for e in events] == ["exp", "sqrt", "sqrt"] and profiler.state() == "stop"
    profiler.dumps(reset=True)
    assert profiler.rows() == []


def test_errors():
    with pytest.raises(TypeError, match="no option speed"):
        profiler.set_config(speed=1)
    with pytest.raises(ValueError, match="'run' or 'stop'"):
        profiler.set_state("go")
    with pytest.raises(ValueError, match="sort_by"):
        profiler.rows("size")
    with pytest.raises(ValueError, match="format"):
        profiler.dumps(format="xml")


def test_an_op_that_fails_is_counted_and_does_not_disturb():
    x = np.ones((2, 3))
    profiler.start()
    with pytest.raises(MXNetError):
        np.reshape(x, (7,))
    y = np.tanh(x)
    profiler.stop()
    assert y.shape == (2, 3) and count()["op", "tanh"] == 1
