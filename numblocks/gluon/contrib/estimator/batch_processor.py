"""`BatchProcessor`: what happens to one batch. Override it to train in another way."""

from __future__ import annotations

from .... import autograd
from ...utils import split_and_load


class BatchProcessor:
    """Forward and backward of a batch in training, forward in evaluation.

    >>> class Noisy(BatchProcessor):
    ...     def fit_batch(self, estimator, train_batch, batch_axis=0):
    ...         data, label = train_batch
    ...         return super().fit_batch(estimator, (data + 0.1 * np.random.normal(size=data.shape), label), batch_axis)
    """

    def _get_data_and_label(self, batch, ctx, batch_axis=0):
        """The first two parts of a batch, each as a list with one array for every device."""
        data, label = (
            split_and_load(part, ctx_list=ctx, batch_axis=batch_axis, even_split=False) for part in batch[:2]
        )
        return data, label

    def fit_batch(self, estimator, train_batch, batch_axis: int = 0):
        """Forward and backward; the update is made by `GradientUpdateHandler`.

        Args:
            estimator: the Estimator.
            train_batch: `(data, label)` as the loader gave it.
            batch_axis: the axis that is split over the devices.

        Returns:
            Lists of data, labels, predictions and losses, one array for each device.
        """
        data, label = self._get_data_and_label(train_batch, estimator.context, batch_axis)
        with autograd.record():
            pred = [estimator.net(x) for x in data]
            loss = [estimator.loss(y_hat, y) for y_hat, y in zip(pred, label, strict=True)]
        for each in loss:
            each.backward()
        return data, label, pred, loss

    def evaluate_batch(self, estimator, val_batch, batch_axis: int = 0):
        """Forward of the validation net; arguments and returns as of `fit_batch`."""
        data, label = self._get_data_and_label(val_batch, estimator.context, batch_axis)
        pred = [estimator.val_net(x) for x in data]
        loss = [estimator.val_loss(y_hat, y) for y_hat, y in zip(pred, label, strict=True)]
        return data, label, pred, loss
