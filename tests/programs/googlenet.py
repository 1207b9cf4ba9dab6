"""A GoogLeNet-like net: four parallel branches whose outputs are joined along the channels."""

from numblocks import autograd, gluon, init, np, npx
from numblocks.gluon import nn
from numblocks.gluon.data import DataLoader
from numblocks.gluon.data.vision import Digits, transforms

npx.set_np()
npx.random.seed(6)


class Inception(nn.HybridBlock):
    def __init__(self, c1, c2, c3, c4, **kwargs):
        super().__init__(**kwargs)
        self.p1_1 = nn.Conv2D(c1, kernel_size=1, activation="relu")
        self.p2_1 = nn.Conv2D(c2[0], kernel_size=1, activation="relu")
        self.p2_2 = nn.Conv2D(c2[1], kernel_size=3, padding=1, activation="relu")
        self.p3_1 = nn.Conv2D(c3[0], kernel_size=1, activation="relu")
        self.p3_2 = nn.Conv2D(c3[1], kernel_size=5, padding=2, activation="relu")
        self.p4_1 = nn.MaxPool2D(pool_size=3, strides=1, padding=1)
        self.p4_2 = nn.Conv2D(c4, kernel_size=1, activation="relu")

    def forward(self, x):
        p1 = self.p1_1(x)
        p2 = self.p2_2(self.p2_1(x))
        p3 = self.p3_2(self.p3_1(x))
        p4 = self.p4_2(self.p4_1(x))
        return np.concatenate((p1, p2, p3, p4), axis=1)


def inception_of_layers(*widths):
    """The same idea without a class: a layer whose children run side by side."""
    branches = nn.HybridConcatenate(axis=1)
    for kernel_size, width in zip((1, 3, 5), widths, strict=True):
        branches.add(nn.Conv2D(width, kernel_size, padding=kernel_size // 2, activation="relu"))
    branches.add(nn.Identity())
    return branches


net = nn.HybridSequential()
net.add(nn.Conv2D(16, kernel_size=3, padding=1, activation="relu"))
net.add(Inception(8, (8, 12), (4, 8), 4), nn.MaxPool2D(pool_size=2, strides=2))
net.add(inception_of_layers(8, 16, 8), nn.GlobalAvgPool2D(), nn.Dropout(0.2), nn.Dense(10))
net.initialize(init.Xavier(magnitude=2.24))
net.summary(np.zeros((1, 1, 8, 8)))  # layer by layer: shapes and numbers of parameters
net.hybridize()

augment = transforms.Compose([transforms.RandomCrop(8, pad=1), transforms.ToTensor()])
train_iter = DataLoader(Digits(train=True).transform_first(augment), 64, shuffle=True, last_batch="rollover")
test_iter = DataLoader(Digits(train=False).transform_first(transforms.ToTensor()), 64)
loss = gluon.loss.SoftmaxCrossEntropyLoss()
trainer = gluon.Trainer(net.collect_params(), "adamw", {"learning_rate": 0.01, "wd": 0.01})

for epoch in range(15):
    total = 0.0
    for X, y in train_iter:
        with autograd.record():
            l = loss(net(X), y).mean()
        l.backward()
        trainer.step(1)
        total += l.item()
    print(f"epoch {epoch + 1}, loss {total / len(train_iter):.4f}")

correct = sum((net(X).argmax(axis=1) == y).sum().item() for X, y in test_iter)
accuracy = correct / 359
print(f"test accuracy {accuracy:.3f}")
assert accuracy > 0.92
