import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tagsight.dicom.part10 import open_header
from tagsight.looks.lut import VOI, LookupTable, palette, table
from tagsight.rejections import Rejection

LUMA = [0.299, 0.587, 0.114]
SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


@given(st.lists(st.integers(0, 2**16 - 1), min_size=1), st.integers(-200, 200), st.data())
def test_entries_by_the_book(entries, first, data):
    found = LookupTable(first, np.array(entries, np.uint16))
    kind = data.draw(st.sampled_from(["u1", "u2", "i2", "i4", "u4"]))
    limits = np.iinfo(kind)
    value = data.draw(st.integers(max(limits.min, -500), min(limits.max, 500)))
    expected = entries[min(max(value - first, 0), len(entries) - 1)]
    assert found.of(np.array([value], kind))[0] == expected


@pytest.mark.parametrize(
    ("top", "white"), [(1, 255), (255, 255), (256, 511), (4000, 4095), (65535, 65535)]
)
def test_white_is_of_the_bits_in_use(top, white):
    assert LookupTable(0, np.array([0, top], np.uint16)).white == white


def saved(path, dataset, syntax=ExplicitVRLittleEndian):
    dataset.file_meta.TransferSyntaxUID = syntax
    dcmwrite(
        path, dataset, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian
    )
    return str(path)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("vr", ["US", "OW"])
@pytest.mark.parametrize("first", [0, -100])
def test_a_table_is_read_whatever_its_form(tmp_path, syntax, vr, first):
    entries = list(range(0, 4000, 10))
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(entries), first, 16])
    order = "<" if syntax.is_little_endian else ">"
    words = struct.pack(f"{order}{len(entries)}H", *entries)
    item.add_new(0x00283006, vr, entries if vr == "US" else words)
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.PixelData = dataset.PixelData if order == "<" else bytes(len(dataset.PixelData))
    dataset.VOILUTSequence = [item]
    with open_header(saved(tmp_path / "f", dataset, syntax)) as parsed:
        found = table(parsed, VOI, signed=first < 0)
    assert found.first == first
    assert found.entries.tolist() == entries


def coloured(path, changes=None):
    dataset = dcmread(get_testdata_file("examples_palette.dcm", download=False))
    for colour in ("Red", "Green", "Blue"):
        for part, value in (changes or {}).items():
            setattr(dataset, f"{colour}PaletteColorLookupTable{part}", value)
    return saved(path, dataset), dataset


def brightness(path):
    with open_header(path) as parsed:
        return palette(parsed, signed=False)


def test_a_palette_is_pydicoms(tmp_path):
    path, dataset = coloured(tmp_path / "f")
    found = brightness(path)
    indices = np.arange(256, dtype=np.uint8)
    expected = apply_color_lut(indices, dataset) @ LUMA / 65535 * 255
    np.testing.assert_allclose(found.of(indices), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("bits", "data"),
    [
        (8, bytes(range(256))),
        (16, bytes(range(256))),
        (8, np.arange(256, dtype="<u2").tobytes()),
        (16, np.arange(256, dtype="<u2").tobytes()),
        (16, (np.arange(256) * 257).astype("<u2").tobytes()),
    ],
    ids=["packed", "packed called words", "words called bytes", "bytes in words", "words"],
)
def test_entries_of_eight_bits_in_any_dress(tmp_path, bits, data):
    path, _ = coloured(tmp_path / "f", {"Descriptor": [256, 0, bits], "Data": data})
    np.testing.assert_allclose(brightness(path).entries, np.arange(256), atol=0.01)


def test_a_palette_that_is_not_whole(tmp_path):
    dataset = dcmread(get_testdata_file("examples_palette.dcm", download=False))
    del dataset.GreenPaletteColorLookupTableData
    with pytest.raises(Rejection) as refused:
        brightness(saved(tmp_path / "f", dataset))
    assert refused.value.reason == "unsupported_pixels"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_segments_of_a_palette(tmp_path, syntax):
    """PS3.3 C.7.9.2: two entries as they are, then a line of 254 steps."""
    dataset = dcmread(get_testdata_file("examples_palette.dcm", download=False))
    order = "<" if syntax.is_little_endian else ">"
    segments = struct.pack(f"{order}7H", 0, 2, 0, 256, 1, 254, 65280)
    for colour in ("Red", "Green", "Blue"):
        delattr(dataset, f"{colour}PaletteColorLookupTableData")
        setattr(dataset, f"Segmented{colour}PaletteColorLookupTableData", segments)
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
    found = brightness(saved(tmp_path / "f", dataset, syntax))
    np.testing.assert_allclose(found.entries, np.arange(256) * 256 / 65535 * 255, atol=0.01)
