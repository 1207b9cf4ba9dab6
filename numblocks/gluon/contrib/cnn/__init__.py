"""Convolutions of `gluon.contrib.cnn`, whose windows bend.

| name | what |
|---|---|
| DeformableConvolution | each element of a window is read where a learned offset says |
| ModulatedDeformableConvolution | and weighted by a learned factor |
"""

from .deformable import DeformableConvolution, ModulatedDeformableConvolution

__all__ = ["DeformableConvolution", "ModulatedDeformableConvolution"]
