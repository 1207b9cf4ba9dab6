"""Pictures on a (simulated) GPU: what is computed on the host goes back to where it came from."""

import numpy
import pytest

from numblocks import gpu, image, io, np
from numblocks.gluon.data.vision import transforms

PICTURE = numpy.random.default_rng(0).integers(0, 256, (7, 9, 3)).astype("float32")


pytestmark = pytest.mark.usefixtures("simulated_gpus")


@pytest.mark.parametrize("change", [
    lambda x: image.imresize(x, 5, 4), lambda x: image.center_crop(x, (4, 3))[0], image.ContrastJitterAug(0),
    lambda x: image.color_normalize(x, [1, 2, 3]), transforms.Resize(5),
])  # fmt: skip
def test_the_device_is_kept(change):
    there, here = change(np.array(PICTURE, ctx=gpu(0))), change(np.array(PICTURE))
    assert there.ctx == gpu(0)
    numpy.testing.assert_allclose(there.asnumpy(), here.asnumpy(), atol=1e-4)


def test_batches_lie_where_the_arrays_lie():
    batch = next(io.NDArrayIter(np.array(PICTURE, ctx=gpu(0)), batch_size=2))
    assert batch.data[0].ctx == gpu(0) and (batch.data[0].asnumpy() == PICTURE[:2]).all()
