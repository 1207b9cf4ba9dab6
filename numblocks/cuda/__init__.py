"""Arrays on GPUs: what stands behind `gpu(i)`. Imported by `numblocks.device` with the first question about a GPU.

    buffer      the memory of an array on a GPU: shape, strides and views without values
    evaluate    ops on such arrays: elementwise, reductions, products, movements, random numbers, what is made of them
    matrices    products of matrices
    windows     convolution and pooling, made of views, copies and products

The kernels, the driver and the simulated GPU are `numblocks.kernels.cuda`.
"""

from ..kernels.cuda import products as products
from ..kernels.cuda.devices import count as count
from ..kernels.cuda.devices import get as get
from ..kernels.cuda.launch import bits as bits
from ..kernels.cuda.launch import prepare as prepare
from .buffer import Buffer as Buffer
from .buffer import empty as empty
from .buffer import upload as upload
from .evaluate import draw as draw
from .evaluate import evaluate as evaluate
from .evaluate import run_threads as run_threads
from .matrices import matmul as matmul
