"""Layers of `gluon.nn` and `gluon.contrib.nn`, each with its variants: data only."""

from typing import NamedTuple


class Row(NamedTuple):
    """One block and what it is asked.

    Attributes:
        where: module, as `gluon.nn`.
        kind: name of the class.
        arguments: of the constructor; `parts` are `(where, kind, arguments)` of blocks inside.
        inputs: shapes, each with an optional word for its kind (see `running.value`).
        known: arguments that make deferred sizes explicit.
        call: how the block is called (see `running.call`).
        train: gradients in training or in prediction.
        smooth: whether differences can check the gradients.
        near: relative and absolute tolerance against MXNet where 1e-5 is too narrow.
        ours: why numbers are not MXNet's, by the beginnings of their names: "" for all, "shape" for that
            alone, "text" for what is printed.
        half: whether float16 is near enough to float32 to be compared.
        legacy: why MXNet is asked with its former semantics.
    """

    where: str
    kind: str
    arguments: dict
    inputs: tuple
    known: dict = {}  # noqa: RUF012
    call: dict = {}  # noqa: RUF012
    train: bool = True
    smooth: bool = True
    near: float = 1e-5
    ours: dict = {}  # noqa: RUF012
    legacy: str = ""
    half: bool = True


UNSAID = ("ours", "near", "known", "legacy", "half")


def said(key, value):
    """An argument as part of a name."""
    if key == "parts":
        return "+".join(part[1] for part in value)
    if key == "inputs":
        return "on " + " ".join("x".join(map(str, shape)) if shape else "none" for shape in value)
    if key == "call":
        return " ".join(f"{k}={v}" for k, v in value.items() if (k, v) not in (("merge_outputs", True), ("unroll", 3)))
    return f"{key}={value}"


def table(where, *groups):
    """Rows by name: a group is a class, its inputs and known sizes, and variants of its arguments."""
    rows = {}
    for kind, inputs, known, *variants in groups:
        inputs = inputs if isinstance(inputs, list) else [inputs]
        for variant in variants or [{}]:
            arguments = dict(variant)
            special = {k: arguments.pop(k) for k in Row._fields[3:] if k in arguments}
            parts = [said(k, v) for k, v in variant.items() if k not in UNSAID]
            name = " ".join([kind, *([arguments.pop("name")] if "name" in variant else parts)])
            name = name if len(name) < 95 else f"{name[:85]} ~{len(name)}"  # pytest shows no longer ones
            assert name not in rows, name
            rows[name] = Row(where, kind, arguments, **{"inputs": tuple(inputs), "known": known} | special)
    return rows


GPU = {"": "MXNet 1.9.1 reads channels last on a GPU alone"}
SPARSE = {"": "MXNet needs a Trainer for sparse gradients"}
NONE = {"": "MXNet 1.9.1 has none"}
NN, C4, C3 = "gluon.nn", {"in_channels": 4}, {"in_channels": 3}
DENSE = (NN, "Dense", {"units": 4})
TANH = (NN, "Activation", {"activation": "tanh"})

POOLS = [
    {}, {"pool_size": 3}, {"pool_size": 3, "strides": 1, "padding": 1}, {"pool_size": 3, "strides": 2, "padding": 1,
    "ceil_mode": True}, {"pool_size": 2, "strides": 3},
]  # fmt: skip
WIDE = {"pool_size": 2, "strides": 3, "ceil_mode": True}
UNCOUNTED = [{"pool_size": 3, "strides": 2, "padding": 1, "count_include_pad": False, "ceil_mode": ceil}
             for ceil in (False, True)]  # fmt: skip
PLANES = {1: (2, 3, 8), 2: (2, 3, 7, 6), 3: (1, 2, 5, 6, 5)}
LAST = {1: "NWC", 2: "NHWC", 3: "NDHWC"}
CONVS = [
    {"channels": 6, "kernel_size": 3}, {"channels": 4, "kernel_size": 3, "strides": 2, "padding": 1},
    {"channels": 4, "kernel_size": 2, "dilation": 2, "use_bias": False},
    {"channels": 4, "kernel_size": 3, "groups": 2, "activation": "relu", "padding": 2, "strides": 2},
    {"channels": 8, "kernel_size": 2, "groups": 4, "activation": "tanh"}, {"channels": 2, "kernel_size": 1},
]  # fmt: skip
TRANSPOSES = [
    {"channels": 3, "kernel_size": 3}, {"channels": 3, "kernel_size": 4, "strides": 2, "padding": 1},
    {"channels": 2, "kernel_size": 3, "strides": 2, "output_padding": 1, "padding": 1, "use_bias": False},
    {"channels": 4, "kernel_size": 2, "groups": 2},
]  # fmt: skip
FIXED = {"ours": {"parameter 0": "MXNet overwrites a gamma that does not count with 1"}}
UNMASKED = {"ours": {k: "MXNet's gradient, and without oneDNN its output, is that of BatchNorm alone"
                     for k in ("output", "input", "parameter")}}  # fmt: skip
