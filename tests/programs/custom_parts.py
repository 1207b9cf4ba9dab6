"""Parts of one's own: layer, initializer, function with its gradient, loss, metric, optimizer, schedule, hook.

A radial basis net learns the exclusive or of two signs; the parts are the user's, and the net hybridizes.
"""

import math

from numblocks import autograd, gluon, init, lr_scheduler, metric, nd, optimizer, random
from numblocks.gluon import nn


class CubeRoot(autograd.Function):
    """A function with a gradient of its own, cut off where the true one is infinite."""

    def forward(self, x):
        y = x.sign() * x.abs() ** (1 / 3)
        self.save_for_backward(y)
        return y

    def backward(self, dy):
        (y,) = self.saved_tensors
        return dy / nd.maximum(3 * y**2, 0.1)


class RBF(gluon.HybridBlock):
    """`exp(-width * |x - center|^2)` for each of `units` centers."""

    def __init__(self, units, in_units=0, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.centers = self.params.get(
                "centers", shape=(units, in_units), init=init.Uniform(2), allow_deferred_init=True
            )
            self.widths = self.params.get("widths", shape=(units,), init=Ramp(0.5, 2), wd_mult=0)

    def infer_shape(self, x, *args):
        self.centers.shape = (self.centers.shape[0], x.shape[1])

    def hybrid_forward(self, F, x, centers, widths):
        apart = F.broadcast_sub(x.expand_dims(axis=1), centers.expand_dims(axis=0))
        return F.exp(-F.broadcast_mul(F.sum(F.square(apart), axis=2), F.reshape(widths, shape=(1, -1))))


@init.register
class Ramp(init.Initializer):
    """Evenly spaced values."""

    def __init__(self, first=-1.0, last=1.0):
        super().__init__(first=first, last=last)
        self.first, self.last = first, last

    def _init_weight(self, name, arr):
        arr[:] = nd.array([self.first + (self.last - self.first) * k / (arr.size - 1) for k in range(arr.size)])


class SquaredHinge(gluon.loss.Loss):
    def __init__(self, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)

    def hybrid_forward(self, F, pred, label, sample_weight=None):
        loss = F.square(F.relu(1 - F.reshape(pred, shape=(-1,)) * label))
        return F.mean(loss if sample_weight is None else loss * sample_weight, axis=self._batch_axis, exclude=True)


@optimizer.Optimizer.register
class SignDescent(optimizer.Optimizer):
    """Steps of one length in the direction of a running mean of the gradient."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def create_state(self, index, weight):
        return nd.zeros(weight.shape, ctx=weight.context, dtype=weight.dtype)

    def update(self, index, weight, grad, state):
        self._update_count(index)
        lr, wd = self._get_lr(index), self._get_wd(index)
        state[:] = self.momentum * state + (1 - self.momentum) * grad * self.rescale_grad
        weight[:] -= lr * (state.sign() + wd * weight)


class Halving(lr_scheduler.LRScheduler):
    """Half the rate each `period` updates."""

    def __init__(self, period, **kwargs):
        super().__init__(**kwargs)
        self.period = period

    def __call__(self, num_update):
        return self.base_lr * 0.5 ** (num_update // self.period)


def same_sign(label, pred):
    return ((label > 0) == (pred.ravel() > 0)).mean()


random.seed(19)
X = nd.random.normal(shape=(400, 2))
y = (X[:, 0] * X[:, 1]).sign()

x = nd.array([-8.0, -0.001, 0.001, 8.0])
x.attach_grad()
with autograd.record():
    root = CubeRoot()(x)
root.backward()
print("cube roots", root.asnumpy(), "gradients", x.grad.asnumpy())
assert abs(root.asnumpy() - [-2, -0.1, 0.1, 2]).max() < 1e-6
assert abs(x.grad.asnumpy() - [1 / 12, 10, 10, 1 / 12]).max() < 1e-5

net = nn.HybridSequential()
with net.name_scope():
    net.add(RBF(16), nn.Dense(1, weight_initializer="ramp"))
seen = []
net[0].register_forward_hook(lambda block, inputs, output: seen.append(output.shape))
net.initialize()
net(X[:8])
assert seen == [(8, 16)] and net[0].centers.shape == (16, 2)
net.hybridize()

trainer = gluon.Trainer(
    net.collect_params(), "signdescent", {"lr_scheduler": Halving(100, base_lr=0.05), "momentum": 0.8, "wd": 1e-3}
)
loss, score = SquaredHinge(), metric.create(same_sign)
for epoch in range(16):
    for data, label in gluon.data.DataLoader(gluon.data.ArrayDataset(X[:300], y[:300]), 20, shuffle=True):
        with autograd.record():
            l = loss(net(data), label)
        l.backward()
        trainer.step(data.shape[0])
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1}, loss {l.mean().asscalar():.3f}, learning rate {trainer.learning_rate:.4f}")
assert math.isclose(trainer.learning_rate, 0.05 / 4)

score.update([y[300:]], [net(X[300:])])
print(f"test accuracy {score.get()[1]:.3f}")
assert score.get()[1] > 0.9
