"""`export` and `SymbolBlock`, `Block.save` and `load`, and what old code may call besides."""

import json

import numpy
import pytest

from numblocks import autograd, gluon, nd, np, npx
from numblocks.gluon import SymbolBlock, nn, rnn
from numblocks.gluon.model_zoo import vision
from numblocks.gluon.naming import NameManager


def mlp():
    net = nn.HybridSequential(nn.Dense(5, activation="relu"), nn.BatchNorm(), nn.Dropout(0.5), nn.Dense(2))
    net.initialize()
    return net


def written(net, folder, *inputs, epoch=0):
    if not net._active:
        net.hybridize()
    y = net(*inputs)
    assert net.export(folder / "net", epoch=epoch) is None
    names = ["data"] if len(inputs) == 1 else [f"data{k}" for k in range(len(inputs))]
    return y, SymbolBlock.imports(folder / "net-symbol.json", names, folder / f"net-{epoch:04d}.params")


NETS = {
    "mlp": (mlp, (3, 4)),
    "resnet v1": (lambda: vision.ResNetV1(vision.BottleneckV1, [1, 1], [4, 8, 16], classes=5), (1, 3, 32, 32)),
    "resnet v2": (lambda: vision.ResNetV2(vision.BasicBlockV2, [1, 1], [4, 4, 8], classes=5), (1, 3, 32, 32)),
    "densenet": (lambda: vision.DenseNet(8, 4, [2, 2], classes=5), (1, 3, 56, 56)),
    "mobilenet v2": (lambda: vision.MobileNetV2(0.25, classes=5), (1, 3, 32, 32)),
    "norms": (lambda: nn.HybridSequential(nn.LayerNorm(), nn.GELU(), nn.Dense(3), nn.HybridLambda("softmax")), (2, 6)),
    "lstm": (lambda: rnn.LSTM(4, 2, bidirectional=True), (5, 2, 3)),
    "groups": (lambda: nn.HybridSequential(nn.GroupNorm(2), nn.InstanceNorm(), nn.PixelShuffle2D(2), nn.SELU()),
               (1, 4, 3, 3)),
    "transposed": (lambda: nn.HybridSequential(nn.Conv2DTranspose(2, 3), nn.PReLU(), nn.Flatten()), (1, 2, 5, 5)),
}


@pytest.mark.parametrize("kind", NETS)
def test_imported_computes_the_same(kind, tmp_path):
    make, shape = NETS[kind]
    net = make()
    net.initialize(force_reinit=True)
    x = np.random.normal(size=shape)
    y, again = written(net, tmp_path, x)
    numpy.testing.assert_allclose(again(x).asnumpy(), y.asnumpy(), rtol=1e-5, atol=1e-6)
    again.hybridize()
    numpy.testing.assert_allclose(again(x).asnumpy(), y.asnumpy(), rtol=1e-5, atol=1e-6)
    assert set(again.collect_params()) <= set(net.collect_params())
    saved = set(npx.load(str(tmp_path / "net-0000.params")))
    assert saved == {("aux:" if p.grad_req == "null" else "arg:") + n for n, p in again.collect_params().items()}


def test_file_names_and_keys(tmp_path):
    net = mlp()
    written(net, tmp_path, np.ones((1, 4)), epoch=12)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net-0012.params", "net-symbol.json"]
    keys = set(npx.load(str(tmp_path / "net-0012.params")))
    assert {"arg:dense0_weight", "aux:batchnorm0_running_mean"} <= keys
    with NameManager():
        other = mlp()
    other(np.ones((1, 4)))
    other.load_parameters(tmp_path / "net-0012.params")
    assert (other[0].weight.data() == net[0].weight.data()).all()


