"""The estimator and its handlers. Figures are compared with MXNet's in test_contrib_answers."""

import csv
import io
import logging
import math
import sys
import types

import numpy
import pytest

from numblocks import autograd, cpu, gluon, init, lr_scheduler, metric, np
from numblocks.gluon import nn
from numblocks.gluon.contrib import estimator as kinds
from numblocks.gluon.contrib.estimator import (
    BatchProcessor,
    CheckpointHandler,
    CSVLogger,
    EarlyStoppingHandler,
    Estimator,
    GradientUpdateHandler,
    LoggingHandler,
    MetricHandler,
    ProgressBarHandler,
    StoppingHandler,
    TensorBoardHandler,
    ValidationHandler,
)

draw = numpy.random.default_rng(3)
X = draw.normal(size=(22, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("float32")


def loader(n=22, batch_size=5):
    return gluon.data.DataLoader(gluon.data.ArrayDataset(X[:n], Y[:n]), batch_size=batch_size)


def net(seed=0):
    made = nn.HybridSequential()
    made.add(nn.Dense(6, activation="tanh"), nn.Dense(2))
    made.initialize(init.Xavier())
    made(np.array(X[:1]))
    values = numpy.random.default_rng(seed)
    for param in made.collect_params().values():
        param.set_data(np.array(values.normal(size=param.shape).astype("float32")))
    return made


def estimator(made=None, optimizer="adam", options=None, **more):
    made = net() if made is None else made
    trainer = gluon.Trainer(made.collect_params(), optimizer, options or {"learning_rate": 0.05})
    found = Estimator(made, gluon.loss.SoftmaxCrossEntropyLoss(), trainer=trainer, **more)
    found.logger.disabled = True
    return found


def weights(made):
    return numpy.concatenate([p.data().asnumpy().ravel() for _, p in sorted(made.named_parameters())])


class Diary(kinds.TrainBegin, kinds.TrainEnd, kinds.EpochBegin, kinds.EpochEnd, kinds.BatchBegin, kinds.BatchEnd):
    """Writes down what it hears; answers as it is told."""

    def __init__(self, lines, name="", priority=None, batch=(), epoch=()):
        self.lines, self.name, self.stops = lines, name, {"batch_end": batch, "epoch_end": epoch}
        self.counts = {"batch_end": 0, "epoch_end": 0}
        if priority is not None:
            self.priority = priority

    def _hear(self, event, more):
        self.lines.append(f"{self.name}{event}" + "".join(f" {key}" for key in sorted(more)))
        if event in self.stops:
            self.counts[event] += 1
            return self.counts[event] in self.stops[event]

    def train_begin(self, estimator, *args, **kwargs):
        return self._hear("train_begin", kwargs)

    def train_end(self, estimator, *args, **kwargs):
        return self._hear("train_end", kwargs)

    def epoch_begin(self, estimator, *args, **kwargs):
        return self._hear("epoch_begin", kwargs)

    def epoch_end(self, estimator, *args, **kwargs):
        return self._hear("epoch_end", kwargs)

    def batch_begin(self, estimator, *args, **kwargs):
        return self._hear("batch_begin", kwargs)

    def batch_end(self, estimator, *args, **kwargs):
        return self._hear("batch_end", kwargs)


# ---- the loop --------------------


def test_events_in_their_order():
    lines = []
    estimator().fit(loader(10), epochs=2, event_handlers=Diary(lines))
    batch = ["batch_begin batch", "batch_end batch label loss pred"]
    epoch = ["epoch_begin", *batch, *batch, "epoch_end"]
    assert lines == ["train_begin", *epoch, *epoch, "train_end"]


def test_priorities():
    lines = []
    handlers = [Diary(lines, "a", 7), Diary(lines, "b"), Diary(lines, "c", -5), Diary(lines, "d", 0)]
    estimator().fit(loader(5), epochs=1, event_handlers=handlers)
    assert [line[0] for line in lines if "epoch_end" in line] == ["c", "b", "d", "a"]
    found = estimator()._prepare_default_handlers(loader(), handlers[:1])
    by_kind = {type(each): getattr(each, "priority", None) for each in found}
    assert by_kind == {
        Diary: 7, GradientUpdateHandler: -2000, MetricHandler: -1000, ValidationHandler: -1000, StoppingHandler: None,
        LoggingHandler: math.inf,
    }  # fmt: skip


def test_handlers_of_ones_own_replace_the_default():
    mine = [GradientUpdateHandler(), LoggingHandler(), StoppingHandler(max_batch=3)]
    found = estimator()
    assert [type(h) for h in found._prepare_default_handlers(None, mine)] == [*map(type, mine), MetricHandler]
    lines = []
    found.fit(loader(), epochs=5, event_handlers=[*mine, Diary(lines)])
    assert sum("batch_end" in line for line in lines) == 3 and lines.count("epoch_end") == 1


def test_a_batch_handler_ends_the_epoch_and_an_epoch_handler_the_training():
    lines = []
    estimator().fit(loader(), epochs=3, event_handlers=Diary(lines, batch=(2,)))
    text = " ".join(line.split()[0] for line in lines if "begin" not in line)
    assert text == " ".join(["batch_end"] * 2 + ["epoch_end"] + (["batch_end"] * 5 + ["epoch_end"]) * 2 + ["train_end"])
    lines.clear()
    estimator().fit(loader(), epochs=9, event_handlers=Diary(lines, epoch=(2,)))
    assert lines.count("epoch_end") == 2 and lines[-1] == "train_end"


def test_counting_batches():
    lines = []
    estimator().fit(loader(), batches=7, event_handlers=Diary(lines))
    assert sum("batch_end" in line for line in lines) == 7 and lines.count("epoch_end") == 2


@pytest.mark.parametrize("devices", [[cpu(0)], [cpu(0), cpu(1)]])
def test_same_as_the_loop_written_out(devices):
    """On two devices the last batch, of two examples, and those of five are split unevenly."""
    found = estimator(net(1), "sgd", {"learning_rate": 0.3, "momentum": 0.9})
    if len(devices) > 1:
        made = net(1)
        made.collect_params().reset_ctx(devices)
        trainer = gluon.Trainer(made.collect_params(), "sgd", {"learning_rate": 0.3, "momentum": 0.9})
        found = Estimator(made, gluon.loss.SoftmaxCrossEntropyLoss(), trainer=trainer, context=devices)
        found.logger.disabled = True
    assert found.context == devices
    found.fit(loader(), epochs=3)

    other, loss_fn = net(1), gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(other.collect_params(), "sgd", {"learning_rate": 0.3, "momentum": 0.9})
    right = 0
    for _ in range(3):
        right = 0
        for x, y in loader():
            with autograd.record():
                scores = other(x)
                loss = loss_fn(scores, y)
            loss.backward()
            trainer.step(len(y))
            right += int((scores.argmax(axis=1) == y).sum())
    mine = numpy.concatenate([p.data(devices[0]).asnumpy().ravel() for _, p in sorted(found.net.named_parameters())])
    numpy.testing.assert_allclose(mine, weights(other), rtol=1e-5, atol=1e-6)
    assert found.train_metrics[0].get()[1] == pytest.approx(right / 22)


def test_hybridized_is_the_same():
    eager, compiled = estimator(net(2)), estimator(net(2))
    compiled.net.hybridize()
    compiled.loss.hybridize()
    for each in (eager, compiled):
        each.fit(loader(), loader(7), epochs=3)
    numpy.testing.assert_allclose(weights(eager.net), weights(compiled.net), rtol=1e-4, atol=1e-5)
    assert eager.val_metrics[1].get()[1] == pytest.approx(compiled.val_metrics[1].get()[1], rel=1e-4)


def test_evaluate():
    found = estimator()
    before = weights(found.net)
    lines = []
    found.evaluate(loader(7), event_handlers=Diary(lines))
    scores = found.net(np.array(X[:7])).asnumpy()
    assert found.val_metrics[0].get() == ("validation accuracy", pytest.approx((scores.argmax(1) == Y[:7]).mean()))
    assert math.isnan(found.train_metrics[0].get()[1]) and (weights(found.net) == before).all()
    assert lines[0] == "epoch_begin" and lines[-1] == "epoch_end"
    found.evaluate(loader(7))  # begins anew
    assert found.val_metrics[0].num_inst == 7


def test_validation_net_and_loss():
    made = net()
    more = nn.HybridSequential()
    more.add(made, nn.HybridLambda(lambda F, x: -x))
    found = estimator(made, val_net=more, val_loss=gluon.loss.SoftmaxCrossEntropyLoss(weight=10))
    found.fit(loader(), loader(), epochs=1)
    scores = made(np.array(X)).asnumpy()
    assert found.val_metrics[0].get()[1] == pytest.approx((scores.argmin(1) == Y).mean())
    found.evaluate(loader(7, 7))
    plain = gluon.loss.SoftmaxCrossEntropyLoss()(-np.array(scores[:7]), np.array(Y[:7])).mean()
    assert found.val_metrics[1].get()[1] == pytest.approx(10 * float(plain), rel=1e-5)


def test_batch_processor():
    class Twice(BatchProcessor):
        def fit_batch(self, estimator, train_batch, batch_axis=0):
            doubled = tuple(np.concatenate([part, part]) for part in train_batch)
            return super().fit_batch(estimator, doubled, batch_axis)

    found = estimator(batch_processor=Twice())
    found.fit(loader(), epochs=1)
    assert found.train_metrics[0].num_inst == 44


# ---- what it is made with --------------------


def test_metrics_and_their_names():
    made = estimator()
    assert [m.name for m in made.train_metrics] == ["training accuracy", "training softmaxcrossentropyloss"]
    assert [m.name for m in made.val_metrics] == ["validation accuracy", "validation softmaxcrossentropyloss"]
    assert all(a is not b for a, b in zip(made.train_metrics, made.val_metrics, strict=True))
    mine = metric.F1()
    made = estimator(train_metrics=mine, val_metrics=[metric.Accuracy()])
    assert made.train_metrics == [mine] and made.val_metrics[0].name == "validation accuracy"
    assert estimator(train_metrics=mine).val_metrics[0].name == "validation f1"
    same = estimator(train_metrics=mine, val_metrics=mine)
    assert same.train_metrics == [mine] and mine.name == "training f1" and same.val_metrics[0].name == "validation f1"
    both = metric.CompositeEvalMetric([metric.Accuracy(), metric.F1()])
    assert [m.name for m in estimator(train_metrics=both).train_metrics] == ["training accuracy", "training f1"]
    plain = Estimator(nn.Dense(1), gluon.loss.L2Loss())
    assert [m.name for m in plain.train_metrics] == ["training l2loss"]


def test_initializer_is_for_what_is_not_initialized():
    made = nn.Sequential()
    made.add(nn.Dense(3, in_units=4), nn.Dense(2, in_units=3))
    made[0].initialize(init.Constant(7))
    found = Estimator(made, gluon.loss.SoftmaxCrossEntropyLoss(), initializer=init.One())
    assert (made[0].weight.data() == 7).all() and (made[1].weight.data() == 1).all()
    assert type(found.trainer.optimizer).__name__ == "SGD" and found.trainer.learning_rate == 0.001
    fresh = nn.Dense(2)
    Estimator(fresh, gluon.loss.SoftmaxCrossEntropyLoss(), initializer="ones").evaluate(loader())
    assert (fresh.weight.data() == 1).all()


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"loss": "l2"}, "loss must be a gluon.loss.Loss"),
        ({"net": 3}, "net must be a gluon.Block"),
        ({"trainer": 3}, "trainer must be a gluon.Trainer"),
        ({"train_metrics": "acc"}, "metrics must be a Metric or a list of Metric"),
        ({"val_metrics": [3]}, "metrics must be a Metric or a list of Metric"),
        ({"context": "cpu"}, "context must be a Context or a list of Context"),
        ({"device": []}, "context must be a Context or a list of Context"),
        ({"batch_processor": 3}, r"fit_batch\(\) and evaluate_batch\(\)"),
    ],
)
def test_refused_arguments(arguments, words):
    arguments = {"net": nn.Dense(2, in_units=4), "loss": gluon.loss.L2Loss()} | arguments
    with pytest.raises(ValueError, match=words):
        Estimator(**arguments)


