"""How fast is a recurrent net trained? Embedding(64, 256)-LSTM(256)-Dense(64) on `(32, 35)` tokens."""

from __future__ import annotations

from bench.work import Case, Missing, classes


def cases():
    yield Case("lstm_b32_t35_h256", "train", {"n": 32, "t": 35, "h": 256, "v": 64}, rate=0.1, goal="<= 21 ms")


def shapes(case):
    h, v = case.sizes["h"], case.sizes["v"]
    return [(v, h), (4 * h, h), (4 * h, h), (4 * h,), (4 * h,), (v, h), (v,)]


def data(case):
    n, t, v = case.sizes["n"], case.sizes["t"], case.sizes["v"]
    return classes(v, (n, t), seed=3), classes(v, (n, t))


def gluon(g, case):
    if not hasattr(g.gluon, "rnn"):
        raise Missing("gluon.rnn is not there yet")
    nn, h, v = g.gluon.nn, case.sizes["h"], case.sizes["v"]
    net = nn.HybridSequential()
    net.add(nn.Embedding(v, h), g.gluon.rnn.LSTM(h, layout="NTC", input_size=h), nn.Dense(v, flatten=False))
    return net


def torch(case):
    from torch import nn

    h, v = case.sizes["h"], case.sizes["v"]

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(v, h)
            self.lstm = nn.LSTM(h, h, batch_first=True)
            self.out = nn.Linear(h, v)

        def forward(self, x):
            return self.out(self.lstm(self.embed(x))[0])

    return Model()


def jax(case):
    import jax.numpy as np
    from jax import lax, nn

    h = case.sizes["h"]

    def forward(weights, x, training):
        table, w_x, w_h, b_x, b_h, w, b = weights
        given = table[x.T] @ w_x.T + (b_x + b_h)  # time first

        def step(state, z):
            y, c = state
            i, f, g, o = np.split(z + y @ w_h.T, 4, -1)
            c = nn.sigmoid(f) * c + nn.sigmoid(i) * np.tanh(g)
            y = nn.sigmoid(o) * np.tanh(c)
            return (y, c), y

        zero = np.zeros((x.shape[0], h), "float32")
        _, ys = lax.scan(step, (zero, zero), given)
        return ys.transpose(1, 0, 2) @ w.T + b

    return forward
