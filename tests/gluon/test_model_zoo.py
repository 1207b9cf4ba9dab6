"""The model zoo: names, numbers of parameters, printed nets and outputs as MXNet 1.9.1 has them.

`model_zoo_answers/make.py` wrote what is compared with, using MXNet.
"""

import hashlib
import json
import math
import runpy
import zipfile
from pathlib import Path

import numpy
import pytest

from numblocks import autograd, gluon, np
from numblocks.gluon.model_zoo import model_store, vision
from numblocks.gluon.naming import NameManager

ANSWERS = Path(__file__).parent / "model_zoo_answers"
NETS, image, value = (runpy.run_path(str(ANSWERS / "filling.py"))[name] for name in ("NETS", "image", "value"))
NAMES = json.loads((ANSWERS / "names.json").read_text())
# not in MXNet 1.9; the numbers of trained parameters are those of other libraries' nets of this name
V3 = {"mobilenetv3_large": 5483032, "mobilenetv3_small": 2542856}
TINY = {
    "resnet v1": lambda: vision.ResNetV1(vision.BasicBlockV1, [1, 2], [4, 4, 8], classes=5, thumbnail=True),
    "resnet v1 bottleneck": lambda: vision.ResNetV1(vision.BottleneckV1, [1, 1], [4, 8, 16], classes=5),
    "resnet v2": lambda: vision.ResNetV2(vision.BasicBlockV2, [1, 2], [4, 4, 8], classes=5, thumbnail=True),
    "resnet v2 bottleneck": lambda: vision.ResNetV2(vision.BottleneckV2, [1, 1], [4, 8, 16], classes=5),
    "densenet": lambda: vision.DenseNet(8, 4, [2, 2], dropout=0.1, classes=5),
    "mobilenet": lambda: vision.MobileNet(0.25, classes=5),
    "mobilenet v2": lambda: vision.MobileNetV2(0.25, classes=5),
    "mobilenet v3": lambda: vision.MobileNetV3("small", 0.25, classes=5),
}


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def shaped(name, net):
    """The net with the shapes of its parameters known; the values are zeros, and there are no gradients."""
    net.collect_params().setattr("grad_req", "null")
    net.initialize("zeros")
    for param in net.collect_params().values():
        param.init = "zeros"
    side = 299 if name == "inceptionv3" else 224
    net.infer_shape(np.zeros((1, 3, side, side)))
    return net


@pytest.mark.parametrize("name", sorted(NAMES))
def test_names_counts_and_print(name):
    count, names, printed = NAMES[name]
    with NameManager():
        net = vision.get_model(name)
    assert digest(repr(net)) == printed
    if name.startswith(("vgg", "alexnet")):  # half a gigabyte each; their first dense layer is all that is open
        return
    rows = [(key, p.name, p.shape) for key, p in shaped(name, net).named_parameters()]
    assert sum(math.prod(shape) for _, _, shape in rows) == count
    assert digest("\n".join(f"{key} {full} {shape}" for key, full, shape in rows)) == names


def test_every_model_of_mxnet_is_there():
    with pytest.raises(ValueError, match="Model nothing is not supported") as error:
        gluon.model_zoo.get_model("nothing")
    assert str(error.value).split("\n\t")[1:] == sorted([*NAMES, *V3])


@pytest.mark.parametrize("name", V3)
def test_mobilenet_v3(name):
    with NameManager():
        net = vision.get_model(name)
    rows = {key: p for key, p in net.named_parameters()}
    trained = [key for key, p in rows.items() if p.grad_req != "null"]
    shaped(name, net)
    assert sum(math.prod(rows[key].shape) for key in trained) == V3[name]
    assert all(p.name.startswith("mobilenetv30_") for p in rows.values())
    assert vision.get_model(name, classes=7, multiplier=0.5).output.weight.shape[0] == 7


@pytest.mark.parametrize("name", NETS)
def test_outputs_are_those_of_mxnet(name):
    size, arguments = NETS[name]
    net = vision.get_model(name.upper(), classes=10, **arguments)
    net.initialize()
    x = np.array(image(size))
    net.infer_shape(x)
    for key, param in net.named_parameters():
        param.set_data(np.array(value(key, param.shape)))
    with numpy.load(ANSWERS / "outputs.npz") as file:
        expected = file[name]
    scale = abs(expected).max()
    numpy.testing.assert_allclose(net(x).asnumpy() / scale, expected / scale, atol=2e-5)


@pytest.mark.parametrize("kind", TINY)
def test_hybridized_equals_eager_and_trains(kind):
    net = TINY[kind]()
    net.initialize("xavier")
    x = np.random.normal(size=(2, 3, 56, 56))
    eager = net(x).asnumpy()
    assert eager.shape == (2, 5)
    net.hybridize()
    numpy.testing.assert_allclose(net(x).asnumpy(), eager, rtol=1e-4, atol=1e-5)
    with autograd.record():
        loss = (net(x) ** 2).mean()
    loss.backward()
    grads = [p.grad().asnumpy() for p in net.collect_params().values() if p.grad_req != "null"]
    assert all(numpy.isfinite(g).all() for g in grads) and any(abs(g).max() > 0 for g in grads)


