"""Softmax regression from scratch on handwritten digits, in the `nd` of Gluon 1.x: exp, pick, asscalar."""

from numblocks import autograd, nd, random
from numblocks.gluon import data as gdata

random.seed(1)
batch_size, num_inputs, num_outputs = 64, 64, 10


def flat(image, label):
    return image.astype("float32").reshape((-1,)) / 255, label


train = gdata.DataLoader(gdata.vision.Digits(train=True).transform(flat), batch_size, shuffle=True)
test = gdata.DataLoader(gdata.vision.Digits(train=False).transform(flat), batch_size)

W = nd.random.normal(scale=0.01, shape=(num_inputs, num_outputs))
b = nd.zeros(num_outputs)
params = [W, b]
for param in params:
    param.attach_grad()


def softmax(X):
    X_exp = X.exp()
    return X_exp / X_exp.sum(axis=1, keepdims=True)


def net(X):
    return softmax(nd.dot(X.reshape((-1, num_inputs)), W) + b)


def cross_entropy(y_hat, y):
    return -nd.pick(y_hat, y).log()


def evaluate_accuracy(data_iter):
    correct, n = 0.0, 0
    for X, y in data_iter:
        y = y.astype("float32")
        correct += (net(X).argmax(axis=1) == y).sum().asscalar()
        n += y.size
    return correct / n


for epoch in range(12):
    total, n = 0.0, 0
    for X, y in train:
        with autograd.record():
            l = cross_entropy(net(X), y).sum()
        l.backward()
        for param in params:
            param[:] = param - 0.5 * param.grad / batch_size
        total += l.asscalar()
        n += y.size
    print(f"epoch {epoch + 1}, loss {total / n:.4f}")

accuracy = evaluate_accuracy(test)
print(f"test accuracy {accuracy:.3f}")
assert accuracy > 0.9
