"""Losses. Each compares predictions with labels and returns one number per example of the batch.

| class | for |
|---|---|
| L2Loss, L1Loss, HuberLoss | numbers |
| SoftmaxCrossEntropyLoss (SoftmaxCELoss) | one of several classes |
| SigmoidBinaryCrossEntropyLoss (SigmoidBCELoss), LogisticLoss, HingeLoss, SquaredHingeLoss | yes or no |
| KLDivLoss, PoissonNLLLoss | distributions, counts |
| TripletLoss, CosineEmbeddingLoss, SDMLLoss | distances of vectors |
| CTCLoss | sequences without alignment |

`weight` is a constant factor; `sample_weight`, given in the call, is an array that broadcasts with the loss.
"""

from .base import Loss
from .base import _apply_weighting as _apply_weighting
from .binary import (
    HingeLoss,
    LogisticLoss,
    SigmoidBCELoss,
    SigmoidBinaryCrossEntropyLoss,
    SquaredHingeLoss,
)
from .classes import CELoss, KLDivLoss, SoftmaxCELoss, SoftmaxCrossEntropyLoss
from .metric_learning import SDMLLoss
from .numbers import HuberLoss, L1Loss, L2Loss, PoissonNLLLoss
from .sequence import CTCLoss
from .vectors import CosineEmbeddingLoss, TripletLoss

__all__ = [
    "CELoss", "CTCLoss", "CosineEmbeddingLoss", "HingeLoss", "HuberLoss", "KLDivLoss", "L1Loss", "L2Loss",
    "LogisticLoss",
    "Loss", "PoissonNLLLoss", "SDMLLoss", "SigmoidBCELoss", "SigmoidBinaryCrossEntropyLoss", "SoftmaxCELoss",
    "SoftmaxCrossEntropyLoss", "SquaredHingeLoss", "TripletLoss",
]  # fmt: skip
