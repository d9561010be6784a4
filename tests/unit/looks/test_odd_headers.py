"""Headers that say a number in an odd way, or half of it: what is drawn is decided and told."""

import struct

import numpy as np
import pytest
import raw_dicom

from tagsight.looks.rendering import PixelError, draw

NATIVE = "1.2.840.10008.1.2.1"
Y, X = np.mgrid[0:64, 0:64]
STORED = (X * 40 + Y * 20).astype(np.uint16)  # 0 to 3780


def picture(path, array=STORED, extra=None, **said):
    """The picture of an array, a pixel for each, and its remark."""
    width = 8 * array.dtype.itemsize
    said = {"allocated": width, "stored": width, "signed": int(array.dtype.kind == "i")} | said
    tags = raw_dicom.header(*array.shape, **said) | (extra or {})
    made = draw(raw_dicom.file(path, tags, NATIVE, array.tobytes()), "stretch", len(array))
    return made.levels.astype(float), made.remark


def windowed(values, centre, width):
    """PS3.3 C.11.2.1.2.1."""
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1) * 255


def ranged(values):
    values = values.astype(float)
    return (values - values.min()) / (values.max() - values.min()) * 255


@pytest.mark.parametrize(
    ("centre", "width", "slope", "intercept"),
    [
        ("40,0", "400,0", "1,0", "-1024,0"),
        ("+40", "+4E2", "1.", "-1024"),
        ("40\\300", "400\\1500", "1\\7", "-1024\\3"),
        ("4,0E+01", "400", "1", "-1,024E3"),
    ],
)
def test_numbers_of_windows_are_read_in_any_notation(tmp_path, centre, width, slope, intercept):
    said = {"centre": centre, "width": width, "slope": slope, "intercept": intercept}
    levels, remark = picture(tmp_path / "f", **said)
    assert np.abs(levels - windowed(STORED - 1024.0, 40, 400)).max() <= 1
    assert remark is None


@pytest.mark.parametrize(
    ("said", "slope", "intercept"),
    [
        ({"intercept": "-1024"}, 1, -1024),
        ({"slope": "2"}, 2, 0),
        ({"slope": "0", "intercept": "-1024"}, 1, -1024),
        ({"slope": "1A", "intercept": "-1024"}, 1, -1024),
    ],
)
def test_a_rescale_of_which_a_half_is_missing(tmp_path, said, slope, intercept):
    """What is missing has no effect: a slope of 1, an intercept of 0."""
    levels, remark = picture(tmp_path / "f", centre="40", width="400", **said)
    assert np.abs(levels - windowed(STORED * float(slope) + intercept, 40, 400)).max() <= 1
    halved = "slope" not in said or "intercept" not in said
    assert ("incomplete_window_or_rescale" in (remark or "")) == halved
    assert ("unreadable_number" in (remark or "")) == (said.get("slope") == "1A")


@pytest.mark.parametrize("said", [{"centre": "40"}, {"width": "400"}])
def test_a_window_of_which_a_half_is_missing_is_none(tmp_path, said):
    """PS3.3 C.11.2.1.2 requires both; the range is shown."""
    levels, remark = picture(tmp_path / "f", **said)
    assert np.abs(levels - ranged(STORED)).max() <= 1
    assert remark == "incomplete_window_or_rescale"


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        ("sigmoid", "SIGMOID"),
        ("Sampled_Sigmoid", "SIGMOID"),
        ("linear_exact", "LINEAR_EXACT"),
        ("linear", "LINEAR"),
        ("CUBIC", "LINEAR"),
    ],
)
def test_the_function_of_a_window_in_any_case(tmp_path, function, shape):
    """PS3.3 C.11.2.1.3; what nobody knows is the default."""
    levels = picture(tmp_path / "f", centre="2000", width="20", function=function)[0]
    expected = {
        "SIGMOID": 255 / (1 + np.exp(np.clip(-4 * (STORED - 2000.0) / 20, -80, 80))),
        "LINEAR_EXACT": np.clip((STORED - 2000.0) / 20 + 0.5, 0, 1) * 255,
        "LINEAR": windowed(STORED, 2000, 20),
    }
    assert np.abs(levels - expected[shape]).max() <= 1


@pytest.mark.parametrize("photometric", ["monochrome1", "Monochrome1 "])
def test_a_photometric_interpretation_in_any_case(tmp_path, photometric):
    levels = picture(tmp_path / "f", photometric=photometric)[0]
    assert np.abs(levels - (255 - ranged(STORED))).max() <= 1


def table(entries, first, vr="US"):
    """A VOI LUT Sequence of one item (PS3.3 C.11.2.1.1)."""
    descriptor = struct.pack("<HhH", len(entries) % 65536, first, 12)
    words = np.asarray(entries, "<u2").tobytes()
    data = raw_dicom.element(0x00283002, vr, descriptor) + raw_dicom.element(
        0x00283006, "OW", words
    )
    return {0x00283010: ("SQ", raw_dicom.item(data))}


