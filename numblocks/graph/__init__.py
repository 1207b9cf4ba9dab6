"""Graphs: traced, simplified, fused, lowered, planned, run.

| module | stage |
|---|---|
| `graph` | Node and Graph: the data |
| `trace`, `traced` | an ordinary function becomes a graph, and a backward one |
| `rules` | laws applied as nodes are made |
| `fuse` | which nodes share a loop |
| `lower` | a group becomes a Program |
| `schedule`, `memory`, `plan` | what runs in which order, where buffers lie |
| `bind`, `instance` | a plan over memory of its own, as callable steps |
| `body`, `loop`, `branch`, `looping` | loops and branches as nodes |
| `compiled`, `on_gpu` | the callable: signatures, the tape, replay |
| `explain`, `describe` | what a plan consists of, in words and numbers |
| `observe`, `reasons` | who looks on while plans run; why something is traced again |
| `export`, `recording` | a plan as data for a loader without numblocks |
"""
