"""Trainer: steps, schedules, several devices, saved states, and each error with nothing half-updated."""

import numpy
import pytest

from numblocks import autograd, lr_scheduler, np, optimizer
from numblocks.device import cpu
from numblocks.errors import DeferredInitializationError, MXNetError
from numblocks.gluon import Trainer, nn


def dense(**kwargs):
    net = nn.Dense(1, in_units=2, use_bias=False, weight_initializer="ones", **kwargs)
    net.initialize()
    return net


def backward(net, rows=2):
    with autograd.record():
        loss = (net(np.array([[0.5, 1.0]] * rows))).sum()
    loss.backward()


def test_step_divides_by_the_batch():
    net = dense()
    trainer = Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    for expected in ([0.95, 0.9], [0.9, 0.8]):
        backward(net)
        trainer.step(2)
        numpy.testing.assert_allclose(net.weight.data().asnumpy()[0], expected, rtol=1e-6)


def test_dict_list_and_single_parameters():
    net = dense()
    for params in (net.collect_params(), dict(net.collect_params().items()), [net.weight]):
        backward(net)
        Trainer(params, "adam").step(1)
    with pytest.raises(ValueError, match="must be a list or dict of Parameters"):
        Trainer(5, "sgd")
    with pytest.raises(ValueError, match="list or dict of Parameters"):
        Trainer([5], "sgd")


def test_multipliers_of_parameters():
    net = dense()
    net.weight.lr_mult = 0.5
    trainer = Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    backward(net)
    trainer.step(2)
    numpy.testing.assert_allclose(net.weight.data().asnumpy()[0], [0.975, 0.95], rtol=1e-6)


def test_learning_rate():
    net = dense()
    trainer = Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    trainer.set_learning_rate(0.2)
    assert trainer.learning_rate == 0.2 == trainer.optimizer.learning_rate
    scheduled = Trainer(
        net.collect_params(), "sgd", {"lr_scheduler": lr_scheduler.FactorScheduler(1, 0.5, base_lr=1.0)}
    )
    with pytest.raises(UserWarning, match="schedule"):
        scheduled.set_learning_rate(0.1)
    for rate in (1.0, 0.5):
        backward(net)
        scheduled.step(2)
        assert scheduled.learning_rate == rate


def test_stale_gradients_are_an_error_before_anything_changes():
    a, b = dense(), dense()
    trainer = Trainer([a.weight, b.weight], "sgd", {"learning_rate": 0.1})
    backward(a)
    with pytest.raises(UserWarning, match=f"{b.weight.name}.*ignore_stale_grad=True"):
        trainer.step(1)
    assert (a.weight.data() == 1).all()
    trainer.step(2, ignore_stale_grad=True)
    assert (a.weight.data() != 1).all() and (b.weight.data() == 1).all()
    with pytest.raises(UserWarning):
        trainer.step(1)  # the gradient of a was used up


def test_null_gradients_are_left_alone():
    net = nn.Dense(1, in_units=2)
    net.initialize()
    net.bias.grad_req = "null"
    backward(net)
    before = net.bias.data().asnumpy()
    Trainer(net.collect_params(), "sgd").step(1)
    assert (net.bias.data().asnumpy() == before).all()


def test_two_devices_sum_their_gradients():
    both = [cpu(0), cpu(1)]
    net = nn.Dense(1, in_units=2, use_bias=False, weight_initializer="ones")
    net.initialize(ctx=both)
    trainer = Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9})
    for expected in ([0.95, 0.9], [0.855, 0.71]):
        with autograd.record():
            losses = [net(np.array([[0.5, 1.0]], ctx=d)).sum() for d in both]
        for loss in losses:
            loss.backward()
        trainer.step(2)
        for d in both:
            numpy.testing.assert_allclose(net.weight.data(d).asnumpy()[0], expected, rtol=1e-6)


