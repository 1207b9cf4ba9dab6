"""Whether a monitored metric has become better."""

from __future__ import annotations

import math

from ....metric import EvalMetric

# parts of the names of metrics that are better when they are smaller
_SMALLER = ("loss", "error", "perplexity", "entropy", "nll", "likelihood", "mae", "mse")


class Monitor:
    """Remembers the best value of a metric.

    Args:
        where: who asks, for messages.
        metric: the metric, one of the estimator's.
        mode: `'min'`, `'max'`, or `'auto'`: min where the metric's name tells of a loss or an error.
        min_delta: what a value must be better by.

    >>> from numblocks.metric import Loss
    >>> Monitor('here', Loss('validation loss')).smaller
    True
    """

    def __init__(self, where: str, metric: EvalMetric, mode: str = "auto", min_delta: float = 0.0):
        if not isinstance(metric, EvalMetric):
            raise ValueError(
                f"{where}: got {metric!r} as monitor. Please provide one of the metric objects from"
                f" estimator.train_metrics and estimator.val_metrics as monitor, such as estimator.val_metrics[0]."
            )
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{where}: mode={mode!r} is unknown. Use 'auto', 'min' or 'max'.")
        self.metric = metric
        self.min_delta = abs(min_delta)
        self.smaller = mode == "min" or (mode == "auto" and any(part in self.name.lower() for part in _SMALLER))
        self.forget()

    def forget(self, baseline: float | None = None) -> None:
        """Begin anew, with `baseline` as the value to beat."""
        self.best = (math.inf if self.smaller else -math.inf) if baseline is None else baseline

    @property
    def name(self) -> str:
        """The metric's name."""
        return str(self.metric.name)

    def improved(self) -> bool:
        """Whether the metric is better than ever; if so it is the one to beat now. NaN is never better."""
        value = float(self.metric.get()[1])
        gain = self.best - value if self.smaller else value - self.best
        if not gain > self.min_delta:
            return False
        self.best = value
        return True
