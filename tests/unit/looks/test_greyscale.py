"""From stored values to grey levels, at 128 x 128, so that `render` resizes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tagsight.looks.rendering import render

RAMP = np.arange(128 * 128, dtype=np.uint16).reshape(128, 128)
NATIVE = [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]
LOSSLESS = [RLELossless, JPEGLSLossless, JPEG2000Lossless]


def dataset_of(array, **changes):
    """A header without a window around the pixels; changes of its keywords."""
    dataset = dcmread(get_testdata_file("MR_small.dcm", download=False))
    for keyword in ("WindowCenter", "WindowWidth", "PixelPaddingValue"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.Rows, dataset.Columns = array.shape[:2]
    dataset.PixelSpacing = [1, 1]
    dataset.BitsAllocated = dataset.BitsStored = array.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
        if keyword.startswith("PixelPadding"):
            dataset[keyword].VR = "SS" if value < 0 else "US"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData = array.tobytes()
    dataset["PixelData"].VR = "OB" if array.dtype.itemsize == 1 else "OW"
    return dataset


def picture(path, array, **changes):
    dataset_of(array, **changes).save_as(path)
    return render(str(path)).astype(int)


def by_range(array, low, high):
    return np.rint(
        np.clip((array.astype(float) - float(low)) / (float(high) - float(low)), 0, 1) * 255
    )


def in_syntax(path, array, syntax, **changes):
    """The same pixels, written in a transfer syntax."""
    dataset = dataset_of(array, **changes)
    if syntax in LOSSLESS:
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path)
        return render(str(path))
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = array.astype(array.dtype.newbyteorder(">")).tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    little, implicit = syntax.is_little_endian, syntax.is_implicit_VR
    dcmwrite(path, dataset, implicit_vr=implicit, little_endian=little)
    return render(str(path))


@settings(max_examples=12)
@given(st.data())
def test_the_transfer_syntax_makes_no_difference(tmp_path_factory, data):
    kind = data.draw(st.sampled_from(["u1", "u2", "i2"]))
    stored = 8 if kind == "u1" else data.draw(st.integers(9, 16))
    shape = data.draw(st.tuples(st.integers(33, 90), st.integers(33, 90)))
    low = -(2 ** (stored - 1)) if kind == "i2" else 0
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    array = rng.integers(low, low + 2**stored, shape).astype(kind)
    changes = {"BitsStored": stored, "HighBit": stored - 1}
    changes["PhotometricInterpretation"] = data.draw(
        st.sampled_from(["MONOCHROME1", "MONOCHROME2"])
    )
    if data.draw(st.booleans()):
        changes |= {"WindowCenter": low + 2 ** (stored - 1), "WindowWidth": 2 ** (stored - 2)}
    folder = tmp_path_factory.mktemp("syntaxes")
    plain = in_syntax(folder / "plain", array, ExplicitVRLittleEndian, **changes)
    for syntax in NATIVE + LOSSLESS:
        np.testing.assert_array_equal(in_syntax(folder / "f", array, syntax, **changes), plain)


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_whole_numbers_of_any_size(tmp_path, kind):
    limits = np.iinfo(kind)
    array = np.linspace(limits.min / 2, limits.max / 2, RAMP.size).astype(kind).reshape(RAMP.shape)
    expected = by_range(array, array.min(), array.max())
    assert np.abs(picture(tmp_path / "f", array) - expected).max() <= 1


@pytest.mark.parametrize("keyword", ["FloatPixelData", "DoubleFloatPixelData"])
def test_floats_with_what_is_no_number(tmp_path, keyword):
    array = (RAMP / 1e6 - 0.001).astype("f4" if keyword == "FloatPixelData" else "f8")
    expected = by_range(array, array.min(), array.max())
    array[0, :3] = np.nan, np.inf, -np.inf
    dataset = dataset_of(RAMP)
    del dataset.PixelData
    dataset.BitsAllocated = 8 * array.dtype.itemsize
    setattr(dataset, keyword, array.tobytes())
    dataset.save_as(tmp_path / "f")
    found = render(str(tmp_path / "f"))
    assert np.abs(found[1:] - expected[1:]).max() <= 1
    assert found[0, 1] == 255


def test_padding_does_not_squeeze_the_range(tmp_path):
    array = RAMP.astype(np.int16) % 1000
    padded = array.copy()
    padded[:20] = -2000
    plain = picture(tmp_path / "f", array)
    found = picture(tmp_path / "g", padded, PixelPaddingValue=-2000)
    np.testing.assert_array_equal(found[20:], plain[20:])
    assert not found[:20].any()
    padded[:10] = -1990
    limits = {"PixelPaddingValue": -1990, "PixelPaddingRangeLimit": -2000}
    np.testing.assert_array_equal(picture(tmp_path / "h", padded, **limits), found)


def test_lossy_padding_is_near_its_value(tmp_path):
    array = RAMP.astype(np.int16) % 1000
    plain = picture(tmp_path / "f", array)
    array[:20] = -2000 + np.arange(-4, 5).repeat(20)[:128]
    changes = {"PixelPaddingValue": -2000, "LossyImageCompression": "01"}
    found = picture(tmp_path / "g", array, **changes)
    np.testing.assert_array_equal(found[20:], plain[20:])
    assert not found[:20].any()


def test_padding_that_is_everything_is_none(tmp_path):
    array = RAMP % 2 + 5
    limits = {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 9}
    assert picture(tmp_path / "f", array, **limits).max() == 255


@pytest.mark.parametrize(
    "window",
    [
        (40, 600_000),
        (1e9, 1e3),
        (-1e9, 1e3),
        (8000, -400),
        (8000, 0),
        (8000, 1),
        ("", ""),
        (8000, ""),
    ],
    ids=["wide", "above", "below", "negative", "zero", "one", "empty", "no width"],
)
@pytest.mark.parametrize("function", [None, "SIGMOID", "LINEAR_EXACT"])
def test_a_window_that_shows_nothing_is_not_used(tmp_path, window, function):
    if function and window[1] == 1:
        pytest.skip("a width of 1 is a window there")
    changes = {"WindowCenter": window[0], "WindowWidth": window[1]}
    changes |= {"VOILUTFunction": function} if function else {}
    expected = by_range(RAMP, 0, RAMP.max())
    np.testing.assert_array_equal(picture(tmp_path / "f", RAMP, **changes), expected)


def test_monochrome1_is_the_negative(tmp_path):
    for changes in ({}, {"WindowCenter": 8000, "WindowWidth": 3000}):
        plain = picture(tmp_path / "f", RAMP, **changes)
        turned = picture(tmp_path / "g", RAMP, PhotometricInterpretation="MONOCHROME1", **changes)
        assert np.abs(turned - (255 - plain)).max() <= 1


def lookup(entries, first=0, bits=16):
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new(0x00283006, "US", entries)
    return [item]


@pytest.mark.parametrize(("bits", "said"), [(8, 16), (12, 16), (16, 16), (8, 8), (10, 12)])
def test_a_voi_table_of_bits_that_are_not_as_said(tmp_path, bits, said):
    top = 2**bits - 1
    entries = [top - n * top // 16383 for n in range(16384)]
    found = picture(tmp_path / "f", RAMP, VOILUTSequence=lookup(entries, bits=said))
    assert np.abs(found - (255 - by_range(RAMP, 0, 16383))).max() <= 1


def test_a_table_shows_its_own_range(tmp_path):
    """Not the picture's: what the table maps to grey stays grey."""
    found = picture(tmp_path / "f", RAMP % 1000, VOILUTSequence=lookup(list(range(2048))))
    assert found.max() == round(999 / 2047 * 255)


