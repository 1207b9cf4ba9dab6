"""`numblocks.io`: rounds and descriptions as MXNet 1.9.1 gives them (`io_answers.json`), order, threads, errors."""

import gc
import json
import pickle
import sys
import threading
import time
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import io_cases

from numblocks import io, nd, np, random

X, Y = io_cases.X, io_cases.Y
ANSWERS = json.loads((io_cases.HERE / "io_answers.json").read_text())


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return io_cases.rounds(io, tmp_path_factory.mktemp("io"))


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "roll_over"])
def test_as_mxnet(ours, name):
    assert ours[name] == ANSWERS[name]


def test_rolled_over_rows_are_no_filling(ours):
    """MXNet says pad=1 of the batch that begins with rolled-over rows, though all its rows are new."""
    wanted = [[[batch[0], 0, *batch[2:]] for batch in batches] for batches in ANSWERS["roll_over"]]
    assert ours["roll_over"] == wanted
    it = io.NDArrayIter(X, Y, 2, last_batch_handle="roll_over")
    list(it)
    it.hard_reset()
    assert next(it).label[0].tolist() == [0, 1]


def test_shuffled_rounds_repeat_under_a_seed():
    def four():
        random.seed(2)
        it = io.NDArrayIter(numpy.arange(20), numpy.arange(20), 5, shuffle=True)
        found = []
        for _ in range(4):
            batches = list(it)
            assert all((b.data[0].asnumpy() == b.label[0].asnumpy()).all() for b in batches)
            found.append([x for b in batches for x in b.label[0].tolist()])
            it.reset()
        return found

    rounds = four()
    assert rounds == four() and len({tuple(r) for r in rounds}) == 4
    assert all(sorted(r) == list(range(20)) for r in rounds)


def test_classes_and_dtypes():
    for x, kind, dtype in ((nd.array(X), nd.NDArray, "float32"), (np.array(X), type(np.ones(1)), "float32"),
                           (X.astype("float64"), type(np.ones(1)), "float32"), (X > 3, type(np.ones(1)), "bool"),
                           (np.array(X, dtype="int32"), type(np.ones(1)), "int32")):  # fmt: skip
        batch = next(io.NDArrayIter(x, batch_size=2))
        assert type(batch.data[0]) is kind and batch.data[0].dtype == dtype
    numbers = io.NDArrayIter(X, batch_size=2)
    numbers.next()
    assert numbers.getindex().tolist() == [0, 1] and numbers.getpad() == 0 and numbers.getlabel() == []


@pytest.mark.parametrize("make, error, word", [
    (lambda: io.NDArrayIter(X, Y[:3]), ValueError, "'data': 5, 'softmax_label': 3"),
    (lambda: io.NDArrayIter(X, batch_size=6), ValueError, "batches of 6 from 5"),
    (lambda: io.NDArrayIter("x"), TypeError, "data is a str"), (lambda: io.NDArrayIter([]), ValueError, "no data"),
    (lambda: io.NDArrayIter(X, last_batch_handle="keep"), ValueError, "'keep'"),
    (lambda: io.NDArrayIter(X).getdata(), RuntimeError, "no batch yet"),
    (lambda: io.DataBatch(np.ones(2)), TypeError, "data is a"),
    (lambda: io.PrefetchingIter([io.NDArrayIter(X), io.NDArrayIter(X, batch_size=2)]), ValueError, r"\[1, 2\]"),
    (lambda: io.DataIter().next(), NotImplementedError, "DataIter"),
    (lambda: io.CSVIter("a.csv", (2,), nonsense=1), TypeError, "nonsense"),
    (lambda: io.MNISTIter("a", "b", nonsense=1), TypeError, "nonsense"),
])  # fmt: skip
def test_refusals(make, error, word):
    with pytest.raises(error, match=word):
        make()


def test_lines_of_another_length(tmp_path):
    (tmp_path / "a.csv").write_text("1,2,3\n4,5,6")
    with pytest.raises(ValueError, match="3 numbers.*has 2"):
        io.CSVIter(tmp_path / "a.csv", (2,))


def test_descriptions():
    desc = io.DataDesc("data", [2, 3], "int32", "NT")
    assert desc == ("data", (2, 3)) and repr(desc) == "DataDesc[data,(2, 3),int32,NT]"
    again = pickle.loads(pickle.dumps(desc))
    assert (again, again.dtype, again.layout) == (desc, "int32", "NT")
    assert [io.DataDesc.get_batch_axis(layout) for layout in ("NTC", "TNC", None, "TC")] == [0, 1, 0, -1]
    assert [d.dtype for d in io.DataDesc.get_list([("a", (2,))], [("a", "int8")])] == ["int8"]
    assert repr(io.DataBatch([np.ones((2, 3))])) == "DataBatch: data shapes: [(2, 3)] label shapes: None"


class Broken(io.NDArrayIter):
    """Fails at its second batch."""

    def iter_next(self):
        if self.cursor >= 0:
            raise OSError("the disk is gone")
        return super().iter_next()


def test_errors_of_the_thread_reach_the_caller():
    it = io.PrefetchingIter(Broken(X, Y, 2))
    it.next()
    with pytest.raises(OSError, match="the disk is gone") as caught:
        it.next()
    assert "iter_next" in [frame.name for frame in caught.traceback]
    with pytest.raises(StopIteration):
        it.next()
    it.reset()
    assert it.next().label[0].tolist() == [0, 1]


def test_unequal_iterators_are_refused():
    it = io.PrefetchingIter([io.NDArrayIter(X, Y, 2), io.NDArrayIter({"d2": X[:2]}, None, 2)])
    it.next()
    with pytest.raises(ValueError, match="ended before another"):
        it.next()


def threads():
    gc.collect()  # what other tests dropped
    return [t for t in threading.enumerate() if t.name == "PrefetchingIter"]


def test_no_thread_is_left_behind():
    it = io.PrefetchingIter(io.NDArrayIter(numpy.arange(100.0), batch_size=1))
    for _ in range(3):
        it.next()
        it.reset()
    del it
    until = time.monotonic() + 20
    while threads() and time.monotonic() < until:
        time.sleep(0.02)
    assert threads() == []


def test_trains_a_net():
    from numblocks import autograd, gluon

    random.seed(0)
    x = numpy.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    net = gluon.nn.Dense(1)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    it = io.ResizeIter(io.NDArrayIter(x, x @ [[1], [-2]] + 3, 16, shuffle=True), 60)
    for batch in it:
        with autograd.record():
            loss = gluon.loss.L2Loss()(net(batch.data[0]), batch.label[0])
        loss.backward()
        trainer.step(16)
    numpy.testing.assert_allclose(net.weight.data().asnumpy(), [[1, -2]], atol=0.05)
