"""Which of three parts of Python's help does a piece of text come from? A convolutional net over words says.

Vocabulary and padding are the library's; the training is an `Estimator`'s, which stops when the validation does not get
better and keeps the best parameters.
"""

import logging
import re
import tempfile
from pathlib import Path
from pydoc_data.topics import topics

import numpy

import numblocks as mx
from numblocks import gluon, init, metric, np, npx
from numblocks.contrib import text
from numblocks.gluon import nn
from numblocks.gluon.contrib.estimator import CheckpointHandler, EarlyStoppingHandler, Estimator
from numblocks.gluon.data import DataLoader, SimpleDataset, batchify

npx.set_np()
mx.random.seed(20)
rng = numpy.random.default_rng(20)
PARTS = {  # each from pages of its own
    "statements": "assert assignment async break compound continue del for from global if import pass raise return try "
                  "while with yield".split(),
    "data": "bltin-type-objects specialattrs typesmapping typesmethods typesseq types typesseq-mutable numbers objects "
            "strings bytearrays sequences".split(),
    "classes": "attribute-access callable-types class customization context-managers numeric-types sequence-types "
               "specialnames".split(),
}  # fmt: skip


def pieces(pages):
    """Pieces of 20 to 40 words, without code and punctuation."""
    words = re.findall(r"[a-z_]{2,}", " ".join(topics[name] for name in pages if name in topics).lower())
    ends = numpy.cumsum(rng.integers(20, 41, size=len(words) // 20))
    return [words[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True) if b <= len(words)]


class TextCNN(nn.HybridBlock):
    def __init__(self, vocab_size, embed_size, kernel_sizes, num_channels, classes, **kwargs):
        super().__init__(**kwargs)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.pool = nn.GlobalMaxPool1D()
        self.convs = nn.HybridSequential()
        for c, k in zip(num_channels, kernel_sizes, strict=True):
            self.convs.add(nn.Conv1D(c, k, padding=k // 2, activation="relu"))
        self.dropout, self.decoder = nn.Dropout(0.5), nn.Dense(classes)

    def forward(self, inputs):
        embeddings = self.embedding(inputs).transpose(0, 2, 1)
        encoding = np.concatenate([np.squeeze(self.pool(conv(embeddings)), axis=-1) for conv in self.convs], axis=1)
        return self.decoder(self.dropout(encoding))


examples = [(piece, label) for label, pages in enumerate(PARTS.values()) for piece in pieces(pages)]
rng.shuffle(examples)
counter = text.utils.count_tokens_from_str(" ".join(word for piece, _ in examples for word in piece))
vocabulary = text.vocab.Vocabulary(counter, most_freq_count=2000, min_freq=2, reserved_tokens=["<pad>"])
pad = vocabulary.to_indices("<pad>")
encoded = SimpleDataset([(numpy.array(vocabulary.to_indices(piece)), label) for piece, label in examples])
splits = len(encoded) * 7 // 10, len(encoded) * 8 // 10
train, valid, test = (
    DataLoader(encoded[a:b], 32, shuffle=a == 0, batchify_fn=batchify.Group(batchify.Pad(val=pad), batchify.Stack()))
    for a, b in zip((0, *splits), (*splits, len(encoded)), strict=True)
)
print(f"{len(examples)} pieces, {len(vocabulary)} words; the most frequent: {vocabulary.idx_to_token[2:8]}")

net = TextCNN(len(vocabulary), 32, (3, 5), (32, 32), len(PARTS))
net.initialize(init.Xavier(), ctx=mx.cpu())
net.hybridize()
net(next(iter(train))[0])
estimator = Estimator(
    net, gluon.loss.SoftmaxCrossEntropyLoss(), train_metrics=metric.Accuracy(), val_metrics=metric.Accuracy(),
    trainer=gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.003}), context=mx.cpu(),
)  # fmt: skip
estimator.logger.setLevel(logging.ERROR)
accuracy = estimator.val_metrics[0]
with tempfile.TemporaryDirectory() as folder:
    handlers = [
        CheckpointHandler(folder, model_prefix="cnn", monitor=accuracy, mode="max", save_best=True),
        EarlyStoppingHandler(monitor=accuracy, mode="max", patience=4),
    ]
    estimator.fit(train_data=train, val_data=valid, epochs=15, event_handlers=handlers)
    net.load_parameters(str(Path(folder) / "cnn-best.params"))
estimator.evaluate(test)
print(f"test accuracy {accuracy.get()[1]:.3f}")
assert accuracy.get()[1] > 0.75
