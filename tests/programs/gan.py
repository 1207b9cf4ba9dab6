"""A GAN in the plane: noise becomes points that a second net cannot tell from those of a Gaussian."""

import numpy

from numblocks import autograd, gluon, init, np, npx
from numblocks.gluon import nn

npx.set_np()
npx.random.seed(13)

A, b = np.array([[1, 2], [-0.1, 0.5]]), np.array([1, 2])
data = np.dot(np.random.normal(0.0, 1, (2000, 2)), A) + b
data_iter = gluon.data.DataLoader(gluon.data.ArrayDataset(data), batch_size=50, shuffle=True)


def mean_and_covariance(x):
    x = x.asnumpy()
    return x.mean(axis=0), numpy.cov(x.T)


def update_D(X, Z, net_D, net_G, loss, trainer_D):
    """One step of the discriminator."""
    ones, zeros = np.ones((X.shape[0],), ctx=X.ctx), np.zeros((X.shape[0],), ctx=X.ctx)
    with autograd.record():
        fake_X = net_G(Z)
        loss_D = (loss(net_D(X), ones) + loss(net_D(fake_X.detach()), zeros)) / 2
    loss_D.backward()
    trainer_D.step(X.shape[0])
    return loss_D.mean().item()


def update_G(Z, net_D, net_G, loss, trainer_G):
    """One step of the generator: the gradient passes through the discriminator, whose weights stay."""
    ones = np.ones((Z.shape[0],), ctx=Z.ctx)
    with autograd.record():
        loss_G = loss(net_D(net_G(Z)), ones)
    loss_G.backward()
    trainer_G.step(Z.shape[0])
    return loss_G.mean().item()


net_G = nn.HybridSequential()
net_G.add(nn.Dense(2))
net_D = nn.HybridSequential()
net_D.add(nn.Dense(16, activation="tanh"), nn.Dense(16), nn.LeakyReLU(0.2), nn.Dense(1))
for net in (net_D, net_G):
    net.initialize(init.Normal(0.2), force_reinit=True)
    net.hybridize()

loss = gluon.loss.SigmoidBCELoss()
trainer_D = gluon.Trainer(net_D.collect_params(), "adam", {"learning_rate": 0.02, "beta1": 0.5})
trainer_G = gluon.Trainer(net_G.collect_params(), "adam", {"learning_rate": 0.01, "beta1": 0.5})
for epoch in range(60):
    losses = []
    for X in data_iter:
        Z = np.random.normal(0, 1, size=(X.shape[0], 2))
        losses.append((update_D(X, Z, net_D, net_G, loss, trainer_D), update_G(Z, net_D, net_G, loss, trainer_G)))
    if epoch % 20 == 19:
        loss_D, loss_G = numpy.mean(losses, axis=0)
        trainer_D.set_learning_rate(trainer_D.learning_rate / 3)
        trainer_G.set_learning_rate(trainer_G.learning_rate / 3)
        print(f"epoch {epoch + 1}, loss of the discriminator {loss_D:.3f}, of the generator {loss_G:.3f}")

fake_mean, fake_cov = mean_and_covariance(net_G(np.random.normal(0, 1, (2000, 2))))
mean, cov = mean_and_covariance(data)
print(f"mean {mean.round(2)}, generated {fake_mean.round(2)}")
print(f"covariance\n{cov.round(2)}, generated\n{fake_cov.round(2)}")
error = max(numpy.abs(fake_mean - mean).max(), numpy.abs(fake_cov - cov).max())
print(f"largest difference {error:.3f}")
assert error < 0.5
