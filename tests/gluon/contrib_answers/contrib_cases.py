"""Calls into `gluon.contrib`, `contrib.text` and others; `mx` is MXNet 1.9.1 or numblocks."""

from collections import Counter
from pathlib import Path

import numpy

ANSWERS = Path(__file__).with_name("answers.npz")


def value(name: str, shape) -> numpy.ndarray:
    """Values that depend on the name and place alone, about as large as weights are."""
    start = sum(ord(letter) * (k + 1) for k, letter in enumerate(name)) % 97
    k = numpy.arange(int(numpy.prod(shape)), dtype="float64")
    return (0.5 * numpy.sin(0.7 * k + start) + 0.1 * numpy.cos(3.1 * k)).reshape(shape).astype("float32")


def set_weights(mx, block):
    """Fill by the end of the names, whose beginnings count blocks."""
    for name, param in block.collect_params().items():
        param.set_data(mx.nd.array(value(name[len(block.prefix) :], param.shape)))


# name: class, arguments, shape of one input
CELLS = {
    f"{n}d_{kind}_{extra}": (
        f"Conv{n}D{kind.upper()}Cell", more | {"i2h_kernel": 3, "h2h_kernel": 3}, (2, 4, 3, 2)[: n + 1],
    )
    for n in (1, 2, 3)
    for kind in ("rnn", "lstm", "gru")
    for extra, more in {"padded": {"i2h_pad": 1}, "dilated": {"i2h_pad": 2, "i2h_dilate": 2, "h2h_dilate": 2}}.items()
}
CELLS["2d_lstm_relu"] = (
    "Conv2DLSTMCell", {"i2h_kernel": (3, 1), "h2h_kernel": (1, 5), "activation": "relu"}, (3, 6, 4),
)  # fmt: skip
CELLS["lstmp"] = ("LSTMPCell", {"hidden_size": 5, "projection_size": 3, "input_size": 4}, (4,))


def cell(mx, name):
    """Outputs and states of three steps, and the gradients of inputs and weights."""
    kind, arguments, shape = CELLS[name]
    if kind != "LSTMPCell":
        arguments = arguments | {"input_shape": shape, "hidden_channels": 3}
    made = getattr(mx.gluon.contrib.rnn, kind)(**arguments)
    made.initialize()
    steps = [mx.nd.array(value(f"input {t}", (1, *shape))) for t in range(3)]
    for x in steps:
        x.attach_grad()
    made(steps[0], made.begin_state(1))
    set_weights(mx, made)
    with mx.autograd.record():
        outputs, states = made.unroll(3, steps)
        loss = sum(((k + 1) * y * y).sum() for k, y in enumerate(outputs))
    loss.backward()
    grads = [param.grad().asnumpy() for _, param in sorted(made.collect_params().items())]
    return [*(y.asnumpy() for y in outputs), *(s.asnumpy() for s in states), *(x.grad.asnumpy() for x in steps), *grads]


# class, arguments, shape of the input; offsets of a pixel or so
BENT = {
    f"{kind.lower()}_{extra}": (f"{kind}Convolution", more, (2, 4, 6, 5))
    for kind in ("Deformable", "ModulatedDeformable")
    for extra, more in {
        "plain": {"channels": 3, "kernel_size": 3},
        "padded": {"channels": 4, "kernel_size": (3, 2), "padding": (1, 0), "groups": 2, "activation": "tanh"},
        "groups": {
            "channels": 2, "kernel_size": 2, "strides": 2, "dilation": 2, "padding": 1, "num_deformable_group": 2,
            "use_bias": False, "offset_use_bias": False,
        },
    }.items()
}  # fmt: skip


def bent(mx, name):
    """Outputs of a deformable convolution, and gradients where MXNet has them without a GPU."""
    kind, arguments, shape = BENT[name]
    made = getattr(mx.gluon.contrib.cnn, kind)(in_channels=shape[1], **arguments)
    made.initialize()
    x = mx.nd.array(value("image", shape))
    x.attach_grad()
    made(x)
    set_weights(mx, made)
    with mx.autograd.record():
        y = made(x)
        loss = (y * mx.nd.array(value("head", y.shape))).sum()
    if kind.startswith("Modulated"):
        return [y.asnumpy()]
    loss.backward()
    grads = [param.grad().asnumpy() for _, param in sorted(made.collect_params().items())]
    return [y.asnumpy(), x.grad.asnumpy(), *grads]


def sdml(mx):
    """Losses and gradients for two smoothing parameters."""
    found = []
    for smoothing in (0.3, 0.05):
        a, b = mx.nd.array(value("a", (5, 4))), mx.nd.array(value("b", (5, 4)))
        a.attach_grad()
        b.attach_grad()
        with mx.autograd.record():
            loss = mx.gluon.loss.SDMLLoss(smoothing_parameter=smoothing)(a, b)
        loss.backward()
        found += [loss.asnumpy(), a.grad.asnumpy(), b.grad.asnumpy()]
    return found