def test_saved_and_loaded(tmp_path):
    net = TINY["resnet v1"]()
    net.initialize()
    x = np.ones((1, 3, 8, 8))
    y = net(x).asnumpy()
    net.save_parameters(tmp_path / "net.params")
    other = TINY["resnet v1"]()
    other.load_parameters(tmp_path / "net.params")
    assert (other(x).asnumpy() == y).all()


@pytest.mark.parametrize("file", ["mobilenet0.25.params", "mobilenet0.25-9f83e440.params"])
def test_pretrained_reads_a_local_file(tmp_path, file):
    net = vision.mobilenet0_25(classes=3)
    net.initialize()
    x = np.ones((1, 3, 32, 32))
    y = net(x).asnumpy()
    net.save_parameters(tmp_path / file)
    (tmp_path / "mobilenet0.25-other.params").write_text("not this one")
    again = vision.get_model("mobilenet0.25", pretrained=True, root=str(tmp_path), classes=3)
    assert (again(x).asnumpy() == y).all()


def repository(folder, name, raw):
    """A folder with an archive as MXNet's repository has it; its address."""
    file = f"{name}-{model_store.short_hash(name)}"
    (folder / "gluon" / "models").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "gluon" / "models" / f"{file}.zip", "w") as archive:
        archive.writestr(f"{file}.params", raw)
    return folder.as_uri()


def test_pretrained_fetches_what_is_not_there(tmp_path, monkeypatch):
    net = vision.mobilenet0_25()
    net.initialize()
    x = np.ones((1, 3, 32, 32))
    y = net(x).asnumpy()
    net.save_parameters(tmp_path / "made.params")
    raw = (tmp_path / "made.params").read_bytes()
    monkeypatch.setitem(model_store.SHA1, "mobilenet0.25", hashlib.sha1(raw).hexdigest())
    monkeypatch.setenv("MXNET_GLUON_REPO", repository(tmp_path / "web", "mobilenet0.25", raw))
    root = tmp_path / "models"
    again = vision.mobilenet0_25(pretrained=True, root=str(root))
    assert (again(x).asnumpy() == y).all()
    assert [p.name for p in root.iterdir()] == [f"mobilenet0.25-{hashlib.sha1(raw).hexdigest()[:8]}.params"]
    monkeypatch.setenv("MXNET_GLUON_REPO", "file:///nowhere/")  # it is there now
    assert (vision.mobilenet0_25(pretrained=True, root=str(root))(x).asnumpy() == y).all()


def test_a_wrong_file_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MXNET_GLUON_REPO", repository(tmp_path / "web", "vgg11", b"something else"))
    with pytest.raises(FileNotFoundError, match="SHA-1 of 'vgg11-dd221b16.params'"):
        vision.vgg11(pretrained=True, root=str(tmp_path / "models"))
    assert list((tmp_path / "models").iterdir()) == []


def test_short_hash():
    assert model_store.short_hash("resnet18_v1") == "a0666292"
    with pytest.raises(ValueError, match="mobilenetv3_large"):
        model_store.short_hash("mobilenetv3_large")
    assert set(model_store.SHA1) == set(NAMES)


def test_pretrained_without_file_says_which(tmp_path, monkeypatch):
    monkeypatch.setenv("MXNET_GLUON_REPO", "file:///nowhere/")
    with pytest.raises(FileNotFoundError, match="mobilenetv3_small.*gives away none"):
        vision.mobilenet_v3_small(pretrained=True, root=str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"resnet18_v2.*'resnet18_v2\.params'.*among 0 files.*fetched"):
        vision.resnet18_v2(pretrained=True, root=str(tmp_path))
    monkeypatch.setenv("MXNET_HOME", str(tmp_path / "home"))
    with pytest.raises(FileNotFoundError, match="vgg11_bn.params.*home.models.*folder does not exist"):
        model_store.get_model_file("vgg11_bn")


def test_purge_removes_parameters_only(tmp_path):
    for file in ("a.params", "b.txt"):
        (tmp_path / file).write_text("")
    model_store.purge(str(tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["b.txt"]


@pytest.mark.parametrize("make, word", [
    (lambda: vision.get_resnet(3, 18), "version=3"), (lambda: vision.get_resnet(1, 19), "num_layers=19"),
    (lambda: vision.get_vgg(12), "num_layers=12"), (lambda: vision.get_densenet(1), "num_layers=1"),
    (lambda: vision.SqueezeNet("2.0"), "'2.0'"),
    (lambda: vision.get_mobilenet_v3("tiny"), "'tiny'"), (lambda: vision.VGG([1], [2, 3]), "same length"),
    (lambda: vision.ResNetV1(vision.BasicBlockV1, [1], [2]), "one more"),
])  # fmt: skip
def test_what_does_not_exist_is_refused(make, word):
    with pytest.raises(ValueError, match=word):
        make()


def test_features_of_one_net_serve_another():
    trained, net = (vision.MobileNet(0.25, classes=n) for n in (4, 2))
    trained.initialize()
    trained(np.ones((1, 3, 32, 32)))
    net.features = trained.features
    net.output.initialize()
    assert net(np.ones((1, 3, 32, 32))).shape == (1, 2)
