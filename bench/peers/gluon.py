"""The Gluon loop, the same code for numblocks and MXNet: record, backward, step."""

from __future__ import annotations

from bench import work
from bench.peers import Session, sample


def net_of(g, file, case, array):
    """The net of `case` with the weights every peer gets."""
    net = file.gluon(g, case)
    net.initialize()
    shapes = file.shapes(case)
    learning = [p for p in net.collect_params().values() if p.grad_req != "null"]
    if len(learning) != len(shapes):
        raise AssertionError(f"{case.name}: {len(learning)} parameters, {len(shapes)} weights")
    for param, value in zip(learning, work.draw(shapes), strict=True):
        param.set_data(array(value))
    return net


def loss_of(g, case):
    """The loss block of `case`."""
    return g.gluon.loss.L2Loss() if case.loss == "l2" else g.gluon.loss.SoftmaxCrossEntropyLoss()


def trainer_of(g, net, case):
    """The Trainer of `case`."""
    return g.gluon.Trainer(net.collect_params(), case.optimizer, {"learning_rate": case.rate}, kvstore=None)


def train(g, file, case, array, wait, flags) -> Session:
    """Three lines a step; hybridized with `flags`, eager if `flags` is None."""
    net, loss_fn = net_of(g, file, case, array), loss_of(g, case)
    if flags is not None:
        net.hybridize(**flags)
        loss_fn.hybridize(**flags)
    trainer = trainer_of(g, net, case)
    x, y = (array(value) for value in file.data(case))
    record, size = g.autograd.record, x.shape[0]

    def step():
        with record():
            loss = loss_fn(net(x), y)
        loss.backward()
        trainer.step(size)
        return loss

    def run(n):
        for _ in range(n):
            step()
        wait()

    return Session(run, lambda: [float(step().asnumpy().mean()) for _ in range(3)])


def compiled_step(g, file, case, array) -> Session:
    """The whole step as one call, where the library offers it."""
    if not hasattr(g.gluon, "compile_step"):
        raise work.Missing("gluon.compile_step is not there yet")
    net, loss_fn = net_of(g, file, case, array), loss_of(g, case)
    net.hybridize()
    loss_fn.hybridize()
    x, y = (array(value) for value in file.data(case))
    step = g.gluon.compile_step(net, loss_fn, trainer_of(g, net, case))

    def run(n):
        for _ in range(n):
            step(x, y)

    return Session(run, lambda: [float(step(x, y).asnumpy().mean()) for _ in range(3)])


def forward(g, file, case, array, wait, flags) -> Session:
    """The net alone, not recorded."""
    net = net_of(g, file, case, array)
    if flags is not None:
        net.hybridize(**flags)
    (x,) = (array(value) for value in file.data(case))

    def run(n):
        for _ in range(n):
            net(x)
        wait()

    return Session(run, lambda: sample(net(x).asnumpy()))


def op(g, file, case, array, wait, calls) -> Session:
    """One op; recorded: its operands want gradients and all calls lie in one record scope."""
    a, b = (array(value) for value in file.data(case))
    call, recorded = calls[case.sizes["op"]], case.sizes["recorded"]
    if recorded:
        a.attach_grad()
        b.attach_grad()

    def loop(n):
        for _ in range(n):
            call(a, b)
        wait()

    def run(n):
        if not recorded:
            return loop(n)
        with g.autograd.record():
            loop(n)

    return Session(run, lambda: sample(call(a, b).asnumpy()))
