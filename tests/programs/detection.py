"""A single-shot detector: anchors at two scales, targets, smooth L1 and cross entropy, non-maximum suppression.

Each picture is noise with one bright shape in it, a filled square or a ring; the detector has to say which, and where.
"""

import numpy

from numblocks import autograd, gluon, init, nd, random
from numblocks.gluon import nn

random.seed(14)
rng = numpy.random.default_rng(14)
SIDE, CLASSES = 32, ("square", "ring")
SIZES, RATIOS = [[0.3, 0.4], [0.5, 0.65]], [[1, 1.5, 0.67]] * 2
ANCHORS = len(SIZES[0]) + len(RATIOS[0]) - 1


def pictures(n):
    """Images `(n, 1, SIDE, SIDE)` and labels `(n, 1, 5)`: class, left, top, right, bottom, as parts of the side."""
    images, labels = rng.uniform(0, 0.5, (n, 1, SIDE, SIDE)), numpy.zeros((n, 1, 5))
    for image, label in zip(images[:, 0], labels[:, 0], strict=True):
        height, width = rng.integers(8, 21, size=2)
        top, left = rng.integers(0, SIDE - height + 1), rng.integers(0, SIDE - width + 1)
        kind = rng.integers(2)
        shape = image[top : top + height, left : left + width]
        shape += 0.5
        if kind:
            shape[3:-3, 3:-3] -= 0.5
        label[:] = kind, left / SIDE, top / SIDE, (left + width) / SIDE, (top + height) / SIDE
    return nd.array(images), nd.array(labels)


def down_sample(channels):
    blk = nn.HybridSequential()
    for _ in range(2):
        blk.add(nn.Conv2D(channels, kernel_size=3, padding=1), nn.BatchNorm(), nn.Activation("relu"))
    blk.add(nn.MaxPool2D(2))
    return blk


class TinySSD(gluon.HybridBlock):
    """Anchors `(1, anchors, 4)`, class scores `(batch, anchors, classes + 1)` and offsets `(batch, anchors * 4)`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.stages = nn.HybridSequential()
            self.stages.add(nn.HybridSequential(), down_sample(32))
            self.stages[0].add(down_sample(8), down_sample(16))
            self.class_heads, self.box_heads = nn.HybridSequential(), nn.HybridSequential()
            for _ in self.stages:
                self.class_heads.add(nn.Conv2D(ANCHORS * (len(CLASSES) + 1), kernel_size=3, padding=1))
                self.box_heads.add(nn.Conv2D(ANCHORS * 4, kernel_size=3, padding=1))

    def hybrid_forward(self, F, x):
        anchors, scores, boxes = [], [], []
        for k, stage in enumerate(self.stages):
            x = stage(x)
            anchors.append(F.contrib.MultiBoxPrior(x, sizes=SIZES[k], ratios=RATIOS[k]))
            scores.append(F.flatten(self.class_heads[k](x).transpose((0, 2, 3, 1))))
            boxes.append(F.flatten(self.box_heads[k](x).transpose((0, 2, 3, 1))))
        scores = F.concat(*scores, dim=1).reshape((0, -1, len(CLASSES) + 1))
        return F.concat(*anchors, dim=1), scores, F.concat(*boxes, dim=1)


def detect(net, X):
    """For each image the best box that is left after suppression: class, score, left, top, right, bottom."""
    anchors, scores, boxes = net(X)
    output = nd.contrib.MultiBoxDetection(scores.softmax().transpose((0, 2, 1)), boxes, anchors, nms_threshold=0.4)
    best = nd.where(output[:, :, 0] >= 0, output[:, :, 1], -nd.ones_like(output[:, :, 1])).argmax(axis=1)
    return output[nd.arange(len(X)), best.astype("int32")]


net = TinySSD()
net.initialize(init.Xavier())
net.hybridize()
class_loss, box_loss = gluon.loss.SoftmaxCrossEntropyLoss(), gluon.loss.HuberLoss()
net(pictures(1)[0])
trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.004, "wd": 5e-4})

for step in range(160):
    if step == 120:
        trainer.set_learning_rate(0.001)
    X, Y = pictures(32)
    with autograd.record():
        anchors, scores, boxes = net(X)
        with autograd.pause():
            offsets, mask, classes = nd.contrib.MultiBoxTarget(
                anchors, Y, scores.transpose((0, 2, 1)), negative_mining_ratio=3, negative_mining_thresh=0.5,
                ignore_label=-1,
            )  # fmt: skip
        counted = (classes >= 0).expand_dims(axis=2)
        l = class_loss(scores, classes, counted) * 5 + box_loss(boxes * mask, offsets * mask) * 20
    l.backward()
    trainer.step(len(X))
    if (step + 1) % 40 == 0:
        print(f"step {step + 1}, loss {l.mean().asscalar():.4f}")

X, Y = pictures(100)
found = detect(net, X)
overlap = nd.contrib.box_iou(found[:, 2:], Y[:, 0, 1:]).asnumpy().diagonal()
same = (found[:, 0] == Y[:, 0, 0]).asnumpy()
for k in range(3):
    kind, score, *box = found[k].asnumpy()
    print(f"{CLASSES[int(kind)]} {score:.2f} at {numpy.round(box, 2)}, true {Y[k, 0, 1:].asnumpy().round(2)}")
print(f"right class {same.mean():.2f}, mean overlap {overlap.mean():.3f}")
right = (same * (overlap > 0.5)).mean()
print(f"objects found: {right:.3f}")
assert right > 0.9 and overlap.mean() > 0.7
