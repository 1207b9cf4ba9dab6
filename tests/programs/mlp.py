"""A multilayer perceptron with dropout and weight decay, as a `hybrid_forward` Block of Gluon 1.x.

Two nets learn from two hundred digits, few enough to be learned by heart: one is let, one is held back.
"""

from numblocks import autograd, gluon, init, metric, nd, random
from numblocks.gluon import nn


class MLP(gluon.HybridBlock):
    def __init__(self, dropout, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.hidden = nn.Dense(128, activation="relu")
            self.drop = nn.Dropout(dropout)
            self.output = nn.Dense(10)

    def hybrid_forward(self, F, x):
        return self.output(self.drop(self.hidden(F.flatten(x))))


def to_arrays(dataset):
    images, labels = zip(*dataset, strict=True)
    return nd.stack(*images).astype("float32") / 255, nd.array(labels)


def fit(dropout, wd):
    random.seed(3)
    net = MLP(dropout)
    net.initialize(init.Xavier())
    net.hybridize()
    net(images[:1])
    net.collect_params(".*bias").setattr("wd_mult", 0)  # biases do not decay
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01, "wd": wd})
    for _ in range(60):
        for X, y in gluon.data.DataLoader(gluon.data.ArrayDataset(images, labels), 25, shuffle=True):
            with autograd.record():
                l = softmax_cross_entropy(net(X), y)
            l.backward()
            trainer.step(X.shape[0])
    accuracy = metric.Accuracy()
    accuracy.update(test_labels, net(test_images))
    norm = sum(p.data().norm().asscalar() ** 2 for p in net.collect_params(".*weight").values()) ** 0.5
    return accuracy.get()[1], softmax_cross_entropy(net(test_images), test_labels).mean().asscalar(), norm


images, labels = (x[:200] for x in to_arrays(gluon.data.vision.Digits(train=True)))
test_images, test_labels = to_arrays(gluon.data.vision.Digits(train=False))
softmax_cross_entropy = gluon.loss.SoftmaxCrossEntropyLoss()

free = fit(dropout=0, wd=0)
held = fit(dropout=0.5, wd=0.005)
for name, (accuracy, loss, norm) in {"free": free, "held back": held}.items():
    print(f"{name}: test accuracy {accuracy:.3f}, test loss {loss:.3f}, norm of the weights {norm:.2f}")
print(f"test accuracy {held[0]:.3f}")
assert held[0] > 0.8
assert held[1] < free[1] and held[2] < 0.9 * free[2]
