"""Image datasets and transforms.

| module | what |
|---|---|
| `datasets` | the names of all datasets; `Digits`, inside the package |
| `stored` | datasets that lie whole in memory, and how their files are fetched |
| `mnist`, `cifar`, `folder`, `records` | MNIST and FashionMNIST, CIFAR10 and CIFAR100, folders of pictures, record
files |
| `transforms` | from stored images to what a net takes |
"""

from . import datasets as datasets
from . import transforms as transforms
from .datasets import CIFAR10 as CIFAR10
from .datasets import CIFAR100 as CIFAR100
from .datasets import MNIST as MNIST
from .datasets import Digits as Digits
from .datasets import FashionMNIST as FashionMNIST
from .datasets import ImageFolderDataset as ImageFolderDataset
from .datasets import ImageRecordDataset as ImageRecordDataset
