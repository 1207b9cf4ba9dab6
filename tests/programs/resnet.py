"""A small ResNet with a compiled training step, a schedule, and a break in the middle of the training.

The net that was saved, loaded and trained on is to be the one that never stopped, to the last bit.
"""

import tempfile
from pathlib import Path

from numblocks import gluon, init, lr_scheduler, metric, np, npx
from numblocks.gluon import nn

npx.set_np()


class Residual(nn.HybridBlock):
    def __init__(self, num_channels, use_1x1conv=False, strides=1, **kwargs):
        super().__init__(**kwargs)
        self.conv1 = nn.Conv2D(num_channels, kernel_size=3, padding=1, strides=strides)
        self.conv2 = nn.Conv2D(num_channels, kernel_size=3, padding=1)
        self.conv3 = nn.Conv2D(num_channels, kernel_size=1, strides=strides) if use_1x1conv else None
        self.bn1, self.bn2 = nn.BatchNorm(), nn.BatchNorm()

    def forward(self, X):
        Y = npx.relu(self.bn1(self.conv1(X)))
        Y = self.bn2(self.conv2(Y))
        if self.conv3:
            X = self.conv3(X)
        return npx.relu(Y + X)


def resnet():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(8, kernel_size=3, padding=1), nn.BatchNorm(), nn.Activation("relu"))
    for channels in (8, 16, 32):
        net.add(Residual(channels, use_1x1conv=channels > 8, strides=1 if channels == 8 else 2), Residual(channels))
    net.add(nn.GlobalAvgPool2D(), nn.Dense(10))
    return net


class Training:
    """A net, its optimizer and its compiled step."""

    def __init__(self):
        self.net = resnet()
        self.net.initialize(init.MSRAPrelu(slope=0))
        self.net(images[:1])
        schedule = lr_scheduler.CosineScheduler(max_update=STEPS, base_lr=0.1, final_lr=0, warmup_steps=20)
        self.trainer = gluon.Trainer(
            self.net.collect_params(), "nag", {"lr_scheduler": schedule, "momentum": 0.9, "wd": 1e-4}
        )
        self.step = gluon.compile_step(self.net, gluon.loss.SoftmaxCrossEntropyLoss(), self.trainer)

    def run(self, steps):
        for k in steps:
            chosen = orders[k // PER_EPOCH][k % PER_EPOCH * BATCH :][:BATCH]
            l = self.step(images[chosen], labels[chosen])
            if (k + 1) % PER_EPOCH == 0:
                print(f"epoch {(k + 1) // PER_EPOCH}, loss {l.mean().item():.4f}, lr {self.trainer.learning_rate:.4f}")

    def save(self, folder):
        self.net.save_parameters(str(folder / "resnet.params"))
        self.trainer.save_states(str(folder / "resnet.states"))

    def load(self, folder):
        self.net.load_parameters(str(folder / "resnet.params"))
        self.trainer.load_states(str(folder / "resnet.states"))


def digits(train):
    images, labels = gluon.data.vision.Digits(train)[:]
    return np.array(images.transpose(0, 3, 1, 2), dtype="float32") / 255, np.array(labels)


BATCH, EPOCHS = 48, 6
images, labels = digits(train=True)
PER_EPOCH = len(images) // BATCH
STEPS = EPOCHS * PER_EPOCH
np.random.seed(5)
orders = [np.random.permutation(len(images)) for _ in range(EPOCHS)]

training = Training()
with tempfile.TemporaryDirectory() as folder:
    training.run(range(STEPS // 2))
    training.save(Path(folder))
    training.run(range(STEPS // 2, STEPS))

    resumed = Training()
    resumed.load(Path(folder))
resumed.run(range(STEPS // 2, STEPS))

test_images, test_labels = digits(train=False)
training.net.hybridize()
output = training.net(test_images)
resumed.net.hybridize()
assert (resumed.net(test_images) == output).all()

accuracy = metric.create("acc")
accuracy.update(test_labels, output)
print(f"test accuracy {accuracy.get()[1]:.3f}")
assert accuracy.get()[1] > 0.96
