"""Word2vec, skip-grams with negative sampling, on Python's own help pages.

What the vectors are asked afterwards: which of two words stood beside a given one, in pairs they have not learned from?
"""

import re
from collections import Counter
from pydoc_data.topics import topics

import numpy

from numblocks import autograd, gluon, init, nd, random
from numblocks.gluon import nn

random.seed(11)
rng = numpy.random.default_rng(11)
WINDOW, NEGATIVES, UNITS, BATCH = 2, 5, 32, 512

words = re.findall(r"[a-z_]+", " ".join(topics[name] for name in sorted(topics)).lower())[:100000]
counts = {word: n for word, n in Counter(words).items() if n >= 8}
vocabulary = sorted(counts)
index = {word: k for k, word in enumerate(vocabulary)}
frequency = numpy.array([counts[word] for word in vocabulary], dtype="float64")


def subsampled(words):
    """The corpus with frequent words thinned out."""
    kept = numpy.array([index[w] for w in words if w in index])
    share = frequency / frequency.sum()
    keep = numpy.minimum(1, numpy.sqrt(1e-3 / share))
    return kept[rng.uniform(size=len(kept)) < keep[kept]]


def skip_grams(corpus):
    """Pairs `(center, context)` of words at most `WINDOW` apart."""
    pairs = numpy.concatenate([numpy.stack((corpus[k:], corpus[:-k]), axis=1) for k in range(1, WINDOW + 1)])
    return numpy.concatenate((pairs, pairs[:, ::-1]))


noise = frequency**0.75 / (frequency**0.75).sum()


def negatives(shape):
    return rng.choice(len(vocabulary), size=shape, p=noise)


class SkipGram(gluon.HybridBlock):
    """Scores of words as neighbours of a center: dot products of two kinds of vectors."""

    def __init__(self, vocab_size, units, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.center = nn.Embedding(vocab_size, units)
            self.context = nn.Embedding(vocab_size, units)

    def hybrid_forward(self, F, center, contexts):
        v = self.center(center).expand_dims(1)
        return F.batch_dot(v, self.context(contexts), transpose_b=True).reshape((-1, NEGATIVES + 1))


pieces = numpy.array_split(subsampled(words), 200)  # every tenth is for the test
train = numpy.concatenate([skip_grams(piece) for k, piece in enumerate(pieces) if k % 10])
test = numpy.concatenate([skip_grams(piece) for piece in pieces[::10]])

net = SkipGram(len(vocabulary), UNITS)
net.initialize(init.Normal(0.1))
net.hybridize()
sigmoid_bce = gluon.loss.SigmoidBinaryCrossEntropyLoss()
trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01})
labels = nd.concat(nd.ones((BATCH, 1)), nd.zeros((BATCH, NEGATIVES)), dim=1)

for epoch in range(3):
    total, order = 0.0, rng.permutation(len(train))
    batches = range(0, len(order) - BATCH + 1, BATCH)
    for start in batches:
        pairs = train[order[start : start + BATCH]]
        center = nd.array(pairs[:, 0])
        contexts = nd.array(numpy.concatenate((pairs[:, 1:], negatives((BATCH, NEGATIVES))), axis=1))
        with autograd.record():
            l = sigmoid_bce(net(center, contexts), labels).mean()
        l.backward()
        trainer.step(1)
        total += l.asscalar()
    print(f"epoch {epoch + 1}, loss {total / len(batches):.4f}")


def nearest(word, n=3):
    vectors = nd.L2Normalization(net.center.weight.data())
    likeness = nd.dot(vectors, vectors[index[word]])
    return [vocabulary[int(k)] for k in likeness.topk(k=n + 1).asnumpy()[1:]]


for word in ("class", "exception", "integer"):
    print(f"near {word}: {', '.join(nearest(word))}")

# a true neighbour against a random word: how often is the true one ranked first? (the area under the ROC curve)
contexts = numpy.concatenate((test[:, 1:], negatives((len(test), NEGATIVES))), axis=1)
scores = net(nd.array(test[:, 0]), nd.array(contexts)).asnumpy()
area = (scores[:, :1] > scores[:, 1:]).mean()
print(f"pairs ranked right: {area:.3f}")
assert area > 0.65
