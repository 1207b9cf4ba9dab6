"""Translation with attention: a GRU reads a Roman numeral, another writes it in digits, looking back as it goes.

Both sides have many lengths: the recurrent layer is told how long each numeral is, attention is masked behind its end,
and what follows the end of the answer does not count in the loss.
"""

import random

from numblocks import autograd, gluon, init, np, npx
from numblocks.gluon import nn, rnn

npx.set_np()
random.seed(1)
npx.random.seed(1)

PAD, BOS, EOS = 0, 1, 2
LETTERS, DIGITS = "...IVXLCDM", "...0123456789"
LONGEST, ANSWER = 15, 5  # MMMDCCCLXXXVIII; four digits and the end


def roman(number):
    result = ""
    for value, letters in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1), "M CM D CD C XC L XL X IX V IV I".split(), strict=True
    ):
        result += letters * (number // value)
        number %= value
    return result


def to_arrays(numbers):
    """Numerals `(n, LONGEST)`, their lengths `(n,)`, answers with the end mark `(n, ANSWER)`, padded."""
    sources = [[LETTERS.index(c) for c in roman(n)] for n in numbers]
    targets = [[DIGITS.index(c) for c in str(n)] + [EOS] for n in numbers]
    X = np.array([s + [PAD] * (LONGEST - len(s)) for s in sources], dtype="int32")
    Y = np.array([t + [PAD] * (ANSWER - len(t)) for t in targets], dtype="int32")
    return X, np.array([len(s) for s in sources], dtype="int32"), Y


class Encoder(nn.HybridBlock):
    def __init__(self, vocab_size, embed_size, hidden, **kwargs):
        super().__init__(**kwargs)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = rnn.GRU(hidden, layout="NTC", bidirectional=True, use_sequence_length=True)
        self.bridge = nn.Dense(hidden, activation="tanh")

    def forward(self, X, valid_len):
        state = self.rnn.begin_state(batch_size=X.shape[0])
        outputs, (state,) = self.rnn(self.embedding(X), state, sequence_length=valid_len)
        return outputs, self.bridge(np.concatenate((state[0], state[1]), axis=1))


class AdditiveAttention(nn.HybridBlock):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.W_k = nn.Dense(units, use_bias=False, flatten=False)
        self.W_q = nn.Dense(units, use_bias=False, flatten=False)
        self.w_v = nn.Dense(1, use_bias=False, flatten=False)

    def forward(self, query, memory, valid_len):
        scores = self.w_v(np.tanh(np.expand_dims(self.W_q(query), 1) + self.W_k(memory)))  # (batch, steps, 1)
        masked = npx.sequence_mask(scores, valid_len, use_sequence_length=True, value=-1e6, axis=1)
        weights = npx.softmax(masked, axis=1)
        return (weights * memory).sum(axis=1)


class Decoder(nn.HybridBlock):
    """One step: the last digit and the state give the scores of the next digit and the next state."""

    def __init__(self, vocab_size, embed_size, hidden, **kwargs):
        super().__init__(**kwargs)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.attention = AdditiveAttention(hidden)
        self.cell = rnn.GRUCell(hidden)
        self.dense = nn.Dense(vocab_size)

    def forward(self, token, state, memory, valid_len):
        context = self.attention(state, memory, valid_len)
        output, (state,) = self.cell(np.concatenate((self.embedding(token), context), axis=1), [state])
        return self.dense(np.concatenate((output, context), axis=1)), state


class Seq2Seq(nn.HybridBlock):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.encoder = Encoder(len(LETTERS), 16, 48)
        self.decoder = Decoder(len(DIGITS), 16, 48)

    def forward(self, X, valid_len, Y):
        """Scores `(batch, ANSWER, digits)`, each step fed with the true digit before it."""
        memory, state = self.encoder(X, valid_len)
        token, scores = np.full_like(Y[:, 0], BOS), []
        for t in range(ANSWER):
            score, state = self.decoder(token, state, memory, valid_len)
            scores.append(score)
            token = Y[:, t]
        return np.stack(scores, axis=1)


def translate(net, X, valid_len):
    """The digits that the net writes by itself, as strings."""
    memory, state = net.encoder(X, valid_len)
    token, written = np.full((X.shape[0],), BOS, dtype="int32"), []
    for _ in range(ANSWER):
        score, state = net.decoder(token, state, memory, valid_len)
        token = score.argmax(axis=1)
        written.append(token)
    rows = np.stack(written, axis=1).astype("int32").tolist()
    return ["".join(DIGITS[k] for k in row[: row.index(EOS)] if k > EOS) if EOS in row else "?" for row in rows]


numbers = list(range(1, 4000))
random.shuffle(numbers)
known, unknown = numbers[:3200], numbers[3200:]
X, lengths, Y = to_arrays(known)
loader = gluon.data.DataLoader(gluon.data.ArrayDataset(X, lengths, Y), 64, shuffle=True)

net = Seq2Seq()
net.initialize(init.Xavier())
net.hybridize()
net(X[:2], lengths[:2], Y[:2])
trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.005, "clip_gradient": 1.0})
loss = gluon.loss.SoftmaxCELoss()

for epoch in range(12):
    total = 0.0
    for X, lengths, Y in loader:
        with autograd.record():
            weight = np.expand_dims((Y != PAD).astype("float32"), -1)
            l = loss(net(X, lengths, Y), Y, weight)
        l.backward()
        trainer.step(len(X))
        total += l.mean().item()
    print(f"epoch {epoch + 1}, loss {total / len(loader):.4f}")

X, lengths, _ = to_arrays(unknown)
answers = translate(net, X, lengths)
for number, answer in list(zip(unknown, answers, strict=True))[:5]:
    print(f"{roman(number)} -> {answer}")
accuracy = sum(str(n) == answer for n, answer in zip(unknown, answers, strict=True)) / len(unknown)
print(f"numbers never seen that came out right: {accuracy:.3f}")
assert accuracy > 0.9
