"""The main job: a small LeNet learns real handwritten digits, eager and hybridized, side by side.

`python -m numblocks` runs it. Both nets start from the same weights and see the same batches in the same
order, so that everything they do differently is compilation.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy
from tqdm import tqdm

from . import autograd, device, errors, gluon, init, lr_scheduler, metric, random
from .gluon import nn
from .gluon.data import ArrayDataset, DataLoader
from .gluon.data.vision import Digits, transforms
from .kernels.build import cache_info

ACCURACY = 0.97
DIFFERENCE = 1e-4


def lenet() -> nn.HybridSequential:
    """Two convolutions with pooling and two dense layers: `(batch, 1, 8, 8)` -> `(batch, 10)` scores.

    Smooth throughout, as LeCun's was (tanh and average pooling): rounding that differs between two trainings in the
    last bit stays there, where a ReLU or a maximum would turn it into another path.
    """
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(16, kernel_size=3, padding=1, activation="tanh"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Conv2D(32, kernel_size=3, padding=1, activation="tanh"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Dense(64, activation="tanh"),
        nn.Dense(10),
    )
    return net


def digits(train: bool, ctx):
    """All images `(n, 1, 8, 8)` float32 from 0 to 1 and labels `(n,)` int32 of one part of the data."""
    images, labels = next(iter(DataLoader(Digits(train), batch_size=2000)))
    return transforms.ToTensor()(images.as_in_ctx(ctx)), labels.as_in_ctx(ctx)


@dataclass
class Run:
    """What one training left behind. `seconds` has one entry per epoch, evaluation not counted."""

    name: str
    net: nn.HybridSequential
    examples: int
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    built: int = 0
    loaded: int = 0

    @property
    def speed(self) -> float:
        """Examples per second once warm: the median epoch, the first left out if there are more."""
        return self.examples / statistics.median(self.seconds[1:] or self.seconds)


def accuracy(net, data) -> float:
    """The share of digits recognized."""
    score = metric.Accuracy()
    score.update(data[1], net(data[0]))
    return score.get()[1]


def train(name: str, net, data, held_out, options) -> Run:
    """Train `net` with Adam, showing a bar and one line per epoch."""
    random.seed(options.seed)  # the same order of batches in every run
    loader = DataLoader(ArrayDataset(*data), options.batch_size, shuffle=True)
    loss_fn = gluon.loss.SoftmaxCrossEntropyLoss()
    if name == "hybridized":
        net.hybridize()
        loss_fn.hybridize()
    schedule = lr_scheduler.CosineScheduler(options.epochs * len(loader), base_lr=0.1, final_lr=1e-3)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"momentum": 0.9, "lr_scheduler": schedule})
    run = Run(name, net, len(data[1]))
    before = cache_info()
    with tqdm(total=options.epochs * len(loader), desc=name, unit="batch", leave=False, disable=None) as bar:
        for epoch in range(1, options.epochs + 1):
            total, start = 0.0, time.perf_counter()
            for images, labels in loader:
                with autograd.record():
                    loss = loss_fn(net(images), labels)
                loss.backward()
                trainer.step(len(labels))
                total += float(loss.sum())
                bar.update()
            run.seconds.append(time.perf_counter() - start)
            run.losses.append(total / run.examples)
            run.accuracies.append(accuracy(net, held_out))
            bar.write(
                f"{name:>10}  epoch {epoch:2d}/{options.epochs}  loss {run.losses[-1]:.4f}  accuracy"
                f" {run.accuracies[-1]:.4f}  {run.seconds[-1]:6.3f} s",
                file=sys.stdout,
            )
    after = cache_info()
    run.built, run.loaded = after.builds - before.builds, after.loads - before.loads
    return run


def table(runs: list[Run]) -> str:
    """The runs side by side."""
    rows = [
        ("accuracy on held-out digits", lambda r: f"{r.accuracies[-1]:.4f}"),
        ("loss of the last epoch", lambda r: f"{r.losses[-1]:.5f}"),
        ("samples/s", lambda r: f"{r.speed:,.0f}"),
        ("first epoch, s", lambda r: f"{r.seconds[0]:.3f}"),
        ("kernels built / loaded from disk", lambda r: f"{r.built} / {r.loaded}"),
    ]
    lines = [" " * 34 + "".join(f"{r.name:>14}" for r in runs)]
    lines += [f"{title:<34}" + "".join(f"{show(r):>14}" for r in runs) for title, show in rows]
    return "\n".join(lines)


def plot(runs: list[Run], path: Path) -> bool:
    """Draw loss and accuracy over the epochs; False without matplotlib."""
    try:
        from matplotlib.figure import Figure  # optional: the `plot` extra
    except ImportError:
        return False
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for run, style in zip(runs, ("-", "--"), strict=False):
        epochs = range(1, len(run.losses) + 1)
        left.plot(epochs, run.losses, style, label=run.name)
        right.plot(epochs, run.accuracies, style, label=f"{run.name}, {run.speed:,.0f} samples/s")
    left.set(xlabel="epoch", ylabel="training loss", yscale="log")
    right.set(xlabel="epoch", ylabel="accuracy on held-out digits")
    right.axhline(ACCURACY, color="grey", linewidth=0.5)
    right.legend()
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.savefig(path, dpi=150)
    return True


def reloaded(run: Run, path: Path, ctx) -> nn.HybridSequential:
    """Save the net and load it into a new one."""
    run.net.save_parameters(path)
    net = lenet()
    net.load_parameters(path, ctx=ctx)
    return net


def parse_device(text: str) -> device.Device:
    """`cpu`, `gpu`, `gpu1` or `gpu(1)` as a Device."""
    found = re.fullmatch(r"(cpu|gpu)\(?(\d*)\)?", text.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no device. Use cpu, gpu or gpu1.")
    return device.Device(found[1], int(found[2] or 0))


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is below 1")
    return value


def arguments() -> argparse.ArgumentParser:
    """The options of the job."""
    parser = argparse.ArgumentParser(
        prog="python -m numblocks",
        description="Train a LeNet on real handwritten digits, eager and hybridized, and compare.",
        epilog="`python -m numblocks cache` shows the generated kernels, `cache clear` deletes them.",
    )
    parser.add_argument("--epochs", type=_positive, default=20, help="passes over the data (%(default)s)")
    parser.add_argument("--batch-size", type=_positive, default=32, help="examples per step (%(default)s)")
    parser.add_argument("--device", type=parse_device, default="cpu", help="cpu, gpu, gpu1 ... (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of weights and shuffling (%(default)s)")
    parser.add_argument("--no-hybridize", action="store_true", help="train the eager net only")
    parser.add_argument(
        "--output", type=Path, default=Path("numblocks-digits"),
        help="folder for the parameters and the training curve (%(default)s)",
    )  # fmt: skip
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the job; the exit status is 0 only if everything came out as it should."""
    options = arguments().parse_args(argv)
    ctx = options.device
    try:
        data, held_out = digits(True, ctx), digits(False, ctx)
    except errors.MXNetError as error:
        print(f"python -m numblocks: {error}", file=sys.stderr)
        return 2
    print(f"{len(data[1])} digits to learn from, {len(held_out[1])} held out, on {ctx}")

    options.output.mkdir(parents=True, exist_ok=True)
    start = options.output / "initial.params"
    random.seed(options.seed)
    first = lenet()
    first.initialize(init.Xavier(), ctx=ctx)
    first(data[0][:1])  # one batch makes the weights
    first.save_parameters(start)

    runs = []
    for name in ("eager",) if options.no_hybridize else ("eager", "hybridized"):
        net = lenet()
        net.load_parameters(start, ctx=ctx)
        runs.append(train(name, net, data, held_out, options))

    print("\n" + table(runs))
    problems = _check(runs, held_out[0], options.output)
    curve = options.output / "training.png"
    print(f"{curve}: training curve" if plot(runs, curve) else "no training curve: install numblocks[plot]")
    for problem in problems:
        print(f"PROBLEM: {problem}")
    return 1 if problems else 0


