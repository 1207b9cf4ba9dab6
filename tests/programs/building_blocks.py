"""Blocks out of blocks: side by side, repeated, named; what a Python list hides; constants, and code in `forward`."""

import tempfile
import warnings
from pathlib import Path

from numblocks import autograd, gluon, init, np, npx
from numblocks.gluon import nn

npx.set_np()
np.random.seed(16)


class NestMLP(nn.Block):
    def __init__(self, out=20, **kwargs):
        super().__init__(**kwargs)
        self.net = nn.Sequential(nn.Dense(64), nn.Activation("relu"), nn.Dense(32), nn.Activation("relu"))
        self.linear = nn.Dense(out)

    def forward(self, X):
        return self.linear(self.net(X))


class Parallel(nn.Block):
    """Two nets side by side, their outputs below each other."""

    def __init__(self, net1, net2, **kwargs):
        super().__init__(**kwargs)
        self.net1, self.net2 = net1, net2

    def forward(self, X):
        return np.concatenate((self.net1(X), self.net2(X)))


class Repeated(nn.Block):
    """As many nets of a kind as wanted, one after the other."""

    def __init__(self, make, times, **kwargs):
        super().__init__(**kwargs)
        for k in range(times):
            self.register_child(make(), f"block {k}")

    def forward(self, X):
        for block in self._children.values():
            X = block(X)
        return X


class InList(nn.Block):
    """A pitfall: blocks in a Python list compute, but the net does not know that they are its own."""

    def __init__(self, *blocks, **kwargs):
        super().__init__(**kwargs)
        self._blocks = list(blocks)

    def forward(self, X):
        for block in self._blocks:
            X = block(X)
        return X


class FancyMLP(nn.Block):
    """A weight that is never trained, a layer used twice, and Python's own control flow."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.rand_weight = self.params.get_constant("rand_weight", np.random.uniform(size=(20, 20)))
        self.dense = nn.Dense(20, activation="relu")

    def forward(self, X):
        X = npx.relu(np.dot(self.dense(X), self.rand_weight.data()) + 1)
        X = self.dense(X)
        while np.abs(X).sum() > 1:
            X = X / 2
        if np.abs(X).sum() < 0.8:
            X = X * 10
        return X.sum()


class MyInit(init.Initializer):
    def _init_weight(self, name, data):
        print("initialize", name, data.shape)
        data[:] = np.random.uniform(low=-10, high=10, size=data.shape)
        data *= np.abs(data) >= 5


X = np.random.uniform(size=(2, 20))

net = Parallel(NestMLP(16), nn.Sequential(nn.Dense(16, in_units=20)))
net.initialize()
assert net.net2[0].weight.shape == (16, 20) and net.net1.linear.weight.shape == (16, -1)  # known, not yet known
assert net(X).shape == (4, 16) and net.net1.linear.weight.shape == (16, 32)
print(net)
for name, param in net.net1.net.named_parameters():
    print(name, param.shape)

net = nn.Sequential(Repeated(NestMLP, 3), nn.Dense(1))
net.initialize(MyInit())
assert net(X).shape == (2, 1) and len(net.collect_params()) == 3 * 6 + 2
assert list(net[0]._children) == ["block 0", "block 1", "block 2"]
weight = net[0]._children["block 2"].linear.weight.data()
assert ((np.abs(weight) >= 5) + (weight == 0)).all() and (weight != 0).any()

layers = nn.Dense(4), nn.Dense(2)
net = InList(*layers)
for layer in layers:
    layer.initialize()
assert (net(X) == layers[1](layers[0](X))).all()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert len(net.collect_params()) == 0
print("in a list:", net, caught[0].message)

net = nn.Sequential(NestMLP(), FancyMLP())
net.initialize(init.Xavier())
net(X)
constant, learned = (p.data().copy() for p in (net[1].rand_weight, net[1].dense.weight))
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
with autograd.record():
    loss = net(X)
loss.backward()
trainer.step(1)
assert (net[1].rand_weight.data() == constant).all() and (net[1].dense.weight.data() != learned).any()

with tempfile.TemporaryDirectory() as folder:
    path = str(Path(folder) / "net.params")
    net.save_parameters(path)
    clone = nn.Sequential(NestMLP(), FancyMLP())
    clone.load_parameters(path)
    same = (clone[0](X) == net[0](X)).all() and clone(X) == net(X)
print(f"difference after loading: {np.abs(clone(X) - net(X)).item():.1f}")
assert same
