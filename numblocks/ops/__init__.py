"""Every operation, once. Floor 4: an op knows arrays, the registry and the kernels, and nothing above.

| module | ops |
|---|---|
| `kinds` | the decorators that make ops: elementwise, reduction, movement, primitive, composite |
| `elementwise` `reduce` `move` `matmul` `scan` | arithmetic, sums, shapes, products, running sums |
| `index` `advanced` | reading and writing by index |
| `normalize` | layer normalization |
| `conv` `pool` | windows |
| `random` | counter-based random numbers |
"""
