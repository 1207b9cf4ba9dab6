"""Fine-tuning: a net that knows the ten digits learns which numbers are even, from forty examples.

The features come from a file. First they stay as they are and the new head learns alone; then they learn, too, but
slowly. Their batch norms keep the statistics they came with.
"""

import tempfile
from pathlib import Path

from numblocks import autograd, cpu, gluon, init, metric, nd, random
from numblocks.gluon import nn
from numblocks.gluon.data import vision


class Net(gluon.HybridBlock):
    def __init__(self, classes, fixed_statistics=False, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            for channels in (16, 32):
                self.features.add(
                    nn.Conv2D(channels, kernel_size=3, padding=1, use_bias=False),
                    nn.BatchNorm(use_global_stats=fixed_statistics),
                    nn.Activation("relu"),
                    nn.MaxPool2D(),
                )
            self.features.add(nn.Dense(32, activation="relu"))
            self.output = nn.Dense(classes, prefix="output_")

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


def digits(train):
    """Images and labels as one batch."""
    images, labels = vision.Digits(train)[:]
    return nd.array(images).transpose((0, 3, 1, 2)) / 255, nd.array(labels)


def parity(images, labels):
    return images, labels % 2


def train(net, data, steps, learning_rate):
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate, "momentum": 0.9})
    loader = gluon.data.DataLoader(gluon.data.ArrayDataset(*data), batch_size=20, shuffle=True)
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    done = 0
    while done < steps:
        for X, y in loader:
            with autograd.record():
                l = loss(net(X), y)
            autograd.backward([l])
            trainer.step(X.shape[0])
            done += 1


def accuracy(net, data):
    score = metric.create("accuracy")
    score.update([data[1]], [net(data[0])])
    return score.get()[1]


random.seed(17)
old_train, old_test = digits(train=True), digits(train=False)
new_train, new_test = parity(*(x[:40] for x in old_train)), parity(*old_test)

pretrained = Net(10, prefix="net_")
pretrained.initialize(init.Xavier(), ctx=[cpu()])
pretrained.hybridize(static_alloc=True)
pretrained(old_train[0][:1])
train(pretrained, old_train, 400, 0.02)
print(f"the old task: accuracy {accuracy(pretrained, old_test):.3f}")

net = Net(2, fixed_statistics=True, prefix="net_")
with tempfile.TemporaryDirectory() as folder:
    path = str(Path(folder) / "features.params")
    pretrained.features.save_parameters(path)
    net.features.load_parameters(path, ctx=cpu())
net.output.initialize(init.Xavier())
net.hybridize(static_alloc=True, static_shape=True)
statistics = net.collect_params(".*running_(mean|var)")
features = net.features.collect_params()
before = {name: p.data().copy() for name, p in features.items()}

features.setattr("grad_req", "null")
net(new_train[0][:1])
train(net, new_train, 20, 0.05)
assert all((p.data() == before[name]).all() for name, p in features.items())
print(f"the new task, head only: accuracy {accuracy(net, new_test):.3f}")

net.features.collect_params(".*(weight|gamma|beta)").setattr("grad_req", "write")
features.setattr("lr_mult", 0.1)
train(net, new_train, 60, 0.05)
assert all((p.data() == before[name]).all() for name, p in statistics.items())
moved = [(p.data() - before[name]).norm().asscalar() for name, p in features.items() if "conv" in name]
print("the convolutions moved by", *(f"{distance:.3f}" for distance in moved))
assert min(moved) > 0

scratch = Net(2)
scratch.initialize(init.Xavier())
scratch.hybridize()
scratch(new_train[0][:1])
train(scratch, new_train, 80, 0.05)
fresh, fine = accuracy(scratch, new_test), accuracy(net, new_test)
print(f"the same without the old task: accuracy {fresh:.3f}")
print(f"test accuracy {fine:.3f}")
assert fine > 0.9 and fine > fresh
