"""Timings of numblocks beside PyTorch, JAX and MXNet, on the same work in the same run.

| file | what |
|---|---|
| run.py | `python bench/run.py [--only mlp,chain] [--peers torch,jax,mxnet] [--repeat N] [--json out]` |
| table.py | the README's performance table, from the JSON that run.py wrote |
| hotspots.py | where the time of one of our steps goes, by function |
| worker.py | one peer in its own interpreter, told by run.py what to do |
| work.py | what a workload says about itself |
| workloads/ | one file per question: the same net in every library |
| peers/ | how each library runs a training step, a forward pass, an op |
| results/ | stored baselines |
"""
