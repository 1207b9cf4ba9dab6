"""Graphs: traced, simplified, fused, lowered, planned, run.

| module | stage |
|---|---|
| `graph` | Node and Graph: the data |
| `trace` | an ordinary function becomes a graph |
| `rules` | laws applied as nodes are made |
| `fuse` | which nodes share a loop |
| `lower` | a group becomes a Program |
| `memory`, `plan` | where buffers lie, what runs in which order |
| `compiled` | the callable: signatures, the tape, replay |
"""
