"""Pictures: read, resized, cropped, changed at random, and in batches, with or without boxes of objects.

Pictures are `(height, width, channels)`, red first. Functions give back the class of array that they are given; what is
read from files is an `np` array. Reading needs Pillow (`pip install 'numblocks[image]'`), everything else does not.
Random numbers come from `numblocks.random.seed`'s stream: every call takes the next generator of it, an iterator takes
one at each `reset` and draws all of a round from it.

| module | what |
|---|---|
| `read` | imread, imdecode |
| `resize`, `crop`, `rotate`, `normalize` | functions of one picture |
| `augmenter`, `shapes`, `jitter`, `create` | objects that change a picture, and the usual chain of them |
| `sources`, `iterator`, `records` | `ImageIter` over record files, list files and lists; MXNet's `ImageRecordIter` |
| `boxes`, `detection`, `create_detection`, `detection_iterator` | the same for object detection |
| `pixels` | arrays and pixels; where draws come from |
"""

from __future__ import annotations

from .augmenter import Augmenter as Augmenter
from .augmenter import RandomOrderAug as RandomOrderAug
from .augmenter import SequentialAug as SequentialAug
from .create import CreateAugmenter as CreateAugmenter
from .create_detection import CreateDetAugmenter as CreateDetAugmenter
from .create_detection import CreateMultiRandCropAugmenter as CreateMultiRandCropAugmenter
from .crop import center_crop as center_crop
from .crop import copyMakeBorder as copyMakeBorder
from .crop import fixed_crop as fixed_crop
from .crop import random_crop as random_crop
from .crop import random_size_crop as random_size_crop
from .detection import DetAugmenter as DetAugmenter
from .detection import DetBorrowAug as DetBorrowAug
from .detection import DetHorizontalFlipAug as DetHorizontalFlipAug
from .detection import DetRandomCropAug as DetRandomCropAug
from .detection import DetRandomPadAug as DetRandomPadAug
from .detection import DetRandomSelectAug as DetRandomSelectAug
from .detection_iterator import ImageDetIter as ImageDetIter
from .iterator import ImageIter as ImageIter
from .jitter import BrightnessJitterAug as BrightnessJitterAug
from .jitter import CastAug as CastAug
from .jitter import ColorJitterAug as ColorJitterAug
from .jitter import ColorNormalizeAug as ColorNormalizeAug
from .jitter import ContrastJitterAug as ContrastJitterAug
from .jitter import HueJitterAug as HueJitterAug
from .jitter import LightingAug as LightingAug
from .jitter import RandomGrayAug as RandomGrayAug
from .jitter import SaturationJitterAug as SaturationJitterAug
from .normalize import color_normalize as color_normalize
from .read import imdecode as imdecode
from .read import imread as imread
from .resize import imresize as imresize
from .resize import resize_short as resize_short
from .resize import scale_down as scale_down
from .rotate import imrotate as imrotate
from .rotate import random_rotate as random_rotate
from .shapes import CenterCropAug as CenterCropAug
from .shapes import ForceResizeAug as ForceResizeAug
from .shapes import HorizontalFlipAug as HorizontalFlipAug
from .shapes import RandomCropAug as RandomCropAug
from .shapes import RandomSizedCropAug as RandomSizedCropAug
from .shapes import ResizeAug as ResizeAug
