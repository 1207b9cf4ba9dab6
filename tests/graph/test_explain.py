"""net.explain: what it says is what happens."""

import numpy
import pytest

from numblocks import autograd, cache_info, gluon, np
from numblocks.gluon import HybridBlock, nn
from numblocks.graph import describe


def mlp():
    net = nn.HybridSequential(nn.Dense(8, activation="relu"), nn.Dense(3))
    net.initialize()
    return net


def test_forward_of_an_mlp():
    net, x = mlp(), np.ones((4, 5))
    found = net.explain(x)
    assert found.backward is None and found.residual_bytes == 0 and not found.residuals
    forward = found.forward
    assert [s.kind for s in forward.steps] == ["BLAS", "kernel", "BLAS", "kernel"]
    assert (forward.launches, forward.blas, forward.python, forward.calls) == (2, 2, 0, 1)
    assert forward.steps[1].ops == ("add", "relu") and forward.steps[1].file.endswith(".py")
    assert "def " + forward.steps[1].name in open(forward.steps[1].file).read()
    expected = 4 * (4 * 5 + 5 * 8 + 4 * 8)
    assert forward.steps[0].nbytes == expected and found.arena_bytes >= 4 * 4 * 8
    words = str(found)
    assert f"# test_explain.py:19 {net[0].name}\n" in words and f"# test_explain.py:19 {net[1].name}\n" in words
    for part in ("0.weight float32[5, 8]", "1.bias", "2 kernels, 2 BLAS calls", "arena", "test_explain.py:"):
        assert part in words, words


def test_explaining_runs_nothing_and_is_the_compilation():
    net, x = mlp(), np.ones((4, 5))
    net(x)
    net.hybridize()
    before = cache_info().launches
    found = net.explain(x, train=True)
    assert cache_info().launches == before and not autograd.is_recording()
    entries = net._traced.compiled.entries
    assert len(entries) == 1
    with autograd.record():
        y = net(x)
    forward = cache_info().launches - before
    y.backward()
    assert forward == found.forward.launches and len(entries) == 1
    assert cache_info().launches - before - forward == found.backward.launches
    assert found.residual_bytes == sum(n for _, n in found.residuals) > 0
    assert numpy.abs(net[0].weight.grad().asnumpy()).sum() > 0


def test_python_steps_and_users_lines():
    class Mixed(HybridBlock):
        def forward(self, x):
            y = np.cumsum(x * 2, axis=1)
            return y + 1

    found = Mixed().explain(np.ones((3, 4)))
    kinds = [s.kind for s in found.forward.steps]
    assert kinds == ["kernel", "python", "kernel"] and found.forward.python == 1 and found.forward.calls == 3
    line = Mixed.forward.__code__.co_firstlineno + 1
    assert f"# test_explain.py:{line}" in found.forward.steps[0].statements[2]
    assert f"# test_explain.py:{line}" in found.forward.steps[1].operands
    assert any(f"# test_explain.py:{line + 1}" in s for s in found.forward.steps[2].statements)


def test_gradients_name_the_line_they_belong_to():
    class Two(HybridBlock):
        def forward(self, x):
            y = np.tanh(x)
            return y.T * np.exp(x).T

    x = np.ones((3, 4))
    x.attach_grad()
    backward = Two().explain(x, train=True).backward
    line = Two.forward.__code__.co_firstlineno
    said = "\n".join(text for s in backward.steps for text in s.statements)
    assert f"test_explain.py:{line + 1}" in said and f"test_explain.py:{line + 2}" in said


def test_a_compiled_step_explains_itself():
    net, x, label = mlp(), np.ones((4, 5)), np.zeros((4,))
    trainer = gluon.Trainer(net.collect_params(), "sgd")
    step = gluon.compile_step(net, gluon.loss.SoftmaxCrossEntropyLoss(), trainer)
    found = step.explain(x, label)
    assert found.forward.calls == found.backward.calls == 1 and found.backward.blas == 3
    step(x, label)
    assert len(step.objective._traced.compiled.entries) == 1


def test_not_inside_a_trace():
    class Curious(HybridBlock):
        def forward(self, x):
            self.explain(x)
            return x

    net = Curious()
    net.hybridize()
    with pytest.raises(RuntimeError, match="explain: called while a net is traced"):
        net(np.ones(2))


def test_bytes_of_a_window_count_each_element_once():
    from numblocks.graph.graph import Node
    from numblocks.graph.lower import View

    root = Node(None, (), {}, (4, 5), numpy.dtype("float32"), 1)
    assert describe.bytes_of(View(root, 0, (4, 5), (5, 1))) == 80
    assert describe.bytes_of(View(root, 0, (9, 5), (0, 1))) == 20
    assert describe.bytes_of(View(root, 0, (0, 5), (5, 1))) == 0
