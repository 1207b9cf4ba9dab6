"""One layer used twice in a net: it has one weight, whose gradient is the sum over both uses.

A PyTorch exercise in Gluon's terms: Huber loss, Adam, gradients watched while training.
"""

from numblocks import autograd, gluon, init, np, npx
from numblocks.gluon import nn

npx.set_np()
np.random.seed(15)


def make_data(w, b, num):
    x = np.random.normal(0, 1, (num, len(w)))
    y = np.dot(x, w) + b
    return x, y + np.random.normal(0, 0.01, y.shape)


true_w, true_b, num, batch_size, epochs = np.array([2, -3.4]), 4.2, 1000, 10, 10
x, y = make_data(true_w, true_b, num)
train_loader = gluon.data.DataLoader(gluon.data.ArrayDataset(x, y), batch_size, shuffle=True)

net1 = nn.Dense(1)
net = nn.Sequential(net1, nn.Dense(2), net1)
net.initialize(init.Normal(0.5))
net(x[:1])
print(net)
assert len(net.collect_params()) == 4  # two layers, each with a weight and a bias

trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.03})
loss = gluon.loss.HuberLoss()
losses = []
for epoch in range(epochs):
    loss_sum = 0.0
    for X, Y in train_loader:
        with autograd.record():
            l = loss(net(X).reshape(Y.shape), Y).mean()
        l.backward()
        assert (net[0].weight.grad() == net[2].weight.grad()).all()
        trainer.step(1)
        loss_sum += l.item()
    losses.append(loss_sum / len(train_loader))
    print(f"epoch {epoch + 1}, loss {losses[-1]:.6f}")

# the gradient of the weight in common is that of its first use and that of its second use, added
apart = nn.Sequential(nn.Dense(1), net[1], nn.Dense(1))
for layer in (apart[0], apart[2]):
    layer.initialize()
apart(x[:1])
for layer in (apart[0], apart[2]):
    layer.weight.set_data(net1.weight.data())
    layer.bias.set_data(net1.bias.data())
for model in (net, apart):
    with autograd.record():
        l = loss(model(x).reshape(y.shape), y + 1).mean()
    l.backward()
together, parts = net1.weight.grad(), [apart[k].weight.grad() for k in (0, 2)]
print(f"gradient {together}, of the first use {parts[0]}, of the second use {parts[1]}")
assert np.allclose(together, parts[0] + parts[1], rtol=1e-4) and np.abs(parts[0]).min() > 0

w_hat, b_hat = net1.weight.data(), net1.bias.data()
print("w_hat:", w_hat, "b_hat:", b_hat)
print(f"loss at the end: {losses[-1]:.6f}")
assert losses[-1] < 1e-3
