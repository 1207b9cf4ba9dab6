"""Cells of `gluon.contrib.rnn`. Numbers are compared with MXNet's in test_contrib_answers."""

import doctest
import importlib

import numpy
import pytest

from numblocks import autograd, gluon, np
from numblocks.gluon.contrib import rnn
from numblocks.testing import check_gradients, check_hybrid, check_saved

NAMES = (
    "Conv1DGRUCell Conv1DLSTMCell Conv1DRNNCell Conv2DGRUCell Conv2DLSTMCell Conv2DRNNCell Conv3DGRUCell Conv3DLSTMCell"
    " Conv3DRNNCell LSTMPCell VariationalDropoutCell"
)
CONVOLUTIONAL = NAMES.split()[:9]
draw = numpy.random.default_rng(5)


def values(*shape):
    return np.array(draw.normal(size=shape).astype("float32"))


def made(name, **more):
    if name == "LSTMPCell":
        cell, shape = rnn.LSTMPCell(5, 3, **more), (4,)
    else:
        shape = (2, *(4, 3, 5)[: int(name[4])])
        cell = getattr(rnn, name)(shape, 3, i2h_kernel=3, h2h_kernel=3, i2h_pad=1, **more)
    cell.initialize("normal")
    return cell, shape


def test_every_name_of_mxnet_is_there():
    assert rnn.__all__ == NAMES.split() and gluon.contrib.rnn is rnn
    assert rnn.VariationalDropoutCell is gluon.rnn.VariationalDropoutCell
    assert [name for name in rnn.__all__ if ">>>" not in getattr(rnn, name).__doc__] in ([], ["VariationalDropoutCell"])


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_examples(name):
    runner = doctest.DocTestRunner()
    module = importlib.import_module("numblocks.gluon.contrib.rnn.convolutional")
    for example in doctest.DocTestFinder().find(getattr(rnn, name), name, module, vars(module)):
        assert example.examples
        runner.run(example)
    assert runner.failures == 0


class Steps(gluon.HybridBlock):
    """A cell over a sequence `(batch, time, ...)`, all outputs and states side by side."""

    def __init__(self, cell, length):
        super().__init__()
        self.cell, self.length = cell, length

    def forward(self, x):
        outputs, states = self.cell.unroll(self.length, [x[:, t] for t in range(self.length)])
        return np.concatenate([y.reshape((len(x), -1)) for y in (*outputs, *states)], axis=1)


@pytest.mark.parametrize("name", [*CONVOLUTIONAL, "LSTMPCell"])
def test_hybridized_differentiated_saved(name):
    cell, shape = made(name)
    net, x = Steps(cell, 2), values(2, 2, *shape)
    check_hybrid(net, x)
    check_gradients(net, x)
    check_saved(net, x)


@pytest.mark.parametrize("name", [*CONVOLUTIONAL, "LSTMPCell"])
def test_states_learn_of_open_shapes(name):
    if name == "LSTMPCell":
        cell, shape = made(name)
        assert repr(cell) == "LSTMPCell(-1 -> 20 -> 3)"
        assert cell.state_info(7) == [{"shape": (7, n), "__layout__": "NC"} for n in (3, 5)]
    else:
        _, shape = made(name)
        cell = getattr(rnn, name)((0, *shape[1:]), 3, 3, 3, 1)
        cell.initialize()
        count = 2 if "LSTM" in name else 1
        layout = "NC" + "DHW"[-len(shape) + 1 :]
        assert cell.state_info(7) == [{"shape": (7, 3, *shape[1:]), "__layout__": layout}] * count
        assert repr(cell).startswith(f"{name}(None -> ")
    y, states = cell(values(2, *shape), cell.begin_state(2))
    assert y.shape == states[0].shape and f"({shape[0]} -> " in repr(cell)


