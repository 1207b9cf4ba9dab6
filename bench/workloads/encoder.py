"""How fast is an attention block trained? 4 heads, feed-forward 1024, two layer norms on `(16, 64, 256)`, L2 loss."""

from __future__ import annotations

from bench.work import Case, normal


def cases():
    sizes = {"n": 16, "t": 64, "d": 256, "heads": 4, "wide": 1024}
    yield Case("encoder_b16_t64_d256", "train", sizes, loss="l2", rate=0.01, goal="<= 29 ms")


def shapes(case):
    d, wide = case.sizes["d"], case.sizes["wide"]
    dense = [(d, d), (d,)]
    return [*dense * 4, ((d,), 1.0), (d,), (wide, d), (wide,), (d, wide), (d,), ((d,), 1.0), (d,)]


def data(case):
    shape = tuple(case.sizes[k] for k in ("n", "t", "d"))
    return normal(shape), normal(shape, seed=2)


def gluon(g, case):
    nn = g.gluon.nn
    n, t, d, heads, wide = (case.sizes[k] for k in ("n", "t", "d", "heads", "wide"))

    class Encoder(g.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.query, self.key, self.value, self.out = (nn.Dense(d, flatten=False) for _ in range(4))
                self.norm1 = nn.LayerNorm()
                self.up = nn.Dense(wide, activation="relu", flatten=False)
                self.down = nn.Dense(d, flatten=False)
                self.norm2 = nn.LayerNorm()

        def hybrid_forward(self, F, x):
            def split(y):
                return y.reshape((n, t, heads, d // heads)).transpose((0, 2, 1, 3)).reshape((n * heads, t, d // heads))

            scores = F.batch_dot(split(self.query(x)), split(self.key(x)), transpose_b=True)
            mixed = F.batch_dot(F.softmax(scores * (d // heads) ** -0.5), split(self.value(x)))
            mixed = mixed.reshape((n, heads, t, d // heads)).transpose((0, 2, 1, 3)).reshape((n, t, d))
            x = self.norm1(x + self.out(mixed))
            return self.norm2(x + self.down(self.up(x)))

    return Encoder()


def torch(case):
    from torch import nn
    from torch.nn.functional import scaled_dot_product_attention

    n, t, d, heads, wide = (case.sizes[k] for k in ("n", "t", "d", "heads", "wide"))

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key, self.value, self.out = (nn.Linear(d, d) for _ in range(4))
            self.norm1 = nn.LayerNorm(d)
            self.up, self.down = nn.Linear(d, wide), nn.Linear(wide, d)
            self.norm2 = nn.LayerNorm(d)

        def forward(self, x):
            def split(y):
                return y.view(n, t, heads, d // heads).transpose(1, 2)

            mixed = scaled_dot_product_attention(split(self.query(x)), split(self.key(x)), split(self.value(x)))
            x = self.norm1(x + self.out(mixed.transpose(1, 2).reshape(n, t, d)))
            return self.norm2(x + self.down(self.up(x).relu()))

    return Encoder()


def jax(case):
    import jax.numpy as np
    from jax import lax, nn

    n, t, d, heads = (case.sizes[k] for k in ("n", "t", "d", "heads"))

    def norm(x, gamma, beta):
        mean = x.mean(-1, keepdims=True)
        return (x - mean) * lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * gamma + beta

    def forward(weights, x, training):
        wq, bq, wk, bk, wv, bv, wo, bo, g1, b1, wu, bu, wd, bd, g2, b2 = weights
        q, k, v = ((x @ w.T + b).reshape(n, t, heads, d // heads) for w, b in ((wq, bq), (wk, bk), (wv, bv)))
        scores = np.einsum("nihc,njhc->nhij", q, k) * (d // heads) ** -0.5
        mixed = np.einsum("nhij,njhc->nihc", nn.softmax(scores), v).reshape(n, t, d)
        x = norm(x + mixed @ wo.T + bo, g1, b1)
        return norm(x + np.maximum(x @ wu.T + bu, 0) @ wd.T + bd, g2, b2)

    return forward