def test_trainer_of_other_devices_is_refused():
    made = net()
    trainer = gluon.Trainer(made.collect_params(), "sgd")
    with pytest.raises(ValueError, match="the trainer was made for parameters on"):
        Estimator(made, gluon.loss.L2Loss(), trainer=trainer, context=[cpu(0), cpu(1)])


@pytest.mark.parametrize("goal", [{}, {"epochs": 1, "batches": 1}, {"epochs": 0}, {"batches": -1}])
def test_refused_goals(goal):
    with pytest.raises(ValueError, match="exactly one type of iteration"):
        estimator().fit(loader(), **goal)


def test_refused_calls():
    found = estimator()
    with pytest.raises(ValueError, match="DataLoader"):
        found.fit([(X, Y)], epochs=1)
    with pytest.raises(ValueError, match="DataLoader"):
        found.fit(loader(), X, epochs=1)
    with pytest.raises(ValueError, match="DataLoader"):
        found.evaluate(X)
    with pytest.raises(ValueError, match="must be an EventHandler"):
        found.fit(loader(), epochs=1, event_handlers=[3])
    empty = gluon.data.DataLoader(gluon.data.ArrayDataset(X[:2], Y[:2]), batch_size=5, last_batch="discard")
    with pytest.raises(ValueError, match="gave no batch"):
        found.fit(empty, batches=3)
    with pytest.raises(ValueError, match="integer or string 'epoch'"):
        LoggingHandler("batch")
    with pytest.raises(ValueError, match="list of EvalMetric"):
        MetricHandler([3])


