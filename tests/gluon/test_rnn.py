"""Recurrent layers and cells against plain NumPy, eager and hybridized; gradients, states, names, reprs."""

import numpy
import pytest

from numblocks import autograd, np
from numblocks.gluon import HybridBlock, rnn

T, N, I, H = 5, 3, 4, 6


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def step(mode, z, h, c, wh, bh):
    """One time step in NumPy: hidden and cell state."""
    a, n = h @ wh.T, wh.shape[1]
    part = lambda x, k: x[:, k * n : (k + 1) * n]
    if mode == "lstm":
        z = z + a + bh
        i, f, g, o = sigmoid(part(z, 0)), sigmoid(part(z, 1)), numpy.tanh(part(z, 2)), sigmoid(part(z, 3))
        c = f * c + i * g
        return o * numpy.tanh(c), c
    if mode == "gru":
        a = a + bh
        r, u = sigmoid(part(z, 0) + part(a, 0)), sigmoid(part(z, 1) + part(a, 1))
        n_ = numpy.tanh(part(z, 2) + r * part(a, 2))
        return (1 - u) * n_ + u * h, c
    z = z + a + bh
    return (numpy.tanh(z) if mode == "rnn_tanh" else numpy.maximum(z, 0)), c


def reference(mode, x, states, params, layers, directions, lengths=None):
    """`(time, batch, features)` through all layers; output and final states."""
    finals, k = [[] for _ in states], 0
    for layer in range(layers):
        outputs = []
        for d in range(directions):
            wi, wh, bi, bh = (
                params[f"{'lr'[d]}{layer}_{n}"] for n in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
            )
            y = numpy.zeros((*x.shape[:2], wh.shape[1]))
            h_all, c_all = states[0][k].copy(), (states[1][k].copy() if len(states) > 1 else states[0][k].copy())
            for b in range(x.shape[1]):
                h, c = h_all[b : b + 1], c_all[b : b + 1]
                n = x.shape[0] if lengths is None else lengths[b]
                for t in reversed(range(n)) if d else range(n):
                    h, c = step(mode, x[t, b : b + 1] @ wi.T + bi, h, c, wh, bh)
                    y[t, b] = h[0]
                h_all[b], c_all[b] = h[0], c[0]
            for found, s in zip(finals, (h_all, c_all), strict=False):
                found.append(s)
            outputs.append(y)
            k += 1
        x = numpy.concatenate(outputs, 2)
    return x, [numpy.array(f) for f in finals]


LAYERS = {
    "lstm": lambda **kw: rnn.LSTM(H, **kw), "gru": lambda **kw: rnn.GRU(H, **kw),
    "rnn_tanh": lambda **kw: rnn.RNN(H, activation="tanh", **kw), "rnn_relu": lambda **kw: rnn.RNN(H, **kw),
}  # fmt: skip


def made(mode, **kwargs):
    layer = LAYERS[mode](**kwargs)
    layer.initialize("normal")
    for k, p in enumerate(layer.collect_params().values()):
        if p.shape[-1] > 0 and "bias" in p.name:
            p.set_data(np.array(numpy.random.default_rng(k).standard_normal(p.shape) * 0.3))
    return layer


def values(layer):
    prefix = layer.prefix
    return {n.removeprefix(prefix): p.data().asnumpy().astype("f8") for n, p in layer.collect_params().items()}


def drawn(shape, seed=0):
    return numpy.random.default_rng(seed).standard_normal(shape).astype("f4")