def test_names_and_reprs():
    found = [made(name)[0] for name in ("Conv1DRNNCell", "Conv2DLSTMCell", "Conv3DGRUCell", "LSTMPCell")]
    assert [repr(cell) for cell in found[:3]] == [
        "Conv1DRNNCell(2 -> 3, tanh, NCW)", "Conv2DLSTMCell(2 -> 12, tanh, NCHW)", "Conv3DGRUCell(2 -> 9, tanh, NCDHW)",
    ]  # fmt: skip
    assert [cell.prefix for cell in found] == ["conv_rnn0_", "conv_lstm0_", "conv_gru0_", "lstmp0_"]
    assert list(found[3].collect_params()) == [
        f"lstmp0_{name}" for name in ("i2h_weight", "h2h_weight", "h2r_weight", "i2h_bias", "h2h_bias")
    ]


def test_channels_last_is_the_same_turned():
    first = rnn.Conv2DLSTMCell((2, 5, 4), 3, (3, 1), (1, 3), (1, 0))
    last = rnn.Conv2DLSTMCell((5, 4, 2), 3, (3, 1), (1, 3), (1, 0), conv_layout="NHWC")
    for cell in (first, last):
        cell.initialize("normal")
    for name, param in first.named_parameters():
        turned = param.data()
        dict(last.named_parameters())[name].set_data(turned.transpose(0, 2, 3, 1) if turned.ndim == 4 else turned)
    x, states = values(2, 2, 5, 4), [values(2, 3, 5, 4) for _ in range(2)]
    a, _ = first(x, states)
    b, _ = last(x.transpose(0, 2, 3, 1), [s.transpose(0, 2, 3, 1) for s in states])
    assert last.state_info(2)[0] == {"shape": (2, 5, 4, 3), "__layout__": "NHWC"}
    assert b.shape == (2, 5, 4, 3)
    numpy.testing.assert_allclose(b.asnumpy(), a.transpose(0, 2, 3, 1).asnumpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("activation", ["leaky", np.tanh, gluon.nn.ELU(0.3)])
def test_activations(activation):
    cell, shape = made("Conv1DRNNCell", activation=activation)
    x = values(1, *shape)
    y, _ = cell(x, cell.begin_state(1))
    plain, _ = made("Conv1DRNNCell", activation=lambda v: v)
    for name, param in plain.named_parameters():
        param.set_data(dict(cell.named_parameters())[name].data())
    before, _ = plain(x, plain.begin_state(1))
    wanted = np.where(before > 0, before, 0.25 * before) if activation == "leaky" else activation(before)
    numpy.testing.assert_allclose(y.asnumpy(), wanted.asnumpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({"h2h_kernel": 2}, AssertionError, "Only support odd number"),
        ({"h2h_kernel": (3, 4)}, AssertionError, "Only support odd number"),
        ({"i2h_kernel": (3,)}, ValueError, "i2h_kernel: got .3,. for 2 spatial axes"),
        ({"input_shape": (3, 8)}, ValueError, "input_shape=.3, 8.. It has the channels and 2 spatial axes"),
        ({"conv_layout": "NCW"}, ValueError, "conv_layout='NCW'"),
        ({"i2h_kernel": 9}, ValueError, "larger than the input"),
    ],
)
def test_refusals(arguments, error, words):
    with pytest.raises(error, match=words):
        usual = {"input_shape": (3, 8, 7), "hidden_channels": 4, "i2h_kernel": 3, "h2h_kernel": 3}
        rnn.Conv2DLSTMCell(**(usual | arguments))


def test_within_other_cells():
    stack = gluon.rnn.HybridSequentialRNNCell()
    stack.add(rnn.Conv1DLSTMCell((2, 6), 3, 3, 3, 1))
    stack.add(rnn.VariationalDropoutCell(rnn.Conv1DGRUCell((3, 6), 4, 3, 3, 1), 0.5, 0.5, 0.5))
    stack.initialize("normal")
    x = values(2, 3, 2, 6)
    steps = [x[:, t] for t in range(3)]
    with autograd.record():
        outputs, states = stack.unroll(3, steps)
    assert len(outputs) == 3 and [s.shape for s in states] == [(2, 3, 6), (2, 3, 6), (2, 4, 6)]
    zero = [(y == 0).asnumpy() for y in outputs]
    assert zero[0].any() and (zero[0] == zero[1]).all()  # the same mask at every step
    outputs, _ = stack.unroll(3, steps)
    assert not any((y == 0).any() for y in outputs)