# ---- handlers --------------------


def test_validation_periods():
    calls = []

    def count(val_data, batch_axis, event_handlers):
        calls.append(len(lines))

    lines = []
    handler = ValidationHandler(loader(), count, epoch_period=2, batch_period=None)
    estimator().fit(loader(10), epochs=5, event_handlers=[handler, Diary(lines)])
    assert len(calls) == 2
    calls.clear()
    handler = ValidationHandler(loader(), count, epoch_period=None, batch_period=3)
    estimator().fit(loader(), batches=10, event_handlers=handler)
    assert len(calls) == 3


class Figure(metric.EvalMetric):
    """A metric with given values, one per epoch."""

    def __init__(self, name, values):
        super().__init__(name)
        self.values = list(values)

    def update(self, labels, preds):
        pass

    def get(self):
        return self.name, self.values[0]


class Next(kinds.EpochEnd):
    """Moves a Figure on after each epoch."""

    priority = 2000

    def __init__(self, figure):
        self.figure, self.epochs = figure, 0

    def epoch_end(self, estimator, *args, **kwargs):
        self.epochs += 1
        self.figure.values = self.figure.values[1:] or self.figure.values


@pytest.mark.parametrize(
    "name, values, options, epochs",
    [
        ("score", [1, 2, 3, 3, 3, 9], {}, 4),  # patience 0: the first epoch that brings nothing
        ("score", [1, 2, 3, 3, 3, 9], {"patience": 2}, 5),
        ("score", [1, 2, 3, 3, 4, 4, 4], {"patience": 2}, 7),
        ("loss", [3, 2, 2.5, 1, 0, 1, 1], {"patience": 2}, 7),  # auto: smaller is better
        ("loss", [3, 2, 1], {"mode": "max"}, 2),
        ("score", [3, 2, 1, 0], {"mode": "min"}, 4),
        ("score", [1, 1.5, 2.5, 9], {"min_delta": 1}, 2),
        ("score", [1, 2, 3], {"baseline": 5}, 1),
        ("score", [6, 7, 1], {"baseline": 5}, 3),
    ],
)
def test_early_stopping(name, values, options, epochs):
    figure = Figure(name, values)
    handler, counter = EarlyStoppingHandler(figure, **options), Next(figure)
    estimator().fit(loader(5), epochs=len(values), event_handlers=[handler, counter])
    assert counter.epochs == epochs
    assert handler.stopped_epoch == (epochs - 1 if handler.stop_training else None)