CURVE = ((np.arange(4096) / 4095) ** 3 * 4095).astype(np.uint16)


@pytest.mark.parametrize(
    ("slope", "intercept", "vr"),
    [
        (1, 0, "US"),
        (1, -1024, "SS"),
        (1, -1024, "US"),
        (2, 10, "US"),
        (0.5, -3, "SS"),
        (-1, 4000, "US"),
    ],
)
def test_a_voi_table_is_of_rescaled_values(tmp_path, slope, intercept, vr):
    """PS3.3 C.11.2: its input is what the modality transformation gives, to the nearest integer."""
    said = {"slope": str(slope), "intercept": str(intercept)}
    first = min(intercept, 0)
    levels = picture(tmp_path / "f", extra=table(CURVE, first, vr), **said)[0]
    place = np.clip(np.rint(STORED * float(slope) + intercept) - first, 0, 4095).astype(int)
    assert np.abs(levels - CURVE[place] / 4095 * 255).max() <= 1


@pytest.mark.parametrize(
    ("kind", "padding", "vr"),
    [("i2", -2000, "SS"), ("i2", 63536, "US"), ("u2", 63536, "US"), ("u2", -2000, "SS")],
)
def test_a_padding_value_of_the_other_sign(tmp_path, kind, padding, vr):
    """PS3.3 C.7.5.1.1.2: it has the sign of the pixels; -2000 and 63536 are the same 16 bits."""
    array = STORED.astype(kind)
    array[:20] = np.array([padding % 65536], np.uint16).view(kind)
    written = padding if vr == "US" else struct.pack("<h", padding)
    extra = {0x00280120: (vr, written)}
    levels = picture(tmp_path / "f", array, extra=extra)[0]
    assert np.abs(levels[20:] - ranged(STORED[20:])).max() <= 1


@pytest.mark.parametrize("kind", ["u4", "i4", "u8", "i8"])
@pytest.mark.parametrize("far", [True, False], ids=["near the end", "near zero"])
def test_a_small_range_of_large_integers_is_shown(tmp_path, kind, far):
    """float32 holds 24 bits of a number, float64 53."""
    base = np.iinfo(kind).max - 5000 if far else 0
    array = STORED.astype(kind) + np.array(base, kind)
    levels, _ = picture(tmp_path / "f", array)
    assert np.abs(levels - ranged(STORED)).max() <= 1


def floats(path, array):
    width = 8 * array.dtype.itemsize
    tags = raw_dicom.header(*array.shape, allocated=width)
    name = {32: (0x7FE00008, "OF"), 64: (0x7FE00009, "OD")}[width]
    plain = raw_dicom.file(path, tags, NATIVE, b"")
    data = path.read_bytes()[:-12] + raw_dicom.element(*name, array.tobytes())
    path.write_bytes(data)
    return draw(plain, "stretch", len(array)).levels.astype(float)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("scale", [1e-35, 1e-3, 1.0, 1e30])
def test_floats_of_any_scale_are_shown(tmp_path, kind, scale):
    levels = floats(tmp_path / "f", (STORED * scale).astype(kind))
    assert np.abs(levels - ranged(STORED)).max() <= 1


@pytest.mark.parametrize("offset", [1e9, 1e12, 1e300])
def test_a_small_range_of_large_floats_is_shown(tmp_path, offset):
    step = 4096 * np.spacing(offset)
    levels = floats(tmp_path / "f", offset + STORED * step)
    assert np.abs(levels - ranged(STORED)).max() <= 1


@pytest.mark.parametrize("ends", [(-1.7e308, 1.7e308), (0.0, 5e-324)])
def test_a_range_that_no_number_holds_is_refused_and_not_drawn_black(tmp_path, ends):
    array = np.full((64, 64), ends[0])
    array[1] = ends[1]
    with pytest.raises(PixelError) as refused:
        floats(tmp_path / "f", array)
    assert refused.value.reason == "unsupported_pixels"
    assert "range" in refused.value.detail


@pytest.mark.parametrize("slope", ["1E+38", "-1E+300", "1E-300"])
def test_a_rescale_beyond_float32_does_not_blacken(tmp_path, slope):
    levels = picture(tmp_path / "f", slope=slope, intercept="0")[0]
    expected = ranged(STORED) if float(slope) > 0 else 255 - ranged(STORED)
    assert np.abs(levels - expected).max() <= 1


@pytest.mark.parametrize("spacing", ["2,0\\1,0", "+2\\1", "2.0\\1.0"])
def test_spacings_are_read_as_all_numbers_are(tmp_path, spacing):
    tags = raw_dicom.header(32, 64) | {0x00280030: ("DS", spacing)}
    array = np.full((32, 64), 200, np.uint16)
    array[::2] = 90
    path = raw_dicom.file(tmp_path / "f", tags, NATIVE, array.tobytes())
    rows = (draw(path).levels > 0).any(axis=1).sum()
    assert rows > 100
