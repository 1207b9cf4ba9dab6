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
