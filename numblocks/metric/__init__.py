"""Running evaluation: `update(labels, preds)` after each batch, `get()` for the figure so far.

Labels and predictions are one array or a list of arrays (one for each output or device); numblocks and NumPy
arrays both do. Metrics compute in NumPy, in float64, and never touch the tape.

| module | what |
|---|---|
| `base` | `EvalMetric`, the registry, composite and custom metrics |
| `classify` | accuracies, cross entropy, perplexity |
| `agree` | F1 and correlations |
| `regress` | mean errors, the mean of a loss |
"""

from .agree import F1 as F1
from .agree import MCC as MCC
from .agree import PCC as PCC
from .agree import PearsonCorrelation as PearsonCorrelation
from .base import CompositeEvalMetric as CompositeEvalMetric
from .base import CustomMetric as CustomMetric
from .base import EvalMetric as EvalMetric
from .base import alias as alias
from .base import check_label_shapes as check_label_shapes
from .base import create as create
from .base import np as np
from .base import register as register
from .classify import Accuracy as Accuracy
from .classify import CrossEntropy as CrossEntropy
from .classify import NegativeLogLikelihood as NegativeLogLikelihood
from .classify import Perplexity as Perplexity
from .classify import TopKAccuracy as TopKAccuracy
from .regress import MAE as MAE
from .regress import MSE as MSE
from .regress import RMSE as RMSE
from .regress import Caffe as Caffe
from .regress import Loss as Loss
from .regress import Torch as Torch