def test_embeddings_and_several_inputs_and_outputs(tmp_path):
    class Two(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(7, 3)

        def forward(self, words, x):
            return {"sum": self.table(words) + x, "parts": [x * 2, np.concatenate([x, x], axis=0)[1:, ::2]]}

    net = Two()
    net.initialize()
    words, x = np.array([1, 6], dtype="int32"), np.ones((2, 3))
    y, again = written(net, tmp_path, words, x)
    found = again(words, x)
    assert (found["sum"] == y["sum"]).all()
    assert all((a == b).all() for a, b in zip(found["parts"], y["parts"], strict=True))
    assert repr(again) == "SymbolBlock(\n<two0> : 2 -> 3\n)"
    with pytest.raises(ValueError, match="has 2 inputs"):
        SymbolBlock.imports(tmp_path / "net-symbol.json", ["data"])


def test_every_shape_seen_is_written_and_others_are_refused(tmp_path):
    net = mlp()
    net.hybridize()
    xs = [np.random.normal(size=(n, 4)) for n in (1, 2)]
    net(xs[0])
    y, again = written(net, tmp_path, xs[1])
    assert again(xs[0]).shape == (1, 2)
    with pytest.raises(ValueError, match=r"\(3, 4\) float32.*\(2, 4\) float32"):
        again(np.ones((3, 4)))


def test_legacy_arrays_stay_legacy(tmp_path):
    x = nd.ones((1, 4))
    y, again = written(mlp(), tmp_path, x)
    assert type(again(x)) is type(y) is nd.NDArray
    numpy.testing.assert_allclose(again(x).asnumpy(), y.asnumpy(), rtol=1e-5, atol=1e-6)


def test_loss_with_labels(tmp_path):
    x, label = np.random.normal(size=(3, 4)), np.array([0, 1, 3])
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    loss.hybridize()
    y = loss(x, label)
    loss.export(tmp_path / "loss")
    again = SymbolBlock.imports(tmp_path / "loss-symbol.json", ["data0", "data1"])
    numpy.testing.assert_allclose(again(x, label).asnumpy(), y.asnumpy(), rtol=1e-5, atol=1e-6)


def test_indices_are_still_checked(tmp_path):
    net = nn.Embedding(3, 2)
    net.initialize()
    _, again = written(net, tmp_path, np.array([0, 1], dtype="int32"))
    with pytest.raises(IndexError, match="77"):
        again(np.array([0, 77], dtype="int32"))


def test_imported_trains(tmp_path):
    x = np.ones((2, 4))
    _, net = written(mlp(), tmp_path, x)
    before = net.collect_params()["dense0_weight"].data().asnumpy()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    with autograd.record():
        loss = (net(x) - 1).square().mean()
    loss.backward()
    trainer.step(1)
    assert (net.collect_params()["dense0_weight"].data().asnumpy() != before).any()


def test_what_cannot_be_written_or_read(tmp_path):
    with pytest.raises(RuntimeError, match="hybridize"):
        mlp().export(tmp_path / "net")
    noisy = nn.HybridLambda(lambda F, x: x + np.random.normal(size=(2,)))
    noisy.hybridize()
    noisy(np.ones((2,)))
    with pytest.raises(NotImplementedError, match="random"):
        noisy.export(tmp_path / "net")
    plain = nn.HybridLambda(lambda F, x, n: x * n)
    plain.hybridize()
    plain(np.ones((2,)), 3)
    with pytest.raises(NotImplementedError, match="no array"):
        plain.export(tmp_path / "net")
    assert list(tmp_path.iterdir()) == []
    for text, error, word in (("{", ValueError, "not JSON"), ('{"a": 1}', ValueError, "export"),
                              ('{"nodes": [], "arg_nodes": []}', NotImplementedError, "MXNet")):  # fmt: skip
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(error, match=word):
            SymbolBlock.imports(tmp_path / "x.json", ["data"])
    with pytest.raises(TypeError, match="no symbols"):
        SymbolBlock(None, ["data"])


def test_save_and_load(tmp_path):
    net, other = mlp(), mlp()
    x = np.ones((1, 4))
    y = net(x)
    net.save(tmp_path / "mlp")
    assert json.loads((tmp_path / "mlp-model.json").read_text())["class"] == "HybridSequential"
    other.load(tmp_path / "mlp")
    assert (other(x) == y).all()
    third = nn.HybridSequential(nn.Dense(5), nn.Dense(2))
    with pytest.raises(ValueError, match="children"):
        third.load(tmp_path / "mlp")
    third.initialize()
    third(x)
    third.save(tmp_path / "third")
    with pytest.raises(ValueError, match="1 is a Dense in the file and a Flatten here"):
        nn.HybridSequential(nn.Dense(5), nn.Flatten()).load(tmp_path / "third")


def test_optimize_for_infer_type_and_op_hooks():
    net = mlp()
    net.infer_type(np.ones((1, 4)))
    assert net[0].weight.shape == (5, 4)
    net.optimize_for(np.ones((1, 4)), static_alloc=True)
    assert net._traced is not None
    with pytest.raises(ValueError, match="backend='ONEDNN'"):
        net.optimize_for(np.ones((1, 4)), backend="ONEDNN")
    with pytest.raises(NotImplementedError, match="register_forward_hook"):
        net.register_op_hook(print)
