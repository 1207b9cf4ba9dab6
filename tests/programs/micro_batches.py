"""A batch too large for the memory, in pieces: gradients are added up, clipped by their common norm, then applied once.

The net that learns so is compared with one that sees whole batches, and with one whose batches go to several devices
(there is one, so this is the code of a machine with many, not its speed).
"""

import numpy

from numblocks import autograd, cpu, gluon, init, np, npx
from numblocks.gluon import nn

npx.set_np()
BATCH, PIECES, STEPS, NORM = 64, 4, 60, 0.5


def make_net():
    npx.random.seed(18)
    net = nn.HybridSequential()
    net.add(nn.Dense(64, activation="tanh"), nn.Dense(10))
    net.initialize(init.Xavier(), ctx=devices)
    net.hybridize()
    net(images[:1])
    return net, gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5, "momentum": 0.9}, kvstore="device")


def batches():
    rng = numpy.random.default_rng(18)
    for _ in range(STEPS):
        chosen = rng.choice(len(images), size=BATCH, replace=False)
        yield images[chosen], labels[chosen]


def clipped_step(net, trainer):
    """Divide by the batch, clip, update; returns the norm before clipping."""
    grads = [p.grad(device) for p in net.collect_params().values() for device in devices]
    norm = gluon.utils.clip_global_norm(grads, NORM * BATCH, check_isfinite=True)
    trainer.step(BATCH)
    return norm / BATCH


def whole():
    net, trainer = make_net()
    norms = []
    for X, y in batches():
        with autograd.record():
            l = loss(net(X), y)
        l.backward()
        norms.append(clipped_step(net, trainer))
    print(f"norms of the gradient: {min(norms):.3f} to {max(norms):.3f}, clipped at {NORM}")
    assert min(norms) < NORM < max(norms)
    return net


def in_pieces():
    net, trainer = make_net()
    for param in net.collect_params().values():
        param.grad_req = "add"
    for X, y in batches():
        net.zero_grad()
        for X_part, y_part in zip(np.split(X, PIECES), np.split(y, PIECES), strict=True):
            with autograd.record():
                l = loss(net(X_part), y_part)
            l.backward()
        clipped_step(net, trainer)
    return net


def on_devices():
    net, trainer = make_net()
    for X, y in batches():
        parts = zip(*(gluon.utils.split_and_load(part, devices) for part in (X, y)), strict=True)
        with autograd.record():
            losses = [loss(net(X_part), y_part) for X_part, y_part in parts]
        autograd.backward(losses)
        clipped_step(net, trainer)
        npx.waitall()
    return net


devices = [cpu()]
images, labels = gluon.data.vision.Digits(train=True)[:]
images, labels = images.astype("float32").reshape(len(images), -1) / 255, np.array(labels)
loss = gluon.loss.SoftmaxCrossEntropyLoss()

nets = {"whole": whole(), "in pieces": in_pieces(), "on devices": on_devices()}
outputs = {name: net(images) for name, net in nets.items()}
for name, output in outputs.items():
    accuracy = (output.argmax(axis=1) == labels).mean().item()
    print(f"{name}: accuracy {accuracy:.3f}")
    assert accuracy > 0.95
difference = max(np.abs(output - outputs["whole"]).max().item() for output in outputs.values())
print(f"largest difference of the outputs: {difference:.6f}")
assert difference < 1e-3