def test_early_stopping_refuses_and_warns():
    with pytest.raises(ValueError, match="Please provide one of the metric objects"):
        EarlyStoppingHandler("accuracy")
    with pytest.raises(ValueError, match="mode='best'"):
        EarlyStoppingHandler(metric.Accuracy(), mode="best")
    with pytest.warns(UserWarning, match="accuracy is NaN after epoch 0"):
        estimator().fit(loader(5), epochs=1, event_handlers=EarlyStoppingHandler(metric.Accuracy()))


def logged(found, level=logging.INFO):
    """The lines an estimator logs."""
    lines = []
    handler = logging.Handler(level)
    handler.emit = lambda record: lines.append(record.getMessage())
    found.logger.handlers, found.logger.disabled = [handler], False
    return lines


def test_lines_of_the_log():
    found = estimator(train_metrics=metric.Accuracy())
    lines = logged(found)
    found.fit(loader(), loader(5), epochs=2, event_handlers=LoggingHandler(2, found.train_metrics))
    assert lines[0] == "Training begins: Adam, learning rate 0.0500, 2 epochs"
    batches = [line for line in lines if "[Batch" in line]
    assert [line.split(" time")[0] for line in batches] == [
        f"[Epoch {e}][Batch {b}][Samples {e * 22 + n}]" for e in (0, 1) for b, n in ((0, 5), (2, 15), (4, 22))
    ]
    assert "training accuracy: 0." in batches[-1]
    ends = [line for line in lines if "Finished in" in line]
    assert [line[:9] for line in ends] == ["[Epoch 0]", "[Epoch 0]", "[Epoch 1]", "[Epoch 1]"]
    assert "validation accuracy" in ends[2] and "training accuracy" in ends[3]
    assert lines[-1].startswith("Training finished after 2 epochs and 0s, training accuracy: ")


