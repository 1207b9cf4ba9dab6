"""`mx.runtime`: what this library can do, under the names of MXNet's build options."""

from __future__ import annotations

from typing import NamedTuple

from .device import num_gpus

_NAMES = (
    "CUDA CUDNN NCCL CUDA_RTC TENSORRT CPU_SSE CPU_SSE2 CPU_SSE3 CPU_SSE4_1 CPU_SSE4_2 CPU_SSE4A CPU_AVX CPU_AVX2"
    " OPENMP SSE F16C JEMALLOC BLAS_OPEN BLAS_ATLAS BLAS_MKL BLAS_APPLE LAPACK MKLDNN OPENCV CAFFE PROFILER"
    " DIST_KVSTORE CXX14 INT64_TENSOR_SIZE SIGNAL_HANDLER DEBUG TVM_OP"
).split()
_HERE = {"BLAS_OPEN", "LAPACK", "PROFILER", "INT64_TENSOR_SIZE"}  # NumPy's BLAS; sizes are 64 bits wide


class Feature(NamedTuple):
    """A build option and whether it is there."""

    name: str
    enabled: bool

    def __repr__(self) -> str:
        return f"{'✔' if self.enabled else '✖'} {self.name}"


def feature_list() -> list[Feature]:
    """All of them; CUDA is there where a GPU is."""
    return [Feature(name, name in _HERE or (name == "CUDA" and num_gpus() > 0)) for name in _NAMES]


class Features(dict):
    """The features by name.

    >>> Features().is_enabled("LAPACK")
    True
    """

    def __init__(self):
        super().__init__((feature.name, feature) for feature in feature_list())

    def __repr__(self) -> str:
        return str(list(self.values()))

    def is_enabled(self, feature_name: str) -> bool:
        """Whether a feature is there; RuntimeError for a name that MXNet does not know, either."""
        found = self.get(feature_name.upper())
        if found is None:
            raise RuntimeError(
                f"Features: Feature '{feature_name}' is unknown, known features are: {', '.join(self)}. Use one of"
                " them."
            )
        return found.enabled
