"""Linear regression with Gluon: a loader, a layer whose width the first batch decides, a loss, a Trainer."""

from numblocks import autograd, gluon, init, np, npx
from numblocks.gluon import data as gdata
from numblocks.gluon import loss as gloss
from numblocks.gluon import nn

npx.set_np()
npx.random.seed(7)

true_w, true_b = np.array([2, -3.4]), 4.2
features = np.random.normal(0, 1, (1000, 2))
labels = np.dot(features, true_w) + true_b
labels += np.random.normal(0, 0.01, labels.shape)

batch_size = 10
loader = gdata.DataLoader(gdata.ArrayDataset(features, labels), batch_size, shuffle=True)

net = nn.Sequential()
net.add(nn.Dense(1))
net.initialize(init.Normal(sigma=0.01))
loss = gloss.L2Loss()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.03})

for epoch in range(3):
    for X, y in loader:
        with autograd.record():
            l = loss(net(X), y)
        l.backward()
        trainer.step(batch_size)
    print(f"epoch {epoch + 1}, loss {loss(net(features), labels).mean().item():f}")

w, b = net[0].weight.data(), net[0].bias.data()
error = max(np.abs(true_w - w.reshape(true_w.shape)).max().item(), abs(true_b - b.item()))
print(f"largest error of a weight: {error:.5f}")
assert error < 0.005
