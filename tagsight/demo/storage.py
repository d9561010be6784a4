"""Drawn images and tags as DICOM files (PS3.10), stored as each device does it."""

import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tagsight.arrays import Float32s, Integers, UInt8s
from tagsight.demo.devices import Device
from tagsight.demo.pictures import ultrasound
from tagsight.demo.pictures.canvas import Pose, canvas
from tagsight.demo.pictures.shots import Shot
from tagsight.demo.tags import Tags

COMPRESSED = {"rle": RLELossless, "jpegls": JPEGLSLossless, "jpeg2000": JPEG2000Lossless}
PLAIN = {"implicit": ImplicitVRLittleEndian, "bigendian": ExplicitVRBigEndian}
PRIVATE = {
    "GE": (0x0009, "GEMS_IDEN_01"),
    "Siemens": (0x0029, "SIEMENS CSA HEADER"),
    "Philips": (0x2001, "Philips Imaging DD 001"),
    "Canon": (0x7005, "TOSHIBA_MEC_CT3"),
    "Hologic": (0x0019, "LORAD Selenia"),
    "Agfa": (0x0019, "Agfa ADC NX"),
}


@dataclass(frozen=True)
class StoredPixels:
    """Pixels as stored in the file, with the tags that describe them."""

    pixels: Integers  # (frames?, rows, columns, 3?)
    tags: Tags


def _rounded(image: Float32s, low: float, high: float) -> Float32s:
    return np.clip(np.rint(image), low, high)


def _ct(shot: Shot, image: Float32s) -> StoredPixels:
    device, window = shot.series.device, shot.technique.window
    shift = 0 if device.style == "plain" else -1024
    kind = np.dtype(np.uint16 if device.style == "offset" else np.int16)
    pixels = _rounded(image - shift, -2048, 4095).astype(kind)
    tags: Tags = {"RescaleIntercept": shift, "RescaleSlope": 1}
    if device.maker in ("GE", "Siemens"):
        tags["RescaleType"] = "HU"
    if window:
        centre, width = window
        twice = device.maker == "Siemens" and device.style == "offset"
        tags |= {"WindowCenter": [centre, -550] if twice else centre,
                 "WindowWidth": [width, 1600] if twice else width}  # fmt: skip
    return StoredPixels(pixels, tags)


def _mr(shot: Shot, image: Float32s) -> StoredPixels:
    gain = float(
        np.random.default_rng(shot.patient.body.seed + shot.series.number).uniform(200, 1500)
    )
    top = 4095 if shot.series.device.bits == 12 else 32767
    pixels = _rounded(image * gain, 0, top).astype(np.uint16)
    tags: Tags = {}
    if shot.series.device.style == "padded":
        pixels = pixels.astype(np.int16)
        tags |= {"SmallestImagePixelValue": int(pixels.min()),
                 "LargestImagePixelValue": int(pixels.max())}  # fmt: skip
    if shot.series.device.maker != "Canon":
        high = float(np.percentile(pixels, 99.5))
        tags |= {"WindowCenter": round(high / 2), "WindowWidth": round(high) + 1}
    if shot.series.device.maker == "Philips":
        tags |= {"RescaleIntercept": 0, "RescaleSlope": round(gain / 400, 6)}
        tags |= {
            "WindowCenter": round(high * gain / 800, 2),
            "WindowWidth": round(high * gain / 400, 2),
        }
    return StoredPixels(pixels, tags)


def _film(shot: Shot, image: Float32s) -> StoredPixels:
    device = shot.series.device
    top = 2**device.bits - 1
    inverted = device.style == "mono1"
    gain = top / 1.35
    pixels = _rounded(image * gain, 0, top).astype(np.uint16)
    low, high = (float(v) for v in np.percentile(pixels, (2, 97)))
    if inverted:
        pixels, low, high = (top - pixels).astype(np.uint16), top - high, top - low
    tags: Tags = {"PhotometricInterpretation": "MONOCHROME1" if inverted else "MONOCHROME2",
                  "PresentationLUTShape": "INVERSE" if inverted else "IDENTITY"}  # fmt: skip
    if device.codes != "unknown":
        margin = float(shot.rng.uniform(1.0, 1.3))
        tags |= {
            "WindowCenter": round((low + high) / 2),
            "WindowWidth": round((high - low) * margin) + 2,
        }
    if device.maker == "Fuji" or shot.series.modality == "MG":
        tags |= {"RescaleIntercept": 0, "RescaleSlope": 1, "RescaleType": "US"}
    return StoredPixels(pixels, tags)


