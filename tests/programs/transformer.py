"""A Transformer, encoder and decoder, learns to sort: numbers go in, as many as may be, and come out in order."""

import math

import numpy

from numblocks import autograd, gluon, init, lr_scheduler, np, npx
from numblocks.gluon import nn

npx.set_np()
npx.random.seed(3)
rng = numpy.random.default_rng(3)

PAD, BOS, EOS, WORDS = 0, 1, 2, 12  # 3 ... 11 are the numbers
LONGEST, STEPS, BATCH = 8, 400, 64


class MultiHeadAttention(nn.HybridBlock):
    def __init__(self, units, heads, dropout, **kwargs):
        super().__init__(**kwargs)
        self.units, self.heads = units, heads
        self.query, self.key, self.value, self.out = (nn.Dense(units, use_bias=False, flatten=False) for _ in range(4))
        self.dropout = nn.Dropout(dropout)

    def split(self, x):
        """`(batch, steps, units)` as `(batch * heads, steps, units / heads)`."""
        batch, steps, _ = x.shape
        x = x.reshape(batch, steps, self.heads, -1).transpose(0, 2, 1, 3)
        return x.reshape(batch * self.heads, steps, -1)

    def forward(self, queries, memory, mask):
        """`mask` of shape `(batch, 1 or queries, keys)` is 1 where a query may look."""
        batch, steps, _ = queries.shape
        q, k, v = self.split(self.query(queries)), self.split(self.key(memory)), self.split(self.value(memory))
        scores = npx.batch_dot(q, k, transpose_b=True) / math.sqrt(self.units / self.heads)
        scores = np.where(np.repeat(mask, self.heads, axis=0) > 0, scores, -1e6)
        out = npx.batch_dot(self.dropout(npx.softmax(scores)), v)
        out = out.reshape(batch, self.heads, steps, -1).transpose(0, 2, 1, 3)
        return self.out(out.reshape(batch, steps, self.units))


class AddNorm(nn.HybridBlock):
    def __init__(self, dropout, **kwargs):
        super().__init__(**kwargs)
        self.dropout, self.norm = nn.Dropout(dropout), nn.LayerNorm()

    def forward(self, x, y):
        return self.norm(x + self.dropout(y))


class Layer(nn.HybridBlock):
    """One layer of the encoder, or, with `cross`, of the decoder."""

    def __init__(self, units, heads, dropout, cross, **kwargs):
        super().__init__(**kwargs)
        self.attention, self.norm1 = MultiHeadAttention(units, heads, dropout), AddNorm(dropout)
        if cross:
            self.cross_attention, self.norm2 = MultiHeadAttention(units, heads, dropout), AddNorm(dropout)
        self.ffn = nn.HybridSequential(
            nn.Dense(2 * units, activation="relu", flatten=False), nn.Dense(units, flatten=False)
        )
        self.norm3 = AddNorm(dropout)

    def forward(self, x, mask, memory=None, memory_mask=None):
        x = self.norm1(x, self.attention(x, x, mask))
        if memory is not None:
            x = self.norm2(x, self.cross_attention(x, memory, memory_mask))
        return self.norm3(x, self.ffn(x))


class Stack(nn.HybridBlock):
    """Embedding, positions, layers."""

    def __init__(self, units, heads, layers, dropout, cross, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.embedding = nn.Embedding(WORDS, units)
        self.positions = gluon.Constant("positions", positions(LONGEST + 1, units))
        self.layers = nn.HybridSequential()
        self.layers.add(*[Layer(units, heads, dropout, cross) for _ in range(layers)])

    def forward(self, tokens, *rest):
        x = self.embedding(tokens) * math.sqrt(self.units) + self.positions.data()[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x, *rest)
        return x


class Transformer(nn.HybridBlock):
    def __init__(self, units=48, heads=4, layers=1, dropout=0.02, **kwargs):
        super().__init__(**kwargs)
        self.encoder = Stack(units, heads, layers, dropout, cross=False)
        self.decoder = Stack(units, heads, layers, dropout, cross=True)
        self.out = nn.Dense(WORDS, flatten=False)

    def forward(self, source, target):
        seen = np.expand_dims(source != PAD, 1).astype("float32")
        steps = np.arange(target.shape[1])
        past = np.expand_dims(steps.reshape(1, -1) <= steps.reshape(-1, 1), 0).astype("float32")
        past = np.repeat(past, target.shape[0], axis=0)
        return self.out(self.decoder(target, past, self.encoder(source, seen), seen))


def positions(steps, units):
    angle = numpy.arange(steps)[:, None] / numpy.power(10000, numpy.arange(0, units, 2) / units)
    table = numpy.zeros((steps, units), dtype="float32")
    table[:, 0::2], table[:, 1::2] = numpy.sin(angle), numpy.cos(angle)
    return np.array(table)


def problems(n):
    """Unsorted numbers, what the decoder reads (from `BOS` on), what it has to say (to `EOS`)."""
    lengths = rng.integers(1, LONGEST + 1, size=n)
    source = numpy.full((n, LONGEST), PAD)
    read, say = numpy.full((n, LONGEST + 1), PAD), numpy.full((n, LONGEST + 1), PAD)
    for k, length in enumerate(lengths):
        source[k, :length] = rng.integers(3, WORDS, size=length)
        read[k, 0], say[k, length] = BOS, EOS
        read[k, 1 : length + 1] = say[k, :length] = numpy.sort(source[k, :length])
    return [np.array(x, dtype="int32") for x in (source, read, say)]


def solve(net, source):
    """What the net says, one number after the other, each time from all that it said before."""
    said = np.full((source.shape[0], 1), BOS, dtype="int32")
    for _ in range(LONGEST + 1):
        last = net(source, said)[:, -1].argmax(axis=1).astype("int32")
        said = np.concatenate((said, last.reshape(-1, 1)), axis=1)
    return said[:, 1:]


net = Transformer()
net.initialize(init.Xavier())
net.hybridize()
source, read, say = problems(2)
net(source, read)
schedule = lr_scheduler.PolyScheduler(STEPS, base_lr=0.008, pwr=1, final_lr=1e-4, warmup_steps=60)
trainer = gluon.Trainer(net.collect_params(), "adam", {"lr_scheduler": schedule, "beta2": 0.98, "epsilon": 1e-9})
cross_entropy = gluon.loss.SoftmaxCrossEntropyLoss(axis=-1)
cross_entropy.hybridize()

for step in range(STEPS):
    source, read, say = problems(BATCH)
    with autograd.record():
        l = cross_entropy(net(source, read), say, np.expand_dims(say != PAD, -1)).mean()
    l.backward()
    trainer.step(1)
    if (step + 1) % 100 == 0:
        print(f"step {step + 1}, loss {l.item():.4f}, learning rate {trainer.learning_rate:.5f}")

source, _, say = problems(200)
right = (np.where(say != PAD, solve(net, source), PAD) == say).all(axis=1)
print(f"sequences sorted right: {right.mean().item():.3f}")
assert right.mean().item() > 0.9
