"""Linear regression from scratch: two arrays with `attach_grad`, the loss written out, descent by hand."""

from numblocks import autograd, np, npx

npx.set_np()
np.random.seed(1)

true_w, true_b = np.array([2, -3.4]), 4.2
X = np.random.normal(0, 1, (1000, 2))
y = np.dot(X, true_w) + true_b + np.random.normal(0, 0.01, 1000)


def batches(batch_size):
    order = np.random.permutation(len(X))
    for start in range(0, len(X), batch_size):
        chosen = order[start : start + batch_size]
        yield X[chosen], y[chosen]


def linreg(X, w, b):
    return np.dot(X, w) + b


def squared_loss(y_hat, y):
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params, lr, batch_size):
    for param in params:
        param[:] = param - lr * param.grad / batch_size


w, b = np.random.normal(0, 0.01, (2, 1)), np.zeros(1)
w.attach_grad()
b.attach_grad()

for epoch in range(3):
    for data, target in batches(10):
        with autograd.record():
            loss = squared_loss(linreg(data, w, b), target)
        loss.backward()  # of a vector: the gradient of its sum
        sgd([w, b], lr=0.03, batch_size=10)
    print(f"epoch {epoch + 1}, loss {squared_loss(linreg(X, w, b), y).mean():f}")

error = max(np.abs(true_w - w.reshape(-1)).max().item(), abs(true_b - b.item()))
print(f"largest error of a weight: {error:.5f}")
assert error < 0.005
