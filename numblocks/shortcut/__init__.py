"""Short ways through ops: what `bind` does, decided in advance for concrete arrays.

| module | for |
|---|---|
| `concrete` | what all of them ask first, and the switch that turns them off |
| `small` | one NumPy loop over a few elements |
| `launched` | elementwise ops with a generated loop, of any size |
| `arrays` | one function of whole arrays: rows picked, sorted, joined, inverted |
| `replayed` | ops whose launches depend on shapes and keywords alone: convolution, pooling, softmax |

Each is a function `call(*arrays, ...)` that an op's record keeps as `direct`; what it does not take goes the long way.
"""