def test_modality_then_voi_table(tmp_path):
    steps = [n // 64 for n in range(16384)]
    modality = {"ModalityLUTSequence": lookup(steps)}
    voi = {"VOILUTSequence": lookup([255 - n for n in range(256)], bits=8)}
    found = picture(tmp_path / "f", RAMP, **modality, **voi)
    np.testing.assert_array_equal(found, 255 - RAMP // 64)


@pytest.mark.parametrize("slope", [2, 0.5, -1])
def test_windows_are_of_rescaled_values(tmp_path, slope):
    changes = {"RescaleSlope": slope, "RescaleIntercept": -1024}
    centre, width = 8000 * slope - 1024, abs(4000 * slope) + 1
    window = {"WindowCenter": centre + 0.5, "WindowWidth": width}
    found = picture(tmp_path / "f", RAMP, **changes, **window)
    expected = by_range(RAMP, 6000, 10000)
    assert np.abs(found - (expected if slope > 0 else 255 - expected)).max() <= 1


@pytest.mark.parametrize(("stored", "kind"), [(8, "u1"), (12, "u2"), (16, "u2")])
def test_colours_are_as_bright_as_their_bits_allow(tmp_path, stored, kind):
    array = np.zeros((128, 128, 3), kind)
    array[..., 1] = np.linspace(0, 2**stored - 1, 128).astype(kind)
    changes = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "BitsStored": stored}
    changes |= {"PhotometricInterpretation": "RGB", "HighBit": stored - 1}
    found = picture(tmp_path / "f", array, **changes)
    expected = 0.587 * 255 * array[..., 1].astype(float) / (2**stored - 1)
    assert np.abs(found - expected).max() <= 1


def test_a_frame_has_its_own_window(tmp_path):
    """PS3.3 C.7.6.16: values of shared groups and of the frame that is drawn."""

    def group(keyword, **values):
        outer, inner = Dataset(), Dataset()
        for name, value in values.items():
            setattr(inner, name, value)
        setattr(outer, keyword, [inner])
        return outer

    centres = [1000, 8000, 3000]
    frames = [group("FrameVOILUTSequence", WindowCenter=c, WindowWidth=4001) for c in centres]
    shared = group("PixelValueTransformationSequence", RescaleSlope=2, RescaleIntercept=0)
    dataset = dataset_of(RAMP, NumberOfFrames=3)
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = frames
    dataset.PixelData = np.stack([RAMP * 0, RAMP, RAMP * 0]).tobytes()
    dataset.save_as(tmp_path / "f")
    found = render(str(tmp_path / "f"))
    assert np.abs(found - by_range(2 * RAMP.astype(int), 6000, 10000)).max() <= 1


def test_overlays_are_not_drawn(tmp_path):
    plain = picture(tmp_path / "f", RAMP % 4096)
    dataset = dataset_of(RAMP % 4096 | 0xF000, BitsStored=12, HighBit=11)
    for element, value in ((0x10, 128), (0x11, 128), (0x102, 12)):
        dataset.add_new((0x6000, element), "US", value)
    dataset.save_as(tmp_path / "g")
    np.testing.assert_array_equal(render(str(tmp_path / "g")), plain)
