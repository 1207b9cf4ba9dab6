"""A character-level language model: an LSTM reads Python's own help pages, is measured on others, writes.

A model that knows only which character follows which (the bigram model) is the mark to beat.
"""

import math
from pydoc_data.topics import topics

import numpy

from numblocks import autograd, gluon, init, nd, random
from numblocks.gluon import nn, rnn

random.seed(8)
BATCH, STEPS, HIDDEN, EPOCHS = 32, 32, 192, 6

names = ["assignment", "calls", "class", "compound", "exceptions", "function", "import", "lambda", "naming", "numbers",
         "objects", "operator-summary", "try", "typesseq", "while", "with", "yield"]  # fmt: skip
pages = [" ".join(topics[name].lower().split()) for name in names if name in topics]
text = "".join(c if c.isascii() else "?" for c in " ".join(pages))[:80000]
vocabulary = sorted(set(text))
index = {c: k for k, c in enumerate(vocabulary)}
corpus = numpy.array([index[c] for c in text])
train, test = corpus[: len(corpus) * 9 // 10], corpus[len(corpus) * 9 // 10 :]


def windows(corpus, batch_size):
    """Pieces `(STEPS, batch)` of the text, and the characters that follow; each goes on where the last one ended."""
    length = (len(corpus) - 1) // batch_size
    X, Y = (nd.array(corpus[k : k + length * batch_size].reshape(batch_size, length).T) for k in (0, 1))
    for start in range(0, length - STEPS + 1, STEPS):
        yield X[start : start + STEPS], Y[start : start + STEPS]


class CharModel(gluon.Block):
    def __init__(self, vocab_size, hidden, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.encoder = nn.Embedding(vocab_size, 32)
            self.lstm = rnn.LSTM(hidden, num_layers=1, input_size=32)
            self.decoder = nn.Dense(vocab_size, in_units=hidden)

    def forward(self, inputs, state):
        output, state = self.lstm(self.encoder(inputs), state)
        return self.decoder(output.reshape((-1, HIDDEN))), state

    def begin_state(self, *args, **kwargs):
        return self.lstm.begin_state(*args, **kwargs)


def perplexity(model, corpus):
    total, n = 0.0, 0
    state = model.begin_state(func=nd.zeros, batch_size=4)
    for X, Y in windows(corpus, 4):
        output, state = model(X, state)
        total += loss(output, Y.reshape((-1,))).sum().asscalar()
        n += Y.size
    return math.exp(total / n)


def bigram_perplexity():
    counts = numpy.full((len(vocabulary), len(vocabulary)), 0.1)
    numpy.add.at(counts, (train[:-1], train[1:]), 1)
    p = counts / counts.sum(axis=1, keepdims=True)
    return math.exp(-numpy.log(p[test[:-1], test[1:]]).mean())


def write(model, prefix, length):
    state, chars = model.begin_state(batch_size=1), list(prefix)
    for k in range(len(prefix) + length - 1):
        output, state = model(nd.array([[index[chars[k]]]]), state)
        if k + 1 >= len(prefix):
            chars.append(vocabulary[int(output.argmax(axis=1).asscalar())])
    return "".join(chars)


model = CharModel(len(vocabulary), HIDDEN)
model.initialize(init.Xavier())
model.lstm.hybridize()
model.decoder.hybridize()
trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 0.006})
loss = gluon.loss.SoftmaxCrossEntropyLoss()
loss.hybridize()

for epoch in range(EPOCHS):
    total, n = 0.0, 0
    state = model.begin_state(func=nd.zeros, batch_size=BATCH)
    for X, Y in windows(train, BATCH):
        state = [s.detach() for s in state]
        with autograd.record():
            output, state = model(X, state)
            l = loss(output, Y.reshape((-1,))).mean()
        l.backward()
        gluon.utils.clip_global_norm([p.grad() for p in model.collect_params().values()], 1)
        trainer.step(1)
        total += l.asscalar()
        n += 1
    trainer.set_learning_rate(trainer.learning_rate * 0.8)
    print(f"epoch {epoch + 1}, train perplexity {math.exp(total / n):.2f}")

print(write(model, "the value of ", 60))
bigram, lstm = bigram_perplexity(), perplexity(model, test)
print(f"test perplexity of bigrams {bigram:.2f}")
print(f"test perplexity {lstm:.2f}")
assert lstm < 0.55 * bigram
