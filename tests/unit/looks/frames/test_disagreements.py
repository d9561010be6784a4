"""Header and codestream disagree: the picture is the codestream's, and a remark says so.

Frames are made by Pillow, pyjpegls, pylibjpeg-openjpeg and by the standards' own words; none of
them is read here by what wrote it, but JPEG and JPEG 2000 of single tests.
"""

import io
import shutil
import struct
import subprocess
import zlib

import imagecodecs
import jpeg_ls
import numpy as np
import pytest
import raw_dicom
from openjpeg.utils import encode_array
from PIL import Image

from tagsight.dicom.headers import Image as Row
from tagsight.dicom.headers import ReaderOptions, read_header
from tagsight.looks.rendering import PixelError, draw

NATIVE, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
JPEG, LOSSLESS, RLE = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.5"
JPEG_LS, JPEG_2000 = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
HTJ2K, DEFLATED = "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.8.1"
PRIVATE, GE = "1.3.6.1.4.1.99999.1", "1.2.840.113619.5.2"
SYNTAXES = [NATIVE, IMPLICIT, JPEG, LOSSLESS, RLE, JPEG_LS, JPEG_2000, HTJ2K, PRIVATE]
LUMA = np.array([0.299, 0.587, 0.114])

Y, X = np.mgrid[0:32, 0:48]
GREY = (X * 5 + Y * 3).astype(np.uint8)  # 0 to 255 and no further
DEEP = (X * 50 + Y * 40).astype(np.uint16)  # 12 bits
RGB = np.stack([X * 5, Y * 8, 235 - X * 2 - Y * 4], -1).astype(np.uint8)


def shown(array):
    """Grey levels over the whole range, as drawn without a window."""
    array = array.astype(float)
    return (array - array.min()) / max(array.max() - array.min(), 1) * 255


