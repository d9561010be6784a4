import numpy as np
import pytest
from pydicom.pixels.processing import convert_color_space

from tagsight.looks.frames.colours import photometric_of, rgb_of


def test_colours_are_converted_as_by_pydicom():
    every = np.stack(np.meshgrid(*[np.arange(0, 256, 5)] * 3), -1).reshape(52, -1, 3)
    ybr = every.astype(np.uint8)
    expected = convert_color_space(ybr, "YBR_FULL", "RGB").astype(int)
    assert np.abs(rgb_of(ybr) - expected).max() <= 1


@pytest.mark.parametrize(
    ("said", "own", "lossy", "expected"),
    [
        ("RGB", None, False, ("RGB", True)),
        ("YBR_FULL_422", None, True, ("YBR_FULL_422", True)),
        ("RGB", "YBR_FULL", True, ("YBR_FULL", False)),
        ("YBR_FULL", "RGB", True, ("RGB", False)),
        ("YBR_RCT", "RGB", False, ("RGB", True)),
        ("YBR_RCT", None, False, ("RGB", False)),
        ("YBR_ICT", None, True, ("YBR_FULL", False)),
        ("MONOCHROME2", None, False, ("RGB", False)),
        ("", None, True, ("YBR_FULL", False)),
    ],
)
def test_a_frame_knows_its_colours_better_than_the_header(said, own, lossy, expected):
    assert photometric_of(said, 3, own, lossy_jpeg=lossy) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("MONOCHROME1", ("MONOCHROME1", True)),
        ("PALETTE COLOR", ("PALETTE COLOR", True)),
        ("RGB", ("MONOCHROME2", False)),
        ("", ("MONOCHROME2", True)),
    ],
)
def test_one_sample_is_grey(said, expected):
    assert photometric_of(said, 1, None) == expected
