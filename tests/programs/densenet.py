"""A DenseNet of Gluon 1.x: each layer reads all the ones before it, `F.concat` joins them."""

from numblocks import autograd, gluon, init, lr_scheduler, metric, nd, random
from numblocks.gluon import nn


def conv_block(num_channels):
    blk = nn.HybridSequential(prefix="")
    blk.add(nn.BatchNorm(), nn.Activation("relu"), nn.Conv2D(num_channels, kernel_size=3, padding=1, use_bias=False))
    return blk


class DenseBlock(nn.HybridBlock):
    def __init__(self, num_convs, num_channels, **kwargs):
        super().__init__(**kwargs)
        self.net = nn.HybridSequential()
        for _ in range(num_convs):
            self.net.add(conv_block(num_channels))

    def hybrid_forward(self, F, X):
        for blk in self.net:
            X = F.concat(X, blk(X), dim=1)
        return X


def transition_block(num_channels):
    blk = nn.HybridSequential()
    blk.add(
        nn.BatchNorm(), nn.Activation("relu"),
        nn.Conv2D(num_channels, kernel_size=1), nn.AvgPool2D(pool_size=2, strides=2),
    )  # fmt: skip
    return blk


def densenet(growth=8, depths=(3, 3, 3)):
    net = nn.HybridSequential()
    with net.name_scope():
        channels = 16
        net.add(nn.Conv2D(channels, kernel_size=3, padding=1))
        for k, depth in enumerate(depths):
            net.add(DenseBlock(depth, growth))
            channels += depth * growth
            if k != len(depths) - 1:
                channels //= 2
                net.add(transition_block(channels))
        net.add(nn.BatchNorm(), nn.Activation("relu"), nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(10))
    return net


random.seed(4)
to_tensor = gluon.data.vision.transforms.ToTensor()
train_set, test_set = (gluon.data.vision.Digits(train).transform_first(to_tensor) for train in (True, False))
train_data = gluon.data.DataLoader(train_set, 32, shuffle=True, last_batch="discard", num_workers=1)
test_data = gluon.data.DataLoader(test_set, 120)

net = densenet()
net.initialize(init=init.Xavier(rnd_type="gaussian", factor_type="in", magnitude=2))
net.hybridize()
net(nd.zeros((1, 1, 8, 8)))
schedule = lr_scheduler.FactorScheduler(step=44, factor=0.6, base_lr=0.003)
trainer = gluon.Trainer(net.collect_params(), "rmsprop", {"lr_scheduler": schedule, "gamma1": 0.9, "centered": True})
loss = gluon.loss.SoftmaxCrossEntropyLoss()

for epoch in range(5):
    train_accuracy = metric.Accuracy()
    for X, y in train_data:
        with autograd.record():
            y_hat = net(X)
            l = loss(y_hat, y)
        l.backward()
        trainer.step(X.shape[0])
        train_accuracy.update([y], [y_hat])
    print(f"epoch {epoch + 1}, lr {trainer.learning_rate:.5f}, train accuracy {train_accuracy.get()[1]:.3f}")

scores = metric.CompositeEvalMetric([metric.Accuracy(), metric.TopKAccuracy(top_k=3), metric.CrossEntropy()])
for X, y in test_data:
    scores.update([y], [net(X).softmax()])
for name, value in zip(*scores.get(), strict=True):
    print(f"test {name} {value:.3f}")
accuracy, top3, _ = scores.get()[1]
print(f"test accuracy {accuracy:.3f}")
assert accuracy > 0.96 and top3 > 0.99
