"""Matrix factorization: ratings explained by vectors of users and items, and by how kind and how good they are."""

import numpy

from numblocks import autograd, gluon, init, metric, np, npx
from numblocks.gluon import nn

npx.set_np()
npx.random.seed(12)
rng = numpy.random.default_rng(12)
USERS, ITEMS, RANK, NOISE = 200, 150, 4, 0.1


class MatrixFactorization(nn.Block):
    def __init__(self, num_factors, num_users, num_items, **kwargs):
        super().__init__(**kwargs)
        self.P = nn.Embedding(input_dim=num_users, output_dim=num_factors)
        self.Q = nn.Embedding(input_dim=num_items, output_dim=num_factors)
        self.user_bias = nn.Embedding(num_users, 1)
        self.item_bias = nn.Embedding(num_items, 1)

    def forward(self, user_id, item_id):
        P_u, Q_i = self.P(user_id), self.Q(item_id)
        b_u, b_i = self.user_bias(user_id), self.item_bias(item_id)
        outputs = (P_u * Q_i).sum(axis=1) + np.squeeze(b_u) + np.squeeze(b_i)
        return outputs.flatten()


def evaluate(net, loader):
    rmse = metric.RMSE()
    for user, item, rating in loader:
        rmse.update(labels=[rating], preds=[net(user, item)])
    return rmse.get()[1]


tastes, traits = rng.normal(size=(USERS, RANK)) / RANK**0.5, rng.normal(size=(ITEMS, RANK))
true = tastes @ traits.T + rng.normal(0, 0.5, (USERS, 1)) + rng.normal(0, 0.5, (1, ITEMS))
user, item = numpy.nonzero(rng.uniform(size=true.shape) < 0.4)
rating = (true[user, item] + rng.normal(0, NOISE, len(user))).astype("float32")
order = rng.permutation(len(user))
parts = [gluon.data.ArrayDataset(user[k], item[k], rating[k]) for k in numpy.split(order, [len(order) * 4 // 5])]
train_iter = gluon.data.DataLoader(parts[0], 256, shuffle=True, last_batch="rollover", num_workers=2, thread_pool=True)
test_iter = gluon.data.DataLoader(parts[1], 256)

net = MatrixFactorization(RANK, USERS, ITEMS)
net.initialize(init=init.Normal(0.3), ctx=npx.cpu())
trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.02, "wd": 1e-5})
loss = gluon.loss.L2Loss()

for epoch in range(25):
    if epoch == 18:
        trainer.set_learning_rate(0.002)
    total = metric.Loss("train loss")
    for user, item, rating in train_iter:
        with autograd.record():
            l = loss(net(user, item), rating)
        l.backward()
        trainer.step(len(rating))
        total.update(None, [l])
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1}, {': '.join(map(str, total.get()))}")

rmse, guess = evaluate(net, test_iter), float(true.std())
print(f"root mean square error of the mean {guess:.3f}, of the noise {NOISE}")
print(f"test rmse {rmse:.3f}")
assert rmse < 2 * NOISE