@pytest.mark.parametrize("mode", LAYERS)
@pytest.mark.parametrize("layers,bidirectional,layout", [(1, False, "TNC"), (2, True, "NTC"), (1, True, "TNC")])
@pytest.mark.parametrize("hybrid", [False, True])
def test_layer_computes_what_numpy_does(mode, layers, bidirectional, layout, hybrid):
    layer, x = made(mode, num_layers=layers, bidirectional=bidirectional, layout=layout), drawn((T, N, I))
    given = np.array(x if layout == "TNC" else x.swapaxes(0, 1))
    if hybrid:
        layer.hybridize()
    states = [np.array(drawn(s.shape, k)) for k, s in enumerate(layer.begin_state(batch_size=N))]
    for _ in range(2):
        y, last = layer(given, states)
    wanted, finals = reference(mode, x.astype("f8"), [s.asnumpy().astype("f8") for s in states], values(layer), layers,
                               1 + bidirectional)  # fmt: skip
    found = y.asnumpy() if layout == "TNC" else y.asnumpy().swapaxes(0, 1)
    numpy.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    for a, b in zip(last, finals, strict=True):
        numpy.testing.assert_allclose(a.asnumpy(), b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", LAYERS)
@pytest.mark.parametrize("layout", ["TNC", "NTC"])
def test_gradients_by_differences(mode, layout):
    layer = made(mode, bidirectional=True, layout=layout, dtype="float64", input_size=I)
    layer.cast("float64")
    x = np.array(drawn((T, N, I) if layout == "TNC" else (N, T, I)).astype("f8"), dtype="float64")
    states = [np.array(drawn(s.shape, 9).astype("f8"), dtype="float64") for s in layer.begin_state(N)]
    for v in (x, *states):
        v.attach_grad()
    w = numpy.random.default_rng(5)
    weights = None

    def loss():
        nonlocal weights
        y, last = layer(x, states)
        parts = [y, *last]
        if weights is None:
            weights = [np.array(w.standard_normal(p.shape), dtype="float64") for p in parts]
        return sum((p * v + p * p * 0.3).sum() for p, v in zip(parts, weights, strict=True))

    for hybrid in (False, True):
        if hybrid:
            layer.hybridize()
        with autograd.record():
            value = loss()
        value.backward()
        for p in [x, *states, *(p.data() for p in layer.collect_params().values())]:
            d, before = w.standard_normal(p.shape), p.asnumpy()
            numeric = []
            for s in (1e-6, -1e-6):
                p[...] = np.array(before + s * d, dtype="float64")
                numeric.append(loss().item())
            p[...] = np.array(before, dtype="float64")
            slope = (numeric[0] - numeric[1]) / 2e-6
            assert abs(slope - (p.grad.asnumpy() * d).sum()) < 1e-5 * max(1, abs(slope))


@pytest.mark.parametrize("mode", ["lstm", "gru", "rnn_tanh"])
def test_second_order_by_differences(mode):
    layer = made(mode, input_size=I)
    layer.cast("float64")
    x = np.array(drawn((T, N, I)).astype("f8"), dtype="float64")
    w = layer.l0_h2h_weight.data()
    x.attach_grad()
    d, u = (numpy.random.default_rng(k).standard_normal(w.shape if k else x.shape) for k in (0, 1))

    def slope():
        with autograd.record():
            y = layer(x)
            (g,) = autograd.grad((y * y).sum(), [x], create_graph=True)
            return (g * np.array(d, dtype="float64")).sum()

    slope().backward()
    exact = (w.grad.asnumpy() * u).sum()
    before, numeric = w.asnumpy(), []
    for s in (1e-6, -1e-6):
        w[...] = np.array(before + s * u, dtype="float64")
        numeric.append(slope().item())
    assert abs((numeric[0] - numeric[1]) / 2e-6 - exact) < 1e-5 * max(1, abs(exact))


@pytest.mark.parametrize("mode", LAYERS)
def test_sequence_lengths(mode):
    layer, x, lengths = made(mode, bidirectional=True), drawn((T, N, I)), [5, 2, 3]
    state = layer.begin_state(N)
    y, last = layer(np.array(x), state, np.array(lengths))
    wanted, finals = reference(
        mode, x.astype("f8"), [s.asnumpy().astype("f8") for s in state], values(layer), 1, 2, lengths
    )
    numpy.testing.assert_allclose(y.asnumpy(), wanted, rtol=1e-4, atol=1e-5)
    for a, b in zip(last, finals, strict=True):
        numpy.testing.assert_allclose(a.asnumpy(), b, rtol=1e-4, atol=1e-5)


def test_projection_and_clipping():
    layer = rnn.LSTM(H, projection_size=2, state_clip_min=-0.1, state_clip_max=0.1)
    layer.initialize()
    y, (h, c) = layer(np.array(drawn((T, N, I))), layer.begin_state(N))
    assert y.shape == (T, N, 2) and h.shape == (1, N, 2) and c.shape == (1, N, H)
    assert abs(c.asnumpy()).max() <= 0.1 and layer.l0_h2r_weight.shape == (2, H)


def test_a_batch_of_any_length_runs_the_same_kernels():
    from numblocks.kernels import build

    layer = made("lstm", layout="NTC")
    layer.hybridize()
    layer(np.array(drawn((2, 3, I))))
    before = build.cache_info().builds
    for n, t in [(1, 1), (2, 7), (4, 1), (1, 9)]:
        assert layer(np.array(drawn((n, t, I)))).shape == (n, t, H)
    assert build.cache_info().builds == before


def test_states_names_and_reprs():
    layer = rnn.LSTM(32, num_layers=2, dropout=0.5, bidirectional=True)
    assert repr(layer) == "LSTM(-1 -> 32, TNC, num_layers=2, dropout=0.5, bidirectional)"
    assert repr(rnn.GRU(16, input_size=4)) == "GRU(4 -> 16, TNC)" and repr(rnn.RNN(8)) == "RNN(-1 -> 8, TNC)"
    assert [s.shape for s in layer.begin_state(batch_size=7)] == [(4, 7, 32)] * 2
    short = [n.removeprefix(layer.prefix) for n in layer.collect_params().keys()]
    assert short[:5] == ["l0_i2h_weight", "l0_h2h_weight", "l0_i2h_bias", "l0_h2h_bias", "r0_i2h_weight"]
    gru = rnn.GRU(3)
    gru.initialize()
    assert not isinstance(gru(np.ones((2, 1, 2))), tuple)
    y, states = gru(np.ones((2, 1, 2)), gru.begin_state(1))
    assert isinstance(states, list) and states[0].shape == (1, 1, 3)
    with pytest.raises(ValueError, match="Invalid recurrent state shape"):
        gru(np.ones((2, 1, 2)), gru.begin_state(5))
    with pytest.raises(AssertionError, match="Invalid layout"):
        rnn.LSTM(2, layout="CTN")


def test_dropout_between_layers_only_in_training():
    layer = made("gru", num_layers=2, dropout=0.5)
    x = np.array(drawn((T, N, I)))
    numpy.testing.assert_array_equal(layer(x).asnumpy(), layer(x).asnumpy())
    with autograd.train_mode():
        assert (layer(x).asnumpy() != layer(x).asnumpy()).any()


CELLS = {"lstm": rnn.LSTMCell, "gru": rnn.GRUCell, "rnn_tanh": rnn.RNNCell}


@pytest.mark.parametrize("mode", CELLS)
@pytest.mark.parametrize("hybrid", [False, True])
def test_cell_is_the_layer_step_by_step(mode, hybrid):
    layer, cell = made(mode, layout="NTC", input_size=I), CELLS[mode](H, input_size=I)
    cell.initialize()
    for name in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"):
        getattr(cell, name).set_data(getattr(layer, f"l0_{name}").data())
    if hybrid:
        cell.hybridize()
    x = np.array(drawn((N, T, I)))
    outputs, states = cell.unroll(T, x, merge_outputs=True)
    y, last = layer(x, layer.begin_state(N))
    numpy.testing.assert_allclose(outputs.asnumpy(), y.asnumpy(), rtol=1e-4, atol=1e-5)
    for a, b in zip(states, last, strict=True):
        numpy.testing.assert_allclose(a.asnumpy(), b.asnumpy()[0], rtol=1e-4, atol=1e-5)


def test_cell_reprs():
    assert repr(rnn.LSTMCell(4)) == "LSTMCell(-1 -> 16)" and repr(rnn.GRUCell(4, input_size=3)) == "GRUCell(3 -> 12)"
    assert repr(rnn.RNNCell(2)) == "RNNCell(-1 -> 2, tanh)"


def test_stacked_cells():
    stack = rnn.HybridSequentialRNNCell()
    stack.add(rnn.LSTMCell(4))
    stack.add(rnn.DropoutCell(0.3))
    stack.add(rnn.ResidualCell(rnn.GRUCell(4)))
    stack.initialize()
    x = np.array(drawn((N, T, I)))
    y, states = stack.unroll(T, x, merge_outputs=True)
    by_step, s = [], stack.begin_state(N)
    for t in range(T):
        out, s = stack(x[:, t], s)
        by_step.append(out)
    numpy.testing.assert_allclose(y.asnumpy(), np.stack(by_step, axis=1).asnumpy(), rtol=1e-5, atol=1e-6)
    assert len(states) == 3 and len(stack) == 3 and isinstance(stack[1], rnn.DropoutCell)


def test_bidirectional_cell_is_the_bidirectional_layer():
    layer = made("lstm", layout="NTC", bidirectional=True, input_size=I)
    cells = [rnn.LSTMCell(H, input_size=I) for _ in "lr"]
    both = rnn.BidirectionalCell(*cells)
    both.initialize()
    for side, cell in zip("lr", cells, strict=True):
        for name in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"):
            getattr(cell, name).set_data(getattr(layer, f"{side}0_{name}").data())
    x, lengths = np.array(drawn((N, T, I))), np.array([5, 2, 4])
    for length in (None, lengths):
        y, _ = both.unroll(T, x, merge_outputs=True, valid_length=length)
        wanted, _ = layer(x, layer.begin_state(N), length)
        numpy.testing.assert_allclose(y.asnumpy(), wanted.asnumpy(), rtol=1e-4, atol=1e-5)
    with pytest.raises(NotImplementedError, match="cannot be stepped"):
        both(x[:, 0], both.begin_state(N))


def test_zoneout_and_variational_dropout():
    x = np.array(drawn((N, T, I)))
    zone = rnn.ZoneoutCell(rnn.RNNCell(H, input_size=I), 0.5, 0.5)
    zone.initialize()
    with autograd.train_mode():
        y, _ = zone.unroll(T, x, merge_outputs=True)
    y = y.asnumpy()
    assert (y[:, 1:] == y[:, :-1]).any() and (y[:, 1:] != y[:, :-1]).any()
    same = rnn.VariationalDropoutCell(rnn.RNNCell(H, input_size=I), drop_outputs=0.5)
    same.initialize()
    with autograd.train_mode():
        y, _ = same.unroll(T, x, merge_outputs=True)
    zeros = y.asnumpy() == 0
    assert (zeros == zeros[:, :1]).all() and zeros.any() and not zeros.all()
    numpy.testing.assert_array_equal(*(same.unroll(T, x, merge_outputs=True)[0].asnumpy() for _ in range(2)))
    with pytest.raises(AssertionError, match="already modified"):
        rnn.ResidualCell(same.base_cell)


def test_valid_lengths_in_unroll():
    cell = rnn.GRUCell(H, input_size=I)
    cell.initialize()
    x, lengths = np.array(drawn((N, T, I))), [5, 1, 3]
    y, (h,) = cell.unroll(T, x, valid_length=np.array(lengths), merge_outputs=True)
    for b, n in enumerate(lengths):
        alone, (state,) = cell.unroll(n, x[b : b + 1], merge_outputs=True)
        numpy.testing.assert_allclose(y.asnumpy()[b, :n], alone.asnumpy()[0], rtol=1e-5, atol=1e-6)
        numpy.testing.assert_allclose(h.asnumpy()[b], state.asnumpy()[0], rtol=1e-5, atol=1e-6)
        assert (y.asnumpy()[b, n:] == 0).all()


def test_unroll_inside_a_hybrid_block():
    class Net(HybridBlock):
        def __init__(self):
            super().__init__()
            self.cell = rnn.ZoneoutCell(rnn.LSTMCell(H), 0.2, 0.2)

        def forward(self, x):
            return self.cell.unroll(T, x, merge_outputs=True)[0]

    net = Net()
    net.initialize()
    x = np.array(drawn((N, T, I)))
    y = net(x).asnumpy()
    net.hybridize()
    numpy.testing.assert_allclose(net(x).asnumpy(), y, rtol=1e-5, atol=1e-6)
    with autograd.record():
        loss = net(x).sum()
    loss.backward()
    assert net.cell.base_cell.i2h_weight.grad().asnumpy().any()


def test_parameters_survive_a_file(tmp_path):
    layer, again = made("lstm", num_layers=2), rnn.LSTM(H, num_layers=2)
    x = np.array(drawn((T, N, I)))
    y = layer(x).asnumpy()
    layer.save_parameters(str(tmp_path / "lstm.params"))
    again.load_parameters(str(tmp_path / "lstm.params"))
    numpy.testing.assert_array_equal(again(x).asnumpy(), y)