def _check(runs: list[Run], images, folder: Path) -> list[str]:
    """Compare the nets with their reloaded selves and with each other; print it and return what is wrong."""
    problems = []
    difference = 0.0
    for run in runs:
        if not run.accuracies[-1] >= ACCURACY:
            problems.append(f"{run.name}: accuracy {run.accuracies[-1]:.4f} is below {ACCURACY}")
        path = folder / f"{run.name}.params"
        other = reloaded(run, path, images.ctx)
        same = bool((other(images).argmax(axis=1) == run.net(images).argmax(axis=1)).all())
        print(f"{path}: saved, loaded into a new net, predictions {'equal' if same else 'DIFFER'}")
        if not same:
            problems.append(f"{run.name}: the reloaded net predicts something else")
        if run.name == "eager" and len(runs) == 2:
            other.hybridize()
        difference = max(difference, _largest(run.net(images), other(images)))
    if not difference <= DIFFERENCE:
        problems.append(f"outputs differ by {difference:.2g}, more than {DIFFERENCE:g}")
    return problems if len(runs) == 1 else problems + _compare(*runs, images, difference)


def _compare(eager: Run, hybridized: Run, images, difference: float) -> list[str]:
    apart = _largest(eager.net(images), hybridized.net(images))
    ratio = hybridized.speed / eager.speed
    print(f"hybridized is {ratio:.2f} times as fast as eager")
    print(f"largest difference of eager and hybridized outputs, same trained weights: {difference:.2g}")
    print(f"largest difference of the two nets' outputs, each with the weights it learned: {apart:.2g}")
    problems = [] if ratio > 1 else [f"the hybridized net is not faster ({ratio:.2f} times)"]
    if not apart <= DIFFERENCE:
        problems.append(f"the nets learned apart: their outputs differ by {apart:.2g}, more than {DIFFERENCE:g}")
    return problems


def _largest(a, b) -> float:
    return float(numpy.abs(a.asnumpy() - b.asnumpy()).max())