def drawn(path):
    """The picture of one pixel for each of 32 x 48, and its remarks; the reader takes it, too."""
    assert isinstance(read_header(path, b"k" * 32, ReaderOptions()), Row)
    wide = draw(path, "stretch", 48)
    tall = wide.levels[:: 48 // 16].astype(float)  # rows 0, 2, 4 … of 32
    return tall, set((wide.remark or "").split("; ")) - {""}


def differs(levels, expected):
    """The largest difference of a picture of 48 x 48 from levels (32, 48), in the same resizing."""
    image = Image.fromarray(expected.astype(np.float32)).resize((48, 48), Image.Resampling.BILINEAR)
    return np.abs(levels - np.asarray(image)[:: 48 // 16]).max()


def grey(**changes):
    return raw_dicom.header(32, 48, **{"allocated": 8, "stored": 8, "high": 7} | changes)


def colour(**changes):
    said = {"allocated": 8, "stored": 8, "samples": 3, "photometric": "RGB", "planar": 0}
    return raw_dicom.header(32, 48, **said | changes)


def jpeg(array, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", **{"quality": 98} | options)
    return file.getvalue()


def without_applications(data):
    """A JPEG without the segments that say what its colours are."""
    out, place = data[:2], 2
    while data[place + 1] != 0xDA:
        length = struct.unpack(">H", data[place + 2 : place + 4])[0]
        out += b"" if 0xE0 <= data[place + 1] <= 0xEF else data[place : place + 2 + length]
        place += 2 + length
    return out + data[place:]


def run_lengths(*planes):
    """PS3.5 G: literal runs of at most 128 bytes, each row for itself."""
    segments = []
    for plane in planes:
        runs = [row[n : n + 128] for row in plane for n in range(0, len(row), 128)]
        packed = b"".join(bytes([len(run) - 1]) + run.tobytes() for run in runs)
        segments.append(packed + b"\x80" * (len(packed) % 2))
    places = [64 + sum(map(len, segments[:n])) for n in range(len(segments))]
    numbers = [len(segments), *places, *[0] * (15 - len(segments))]
    return struct.pack("<16I", *numbers) + b"".join(segments)


def lossless(array, bits, *, predictor=1, modulo=2**16, components=1):
    """T.81 H: differences as they are, or, as some writers have it, modulo the samples' bits."""
    stream = []

    def put(value, length):
        stream.extend(value >> bit & 1 for bit in range(length - 1, -1, -1))

    planes = array.reshape(*array.shape[:2], components).astype(int)
    for row in range(planes.shape[0]):
        for column in range(planes.shape[1]):
            for plane in np.moveaxis(planes, 2, 0):
                if row == 0:
                    expected = plane[0, column - 1] if column else 1 << (bits - 1)
                elif column == 0:
                    expected = plane[row - 1, 0]
                else:
                    a, b = plane[row, column - 1], plane[row - 1, column]
                    c = plane[row - 1, column - 1]
                    expected = [a, b, c, a + b - c, a + (b - c >> 1), b + (a - c >> 1), a + b >> 1][
                        predictor - 1
                    ]
                difference = int(plane[row, column] - expected)
                if modulo < 2**16 and difference > 0:
                    difference -= modulo
                category = abs(difference).bit_length()
                put(category, 5)
                if category < 16:
                    more = difference if difference > 0 else difference + (1 << category) - 1
                    put(more, category)
    stream += [1] * (-len(stream) % 8)
    data = np.packbits(stream).tobytes().replace(b"\xff", b"\xff\0")
    parts = b"".join(bytes([n + 1, 0x11, 0]) for n in range(components))
    frame = struct.pack(">HBHHB", 8 + len(parts), bits, *array.shape[:2], components) + parts
    table = struct.pack(">HB", 36, 0) + bytes([0, 0, 0, 0, 17] + [0] * 11) + bytes(range(17))
    named = b"".join(bytes([n + 1, 0]) for n in range(components))
    scan = struct.pack(">HB", 6 + len(named), components) + named + bytes([predictor, 0, 0])
    head = b"\xff\xd8\xff\xc3" + frame + b"\xff\xc4" + table + b"\xff\xda" + scan
    return head + data + b"\xff\xd9"


def test_run_lengths_of_two_bytes_are_words_whatever_the_header_says(tmp_path):
    pixels = raw_dicom.fragments(run_lengths(*high_and_low(DEEP)))
    path = raw_dicom.file(tmp_path / "f", grey(), RLE, pixels, length=raw_dicom.UNDEFINED)
    levels, remarks = drawn(path)
    assert differs(levels, shown(DEEP)) <= 1
    assert remarks == {"another_depth"}


def high_and_low(array):
    return [(array >> 8).astype(np.uint8), (array & 255).astype(np.uint8)]


FRAMES = {  # of the same picture of 12 bits
    "JPEG": (lossless(DEEP, 12), {LOSSLESS, JPEG}),
    "JPEG-LS": (bytes(jpeg_ls.encode_array(DEEP)), {JPEG_LS}),
    "JPEG 2000": (bytes(encode_array(DEEP, bits_stored=12)), {JPEG_2000, HTJ2K}),
    "RLE": (run_lengths(*high_and_low(DEEP)), {RLE}),
    "native": (DEEP.astype("<u2").tobytes(), set()),
}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_what_it_says_under_any_syntax(tmp_path, name, syntax):
    frame, its_own = FRAMES[name]
    tags = raw_dicom.header(32, 48, stored=12)
    pixels = raw_dicom.fragments(frame)
    implicit = syntax in (IMPLICIT, PRIVATE)
    path = raw_dicom.file(
        tmp_path / "f", tags, syntax, pixels, length=raw_dicom.UNDEFINED, implicit=implicit
    )
    levels, remarks = drawn(path)
    assert differs(levels, shown(DEEP)) <= 1
    assert ("another_syntax" in remarks) == (syntax not in its_own)


@pytest.mark.parametrize("syntax", [JPEG, LOSSLESS, RLE, JPEG_LS, JPEG_2000, DEFLATED])
def test_native_pixels_under_a_compressed_syntax_are_taken(tmp_path, syntax):
    tags = raw_dicom.header(32, 48, stored=12)
    path = raw_dicom.file(tmp_path / "f", tags, syntax, DEEP.astype("<u2").tobytes())
    levels, remarks = drawn(path)
    assert differs(levels, shown(DEEP)) <= 1
    assert remarks == {"another_syntax"}


@pytest.mark.parametrize("syntax", [NATIVE, IMPLICIT, JPEG, JPEG_LS])
@pytest.mark.parametrize("wrapped", [True, False], ids=["fragments", "bare"])
@pytest.mark.parametrize("name", ["JPEG", "JPEG-LS", "JPEG 2000"])
def test_a_compressed_frame_of_a_length_that_is_told(tmp_path, name, wrapped, syntax):
    frame = FRAMES[name][0]
    pixels = raw_dicom.fragments(frame) if wrapped else frame + b"\0" * (len(frame) % 2)
    tags = raw_dicom.header(32, 48, stored=12)
    path = raw_dicom.file(tmp_path / "f", tags, syntax, pixels, implicit=syntax == IMPLICIT)
    assert differs(drawn(path)[0], shown(DEEP)) <= 1


@pytest.mark.parametrize(
    ("bits", "array"), [(8, GREY), (12, DEEP), (10, DEEP >> 2), (15, DEEP << 3)]
)
@pytest.mark.parametrize("predictor", [1, 2, 3, 4])
def test_lossless_differences_may_be_modulo_the_samples_bits(tmp_path, bits, array, predictor):
    """T.81 H.2.1 has 65,536; writers of 8-bit arithmetic get the same in the samples' own bits."""
    frame = lossless(array, bits, predictor=predictor, modulo=2**bits)
    tags = raw_dicom.header(32, 48, allocated=8 if bits == 8 else 16, stored=bits)
    path = raw_dicom.file(
        tmp_path / "f", tags, LOSSLESS, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    assert differs(drawn(path)[0], shown(array)) <= 1


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize(("bits", "array"), [(8, GREY), (12, DEEP), (16, DEEP << 4)])
def test_every_predictor_of_lossless_jpeg_is_known(tmp_path, bits, array, predictor):
    """T.81 table H.1; a modulo of the samples' bits is lost in predictors that halve."""
    tags = raw_dicom.header(32, 48, allocated=8 if bits == 8 else 16, stored=bits)
    frame = lossless(array, bits, predictor=predictor)
    path = raw_dicom.file(
        tmp_path / "f", tags, LOSSLESS, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    assert differs(drawn(path)[0], shown(array)) <= 1
    if predictor > 4 and bits < 16:
        frame = lossless(array, bits, predictor=predictor, modulo=2**bits)
        pixels = raw_dicom.fragments(frame)
        with pytest.raises(PixelError, match="unsupported_pixels"):
            draw(raw_dicom.file(tmp_path / "f", tags, LOSSLESS, pixels, length=raw_dicom.UNDEFINED))


COLOURS = {
    "JPEG": (JPEG, jpeg(RGB, subsampling=0), "YBR_FULL"),
    "JPEG 4:2:2": (JPEG, jpeg(RGB, subsampling=1), "YBR_FULL_422"),
    "lossless JPEG": (LOSSLESS, lossless(RGB, 8, components=3), "RGB"),
    "JPEG-LS by sample": (JPEG_LS, bytes(jpeg_ls.encode_array(RGB, interleave_mode=2)), "RGB"),
    "JPEG-LS by line": (JPEG_LS, bytes(jpeg_ls.encode_array(RGB, interleave_mode=1)), "RGB"),
    "JPEG 2000": (JPEG_2000, bytes(encode_array(RGB, use_mct=False)), "RGB"),
    "JPEG 2000, transformed": (
        JPEG_2000,
        bytes(encode_array(RGB, photometric_interpretation=1)),
        "YBR_RCT",
    ),
}


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("name", COLOURS)
def test_planar_configuration_is_ignored_in_compressed_colours(tmp_path, name, planar):
    """PS3.5 8.2: a codestream has an order of its own."""
    syntax, frame, photometric = COLOURS[name]
    tags = colour(photometric=photometric, planar=planar)
    path = raw_dicom.file(
        tmp_path / "f", tags, syntax, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    levels, remarks = drawn(path)
    assert differs(levels, RGB @ LUMA) <= 4
    assert remarks == ({"planes_ignored"} if planar else set())


@pytest.mark.parametrize("planar", [0, 1])
def test_planar_configuration_of_run_lengths_says_nothing(tmp_path, planar):
    """PS3.5 G.2: segments are planes, whatever it says."""
    pixels = raw_dicom.fragments(run_lengths(*np.moveaxis(RGB, 2, 0)))
    tags = colour(planar=planar)
    path = raw_dicom.file(tmp_path / "f", tags, RLE, pixels, length=raw_dicom.UNDEFINED)
    levels, remarks = drawn(path)
    assert differs(levels, RGB @ LUMA) <= 1
    assert remarks == set()


def named(frame, letters):
    """A JPEG whose components have other names."""
    place = frame.index(b"\xff\xc0") + 10
    scan = frame.index(b"\xff\xda") + 5
    data = bytearray(frame)
    for n, letter in enumerate(letters):
        data[place + 3 * n] = data[scan + 2 * n] = letter
    return bytes(data)


def as_rgb(array):
    """A JPEG of colours as they are, without a word of what they are."""
    options = {"colorspace": "RGB", "outcolorspace": "RGB", "level": 98}
    return without_applications(bytes(imagecodecs.jpeg8_encode(array, **options)))


def adobe(frame, transform):
    segment = b"\xff\xee" + struct.pack(">H", 14) + b"Adobe\0\x64\0\0\0\0" + bytes([transform])
    return frame[:2] + segment + frame[2:]


PLAIN = without_applications(jpeg(RGB, subsampling=0))
TOLD = {  # a JPEG, what the header says, whether that is so
    "subsampled, called RGB": (without_applications(jpeg(RGB, subsampling=2)), "RGB", False),
    "subsampled, by Adobe RGB": (adobe(without_applications(jpeg(RGB)), 0), "RGB", False),
    "JFIF, called RGB": (jpeg(RGB, subsampling=0), "RGB", False),
    "Adobe's YBR, called RGB": (adobe(PLAIN, 1), "RGB", False),
    "Adobe's RGB, called YBR": (adobe(named(as_rgb(RGB), [1, 2, 3]), 0), "YBR_FULL", False),
    "components R, G, B, called YBR": (named(as_rgb(RGB), b"RGB"), "YBR_FULL_422", False),
    "nothing, called YBR": (PLAIN, "YBR_FULL", True),
    "nothing, called RGB": (named(as_rgb(RGB), [1, 2, 3]), "RGB", True),
    "nothing, called grey": (PLAIN, "MONOCHROME2", False),
    "nothing, of JPEG 2000": (PLAIN, "YBR_ICT", False),
}


@pytest.mark.parametrize("name", TOLD)
def test_the_colours_of_a_jpeg_are_those_that_it_tells(tmp_path, name):
    frame, photometric, agreed = TOLD[name]
    path = raw_dicom.file(
        tmp_path / "f",
        colour(photometric=photometric),
        JPEG,
        raw_dicom.fragments(frame),
        length=raw_dicom.UNDEFINED,
    )
    levels, remarks = drawn(path)
    assert differs(levels, RGB @ LUMA) <= 5
    assert ("other_colours" in remarks) == (not agreed)


@pytest.mark.parametrize("said", ["RGB", "YBR_RCT", "YBR_ICT", "YBR_FULL"])
def test_colours_that_jpeg_2000_transformed_are_rgb(tmp_path, said):
    """T.800 G: the decoder undoes it. Whoever fed YBR to it says what the codestream does not."""
    frame = bytes(encode_array(RGB, photometric_interpretation=1))
    path = raw_dicom.file(
        tmp_path / "f",
        colour(photometric=said),
        JPEG_2000,
        raw_dicom.fragments(frame),
        length=raw_dicom.UNDEFINED,
    )
    levels, remarks = drawn(path)
    assert differs(levels, RGB @ LUMA) <= 1
    assert ("other_colours" in remarks) == (said == "YBR_FULL")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_colours_that_hp_transformed_in_jpeg_ls(tmp_path, number):
    r, g, b = np.moveaxis(RGB.astype(int), 2, 0)
    first, second, third = r - g + 128, g, b - g + 128  # HP1
    if number == 2:
        third = b - (r + g >> 1) + 128
    if number == 3:
        third, second = r - g + 128, b - g + 128
        first = g + ((second % 256) + (third % 256) >> 2) - 64
    mixed = np.stack([first, second, third], -1).astype(np.uint8)
    frame = bytes(jpeg_ls.encode_array(mixed, interleave_mode=2))
    frame = frame[:2] + b"\xff\xe8\0\x07mrfx" + bytes([number]) + frame[2:]
    path = raw_dicom.file(
        tmp_path / "f", colour(), JPEG_LS, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    levels, remarks = drawn(path)
    assert differs(levels, RGB @ LUMA) <= 1
    assert remarks == set()


def test_a_jp2_file_is_the_codestream_in_it(tmp_path):
    """Neither its palette nor its profile counts: the header has these."""
    frame = bytes(imagecodecs.jpeg2k_encode(GREY, level=0, reversible=True, codecformat="JP2"))
    assert frame[4:8] == b"jP  "
    path = raw_dicom.file(
        tmp_path / "f", grey(), JPEG_2000, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    assert differs(drawn(path)[0], shown(GREY)) <= 1


@pytest.mark.parametrize("stored", [True, False], ids=["signed frame", "unsigned frame"])
@pytest.mark.parametrize("said", [0, 1])
def test_the_sign_of_jpeg_2000_is_the_headers(tmp_path, stored, said):
    """The same bits: encoders that know nothing of the header leave the sign out, or put it in."""
    values = (X * 50 - Y * 40).astype(np.int16) if said else DEEP
    as_stored = values.view(np.int16 if stored else np.uint16)
    frame = bytes(encode_array(as_stored, bits_stored=16))
    tags = raw_dicom.header(32, 48, signed=said)
    path = raw_dicom.file(
        tmp_path / "f", tags, JPEG_2000, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    levels, remarks = drawn(path)
    assert differs(levels, shown(values)) <= 1
    assert remarks == ({"another_sign"} if stored != bool(said) else set())


@pytest.mark.parametrize(
    ("said", "remark"),
    [
        ({"allocated": 8, "stored": 8}, "another_depth"),
        ({"stored": 16}, "another_depth"),
        ({"stored": 12, "samples": 3}, "other_samples"),
        ({"rows": 48, "columns": 32, "stored": 12}, "another_size"),
        ({"rows": 9000, "columns": 9000, "stored": 12}, "another_size"),
        ({"rows": None, "columns": None, "stored": 12}, "another_size"),
    ],
)
@pytest.mark.parametrize("name", ["JPEG", "JPEG-LS", "JPEG 2000"])
def test_size_and_depth_are_the_frames(tmp_path, name, said, remark):
    frame, syntaxes = FRAMES[name]
    path = raw_dicom.file(
        tmp_path / "f",
        raw_dicom.header(32, 48, **said),
        min(syntaxes),
        raw_dicom.fragments(frame),
        length=raw_dicom.UNDEFINED,
    )
    levels, remarks = drawn(path)
    assert differs(levels, shown(DEEP)) <= 1
    assert remark in remarks


@pytest.mark.parametrize("said", ["YBR_RCT", "YBR_ICT"])
def test_native_colours_cannot_be_those_of_jpeg_2000(tmp_path, said):
    """PS3.5 8.2.4: somebody has decoded them and left the header as it was."""
    path = raw_dicom.file(tmp_path / "f", colour(photometric=said), NATIVE, RGB.tobytes(), vr="OB")
    levels, remarks = drawn(path)
    assert differs(levels, RGB @ LUMA) <= 1
    assert remarks == {"other_colours"}


@pytest.mark.parametrize(
    ("array", "said", "remarks"),
    [
        (RGB, {"samples": 1}, {"other_samples"}),
        (RGB, {"photometric": "MONOCHROME2"}, {"other_colours"}),
        (RGB, {"samples": None}, set()),
        (GREY, {"photometric": "MONOCHROME2"}, {"other_samples"}),
        (GREY, {"samples": 1}, {"other_colours"}),
    ],
)
def test_native_pixels_have_as_many_samples_as_their_length(tmp_path, array, said, remarks):
    path = raw_dicom.file(tmp_path / "f", colour(**said), NATIVE, array.tobytes(), vr="OB")
    levels, found = drawn(path)
    assert differs(levels, RGB @ LUMA if array is RGB else shown(GREY)) <= 1
    assert found == remarks


@pytest.mark.parametrize("implicit", [True, False])
def test_pixels_of_ges_private_syntax_are_big_endian(tmp_path, implicit):
    words = DEEP.astype(">u2").tobytes()
    tags = raw_dicom.header(32, 48, stored=12)
    path = raw_dicom.file(tmp_path / "f", tags, GE, words, implicit=implicit)
    assert differs(drawn(path)[0], shown(DEEP)) <= 1
    path = raw_dicom.file(tmp_path / "f", grey(), GE, GREY.tobytes(), implicit=implicit)
    assert differs(drawn(path)[0], shown(GREY)) <= 1  # bytes have no order, as in GDCM


def packed(array, bits):
    """Samples of a few bits without gaps, the least significant bit first (PS3.5 D)."""
    stream = (array.reshape(-1, 1).astype(int) >> np.arange(bits)) & 1
    data = np.packbits(stream.astype(np.uint8).ravel(), bitorder="little").tobytes()
    return data + b"\0" * (len(data) % 2)


@pytest.mark.parametrize("syntax", [NATIVE, BIG])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("bits", [4, 6, 10, 12, 14])
def test_samples_of_a_few_bits_are_packed(tmp_path, bits, frames, syntax):
    rng = np.random.default_rng(bits)
    every = rng.integers(0, 2**bits, (frames, 7, 9))
    data = packed(every, bits)
    if syntax == BIG:
        data = np.frombuffer(data, "<u2").astype(">u2").tobytes()
    tags = raw_dicom.header(7, 9, allocated=bits, stored=bits, frames=str(frames))
    order = ">" if syntax == BIG else "<"
    path = raw_dicom.file(tmp_path / "f", tags, syntax, data, order=order)
    levels = draw(path, "stretch", 63).levels[4::9, 3::7]
    expected = shown(every[frames // 2])
    image = Image.fromarray(expected.astype(np.float32)).resize((63, 63), Image.Resampling.BILINEAR)
    assert np.abs(levels - np.asarray(image)[4::9, 3::7]).max() <= 1


def test_signed_samples_of_twelve_bits(tmp_path):
    values = (X * 40 - Y * 40).astype(int)
    tags = raw_dicom.header(32, 48, allocated=12, stored=12, signed=1)
    path = raw_dicom.file(tmp_path / "f", tags, NATIVE, packed(values % 4096, 12))
    assert differs(drawn(path)[0], shown(values)) <= 1


def pieces(frame, size):
    return [frame[n : n + size] for n in range(0, len(frame), size)]


@pytest.mark.parametrize("size", [200, 201, 10_000])
@pytest.mark.parametrize("tables", ["none", "right", "zeros"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", ["JPEG", "JPEG-LS", "JPEG 2000", "RLE"])
def test_a_frame_in_several_fragments(tmp_path, name, count, tables, size):
    frame, syntaxes = FRAMES[name]
    parts = pieces(frame, size - size % 2)
    if size % 2 and count == 1:  # the last of odd length, its padding not counted
        parts = [*parts[:-1], parts[-1][:-1] if parts[-1].endswith(b"\0") else parts[-1]]
    one = raw_dicom.fragments(*parts)[8:]
    starts = [n * len(one) for n in range(count)]
    table = {"none": b"", "right": struct.pack(f"<{count}I", *starts), "zeros": bytes(4 * count)}
    pixels = raw_dicom.item(table[tables]) + one * count
    path = raw_dicom.file(
        tmp_path / "f",
        raw_dicom.header(32, 48, stored=12, frames=str(count)),
        min(syntaxes),
        pixels,
        length=raw_dicom.UNDEFINED,
    )
    assert differs(drawn(path)[0], shown(DEEP)) <= 1


def test_a_fragment_of_odd_length_whose_padding_is_not_counted(tmp_path):
    frame = FRAMES["JPEG-LS"][0]
    odd = frame[: len(frame) // 2 | 1]
    pixels = raw_dicom.item(b"") + raw_dicom.item(odd) + b"\0" + raw_dicom.item(frame[len(odd) :])
    tags = raw_dicom.header(32, 48, stored=12)
    path = raw_dicom.file(tmp_path / "f", tags, JPEG_LS, pixels, length=raw_dicom.UNDEFINED)
    assert differs(drawn(path)[0], shown(DEEP)) <= 1


FLAT = np.full((300, 200), 700, np.uint16)
PADDED = b"\xff\xfe" + struct.pack(">H", 60_000) + bytes(59_998)  # a comment of JPEG


def commented(frame):
    return frame[:2] + PADDED + frame[2:]


@pytest.mark.parametrize(
    ("syntax", "frame"),
    [
        (RLE, run_lengths(*high_and_low(FLAT))),
        (LOSSLESS, lossless(FLAT[:60, :50], 12)),
        (JPEG_LS, commented(bytes(jpeg_ls.encode_array(FLAT)))),
        (JPEG, commented(jpeg((FLAT >> 4).astype(np.uint8)))),
        (JPEG_2000, bytes(encode_array(FLAT))),
        (DEFLATED, zlib.compress(FLAT.tobytes(), 0)[2:-4]),
    ],
    ids=["RLE", "lossless", "JPEG-LS", "JPEG", "JPEG 2000", "deflated"],
)
def test_a_picture_of_one_value_may_take_any_number_of_bytes(tmp_path, syntax, frame):
    tags = raw_dicom.header(300, 200, stored=12, centre="700", width="1401")
    path = raw_dicom.file(
        tmp_path / "f", tags, syntax, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    assert not draw(path).levels.any()


@pytest.mark.parametrize("number", [51, 53, 55, 57])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_of_other_processes(tmp_path, number, progressive):
    """T.81 table 1: 6 and 8 are spectral selection, 10 and 12 full progression; both retired."""
    frame = jpeg(GREY, progressive=progressive)
    syntax = f"1.2.840.10008.1.2.4.{number}"
    path = raw_dicom.file(
        tmp_path / "f", grey(), syntax, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    levels, remarks = drawn(path)
    assert differs(levels, shown(GREY)) <= 6
    assert remarks == set()


DCMTKS = [
    ["+eb"],
    ["+ee"],
    ["+es"],
    ["+ep"],
    ["+e1"],
    *(["+el", "+sv", str(predictor)] for predictor in range(1, 8)),
]


@pytest.mark.skipif(shutil.which("dcmcjpeg") is None, reason="dcmtk is not installed")
@pytest.mark.parametrize("process", DCMTKS, ids="".join)
@pytest.mark.parametrize("kind", ["12 bits", "8 bits", "colour", "colour as it is"])
def test_jpeg_of_dcmtk(tmp_path, process, kind):
    array, tags, brightness = {
        "12 bits": (DEEP, raw_dicom.header(32, 48, stored=12, high=11), shown(DEEP)),
        "8 bits": (GREY, grey(), shown(GREY)),
    }.get(kind, (RGB, colour(), RGB @ LUMA))
    uids = {0x00080018: "2.25.1", 0x0020000D: "2.25.2", 0x0020000E: "2.25.3"}
    tags |= {tag: ("UI", uid) for tag, uid in uids.items()}
    vr = "OW" if kind == "12 bits" else "OB"
    path = raw_dicom.file(tmp_path / "f", tags, NATIVE, array.tobytes(), vr=vr)
    lossy = [] if process[0] in ("+e1", "+el") else ["+q", "98"]
    raw = ["+cr"] if lossy and kind == "colour as it is" else []
    command = ["dcmcjpeg", *process, *lossy, *raw, path, str(tmp_path / "g")]
    subprocess.run(command, check=True, capture_output=True)
    levels, remarks = drawn(str(tmp_path / "g"))
    assert differs(levels, brightness) <= (6 if lossy else 1)
    assert remarks == set()


def test_jpeg_of_twelve_bits(tmp_path):
    frame = bytes(imagecodecs.jpeg8_encode(DEEP, level=98, bitspersample=12))
    path = raw_dicom.file(
        tmp_path / "f",
        raw_dicom.header(32, 48, stored=12),
        "1.2.840.10008.1.2.4.51",
        raw_dicom.fragments(frame),
        length=raw_dicom.UNDEFINED,
    )
    assert differs(drawn(path)[0], shown(DEEP)) <= 6


@pytest.mark.parametrize("marker", [0xC5, 0xC7, 0xCB])
def test_a_jpeg_that_nobody_decodes_says_so(tmp_path, marker):
    """T.81 table B.1: hierarchical, or lossless with arithmetic coding."""
    frame = jpeg(GREY).replace(b"\xff\xc0", bytes([0xFF, marker]), 1)
    path = raw_dicom.file(
        tmp_path / "f", grey(), JPEG, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    with pytest.raises(PixelError) as refused:
        draw(path)
    assert refused.value.reason == "no_decoder"
    assert f"{marker:02X}" in refused.value.detail


def test_colours_of_four_samples_are_refused(tmp_path):
    frame = bytes(imagecodecs.jpeg8_encode(np.dstack([RGB, GREY])))
    path = raw_dicom.file(
        tmp_path / "f", colour(), JPEG, raw_dicom.fragments(frame), length=raw_dicom.UNDEFINED
    )
    with pytest.raises(PixelError) as refused:
        draw(path)
    assert refused.value.reason == "unsupported_pixels"
