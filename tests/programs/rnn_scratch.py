"""A recurrent net from scratch in the `nd` of Gluon 1.x: matrices, a loop over time, gradients clipped by hand."""

import math
from pydoc_data.topics import topics

from numblocks import autograd, nd, random
from numblocks.gluon import loss as gloss

random.seed(22)
text = " ".join(topics["assignment"].lower().split())[:4000]
idx_to_char = sorted(set(text))
char_to_idx = {char: i for i, char in enumerate(idx_to_char)}
corpus = nd.array([char_to_idx[char] for char in text])
vocab_size, num_hiddens, batch_size, num_steps = len(idx_to_char), 128, 16, 25


def windows():
    """Consecutive windows `(batch_size, num_steps)` of the text, and the characters that follow."""
    length = (len(corpus) - 1) // batch_size
    X, Y = (corpus[k : k + length * batch_size].reshape((batch_size, length)) for k in (0, 1))
    for i in range(0, length - num_steps + 1, num_steps):
        yield X[:, i : i + num_steps], Y[:, i : i + num_steps]


def to_onehot(X, size):
    return [nd.one_hot(x, size) for x in X.T]


def get_params():
    W_xh = nd.random.normal(0, 0.1, (vocab_size, num_hiddens))
    W_hh = nd.random.normal(0, 0.05, (num_hiddens, num_hiddens))
    W_hq = nd.random.normal(0, 0.1, (num_hiddens, vocab_size))
    params = [W_xh, W_hh, nd.zeros(num_hiddens), W_hq, nd.zeros(vocab_size)]
    for param in params:
        param.attach_grad()
    return params


def rnn(inputs, H):
    W_xh, W_hh, b_h, W_hq, b_q = params
    outputs = []
    for X in inputs:
        H = nd.tanh(nd.dot(X, W_xh) + nd.dot(H, W_hh) + b_h)
        outputs.append(nd.dot(H, W_hq) + b_q)
    return outputs, H


def grad_clipping(params, theta):
    norm = nd.array([0])
    for param in params:
        norm += (param.grad**2).sum()
    norm = norm.sqrt().asscalar()
    if norm > theta:
        for param in params:
            param.grad[:] *= theta / norm


def predict(prefix, num_chars):
    H, output = nd.zeros((1, num_hiddens)), [char_to_idx[prefix[0]]]
    for t in range(num_chars + len(prefix) - 1):
        (Y,), H = rnn(to_onehot(nd.array([[output[-1]]]), vocab_size), H)
        output.append(char_to_idx[prefix[t + 1]] if t + 1 < len(prefix) else int(Y[0].argmax(axis=0).asscalar()))
    return "".join(idx_to_char[i] for i in output)


params = get_params()
loss = gloss.SoftmaxCrossEntropyLoss()
for epoch in range(60):
    H, l_sum, n = nd.zeros((batch_size, num_hiddens)), 0.0, 0
    for X, Y in windows():
        H = H.detach()
        with autograd.record():
            outputs, H = rnn(to_onehot(X, vocab_size), H)
            l = loss(nd.concat(*outputs, dim=0), Y.T.reshape((-1,))).mean()
        l.backward()
        grad_clipping(params, 1.0)
        for param in params:
            param[:] = param - 0.8 * param.grad
        l_sum += l.asscalar() * Y.size
        n += Y.size
    perplexity = math.exp(l_sum / n)
    if (epoch + 1) % 15 == 0:
        print(f"epoch {epoch + 1}, perplexity {perplexity:.3f}: {predict('assignment ', 40)}")

print(f"perplexity {perplexity:.3f}")
assert perplexity < 3
