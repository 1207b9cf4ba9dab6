"""FusedRNN: the order of the parts is compared with MXNet's in gluon/test_contrib_answers."""

import numpy
import pytest

from numblocks import gluon, init, initializer, np, npx

KINDS = [(mode, two) for mode in ("rnn_relu", "rnn_tanh", "lstm", "gru") for two in (False, True)]


def layer_of(mode, two):
    make = {"lstm": gluon.rnn.LSTM, "gru": gluon.rnn.GRU}.get(mode, gluon.rnn.RNN)
    more = {"activation": mode[4:]} if mode.startswith("rnn") else {}
    return make(4, num_layers=2, bidirectional=two, input_size=3, **more)


@pytest.mark.parametrize("mode, two", KINDS)
def test_the_vector_is_that_of_the_layer(mode, two):
    """Parts filled by name give the same network as a layer whose parameters are filled by the same names."""

    def of(part, shape):
        return numpy.random.default_rng(sum(map(ord, part))).normal(size=shape).astype("float32")

    class ByName(init.Initializer):
        def _init_weight(self, name, arr):
            arr[:] = of(str(name), arr.shape)

        _init_bias = _init_weight

    def rows_of(short, shape):
        """The gates of a parameter of the layer, one under the other."""
        source, _, kind = short.rpartition("_")
        for gate in gates:
            forget = (gate, kind) == ("_f", "bias")
            yield numpy.full(4, 0.5) if forget else of(f"{source}{gate}_{kind}", (4, *shape[1:]))

    gates = {"lstm": ["_i", "_f", "_c", "_o"], "gru": ["_r", "_z", "_o"]}.get(mode, [""])
    layer = layer_of(mode, two)
    layer.initialize()
    size = 0
    for name, param in layer.collect_params().items():
        short = name[len(layer.prefix) :]
        size += param.data().size
        param.set_data(np.array(numpy.concatenate([*rows_of(short, param.shape)])))
    vector = np.zeros((size,))
    init.FusedRNN(ByName(), 4, 2, mode, two, forget_bias=0.5)._init_weight(init.InitDesc("parameters"), vector)
    x = np.array(numpy.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32"))
    states = layer.begin_state(2)
    named = dict(zip(("state", "state_cell"), states, strict=False))
    found = npx.rnn(x, vector, **named, mode=mode, state_size=4, num_layers=2, bidirectional=two)
    numpy.testing.assert_allclose(found.asnumpy(), layer(x).asnumpy(), rtol=1e-5, atol=1e-6)


def test_as_the_initializer_of_a_parameter():
    fused = init.FusedRNN("ones", 2, 1, "lstm", forget_bias=3.0)
    param = gluon.Parameter("rnn_parameters", shape=(4 * 2 * (5 + 2 + 2),), init=fused)
    param.initialize()
    values = param.data().asnumpy()
    assert (values[: 4 * 2 * 7] == 1).all()
    assert values[4 * 2 * 7 :].tolist() == [0, 0, 3, 3, 0, 0, 0, 0] * 2
    again = initializer.create(fused.dumps())
    assert again == fused and again.dumps() == fused.dumps() and initializer.FusedRNN is init.FusedRNN
    plain = gluon.Parameter("rnn_parameters", shape=(4 * 2 * 9,), init=init.FusedRNN(None, 2, 1, "lstm"))
    plain.initialize()  # without an initializer of its own: uniform
    assert 0 < abs(plain.data().asnumpy()[: 4 * 2 * 7]).max() <= 0.07


def test_refusals():
    with pytest.raises(ValueError, match="mode='elman'"):
        init.FusedRNN("ones", 2, 1, "elman")
    for size in (71, 8 * 4, 4):
        with pytest.raises(ValueError, match=f"has {size} values. No width"):
            init.FusedRNN("ones", 2, 1, "lstm")._init_weight("p", np.zeros((size,)))
