"""Connectionist temporal classification."""

from __future__ import annotations

from ... import npx
from .base import Loss


class CTCLoss(Loss):
    """Connectionist temporal classification (Graves et al. 2006); the last class is the blank.

    Args:
        layout: of the predictions, `'NTC'` or `'TNC'`: batch, time, classes.
        label_layout: of the labels, `'NT'` or `'TN'`.
        weight: a number the loss is multiplied by.

    Shapes: pred `(batch, time, classes)` before softmax, label `(batch, labels)` of class numbers with -1 behind
        the end,
        pred_lengths and label_lengths `(batch,)` -> `(batch,)`.

    >>> loss = CTCLoss()
    >>> loss(np.zeros((2, 5, 4)), np.array([[0, 1, -1], [2, 2, 1]])).shape
    (2,)
    """

    def __init__(self, layout="NTC", label_layout="NT", weight=None, **kwargs):
        if layout not in ("NTC", "TNC"):
            raise AssertionError(f"CTCLoss: Only 'NTC' and 'TNC' layouts for pred are supported. Got: {layout}")
        if label_layout not in ("NT", "TN"):
            raise AssertionError(f"CTCLoss: Only 'NT' and 'TN' layouts for label are supported. Got: {label_layout}")
        super().__init__(weight, label_layout.index("N"), **kwargs)
        self._layout, self._label_layout = layout, label_layout

    def forward(self, pred, label, pred_lengths=None, label_lengths=None, sample_weight=None):
        pred = pred.swapaxes(0, 1) if self._layout == "NTC" else pred
        label = label.swapaxes(0, 1) if self._label_layout == "TN" else label
        y = npx.ctc_loss(
            pred, label, pred_lengths, label_lengths, pred_lengths is not None, label_lengths is not None, "last"
        )
        return self.weighted(y, sample_weight)
