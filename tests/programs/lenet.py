"""LeNet on handwritten digits: worker processes load, the net is hybridized, exported, and read back without its code.

Worker processes import this file again, therefore everything that runs stands under `__name__ == "__main__"`.
"""

import tempfile
from pathlib import Path

from numblocks import autograd, gluon, init, metric, random
from numblocks.gluon import nn
from numblocks.gluon.data.vision import Digits, transforms


def lenet():
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(
            nn.Conv2D(channels=6, kernel_size=5, padding=2, activation="sigmoid"),
            nn.MaxPool2D(pool_size=2, strides=2),
            nn.Conv2D(channels=16, kernel_size=3, activation="sigmoid"),
            nn.Dense(120, activation="sigmoid"),
            nn.Dense(84, activation="sigmoid"),
            nn.Dense(10),
        )
    return net


def evaluate(net, loader):
    accuracy = metric.Accuracy()
    for X, y in loader:
        accuracy.update(labels=y, preds=net(X))
    return accuracy.get()[1]


def main():
    random.seed(2)
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.3, 0.37)])
    train, test = (
        gluon.data.DataLoader(
            Digits(train).transform_first(transform), 64, shuffle=train, num_workers=2, thread_pool=False
        )
        for train in (True, False)
    )

    net = lenet()
    net.initialize(init.Xavier())
    net.hybridize(static_alloc=True, static_shape=True)
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = None
    for epoch in range(20):
        total = metric.Loss()
        for X, y in train:
            if trainer is None:
                net(X)
                trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01})
            with autograd.record():
                l = loss(net(X), y)
            l.backward()
            trainer.step(len(X))
            total.update(None, l)
        print(f"epoch {epoch + 1}, loss {total.get()[1]:.4f}")
    accuracy = evaluate(net, test)

    with tempfile.TemporaryDirectory() as folder:
        net.export(str(Path(folder) / "lenet"), epoch=20)
        print(*sorted(file.name for file in Path(folder).iterdir()))
        deployed = gluon.SymbolBlock.imports(
            str(Path(folder) / "lenet-symbol.json"), ["data"], str(Path(folder) / "lenet-0020.params")
        )
        assert evaluate(deployed, test) == accuracy

    print(f"test accuracy {accuracy:.3f}")
    assert accuracy > 0.94


if __name__ == "__main__":
    main()