def test_estimators_log_each_line_once(capsys):
    for _ in range(2):
        Estimator(net(), gluon.loss.SoftmaxCrossEntropyLoss()).evaluate(loader(5))
    assert capsys.readouterr().out.count("Validation begins") == 2


# ---- checkpoints --------------------


def resumable(folder, **options):
    return CheckpointHandler(folder, resume_from_checkpoint=True, **options)


@pytest.mark.parametrize("unit", ["epochs", "batches"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_resumed_training_equals_an_uninterrupted_one(tmp_path, unit, optimizer):
    schedule = lambda: lr_scheduler.FactorScheduler(step=4, factor=0.7, base_lr=0.1)
    fresh = lambda seed: estimator(net(seed), optimizer, {"lr_scheduler": schedule()})
    whole, first, second = fresh(1), fresh(1), fresh(9)
    periods = {"epoch_period": 1} if unit == "epochs" else {"epoch_period": None, "batch_period": 5}
    half, full = (2, 4) if unit == "epochs" else (10, 20)  # whole epochs, as a resumed one begins with the first batch
    whole.fit(loader(), **{unit: full})
    first.fit(loader(), event_handlers=CheckpointHandler(tmp_path, **periods), **{unit: half})
    assert not (weights(first.net) == weights(whole.net)).all()
    lines = logged(second)
    second.fit(loader(), event_handlers=resumable(tmp_path, **periods), **{unit: full})
    assert any("resumed from" in line and f"{full - half} {unit} to go" in line for line in lines)
    assert (weights(second.net) == weights(whole.net)).all()
    assert second.trainer.learning_rate == whole.trainer.learning_rate
    with pytest.raises(ValueError, match=f"maximum number of {unit.removesuffix('s').removesuffix('e')}"):
        second.fit(loader(), event_handlers=resumable(tmp_path, **periods), **{unit: full})


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_checkpoint_files(tmp_path):
    found = estimator()
    handler = CheckpointHandler(tmp_path / "deep", "lenet", epoch_period=2, batch_period=4, max_checkpoints=9)
    found.fit(loader(), epochs=2, event_handlers=handler)
    names = [f"lenet-epoch{e}batch{b}" for e, b in ((0, 3), (1, 7), (1, 10))]
    assert handler.saved_checkpoints == names
    assert files(tmp_path / "deep") == sorted(f"{n}.{kind}" for n in names for kind in ("params", "states"))
    other = net(5)
    other.load_parameters(tmp_path / "deep" / "lenet-epoch1batch10.params")
    assert (weights(other) == weights(found.net)).all()


def test_old_checkpoints_go_also_those_of_earlier_trainings(tmp_path):
    estimator().fit(loader(5), epochs=3, event_handlers=CheckpointHandler(tmp_path, max_checkpoints=2))
    assert files(tmp_path)[::2] == ["model-epoch1batch2.params", "model-epoch2batch3.params"]
    estimator().fit(loader(5), epochs=12, event_handlers=resumable(tmp_path, max_checkpoints=2))
    assert files(tmp_path)[::2] == ["model-epoch10batch11.params", "model-epoch11batch12.params"]  # not by the alphabet


def test_unfinished_checkpoint_is_passed_over(tmp_path):
    found = estimator()
    found.fit(loader(5), epochs=3, event_handlers=CheckpointHandler(tmp_path))
    (tmp_path / "model-epoch2batch3.states").unlink()
    (tmp_path / "model-epochXbatch3.params").write_text("")
    found = estimator()
    lines = logged(found)
    found.fit(loader(5), epochs=3, event_handlers=resumable(tmp_path))
    assert any("model-epoch1batch2.params', 1 epochs to go" in line for line in lines)


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    handler = CheckpointHandler(tmp_path)
    estimator().fit(loader(5), epochs=1, event_handlers=handler)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr("numblocks.formats.atomic.os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        estimator(net(4)).fit(loader(5), epochs=1, event_handlers=CheckpointHandler(tmp_path))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_best_model_also_after_resuming(tmp_path):
    figure = Figure("score", [1, 3, 2])
    found = estimator()
    options = {"monitor": figure, "save_best": True}
    best = []

    class Look(kinds.EpochEnd):
        priority = 1

        def epoch_end(self, estimator, *args, **kwargs):
            best.append((weights(estimator.net), (tmp_path / "model-best.params").read_bytes()))

    found.fit(loader(5), epochs=3, event_handlers=[CheckpointHandler(tmp_path, **options), Next(figure), Look()])
    other = net(7)
    other.load_parameters(tmp_path / "model-best.params")
    assert (weights(other) == best[1][0]).all() and best[2][1] == best[1][1]
    figure.values = [2.5, 4, 0]
    again = estimator()
    again.fit(loader(5), epochs=5, event_handlers=[resumable(tmp_path, **options), Next(figure), Look()])
    assert best[3][1] == best[1][1] and best[4][1] != best[1][1]  # 2.5 is not better than 3, 4 is


def test_nothing_but_the_best_is_kept(tmp_path):
    figure = Figure("score", [1, 3, 2])
    handler = CheckpointHandler(tmp_path, "mine", monitor=figure, save_best=True, max_checkpoints=0)
    estimator().fit(loader(5), epochs=3, event_handlers=[handler, Next(figure)])
    assert files(tmp_path) == ["mine-best.json", "mine-best.params", "mine-best.states"]


def test_checkpoint_refusals(tmp_path):
    with pytest.raises(ValueError, match="save the best model"):
        CheckpointHandler(tmp_path, save_best=True)
    with pytest.raises(ValueError, match="max_checkpoints=-1"):
        CheckpointHandler(tmp_path, max_checkpoints=-1)
    for goal, periods in (
        ({"batches": 2}, {}), ({"epochs": 1}, {"epoch_period": None, "batch_period": 1}),
        ({"epochs": 1}, {"epoch_period": 1, "batch_period": 1}),
    ):  # fmt: skip
        with pytest.raises(AssertionError, match="same type of period"):
            estimator().fit(loader(), event_handlers=resumable(tmp_path, **periods), **goal)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        estimator().fit(loader(), epochs=1, event_handlers=CheckpointHandler(tmp_path / "file"))


def test_checkpoint_tells(tmp_path):
    found = estimator()
    lines = logged(found)
    found.fit(loader(5), epochs=1, event_handlers=resumable(tmp_path, verbose=1))
    assert any("no checkpoint in" in line for line in lines)
    assert any("symbol.json: the net is not hybridized" in line for line in lines)
    assert any("model-epoch0batch1.params after 1 batches" in line for line in lines)
    lines.clear()
    found.fit(loader(5), epochs=1, event_handlers=CheckpointHandler(tmp_path))
    assert any("holds 1 checkpoints of an earlier training" in line for line in lines)


def test_hybridized_net_leaves_its_graph(tmp_path):
    found = estimator()
    found.net.hybridize()
    found.fit(loader(10), epochs=1, event_handlers=CheckpointHandler(tmp_path))
    assert files(tmp_path) == ["model-epoch0batch2.params", "model-epoch0batch2.states", "model-symbol.json"]
    x = np.array(X[:5])
    found.net.export(tmp_path / "now")
    read = gluon.SymbolBlock.imports(str(tmp_path / "model-symbol.json"), ["data0"], str(tmp_path / "now-0000.params"))
    numpy.testing.assert_allclose(read(x).asnumpy(), found.net(x).asnumpy(), rtol=1e-5)


def test_modules_are_those_of_mxnet():
    from numblocks.gluon.contrib.estimator import estimator as module
    from numblocks.gluon.contrib.estimator.batch_processor import BatchProcessor as Processor
    from numblocks.gluon.contrib.estimator.event_handler import TrainBegin

    assert module.Estimator is Estimator and Processor is BatchProcessor and TrainBegin is kinds.TrainBegin
    assert set(kinds.__all__) >= {*kinds.event_handler.__all__, "Estimator", "BatchProcessor"}


def test_a_sampler_that_does_not_know_its_length():
    class Endless(gluon.data.Sampler):
        def __iter__(self):
            return iter([[0, 1], [2, 3], [4, 5]])

    data = gluon.data.DataLoader(gluon.data.ArrayDataset(X, Y), batch_sampler=Endless())
    stream = io.StringIO()
    bar = ProgressBarHandler(disable=False, file=stream)
    estimator().fit(data, epochs=2, event_handlers=bar)
    assert bar._bar.n == 6 and "epoch 2/2: " in stream.getvalue()


# ---- watching --------------------


def test_progress_bar():
    found, stream = estimator(), io.StringIO()
    lines = []
    log = logging.StreamHandler(stream)
    found.logger.handlers, found.logger.disabled = [log], False
    bar = ProgressBarHandler(disable=False, file=stream, mininterval=0)
    found.fit(loader(), loader(5), epochs=2, event_handlers=[bar, Diary(lines)])
    text = stream.getvalue()
    assert "epoch 1/2" in text and "epoch 2/2" in text and "10/10" in text
    assert "training accuracy: 0." in text and "validation accuracy: 0." in text and "nan" not in text
    assert bar._bar.n == 10 and bar._bar.disable


def test_progress_bar_of_batches_and_after_an_error():
    class Break(kinds.BatchEnd):
        def batch_end(self, estimator, *args, **kwargs):
            raise KeyboardInterrupt

    stream = io.StringIO()
    bar = ProgressBarHandler(disable=False, file=stream)
    found = estimator()
    handlers = list(found.logger.handlers)
    with pytest.raises(KeyboardInterrupt):
        found.fit(loader(), batches=7, event_handlers=[bar, Break()])
    assert "/7" in stream.getvalue() and bar._bar.disable and found.logger.handlers == handlers
    found.fit(loader(), batches=2, event_handlers=bar)  # and again
    assert bar._bar.n == 2


def test_no_bar_without_a_terminal_or_tqdm(capsys, monkeypatch):
    estimator().fit(loader(), epochs=1, event_handlers=ProgressBarHandler())
    monkeypatch.setitem(sys.modules, "tqdm", None)
    estimator().fit(loader(), epochs=1, event_handlers=ProgressBarHandler())
    assert capsys.readouterr() == ("", "")


def rows(path, **options):
    with open(path, newline="") as file:
        return list(csv.reader(file, **options))


def test_csv(tmp_path):
    path = tmp_path / "deep" / "log.csv"
    found = estimator(train_metrics=metric.Accuracy())
    found.fit(loader(), loader(5), epochs=2, event_handlers=CSVLogger(path))
    title, *table = rows(path)
    assert title == ["epoch", "batch", "seconds", "learning rate", "training accuracy", "validation accuracy"]
    assert [row[:2] for row in table] == [["0", "5"], ["1", "10"]] and float(table[0][3]) == 0.05
    assert float(table[1][4]) == pytest.approx(found.train_metrics[0].get()[1])
    found.fit(loader(), loader(5), epochs=1, event_handlers=CSVLogger(path, append=True))
    assert [row[:2] for row in rows(path)[1:]] == [["0", "5"], ["1", "10"], ["2", "15"]]
    other = estimator(train_metrics=metric.F1())
    with pytest.raises(ValueError, match="Rows of both do not go together"):
        other.fit(loader(), epochs=1, event_handlers=CSVLogger(path, append=True))
    other.fit(loader(), epochs=1, event_handlers=CSVLogger(path, separator=";", metrics=other.train_metrics))
    assert rows(path, delimiter=";")[0][-1] == "training f1" and len(rows(path)) == 2


def test_csv_keeps_the_rows_of_a_training_that_breaks_off(tmp_path):
    class Break(kinds.EpochBegin):
        def epoch_begin(self, estimator, *args, **kwargs):
            if estimator._epoch == 2:
                raise RuntimeError("power cut")

    log = CSVLogger(tmp_path / "log.csv")
    with pytest.raises(RuntimeError, match="power cut"):
        estimator().fit(loader(5), epochs=5, event_handlers=[log, Break()])
    assert len(rows(tmp_path / "log.csv")) == 3 and log._file is None


class Writer:
    made = []

    def __init__(self, folder):
        self.folder, self.scalars, self.closed = folder, [], False
        Writer.made.append(self)

    def add_scalar(self, tag, value, step):
        self.scalars.append((tag, value, step))

    def close(self):
        self.closed = True


def test_tensorboard(tmp_path, monkeypatch):
    module = types.ModuleType("tensorboardX")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "tensorboardX", module)
    found = estimator(train_metrics=metric.Accuracy())
    board = TensorBoardHandler(tmp_path, batch_period=5)
    found.fit(loader(), loader(5), epochs=2, event_handlers=board)
    (writer,) = Writer.made
    assert writer.closed and writer.folder == str(tmp_path)
    figures = ["training accuracy", "validation accuracy", "learning rate"]
    first, second = ([(tag, epoch) for tag in figures] for epoch in (0, 1))
    found_scalars = [(tag, step) for tag, _, step in writer.scalars]
    assert found_scalars == [("batch loss", 5), *first, ("batch loss", 10), *second]
    assert writer.scalars[5][1] == pytest.approx(found.train_metrics[0].get()[1])
    found.fit(loader(), epochs=1, event_handlers=board)  # a writer of its own again
    assert len(Writer.made) == 2
    mine = Writer("mine")
    found.fit(loader(), epochs=1, event_handlers=TensorBoardHandler(writer=mine))
    assert mine.scalars and not mine.closed
    Writer.made.clear()


def test_tensorboard_says_what_to_install(monkeypatch):
    for package in ("tensorboardX", "torch", "torch.utils.tensorboard", "mxboard"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match="pip install tensorboardX"):
        TensorBoardHandler("runs")
