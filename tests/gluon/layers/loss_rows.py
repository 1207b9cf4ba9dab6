"""Losses of `gluon.loss`, each with its variants: data only."""

from layer_rows import table

P, S = (4, 3), ("bit", 4, 1)
WEIGHTED = {"weight": 2.0, "batch_axis": 1, "legacy": "with NumPy semantics MXNet forgets batch_axis"}
COLUMN = {"ours": {"shape": "MXNet returns (batch, 1), and documents (batch,)"}}
SIGNS, BITS = ("sign", 4, 3), ("bit", 4, 3)


def losses(kind, labels, *more, pred=P):
    """Plain, weighted, with sample weights, on the other axis, on three axes."""
    return (
        kind, [pred, labels], {}, {}, WEIGHTED, {"inputs": [pred, labels, S]},
        {"inputs": [(*pred, 2), (*labels, 2)]}, *more,
    )  # fmt: skip


LABELS = ("below3", 4)
CTC = [("wide", 2, 6, 5), ("given", ((1, 2, -1), (3, 3, 0)))]
LENGTHS = [*CTC, ("given", (5, 6)), ("given", (2, 1))]
LOSSES = table(
    "gluon.loss",
    losses("L2Loss", P, {"inputs": [P, (12,)]}, {"weight": 3}, {"inputs": [(4,), (4,)]}),
    losses("L1Loss", P, {"inputs": [P, (12,)]}, {"inputs": [(4, 1), (4,)]}),
    losses("HuberLoss", ("wide", 4, 3), {"rho": 0.3}, {"inputs": [P, (12,)]}),
    losses("HingeLoss", SIGNS, {"margin": 0.5}, {"inputs": [P, ("sign", 12)]}),
    losses("SquaredHingeLoss", SIGNS, {"margin": 2}),
    losses("LogisticLoss", SIGNS, {"label_format": "binary", "inputs": [P, BITS]}, {"label_format": "signed"}),
    losses("SigmoidBinaryCrossEntropyLoss", BITS, {"inputs": [P, ("unit", 4, 3)]},
           {"from_sigmoid": True, "inputs": [("unit", 4, 3), BITS]},
           {"inputs": [P, BITS, None, ("positive", 3)]},
           {"from_sigmoid": True, "inputs": [("unit", 4, 3), BITS, None, ("positive", 3)]}),
    ("SigmoidBCELoss", [P, BITS], {}),
    ("SoftmaxCrossEntropyLoss", [P, LABELS], {}, {}, {"weight": 2.0}, {"inputs": [P, LABELS, S]},
     {"inputs": [P, ("below3", 4, 1)]}, {"axis": 0, "inputs": [P, ("below4", 3)], "batch_axis": 1,
      "legacy": WEIGHTED["legacy"]},
     {"sparse_label": False, "inputs": [P, ("chances", 4, 3)]}, {"inputs": [(2, 5, 3), ("below3", 2, 5)]},
     {"from_logits": True, "inputs": [("logs", 4, 3), LABELS]}, {"axis": 1, "inputs": [(2, 3, 5), ("below3", 2, 5)]},
     {"from_logits": True, "sparse_label": False, "inputs": [("logs", 4, 3), ("chances", 4, 3)]},
     {"inputs": [(2, 5, 3), ("below3", 2, 5), ("bit", 2, 5, 1)]},
     {"sparse_label": False, "axis": 1, "inputs": [(2, 3, 5), (2, 3, 5), ("positive", 2, 1, 5)]}),
    ("SoftmaxCELoss", [P, LABELS], {}),
    losses("KLDivLoss", ("chances", 4, 3), {"from_logits": False}, {"from_logits": False, "axis": 0},
           {"from_logits": False, "axis": 1, "inputs": [(2, 3, 4), ("chances", 2, 3, 4)]}, pred=P),
    losses("PoissonNLLLoss", ("positive", 4, 3), {"from_logits": False, "inputs": [("positive", 4, 3), ("positive", 4,
           3)]}, {"compute_full": True,
           "inputs": [P, ("given", ((1, 1, 2), (3, 1, 7), (2, 5, 9), (1, 1, 4)))]},
           {"from_logits": False, "compute_full": True, "inputs": [("positive", 4, 3), ("positive", 4, 3)]}),
    ("TripletLoss", [P, P, P], {}, {}, {"margin": 0.2}, {"weight": 2.0}, {"inputs": [(2, 3, 4)] * 3},
     {"margin": 8, "batch_axis": 1}),
    ("CosineEmbeddingLoss", [P, P, ("sign", 4)], {}, COLUMN, {"margin": 0.2} | COLUMN, {"weight": 2.0} | COLUMN,
     {"inputs": [P, P, ("sign", 4), ("positive", 4, 1)]} | COLUMN, {"inputs": [P, P, ("sign", 4, 1)]} | COLUMN),
    ("SDMLLoss", [P, P], {}, {}, {"smoothing_parameter": 0.05}, {"weight": 2.0, "ours": {
        "": "MXNet takes the weight and forgets it"}}),
    ("CTCLoss", CTC, {}, {}, {"weight": 2.0}, {"layout": "TNC", "inputs": [("wide", 6, 2, 5), CTC[1]]},
     {"label_layout": "TN", "inputs": [CTC[0], ("given", ((1, 3), (2, 3), (-1, 0)))]}, {"inputs": LENGTHS},
     {"inputs": [*LENGTHS, ("given", (0.5, 2))]}, {"inputs": LENGTHS[:3]}, {"inputs": [*CTC, None, LENGTHS[3]]}),
)  # fmt: skip
