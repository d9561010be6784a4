import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.pixels import pixel_array
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from tagsight.demo.storage import _compress


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("kind", ["u1", "u2", "i2"])
@pytest.mark.parametrize("shape", [(33, 20), (3, 33, 20), (33, 20, 3)])
def test_compressed_pixels_are_what_pydicom_reads(syntax, kind, shape):
    colours = shape[-1] == 3
    if colours and kind == "i2":
        pytest.skip("colours have no sign")
    rng = np.random.default_rng(len(shape))
    pixels = np.cumsum(rng.integers(-3, 4, shape), axis=1).astype(kind)
    pixels[..., 5:9] = 7
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.Rows, ds.Columns = 33, 20
    ds.SamplesPerPixel = 3 if colours else 1
    ds.PhotometricInterpretation = "RGB" if colours else "MONOCHROME2"
    ds.PlanarConfiguration = 0
    ds.NumberOfFrames = shape[0] if len(shape) == 3 and not colours else 1
    ds.BitsAllocated = ds.BitsStored = 8 * pixels.dtype.itemsize
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(kind == "i2")
    _compress(ds, pixels, syntax)
    np.testing.assert_array_equal(pixel_array(ds), pixels)