def _counts(shot: Shot, image: Float32s) -> StoredPixels:
    pixels = _rounded(image, 0, 32767).astype(np.uint16)
    if shot.series.modality == "NM":
        return StoredPixels(
            pixels, {"SmallestImagePixelValue": 0, "LargestImagePixelValue": int(pixels.max())}
        )
    # PET files use the whole range of their integers, so that the slope differs by slice.
    slope = max(float(pixels.max()), 1.0) / 32767
    pixels = _rounded(image / slope, 0, 32767).astype(np.int16)
    return StoredPixels(pixels, {"RescaleSlope": round(slope * 250, 6), "RescaleIntercept": 0})


def _run(shot: Shot, image: Float32s) -> StoredPixels:
    top = 2**shot.series.device.bits - 1
    kind = np.uint8 if shot.series.device.bits == 8 else np.uint16
    tags: Tags = {"FrameTime": 33.3, "WindowCenter": (top + 1) // 2, "WindowWidth": top + 1}
    return StoredPixels(_rounded(image * top, 0, top).astype(kind), tags)


def _colour(shot: Shot, gray: UInt8s) -> UInt8s:
    """Draw colour flow over an echo's picture, and the colour bar beside it."""
    rgb = np.repeat(gray[..., None], 3, axis=-1)
    rows, columns = gray.shape[-2:]
    c = canvas(rows, columns, Pose(), shot.rng, 0.02)
    towards, away = ultrasound.flow(c, shot.patient.body)
    if shot.series.contrast != "LINEAR":
        rgb[..., 0] = np.maximum(rgb[..., 0], (230 * towards).astype(np.uint8))
        rgb[..., 2] = np.maximum(rgb[..., 2], (230 * away).astype(np.uint8))
    bar = slice(rows // 8, rows // 3)
    rgb[..., bar, 4:9, 0] = 220
    rgb[..., bar, 4:9, 1:] = 60
    return rgb


def _palette() -> Tags:
    """Return a palette of 256 bluish grays, as of an old device's screen."""
    ramp = np.arange(256, dtype=np.float64)
    tables = (ramp * 0.95, ramp, np.minimum(ramp * 1.1, 255))
    tags: Tags = {}
    for name, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        data = (np.rint(table) * 257).astype("<u2").tobytes()
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{name}PaletteColorLookupTableData"] = data
    return tags


def _echo(shot: Shot, image: Float32s) -> StoredPixels:
    gray = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    style, tags = shot.series.device.style, Tags()
    if shot.series.frames > 1:
        tags = {"FrameTime": 40.0, "CineRate": 25, "HeartRate": 60 + shot.patient.number % 40}
    if style == "palette":
        return StoredPixels(
            gray, tags | {"PhotometricInterpretation": "PALETTE COLOR"} | _palette()
        )
    if style == "gray":
        return StoredPixels(gray, tags)
    kind = "YBR_FULL_422" if style == "ybr" else "RGB"
    return StoredPixels(_colour(shot, gray), tags | {"PhotometricInterpretation": kind})


STORE = {"CT": _ct, "MR": _mr, "CR": _film, "DX": _film, "MG": _film, "US": _echo, "NM": _counts,
         "PT": _counts, "XA": _run}  # fmt: skip


def store(shot: Shot, image: Float32s) -> StoredPixels:
    """Return a drawn image as its device stores it: integers, with the tags that describe them."""
    return STORE[shot.series.modality](shot, image)


def _describe(stored: StoredPixels, device: Device) -> Tags:
    """Return the Image Pixel module's tags (PS3.3 C.7.6.3)."""
    colour = stored.pixels.ndim >= 3 and stored.pixels.shape[-1] == 3
    shape = stored.pixels.shape[:-1] if colour else stored.pixels.shape
    signed = int(np.issubdtype(stored.pixels.dtype, np.signedinteger))
    allocated = 8 * stored.pixels.dtype.itemsize
    bits = allocated if signed else min(allocated, device.bits)
    tags: Tags = {"SamplesPerPixel": 3 if colour else 1,
                  "PhotometricInterpretation": "MONOCHROME2",
                  "Rows": shape[-2], "Columns": shape[-1], "BitsAllocated": allocated,
                  "BitsStored": bits, "HighBit": bits - 1,
                  "PixelRepresentation": signed}  # fmt: skip
    if colour:
        tags["PlanarConfiguration"] = 0
    if len(shape) == 3:
        tags["NumberOfFrames"] = shape[0]
        tags["FrameIncrementPointer"] = 0x00181063 if "FrameTime" in stored.tags else None
    return tags


def _jpeg(pixels: Integers) -> list[bytes]:
    """Return one baseline JPEG per frame, 4:2:2."""
    frames = pixels if pixels.ndim == 4 else pixels[None]
    files = []
    for frame in frames:
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(frame)).save(file, "JPEG", quality=88, subsampling=1)
        files.append(file.getvalue())
    return files


def _private(ds: Dataset, device: Device, number: int) -> None:
    if device.maker not in PRIVATE:
        return
    group, creator = PRIVATE[device.maker]
    block = ds.private_block(group, creator, create=True)
    block.add_new(0x01, "LO", f"{device.model} protocol {number % 13}")
    block.add_new(0x02, "SL", number * 31 % 100000)
    if device.maker == "Siemens":
        block.add_new(0x10, "OB", bytes((number * 7 + i) % 256 for i in range(512)))


def fill(ds: Dataset, tags: Mapping[str, object]) -> None:
    """Set tags by keyword, in place; None is skipped, a list of mappings is a sequence."""
    for keyword, value in tags.items():
        if value is None:
            continue
        if isinstance(value, Sequence) and value and isinstance(value[0], dict):
            value = [_item(item) for item in value]
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise KeyError(keyword)
        vr = dictionary_VR(tag)
        # As devices write it: 0, not 0.0.
        value = str(value) if vr == "DS" and isinstance(value, int) else value
        # Hospitals write what the standard forbids, such as a slash in BodyPartExamined.
        ds.add(DataElement(tag, vr, value, validation_mode=IGNORE))


def _item(tags: Mapping[str, object]) -> Dataset:
    ds = Dataset()
    fill(ds, tags)
    return ds


def build(tags: Mapping[str, object], stored: StoredPixels, device: Device, number: int) -> Dataset:
    """Build a data set with file meta information, its pixels native or compressed."""
    ds = Dataset()
    fill(ds, tags)
    fill(ds, _describe(stored, device))
    fill(ds, stored.tags)
    _private(ds, device, number)
    syntax = PLAIN.get(device.compress, ExplicitVRLittleEndian)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    swapped = syntax == ExplicitVRBigEndian
    data = (stored.pixels.byteswap() if swapped else stored.pixels).tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB" if stored.pixels.dtype.itemsize == 1 else "OW"
    if device.compress == "jpeg":
        _encode_jpeg(ds, stored.pixels)
    elif device.compress in COMPRESSED:
        _compress(ds, stored.pixels, COMPRESSED[device.compress])
    return ds


def _encode_jpeg(ds: Dataset, pixels: Integers) -> None:
    if pixels.shape[-1] != 3:
        return
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    frames = _jpeg(pixels)
    ds.PixelData = encapsulate(frames)
    ds["PixelData"].is_undefined_length = True
    ratio = round(pixels.nbytes / sum(map(len, frames)), 1)
    fill(ds, {"LossyImageCompression": "01", "LossyImageCompressionRatio": ratio,
              "LossyImageCompressionMethod": "ISO_10918_1"})  # fmt: skip


def _compress(ds: Dataset, pixels: Integers, syntax: UID) -> None:
    frames = pixels.reshape(-1, ds.Rows, ds.Columns, *[3] * (ds.SamplesPerPixel == 3))
    encode = {JPEGLSLossless: _jpeg_ls, JPEG2000Lossless: _jpeg_2000, RLELossless: _run_lengths}
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([encode[syntax](np.ascontiguousarray(frame)) for frame in frames])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True


def _jpeg_ls(frame: Integers) -> bytes:
    return bytes(imagecodecs.jpegls_encode(frame.view(f"u{frame.dtype.itemsize}")))


def _jpeg_2000(frame: Integers) -> bytes:
    encode = imagecodecs.jpeg2k_encode
    return bytes(encode(frame, level=0, codecformat="J2K", reversible=True, mct=False))


def _run_lengths(frame: Integers) -> bytes:
    """Return a frame as PS3.5 Annex G has it: a segment for each byte of a sample, row by row."""
    width = frame.dtype.itemsize
    octets = frame.astype(f">u{width}", copy=False).view(np.uint8)
    planes = octets.reshape(*frame.shape[:2], -1)
    segments = [
        bytes(imagecodecs.packbits_encode(np.ascontiguousarray(planes[..., n]), axis=-1))
        for n in range(planes.shape[2])
    ]
    padded = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    places = [64 + sum(map(len, padded[:n])) for n in range(len(padded))]
    head = struct.pack("<16I", len(padded), *places, *[0] * (15 - len(padded)))
    return head + b"".join(padded)


def save(ds: Dataset, path: Path) -> None:
    """Write a data set as a DICOM file with preamble and meta information."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