EMPTY = {"ours": {k: "MXNet has windows of padding alone there, with the lowest float or 0 as their value"
                  for k in ("output", "input")}}  # fmt: skip
SECOND = {"ours": {"input 0": "MXNet's gradient divides the last window by another count than its output"}}
DILATED = {"channels": 4, "kernel_size": 2, "groups": 2, "dilation": 2, "activation": "sigmoid"}
NORMED = {
    1: [{}, {"center": False}, {"scale": False} | FIXED, {"use_global_stats": True}, {"train": False},
        {"momentum": 0.5}, {"epsilon": 0.1}, {"axis": 2, "known": {"in_channels": 5}},
        {"axis": -1, "known": {"in_channels": 5}}, {"inputs": [(6, 4)]},
        {"scale": False, "center": False, "train": False} | FIXED],
}  # fmt: skip

LAYERS = table(
    NN,
    ("Activation", ("wide", 3, 5), {}, *({"activation": a} for a in (
        "relu", "sigmoid", "tanh", "softrelu", "softsign")),
     {"activation": "log_sigmoid", "ours": NONE}, {"activation": "gelu", "ours": NONE}),
    ("LeakyReLU", ("wide", 3, 5), {}, {"alpha": 0.2}, {"alpha": 0}),
    ("PReLU", ("wide", 2, 3, 4), {}, {}, {"in_channels": 3}),
    ("ELU", ("wide", 3, 5), {}, {}, {"alpha": 0.3}),
    ("SELU", ("wide", 3, 5), {}, {"ours": {"input 0": "MXNet differentiates selu at the output where it is negative"}}),
    ("GELU", ("wide", 3, 5), {}),
    ("SiLU", ("wide", 3, 5), {}, {"ours": NONE}),
    ("Swish", ("wide", 3, 5), {}, {}, {"beta": 0.5}),
    ("Dense", (3, 4), {"in_units": 4}, {"units": 5}, {"units": 5, "use_bias": False},
     {"units": 2, "activation": "tanh"}, {"units": 1, "activation": "relu"}, {"units": 3, "inputs": [(2, 2, 2)]},
     {"units": 3, "flatten": False, "inputs": [(2, 3, 4)]},
     {"units": 3, "flatten": False, "inputs": [(2, 3, 2, 4)], "use_bias": False, "activation": "sigmoid"},
     {"units": 3, "inputs": [(1, 4)]}, {"units": 2, "flatten": False, "inputs": [(3, 4)]},
     {"units": 2, "weight_initializer": "xavier", "bias_initializer": "ones"}),
    ("Flatten", (2, 3, 4), {}, {}, {"inputs": [(2, 3)]}, {"inputs": [(2, 1, 3, 2)]}),
    ("Dropout", (3, 4), {}, {"rate": 0}, {"rate": 0.5, "train": False}, {"rate": 0.5, "axes": (1,), "train": False}),
    ("Embedding", ("below5", 3, 4), {}, {"input_dim": 5, "output_dim": 3}, {"input_dim": 6, "output_dim": 1}),
    ("BatchNorm", (2, 4, 5), C4, *NORMED[1], {"inputs": [(2, 4, 3, 2)]}, {"inputs": [(2, 4, 2, 2, 2)]},
     {"axis": 3, "inputs": [(2, 3, 2, 4)]}),
    ("BatchNormReLU", (2, 4, 3, 2), C4, UNMASKED, {"train": False} | UNMASKED, {"use_global_stats": True} | UNMASKED,
     {"axis": 2, "known": C3} | UNMASKED),
    ("LayerNorm", (2, 3, 4), C4, {}, {"axis": 1, "known": C3}, {"center": False}, {"scale": False}, {"epsilon": 0.1},
     {"axis": -2, "known": C3}, {"inputs": [(3, 4)]}, {"axis": 0, "known": {"in_channels": 2}}),
    ("GroupNorm", (2, 4, 5), {}, {}, {"num_groups": 2}, {"num_groups": 4}, {"num_groups": 2, "epsilon": 0.1,
     "inputs": [(2, 4, 3, 2)]}, {"num_groups": 2, "center": False, "scale": False}),
    ("InstanceNorm", (2, 4, 5), C4, {}, {"scale": True}, {"center": False}, {"epsilon": 0.1},
     {"scale": True, "inputs": [(2, 4, 3, 2)]}, {"axis": 2, "scale": True, "known": {"in_channels": 5}},
     {"axis": -1, "scale": True, "known": {"in_channels": 5}}),
    ("ReflectionPad2D", (2, 3, 4, 5), {}, {"padding": 2}, {}, {"padding": 1},
     {"padding": (0, 0, 0, 0, 1, 2, 2, 1)}),
    ("Lambda", (3, 4), {}, {"function": "tanh"}, {"function": "exp"}),
    ("HybridLambda", (3, 4), {}, {"function": "tanh"}, {"function": "sin"}),
    ("Sequential", (3, 4), {}, {"parts": [DENSE, TANH, DENSE]}, {}),
    ("HybridSequential", (3, 4), {}, {"parts": [DENSE, TANH, (NN, "HybridSequential", {"parts": [DENSE]})]}, {},
     {"prefix": "mine_", "parts": [DENSE]}),
    *((f"Conv{n}D", PLANES[n][:1] + (4,) + PLANES[n][2:], C4, *CONVS)
      for n in PLANES),
    ("Conv2D", (2, 4, 7, 6), C4, {"channels": 3, "kernel_size": (3, 2), "strides": (2, 1), "padding": (1, 0),
     "dilation": (1, 2)}, {"channels": 4, "kernel_size": (1, 5), "groups": 4, "use_bias": False}),
    *((f"Conv{n}DTranspose", PLANES[n][:1] + (4,) + tuple(s // 2 + 1 for s in PLANES[n][2:]), C4, *TRANSPOSES,
       DILATED | ({"ours": NONE} if n == 3 else {})) for n in PLANES),
    ("Conv2DTranspose", (2, 4, 3, 4), C4, {"channels": 3, "kernel_size": (3, 2), "strides": (2, 3), "padding": (1, 0),
     "output_padding": (1, 2)}),
    *((f"MaxPool{n}D", PLANES[n], {}, *POOLS, WIDE | (EMPTY if n > 1 else {})) for n in PLANES),
    *((f"AvgPool{n}D", PLANES[n], {}, *(p | SECOND if n == 1 and "padding" in p and "ceil_mode" in p else p
        for p in POOLS), WIDE | (EMPTY if n > 1 else {}), *UNCOUNTED) for n in PLANES),
    *((f"Global{kind}Pool{n}D", PLANES[n], {}) for n in PLANES for kind in ("Max", "Avg")),
    ("MaxPool2D", (2, 3, 7, 6), {}, {"pool_size": (3, 2), "strides": (1, 2), "padding": (1, 0)}),
    ("AvgPool2D", (2, 3, 7, 6), {}, {"pool_size": (3, 2), "strides": (1, 2), "padding": (1, 0)},
     {"layout": "NHWC", "inputs": [(2, 7, 6, 3)]}),
    ("GlobalMaxPool2D", (2, 7, 6, 3), {}, {"layout": "NHWC"}),
    *((f"MaxPool{n}D", (*PLANES[n][:1], *PLANES[n][2:], 3), {}, {"layout": LAST[n], "ours": NONE}) for n in (1, 2, 3)),
    *((f"Conv{n}D", (*PLANES[n][:1], *PLANES[n][2:], 4), C4, {
        "channels": 6, "kernel_size": 2, "layout": LAST[n], "groups": 2, "ours": GPU}) for n in (1, 2, 3)),
)  # fmt: skip

LAYERS |= {
    f"contrib {name}": row for name, row in table(
        "gluon.contrib.nn",
        ("Identity", (3, 4), {}),
        ("Concurrent", (3, 4), {}, {"parts": [DENSE, TANH]}, {"axis": 0, "parts": [DENSE, TANH]}),
        ("HybridConcurrent", (3, 4), {}, {"parts": [DENSE, TANH]}, {"axis": 1, "parts": [DENSE, TANH, DENSE]}),
        ("SparseEmbedding", ("below5", 3, 4), {}, {"input_dim": 5, "output_dim": 3, "ours": SPARSE}),
        ("SyncBatchNorm", (2, 4, 5), C4, {}, {"scale": False} | FIXED, {"center": False, "train": False}),
        ("PixelShuffle1D", (2, 6, 4), {}, {"factor": 3}, {"factor": 1}),
        ("PixelShuffle2D", (2, 12, 3, 2), {}, {"factor": 2}, {"factor": (3, 2)}),
        ("PixelShuffle3D", (2, 24, 2, 1, 3), {}, {"factor": 2}, {"factor": (2, 3, 1)}),
    ).items()
}  # fmt: skip
