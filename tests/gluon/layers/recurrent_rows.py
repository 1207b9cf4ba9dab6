"""Recurrent layers and cells of `gluon.rnn` and `gluon.contrib.rnn`, each with its variants: data only."""

from layer_rows import table

X, H2, H4 = (3, 2, 4), (1, 2, 5), (4, 2, 5)  # time, batch, features
SIZE = {"input_size": 4}
HIDDEN = {"hidden_size": 5}
STATES = {"call": {"states": True}}
RNN, LSTM, GRU = (("gluon.rnn", f"{kind}Cell", HIDDEN) for kind in ("RNN", "LSTM", "GRU"))
SAME = ("gluon.rnn", "GRUCell", {"hidden_size": 4})
NONE = ("gluon.rnn", "DropoutCell", {"rate": 0})


def unrolled(**how):
    """Three steps, merged."""
    return {"call": {"unroll": 3, "layout": "TNC", "merge_outputs": True} | how}


def lengths(layout="TNC", **arguments):
    """Unrolled over sequences of their own lengths."""
    shape = X if layout == "TNC" else (2, 3, 4)
    return arguments | {"inputs": [shape, ("given", (3, 2))]} | unrolled(lengths=True, layout=layout)


SEQUENCES = {"use_sequence_length": True, "call": {"states": True, "lengths": True}, "ours": {
    "": "MXNet raises, but for LSTM, which reads lengths on a GPU alone and says nothing"}}  # fmt: skip


def layers(kind, states, *more):
    """What RNN, LSTM and GRU share; `states` is how many they have."""
    given = [X, *[H2] * states]
    both = HIDDEN | {"num_layers": 2, "bidirectional": True}
    return (
        kind, X, SIZE, HIDDEN, HIDDEN | {"layout": "NTC"}, HIDDEN | {"num_layers": 2}, HIDDEN | {"bidirectional": True},
        both, both | {"inputs": [(3, 1, 4)]}, HIDDEN | {"inputs": [(1, 2, 4)]}, HIDDEN | {"inputs": given} | STATES,
        both | {"inputs": [X, *[H4] * states]} | STATES, HIDDEN | {"layout": "NTC", "inputs": [(2, 3, 4), *given[1:]]}
        | STATES, both | {"dropout": 0.5, "train": False}, HIDDEN | {"dropout": 0.5, "num_layers": 2, "train": False},
        HIDDEN | {"i2h_bias_initializer": "ones", "h2h_weight_initializer": "orthogonal"},
        HIDDEN | SEQUENCES | {"inputs": [X, ("given", (3, 2))], "name": "lengths"},
        both | SEQUENCES | {"inputs": [X, ("given", (3, 2))], "name": "lengths, both ways"},
        HIDDEN | SEQUENCES | {"layout": "NTC", "inputs": [(2, 3, 4), *given[1:], ("given", (1, 3))],
                              "name": "lengths, NTC"}, *more,
    )  # fmt: skip


def cells(kind, states, *more):
    """What single cells share."""
    step = {"inputs": [(2, 4), *[(2, 5)] * states]} | STATES
    from_states = {"inputs": [X, *[(2, 5)] * states]}
    return (
        kind, X, SIZE, HIDDEN | step, HIDDEN | unrolled(), HIDDEN | unrolled(merge_outputs=False),
        HIDDEN | {"inputs": [(2, 3, 4)]} | unrolled(layout="NTC"), HIDDEN | from_states | unrolled(), lengths(**HIDDEN),
        lengths("NTC", **HIDDEN), *(HIDDEN | each for each in more),
    )  # fmt: skip


CLIP = {"state_clip_min": -0.2, "state_clip_max": 0.2, "state_clip_nan": True, "ours": {
    "": "MXNet clips on a GPU alone and says nothing"}}  # fmt: skip
