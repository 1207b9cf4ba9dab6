"""`operator.CustomOp` and `nd.Custom`, as Gluon 1.x code writes them: eager, hybridized, several outputs, states."""

import numpy
import pytest

import numblocks as mx
from numblocks import autograd, gluon, nd, np

X = numpy.array([[1.0, 2.0, -0.5]], "float32")
seen = []


class Sigmoid(mx.operator.CustomOp):
    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, is_train, req, in_data, out_data, aux):
        seen.append(bool(is_train))
        self.assign(out_data[0], req[0], 1 / (1 + (-self.k * in_data[0]).exp()))

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        y = out_data[0]
        self.assign(in_grad[0], req[0], out_grad[0] * self.k * y * (1 - y))


@mx.operator.register("compat_sigmoid")
class SigmoidProp(mx.operator.CustomOpProp):
    def __init__(self, k="1"):
        super().__init__(need_top_grad=True)
        assert isinstance(k, str)
        self.k = float(k)

    def create_operator(self, ctx, shapes, dtypes):
        assert (ctx.device_type, list(map(list, shapes)), dtypes) == ("cpu", [[1, 3]], [0])
        return Sigmoid(self.k)


class SplitScale(mx.operator.CustomOp):
    """Two outputs of two inputs, and a state that counts calls."""

    def forward(self, is_train, req, in_data, out_data, aux):
        a, b = in_data
        self.assign(out_data[0], req[0], a * b)
        self.assign(out_data[1], req[1], nd.sum(a) if isinstance(a, nd.NDArray) else a.sum().reshape(1))
        aux[0][:] += 1

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        a, b = in_data
        self.assign(in_grad[0], req[0], out_grad[0] * b + out_grad[1])
        self.assign(in_grad[1], "add", out_grad[0] * a)


@mx.operator.register("compat_split")
class SplitProp(mx.operator.CustomOpProp):
    def list_arguments(self):
        return ["a", "b"]

    def list_outputs(self):
        return ["product", "total"]

    def list_auxiliary_states(self):
        return ["calls"]

    def infer_shape(self, in_shape):
        return in_shape, [in_shape[0], (1,)], [(1,)]

    def create_operator(self, ctx, shapes, dtypes):
        return SplitScale()


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


@pytest.mark.parametrize("space", [nd, np])
def test_forward_and_backward(space):
    x = space.array(X)
    x.attach_grad()
    seen.clear()
    with autograd.record():
        y = nd.Custom(x, op_type="compat_sigmoid", k=2.0, name="gate")
        z = (y * y).sum()
    z.backward()
    s = sigmoid(2 * X)
    assert type(y) is type(x) and seen == [True]
    numpy.testing.assert_allclose(y.asnumpy(), s, rtol=1e-5)
    numpy.testing.assert_allclose(x.grad.asnumpy(), 2 * s * 2 * s * (1 - s), rtol=1e-4)
    nd.Custom(data=x, op_type="compat_sigmoid")
    assert seen == [True, False]


@pytest.mark.parametrize("hybridized", [False, True])
def test_in_a_block(hybridized):
    class Net(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.dense = gluon.nn.Dense(3, in_units=3, weight_initializer=mx.init.Constant(0.5))

        def hybrid_forward(self, F, x):
            return F.Custom(self.dense(x), op_type="compat_sigmoid", k=3) * 2

    net = Net()
    net.initialize()
    if hybridized:
        net.hybridize()
    for scale in (1, -1):
        x = nd.array(X * scale)
        x.attach_grad()
        with autograd.record():
            y = net(x)
        y.backward()
        s = sigmoid(3 * 0.5 * X.sum() * scale)
        numpy.testing.assert_allclose(y.asnumpy(), numpy.full((1, 3), 2 * s), rtol=1e-5)
        numpy.testing.assert_allclose(x.grad.asnumpy(), numpy.full((1, 3), 3 * 2 * 3 * s * (1 - s) * 0.5), rtol=1e-4)


@pytest.mark.parametrize("hybridized", [False, True])
def test_several_outputs_and_a_state(hybridized):
    class Net(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.calls = gluon.Parameter("calls", shape=(1,), init="zeros", grad_req="null")

        def forward(self, a, b):
            y, total = nd.Custom(a, b, self.calls.data(), op_type="compat_split")
            return y + total

    net = Net()
    net.initialize()
    if hybridized:
        net.hybridize()
    a, b = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    for x in (a, b):
        x.attach_grad()
    for _ in range(2):
        with autograd.record():
            y = net(a, b)
        y.backward()
    assert y.tolist() == [6.0, 1.0]
    assert a.grad.tolist() == [3 + 2, -1 + 2] and b.grad.tolist() == [1.0, 2.0]
    assert net.calls.data().item() == 2.0


def test_an_output_without_gradient_counts_as_zero():
    a, b = nd.array([1.0, 2.0]), nd.array([3.0, -1.0])
    a.attach_grad()
    with autograd.record():
        y, _ = nd.Custom(a, b, nd.zeros((1,)), op_type="compat_split")
    y.backward()
    assert a.grad.asnumpy().tolist() == [3.0, -1.0]


def test_errors():
    with pytest.raises(mx.MXNetError, match="no operator 'compat_none'"):
        nd.Custom(nd.ones((1,)), op_type="compat_none")
    with pytest.raises(mx.MXNetError, match="takes a, b, calls"):
        nd.Custom(nd.ones((1,)), op_type="compat_split")
    with pytest.raises(TypeError, match="CustomOpProp"):
        mx.operator.register("compat_wrong")(Sigmoid)
    assert "compat_split" in mx.operator.get_all_registered_operators()