def packed(mx):
    """What FusedRNN fills: each part with its own constants, forget gates with 9."""

    class Numbered(mx.init.Initializer):
        def _init_weight(self, name, arr):
            arr[:] = sum(map(ord, str(name)))

        _init_bias = _init_weight

    found = []
    for mode, gates in (("lstm", 4), ("gru", 3), ("rnn_tanh", 1)):
        for directions in (1, 2):
            hidden, width, layers = 2, 3, 2
            size = directions * gates * hidden * (width + hidden + hidden * directions + hidden + 2 * layers)
            arr = mx.nd.zeros((size,))
            fused = mx.init.FusedRNN(Numbered(), hidden, layers, mode, directions == 2, forget_bias=9.0)
            fused._init_weight(mx.init.InitDesc("parameters"), arr)
            found.append(arr.asnumpy())
    return found


COUNTS = Counter("the cat saw the dog and the dog saw a very old Cat a a".split())
VOCABULARIES = [
    {}, {"most_freq_count": 3}, {"min_freq": 2}, {"min_freq": 9}, {"reserved_tokens": ["<pad>", "the"]},
    {"most_freq_count": 2, "reserved_tokens": ["the", "<pad>"]}, {"unknown_token": "a", "most_freq_count": 2},
    {"most_freq_count": 4, "min_freq": 2, "reserved_tokens": ["dog"]}, {"most_freq_count": 0},
]  # fmt: skip


def vocabularies(mx):
    """The words of each in their order."""
    made = [mx.contrib.text.vocab.Vocabulary(COUNTS, **arguments) for arguments in VOCABULARIES]
    return [numpy.array(each.idx_to_token) for each in made]


VECTORS = "2 3\nthe 0.5 1 2\ncat -1 0 1e-2\n<unk> 7 8 9\nthe 0 0 0\nDog 1 1 1\n"
OTHERS = "cat 1 2\ndog 3 4\n"


def embeddings(mx, folder):
    """Words and vectors read from files, alone, for a vocabulary, and joined."""
    (folder / "vectors.txt").write_text(VECTORS)
    (folder / "others.txt").write_text(OTHERS)
    text = mx.contrib.text
    made = text.embedding.CustomEmbedding
    path, other = str(folder / "vectors.txt"), str(folder / "others.txt")
    words = text.vocab.Vocabulary(COUNTS, most_freq_count=4, reserved_tokens=["<pad>"])
    of_file = made(path)
    all_ = [
        of_file, made(path, unknown_token="<none>", init_unknown_vec=mx.nd.ones), made(path, vocabulary=words),
        made(other, init_unknown_vec=mx.nd.ones, vocabulary=words),
        text.embedding.CompositeEmbedding(words, [of_file, made(other)]),
    ]  # fmt: skip
    found = [part for each in all_ for part in (numpy.array(each.idx_to_token), each.idx_to_vec.asnumpy())]
    of_file.update_token_vectors(["the", "<unk>"], mx.nd.array([[1, 2, 3], [4, 5, 6]]))
    found.append(of_file.get_vecs_by_tokens(["THE", "the", "zebra", "DOG"]).asnumpy())
    found.append(of_file.get_vecs_by_tokens(["THE", "Dog", "zebra"], lower_case_backup=True).asnumpy())
    return found


ARTICLE = " \n = A Title = \n\n the cat sat on the mat . \n the dog ran . \n"


def training(mx, folder):
    """Figures of trainings with the estimator, epoch by epoch, and the files that are left."""
    gluon, kinds = mx.gluon, mx.gluon.contrib.estimator
    x, y = value("x", (22, 4)), (value("y", (22,)) > 0).astype("float32")
    data = gluon.data.DataLoader(gluon.data.ArrayDataset(x, y), batch_size=5)
    held_out = gluon.data.DataLoader(gluon.data.ArrayDataset(x[:7] + 0.1, y[:7]), batch_size=7)

    class Keep(kinds.EpochEnd, kinds.BatchEnd):
        """The figures at the end of each epoch, and how many batches there were."""

        def __init__(self):
            self.rows, self.batches = [], 0

        def batch_end(self, estimator, *args, **kwargs):
            self.batches += 1

        def epoch_end(self, estimator, *args, **kwargs):
            metrics = [*estimator.train_metrics, *estimator.val_metrics]
            self.rows.append([self.batches, *(each.get()[1] for each in metrics)])

    found = []
    for goal in ({"epochs": 4}, {"batches": 8}, {"epochs": 9, "stop": 2}):
        net = gluon.nn.HybridSequential()
        net.add(gluon.nn.Dense(6, activation="tanh", in_units=4), gluon.nn.Dense(2, in_units=6))
        net.initialize()
        for k, layer in enumerate(net):
            layer.weight.set_data(mx.nd.array(value(f"weight{k}", layer.weight.shape)))
        trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5, "momentum": 0.5})
        estimator = kinds.Estimator(net, gluon.loss.SoftmaxCrossEntropyLoss(), trainer=trainer, context=mx.cpu())
        estimator.logger.disabled = True
        kept = Keep()
        goal = dict(goal)
        handlers = [kept]
        patience = goal.pop("stop", None)
        if patience is not None:
            monitor = estimator.val_metrics[0]
            handlers.append(kinds.EarlyStoppingHandler(monitor, patience=patience, mode="max", min_delta=0.1))
            handlers.append(kinds.CheckpointHandler(str(folder), monitor=monitor, save_best=True, max_checkpoints=2))
        estimator.fit(data, held_out, event_handlers=handlers, **goal)
        found += [numpy.array(kept.rows), net(mx.nd.array(x)).asnumpy()]
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".params", ".states"))
    return [*found, numpy.array(names)]