def test_gradients_can_be_changed_between_reduce_and_update():
    net = dense()
    trainer = Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    backward(net)
    trainer.allreduce_grads()
    net.weight.grad()[:] = 1.0
    trainer.update(1)
    numpy.testing.assert_allclose(net.weight.data().asnumpy()[0], [0.9, 0.9], rtol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop"])
def test_states_go_on_where_they_stopped(tmp_path, name):
    hyper = {"learning_rate": 0.1, "momentum": 0.9} if name == "sgd" else {"learning_rate": 0.1}
    whole, parts = dense(), dense()
    trainer = Trainer(whole.collect_params(), name, hyper)
    for _ in range(4):
        backward(whole)
        trainer.step(2)
    first = Trainer(parts.collect_params(), name, hyper)
    for _ in range(2):
        backward(parts)
        first.step(2)
    first.save_states(tmp_path / "states")
    second = Trainer(parts.collect_params(), name, dict(hyper, learning_rate=9.0))
    second.load_states(tmp_path / "states")
    assert second.learning_rate == pytest.approx(0.1)
    for _ in range(2):
        backward(parts)
        second.step(2)
    numpy.testing.assert_array_equal(whole.weight.data().asnumpy(), parts.weight.data().asnumpy())


def test_states_fit_the_same_net_whatever_its_names_count_to(tmp_path):
    def trained():
        net = nn.HybridSequential(*[nn.Dense(units, in_units=2) for units in (2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3)])
        net.initialize()
        trainer = Trainer(net.collect_params(), "sgd", {"momentum": 0.5})
        backward(net)
        trainer.step(1)
        return trainer

    trained().save_states(tmp_path / "states")  # dense0 ... dense11, sorted: dense1, dense10, dense11, dense2
    trained().load_states(tmp_path / "states")  # dense12 ... dense23


def test_states_that_do_not_fit(tmp_path):
    net = dense()
    trainer = Trainer(net.collect_params(), "adam")
    backward(net)
    trainer.step(1)
    path = tmp_path / "states"
    trainer.save_states(path)
    with pytest.raises(MXNetError, match="states of Adam, the optimizer is SGD"):
        Trainer(net.collect_params(), "sgd").load_states(path)
    other = nn.Dense(3, in_units=2, use_bias=False)
    other.initialize()
    with pytest.raises(MXNetError, match="shapes"):
        Trainer(other.collect_params(), "adam").load_states(path)
    with pytest.raises(ValueError, match="cannot be opened"):
        trainer.load_states(tmp_path / "nope")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    before = trainer._updater.pack()
    with pytest.raises(MXNetError):
        trainer.load_states(path)
    after = trainer._updater.pack()
    assert before.keys() == after.keys() and all((before[k] == after[k]).all() for k in before)


def test_errors_of_construction():
    net = nn.Dense(1)
    with pytest.raises(RuntimeError, match="weight.*has not been initialized"):
        Trainer(net.collect_params(), "sgd")
    net.initialize()
    trainer = Trainer(net.collect_params(), "sgd")
    with pytest.raises(DeferredInitializationError):
        trainer.step(1)
    with pytest.raises(ValueError, match="cannot find optimizer 'foo'"):
        Trainer(net.collect_params(), "foo")
    with pytest.raises(TypeError, match="'lr'"):
        Trainer(net.collect_params(), "sgd", {"lr": 0.1})
    with pytest.raises(AssertionError, match="must be None if optimizer is an instance"):
        Trainer(net.collect_params(), optimizer.SGD(), {"learning_rate": 0.1})


def test_other_optimizers_may_be_handed_in():
    net = dense()
    made = optimizer.SGD(learning_rate=0.1, rescale_grad=2.0)
    trainer = Trainer(net.collect_params(), made)
    assert trainer.optimizer is made
    backward(net)
    trainer.step(4)
    numpy.testing.assert_allclose(net.weight.data().asnumpy()[0], [0.95, 0.9], rtol=1e-6)
