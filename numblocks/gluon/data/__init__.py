"""From stored examples to batches.

| module | what |
|---|---|
| `dataset` | examples by number: `ArrayDataset`, and `transform`, `filter`, `shard`, `take`, `sample` of any
dataset |
| `sampler` | the order of the numbers, one at a time or in batches |
| `batchify` | a list of examples as one batch |
| `records` | examples in record files |
| `dataloader` | all three together, prefetched by threads or processes |
| `processes` | worker processes and shared memory |
| `vision` | image datasets and transforms |
"""

from . import batchify as batchify
from . import vision as vision
from .dataloader import DataLoader as DataLoader
from .dataset import ArrayDataset as ArrayDataset
from .dataset import Dataset as Dataset
from .dataset import SimpleDataset as SimpleDataset
from .records import RecordFileDataset as RecordFileDataset
from .sampler import BatchSampler as BatchSampler
from .sampler import FilterSampler as FilterSampler
from .sampler import RandomSampler as RandomSampler
from .sampler import Sampler as Sampler
from .sampler import SequentialSampler as SequentialSampler
