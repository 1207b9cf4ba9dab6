"""Twenty lines that fail first when anything is broken: array, tape, block, hybridize, trainer, file."""

import numpy

from numblocks import autograd, gluon, np
from numblocks.gluon import nn


def test_a_net_learns_a_line_eager_and_hybridized(tmp_path):
    x = np.array(numpy.linspace(-1, 1, 64, dtype="float32")[:, None])
    for hybridize in (False, True):
        net = nn.HybridSequential(nn.Dense(8, activation="tanh"), nn.Dense(1))
        net.initialize()
        if hybridize:
            net.hybridize()
        trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.05})
        for _ in range(80):
            with autograd.record():
                loss = gluon.loss.L2Loss()(net(x), 2 * x - 1)
            loss.backward()
            trainer.step(64)
        assert loss.mean().item() < 0.01
        net.save_parameters(str(tmp_path / "net.params"))
        net.load_parameters(str(tmp_path / "net.params"))
        assert numpy.allclose(net(x).asnumpy(), (2 * x - 1).asnumpy(), atol=0.3)
