"""A fully convolutional net labels each pixel: digits, pasted on a noisy ground, are found and told apart.

The net shrinks the picture and enlarges it again with transposed convolutions that start as bilinear interpolation;
features from before the shrinking join in. Written as for Gluon 1.x: `mx`, `nd`, `hybrid_forward`.
"""

import numpy

import numblocks as mx
from numblocks import autograd, gluon, nd
from numblocks.gluon import nn

SIDE, CLASSES = 24, 4  # the ground, and three kinds of digits: 0, 1, 7


class Pixels(gluon.loss.SoftmaxCrossEntropyLoss):
    """The mean over pixels; those of the ground count less, for they are many."""

    def __init__(self, ground, **kwargs):
        super().__init__(axis=1, **kwargs)
        self.ground = ground

    def forward(self, pred, label):
        weight = nd.where(label > 0, nd.ones_like(label), self.ground * nd.ones_like(label))
        return super().forward(pred, label, weight.expand_dims(axis=1))


class FCN(gluon.HybridBlock):
    def __init__(self, channels=16, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.fine = nn.HybridSequential()
            self.coarse = nn.HybridSequential()
            for part, factor in ((self.fine, 1), (self.coarse, 2)):
                with part.name_scope():
                    part.add(
                        nn.Conv2D(factor * channels, kernel_size=3, strides=factor, padding=1),
                        nn.BatchNorm(), nn.Activation("relu"),
                        nn.Conv2D(factor * channels, kernel_size=3, strides=2, padding=1),
                        nn.BatchNorm(), nn.Activation("relu"),
                    )  # fmt: skip
            self.score_fine = nn.Conv2D(CLASSES, kernel_size=1)
            self.score_coarse = nn.Conv2D(CLASSES, kernel_size=1)
            self.up_coarse = self.enlarge(4)
            self.up = self.enlarge(2)

    def enlarge(self, factor):
        """A picture `factor` times as high and wide; bilinear to begin with."""
        return nn.Conv2DTranspose(
            CLASSES, kernel_size=2 * factor, strides=factor, padding=factor // 2,
            weight_initializer=Channelwise(mx.init.Bilinear()), use_bias=False,
        )  # fmt: skip

    def hybrid_forward(self, F, x):
        fine = self.fine(x)
        coarse = self.up_coarse(self.score_coarse(self.coarse(fine)))
        return self.up(F.broadcast_add(self.score_fine(fine), coarse))


class Channelwise(mx.init.Initializer):
    """Another initializer's kernels between equal channels, zeros between different ones."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def _init_weight(self, name, arr):
        kernels = nd.zeros(arr.shape)
        self.inner._init_weight(name, kernels)
        arr[:] = kernels * nd.eye(arr.shape[0]).reshape((0, 0, 1, 1))


def pictures(n, digits, labels):
    """Pictures `(n, 1, SIDE, SIDE)`, each with two digits, and the class of each pixel `(n, SIDE, SIDE)`."""
    kinds = [digits[labels == k] for k in (0, 1, 7)]
    X, Y = rng.uniform(0, 0.4, (n, 1, SIDE, SIDE)), numpy.zeros((n, SIDE, SIDE))
    for x, y in zip(X[:, 0], Y, strict=True):
        for left in (0, 12):
            kind = rng.integers(3)
            digit = kinds[kind][rng.integers(len(kinds[kind]))]
            i, j = rng.integers(0, SIDE - 8), left + rng.integers(0, 5)
            window = (slice(i, i + 8), slice(j, j + 8))
            x[window] = numpy.maximum(x[window], digit)
            y[window][digit > 0.3] = kind + 1
    return nd.array(X), nd.array(Y)


def overlap(pred, label):
    """For each class the intersection of predicted and true pixels over their union."""
    pairs = [(pred == k, label == k) for k in range(CLASSES)]
    return numpy.array([(p & t).sum() / (p | t).sum() for p, t in pairs])


mx.random.seed(21)
rng = numpy.random.default_rng(21)
train, test = (gluon.data.vision.Digits(train)[:] for train in (True, False))
train, test = ((images.asnumpy()[..., 0] / 255, labels) for images, labels in (train, test))

net = FCN()
net.initialize(mx.init.Xavier(), ctx=mx.cpu())
net.hybridize()
X, Y = pictures(2, *train)
assert net(X).shape == (2, CLASSES, SIDE, SIDE)
kernel = net.up.weight.data()
assert kernel[0, 0].sum().asscalar() == 4 and abs(kernel[0, 1]).sum().asscalar() == 0
loss = Pixels(ground=0.2)
loss.hybridize()
trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01})
trainer.optimizer.lr_scheduler = mx.lr_scheduler.MultiFactorScheduler([80, 100], factor=0.3, base_lr=0.01)

for step in range(120):
    X, Y = pictures(32, *train)
    with autograd.record():
        l = loss(net(X), Y)
    l.backward()
    trainer.step(len(X))
    if (step + 1) % 40 == 0:
        nd.waitall()
        print(f"step {step + 1}, loss {l.mean().asscalar():.4f}, learning rate {trainer.learning_rate:.4f}")

X, Y = pictures(100, *test)
found = net(X).argmax(axis=1).asnumpy()
print("\n".join("".join(" 017"[int(k)] for k in row) for row in found[0]))
iou = overlap(found, Y.asnumpy())
print("overlap of ground, 0, 1, 7:", iou.round(3))
print(f"mean overlap {iou.mean():.3f}")
assert iou.mean() > 0.7