RECURRENT = table(
    "gluon.rnn",
    layers("RNN", 1, HIDDEN | {"activation": "tanh"}, HIDDEN | {"activation": "tanh", "bidirectional": True}),
    layers("LSTM", 2, HIDDEN | {"projection_size": 3}, HIDDEN | {"projection_size": 3, "bidirectional": True,
           "num_layers": 2}, HIDDEN | CLIP, HIDDEN | {"projection_size": 3, "inputs": [X, (1, 2, 3), H2]} | STATES),
    layers("GRU", 1),
    cells("RNNCell", 1, {"activation": "relu"} | unrolled(), {"activation": "sigmoid"} | unrolled()),
    cells("LSTMCell", 2, {"activation": "relu", "recurrent_activation": "tanh"} | unrolled(),
          {"i2h_bias_initializer": "ones"} | unrolled()),
    cells("GRUCell", 1),
    ("SequentialRNNCell", X, {}, {"parts": [LSTM, GRU]} | unrolled(), lengths(parts=[RNN, NONE, GRU])),
    ("HybridSequentialRNNCell", X, {}, {"parts": [LSTM, GRU]} | unrolled(), lengths(parts=[RNN, NONE, GRU])),
    ("BidirectionalCell", X, {}, {"parts": [LSTM, GRU]} | unrolled(), {"parts": [RNN, RNN], "output_prefix": "two_"}
     | unrolled(merge_outputs=False), lengths(parts=[GRU, LSTM]), lengths("NTC", parts=[LSTM, LSTM])),
    ("ResidualCell", X, {}, {"parts": [SAME]} | unrolled(), lengths(parts=[SAME])),
    ("DropoutCell", X, {}, {"rate": 0.5, "train": False} | unrolled(), {"rate": 0} | unrolled(),
     {"rate": 0.5, "axes": (1,), "train": False} | unrolled()),
    ("ZoneoutCell", X, {}, {"parts": [LSTM]} | unrolled(), {"parts": [GRU], "zoneout_outputs": 0.4,
     "zoneout_states": 0.3, "train": False} | unrolled()),
)  # fmt: skip

PROJECTED = HIDDEN | {"projection_size": 3}
KERNELS = {"i2h_kernel": 3, "h2h_kernel": 3}
CONV = {
    "padded": KERNELS | {"i2h_pad": 1}, "dilated": KERNELS | {"i2h_pad": 2, "i2h_dilate": 2, "h2h_dilate": 2},
}  # fmt: skip
IMAGES = {n: (4, 3, 2)[:n] for n in (1, 2, 3)}
MORE = [
    ("LSTMPCell", X, SIZE, PROJECTED | unrolled(), PROJECTED | {"inputs": [(2, 4), (2, 3), (2, 5)]} | STATES,
     lengths(**PROJECTED)),
    ("VariationalDropoutCell", X, {}, {"parts": [LSTM]} | unrolled(), {"parts": [GRU], "drop_inputs": 0.3,
     "drop_states": 0.3, "drop_outputs": 0.3, "train": False} | unrolled()),
    *((f"Conv{n}D{kind}Cell", (2, 1, 2, *IMAGES[n]), {}, *(
        {"input_shape": (2, *IMAGES[n]), "hidden_channels": 3} | variant | {"call": {
            "unroll": 2, "layout": "TNC", "merge_outputs": False}, "name": name} for name, variant in CONV.items()))
      for n in (1, 2, 3) for kind in ("RNN", "LSTM", "GRU")),
    ("Conv2DLSTMCell", (2, 1, 3, 6, 4), {}, {"input_shape": (3, 6, 4), "hidden_channels": 3, "i2h_kernel": (3, 1),
     "h2h_kernel": (1, 5), "activation": "relu", "name": "relu", "call": {
         "unroll": 2, "layout": "TNC", "merge_outputs": False}}),
]  # fmt: skip
RECURRENT |= {f"contrib {name}": row for name, row in table("gluon.contrib.rnn", *MORE).items()}

UNPRINTED = {"ours": {"text": "MXNet's prints no more than its name"}}
BENT = [  # rounded to float16, places lie in other pixels
    {"channels": 3, "kernel_size": 3, "name": "plain", "half": False},
    {"channels": 4, "kernel_size": (3, 2), "padding": (1, 0), "groups": 2, "activation": "tanh", "name": "padded",
     "half": False},
    {"channels": 2, "kernel_size": 2, "strides": 2, "dilation": 2, "padding": 1, "num_deformable_group": 2,
     "use_bias": False, "offset_use_bias": False, "name": "groups", "half": False},
]  # fmt: skip
RECURRENT |= table(
    "gluon.contrib.cnn",
    ("DeformableConvolution", (2, 4, 6, 5), {"in_channels": 4}, *BENT),
    ("ModulatedDeformableConvolution", (2, 4, 6, 5), {"in_channels": 4}, *(each | UNPRINTED for each in BENT)),
)
