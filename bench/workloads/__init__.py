"""One file per question. Each holds its cases, the weights and data, and the net in Gluon, PyTorch and JAX.

| function | gives |
|---|---|
| `cases()` | the rows |
| `shapes(case)` | shapes of the weights, in the order in which all libraries list them |
| `data(case)` | `(x, y)` for training, `(x,)` for a forward pass, as NumPy arrays |
| `gluon(g, case)` | the net; `g` is the module `numblocks` or `mxnet`: the same code for both |
| `torch(case)` | the net as a torch Module |
| `jax(case)` | `forward(weights, x, training)` |
"""

FILES = ("op_overhead", "chain", "mlp", "lenet", "resnet", "lstm", "encoder", "infer", "start")
