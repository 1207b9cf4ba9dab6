"""`CheckpointHandler`: a training that can be taken up where it stopped."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from pathlib import Path

from ....formats.atomic import replacing
from .events import BatchEnd, EpochEnd, TrainBegin
from .monitor import Monitor


class CheckpointHandler(TrainBegin, BatchEnd, EpochEnd):
    """Saves the net and the trainer now and then, and resumes from what was saved.

    A checkpoint is two files, `<prefix>-epoch<E>batch<B>.params` and `.states`: E counts epochs from 0; B is the number
    of batches so far at the end of an epoch, and the number of the last batch, from 0, within one. Files appear under
    these names when they are whole, the `.params` last. A hybridized net also leaves `<prefix>-symbol.json`.

    Args:
        model_dir: the folder; it is made if it is not there.
        model_prefix: what file names begin with.
        monitor: the metric that tells which model is best, one of the estimator's.
        verbose: log each file; 0 or 1.
        save_best: also keep the best model so far, as `<prefix>-best.params` and `.states`.
        mode: `'min'`, `'max'`, or `'auto'`: min where the metric's name tells of a loss or an error.
        epoch_period, batch_period: after how many epochs and batches, None for never.
        max_checkpoints: how many checkpoints to keep; older ones are removed. The best one is not counted; 0 keeps
            no other.
        resume_from_checkpoint: load the latest checkpoint of the folder before training, and train for what is left
            of the epochs or batches. Give only the period of the kind that `fit` counts.

    Raises:
        ValueError: `save_best` without a metric; a resumed training that has nothing left to do.
        AssertionError: to resume with a period that does not fit.
        OSError: the folder is not writable.

    >>> CheckpointHandler('models', model_prefix='lenet').max_checkpoints
    5
    """

    def __init__(
        self, model_dir, model_prefix="model", monitor=None, verbose=0, save_best=False, mode="auto", epoch_period=1,
        batch_period=None, max_checkpoints=5, resume_from_checkpoint=False,
    ):  # fmt: skip
        if max_checkpoints < 0:
            raise ValueError(
                f"CheckpointHandler: max_checkpoints={max_checkpoints}. So many are kept. Pass 0 or more."
            )
        self._best = Monitor("CheckpointHandler: to save the best model", monitor, mode) if save_best else None
        self.monitor, self.verbose, self.save_best = monitor, verbose, save_best
        self.model_dir, self.model_prefix = Path(model_dir).expanduser(), model_prefix
        self.epoch_period, self.batch_period = epoch_period, batch_period
        self.max_checkpoints, self.resume_from_checkpoint = max_checkpoints, resume_from_checkpoint
        self._restart()

    def _restart(self) -> None:
        self.current_epoch = self.current_batch = 0
        self.trained_epoch = self.trained_batch = 0  # before this training
        self.saved_checkpoints: list[str] = []
        self._described = False

    def train_begin(self, estimator, *args, **kwargs):
        self._restart()
        self.model_dir.mkdir(parents=True, exist_ok=True)
        if self._best is not None:
            self._best.forget()
        if self.resume_from_checkpoint:
            self._resume(estimator)
        elif found := self._found():
            estimator.logger.warning(
                "CheckpointHandler: '%s' holds %d checkpoints of an earlier training, such as %s. This one starts anew"
                " and replaces those of the same name; pass resume_from_checkpoint=True to go on with it.",
                self.model_dir, len(found), found[-1][2],
            )  # fmt: skip

    def batch_end(self, estimator, *args, **kwargs):
        if not self._described:
            self._described = True
            self._save_symbol(estimator)
        self.current_batch += 1
        if self.batch_period and self.current_batch % self.batch_period == 0:
            self._save(estimator, self.trained_batch + self.current_batch - 1)

    def epoch_end(self, estimator, *args, **kwargs):
        if self.epoch_period and (self.current_epoch + 1) % self.epoch_period == 0:
            self._save(estimator, self.trained_batch + self.current_batch)
        self.current_epoch += 1

    # ---- writing --------------------

    def _save(self, estimator, batch: int) -> None:
        epoch = self.trained_epoch + self.current_epoch
        name = f"{self.model_prefix}-epoch{epoch}batch{batch}"
        self._write(estimator, name)
        if self.verbose:
            total = self.trained_batch + self.current_batch
            self._log(estimator, f"saved {self.model_dir / name}.params after {total} batches")
        if name in self.saved_checkpoints:
            self.saved_checkpoints.remove(name)
        self.saved_checkpoints.append(name)
        while len(self.saved_checkpoints) > self.max_checkpoints:
            self._remove(self.saved_checkpoints.pop(0))
        if self._best is not None:
            self._save_best(estimator, name)

    def _save_best(self, estimator, name: str) -> None:
        before = self._best.best
        if not self._best.improved():
            if self.verbose:
                self._log(estimator, f"{self._best.name} did not improve from {before:.5f}")
            return
        self._write(estimator, f"{self.model_prefix}-best")
        with replacing(self.model_dir / f"{self.model_prefix}-best.json") as file:
            # A resumed training must know what it has to beat.
            file.write(json.dumps({"monitor": self._best.name, "value": self._best.best, "checkpoint": name}).encode())
        if self.verbose:
            self._log(estimator, f"{self._best.name} improved from {before:.5f} to {self._best.best:.5f}: best model")

    def _write(self, estimator, name: str) -> None:
        # Each file is written whole or not at all; the one that is looked for when resuming comes last.
        estimator.trainer.save_states(self.model_dir / f"{name}.states")
        estimator.net.save_parameters(self.model_dir / f"{name}.params")

    def _remove(self, name: str) -> None:
        for ending in (".params", ".states"):
            (self.model_dir / f"{name}{ending}").unlink(missing_ok=True)

    def _save_symbol(self, estimator) -> None:
        """What the net computes, as `<prefix>-symbol.json`, if it is compiled."""
        target = self.model_dir / f"{self.model_prefix}-symbol.json"
        reason = "the net is not hybridized"
        if getattr(estimator.net, "_active", False):
            try:
                with tempfile.TemporaryDirectory(dir=self.model_dir) as folder:
                    estimator.net.export(Path(folder) / "net")
                    (Path(folder) / "net-symbol.json").replace(target)
                return
            except (RuntimeError, NotImplementedError) as error:  # this net has no graph that fits in a file
                reason = str(error)
        if self.verbose:
            self._log(estimator, f"no {target}: {reason}")

    def _log(self, estimator, text: str) -> None:
        estimator.logger.info("[Epoch %d] CheckpointHandler: %s", self.current_epoch, text)

    # ---- resuming --------------------

    def _found(self) -> list[tuple[int, int, str]]:
        """`(epoch, batch, name)` of the complete checkpoints in the folder, the latest last."""
        pattern = re.compile(re.escape(self.model_prefix) + r"-epoch(\d+)batch(\d+)\.params")
        found = [(match, path) for path in self.model_dir.iterdir() if (match := pattern.fullmatch(path.name))]
        whole = [(int(m[1]), int(m[2]), p.stem) for m, p in found if p.with_suffix(".states").exists()]
        return sorted(whole)

    def _resume(self, estimator) -> None:
        by_epochs = estimator.max_epoch is not None
        period, other = ("epoch", "batch") if by_epochs else ("batch", "epoch")
        unit = "epochs" if by_epochs else "batches"
        if not getattr(self, f"{period}_period") or getattr(self, f"{other}_period"):
            raise AssertionError(
                f"CheckpointHandler: epoch_period={self.epoch_period} and batch_period={self.batch_period} in a"
                f" training that counts {unit}. To use resume from checkpoint, you must only specify the same type of"
                f" period you used for training. Set {other}_period=None and {period}_period to a number."
            )
        found = self._found()
        if not found:
            estimator.logger.info("CheckpointHandler: no checkpoint in '%s', training begins anew", self.model_dir)
            return
        epoch, batch, name = found[-1]
        goal, done = (estimator.max_epoch, epoch + 1) if by_epochs else (estimator.max_batch, batch + 1)
        if done >= goal:
            raise ValueError(
                f"CheckpointHandler: found checkpoint with maximum number of {period} {goal} reached,"
                f" '{self.model_dir / name}.params'. Nothing is left to train. Pass a larger number to fit, or"
                f" resume_from_checkpoint=False to begin anew."
            )
        estimator.net.load_parameters(self.model_dir / f"{name}.params", ctx=estimator.context)
        estimator.trainer.load_states(self.model_dir / f"{name}.states")
        self.trained_epoch, self.trained_batch = epoch + 1, batch if by_epochs else batch + 1
        self.saved_checkpoints = [name for _, _, name in found]
        if by_epochs:
            estimator.max_epoch -= done
        else:
            estimator.max_batch -= done
        if self._best is not None:
            self._remember_best()
        estimator.logger.info(
            "CheckpointHandler: resumed from '%s', %d %s to go",
            self.model_dir / f"{name}.params", goal - done, unit,
        )  # fmt: skip

    def _remember_best(self) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError):  # without it the first model is the best one again
            known = json.loads((self.model_dir / f"{self.model_prefix}-best.json").read_text())
            if known["monitor"] == self._best.name:
                self._best.forget(float(known["value"]))
