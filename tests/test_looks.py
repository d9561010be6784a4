"""Every picture that we have beside those of independent decoders: dcmtk's, else SimpleITK's.

dcmtk makes the whole way on its own: decoding, tables, window, colours. What it cannot decode
(JPEG 2000 above all) is windowed here from SimpleITK's values, what neither can is compared with a
file of the same pixels that they can. Of pydicom's files those in its package; of the others those
in ../shared, where it is.
"""

import hashlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.multival import MultiValue
from pydicom.uid import JPEGLSTransferSyntaxes

from tagsight.looks.rendering import render_all
from tagsight.run.progress import Progress

sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")

PACKAGED = Path(pydicom.data.__file__).parent / "test_files"
REAL = Path(__file__).parents[2] / "shared" / "dicom"
LUMA = np.array([0.299, 0.587, 0.114])
UNDRAWN = {"decoder_failed", "decoder_crashed", "out_of_memory", "pixels_incomplete", "too_large"}
LEVELS = 3  # of 255: dcmtk rounds after the modality table, and again after the window

NOT_DRAWN = {  # pixels that nobody can decode
    "JPEG2000-embedded-sequence-delimiter.dcm": "its size was overwritten: 4 billion columns",
    "MR_truncated.dcm": "pixels are cut",
}
DIFFERENT = {  # pictures that are another's on purpose
    "CT1_JLSL": "no window: the range without padding, which is -2000",
    "CT1_JLSN": "no window: the range without padding, which is -2000 or near",
    "CT1_JPLL": "no window: the range without padding, which is -2000",
    "CT1_RLE": "no window: the range without padding, which is -2000",
    "17136": "a window that leaves all of it white is not used",
    "17166": "a window that leaves all of it white is not used",
    "17196": "a window that leaves all of it white is not used",
    "RG3_JPLY": "lossy values beyond Bits Stored: dcmtk takes bits off, we none",
    "SC_rgb_jpeg_lossy_gdcm.dcm": "its colours are subsampled, so YBR; dcmtk takes RGB for granted",
    "rtdose_expb.dcm": "dcmtk swaps the words of 32-bit big endian pixels; of its twin they agree",
    "rtdose_expb_1frame.dcm": "dcmtk swaps the words of 32-bit big endian pixels",
}
TWINS = {  # what neither can decode, and a file of the same pixels
    "JLSL_08_07_0_1F.dcm": "JLSL_16_15_1_1F.dcm",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "emri_small.dcm",
    "liver_deflate.dcm": "liver.dcm",
    "liver_j2k.dcm": "liver.dcm",
    "liver_nonbyte_aligned_deflate.dcm": "liver_nonbyte_aligned.dcm",
    "liver_nonbyte_aligned_j2k.dcm": "liver_nonbyte_aligned.dcm",
    "liver_nonbyte_aligned_rle.dcm": "liver_nonbyte_aligned.dcm",
    "liver_rle.dcm": "liver.dcm",
    "parametric_map_double_float.dcm": "parametric_map_float.dcm",
    "parametric_map_float.dcm": "parametric_map_double_float.dcm",
    "zipMR.gz": "MR_small.dcm",
}


def first(value):
    return float(value[0] if isinstance(value, list | MultiValue) else value)


def facts(path):
    """By pydicom: the header, the middle frame's number, its own values, height of a pixel."""
    dataset = dcmread(path, stop_before_pixels=True, force=True)
    text = str(dataset.get("NumberOfFrames") or 1)
    frame = int(text) // 2 if text.isdecimal() else 0
    groups = [dataset]
    if "PerFrameFunctionalGroupsSequence" in dataset:
        own = dataset.PerFrameFunctionalGroupsSequence[frame]
        nested = [*dataset.get("SharedFunctionalGroupsSequence", [])[:1], own]
        groups += [
            element.value[0]
            for group in nested
            for element in group
            if element.VR == "SQ" and element.value
        ]
    found = {}
    for group in groups:
        for name in ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept"):
            if group.get(name) is not None:
                found.setdefault(name, first(group[name].value))
    height, width = dataset.get("PixelSpacing") or dataset.get("PixelAspectRatio") or (1, 1)
    return dataset, frame, found, float(height) / float(width) if width else 1.0


def by_dcmtk(path, out, dataset, frame, found):
    """dcmtk's own picture, 2-D; None where it makes none."""
    syntax = dcmread(path, specific_tags=[], force=True).file_meta.get("TransferSyntaxUID", "")
    tool = "dcml2pnm" if syntax in JPEGLSTransferSyntaxes else "dcmj2pnm"
    window = ["+Wm"]
    if "VOILUTSequence" in dataset:
        window = ["+Wl", "1"]
    elif found.get("WindowWidth", 0) > 1:
        window = ["+Ww", str(found["WindowCenter"]), str(found["WindowWidth"])]
    command = [tool, "-q", "-O", "+F", str(frame + 1), *window, "--write-raw-pnm", path, str(out)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode or not out.exists():
        return None
    array = np.asarray(Image.open(out)).astype(np.float32)
    return array @ LUMA if array.ndim == 3 else array


def by_simpleitk(path, dataset, frame, found):
    """SimpleITK's values of the frame, windowed by PS3.3 C.11.2.1.2; None where it has none."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(path)
    try:
        reader.ReadImageInformation()
        size = list(reader.GetSize())
        if len(size) > 2:
            reader.SetExtractIndex([0, 0, frame])
            reader.SetExtractSize([*size[:2], 1])
        values = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError:
        return None
    values = values[0] if len(size) > 2 else values
    if values.ndim == 3:
        return values / np.iinfo(values.dtype).max * 255 @ LUMA
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    if inverted:  # SimpleITK has turned it round
        values = 2**dataset.BitsStored - 1 - values.astype(float)
    centre, width = found.get("WindowCenter"), found.get("WindowWidth")
    if centre is None:
        centre, width = (
            (values.min() + values.max() + 1) / 2,
            float(values.max() - values.min()) + 1,
        )
    levels = np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1) * 255
    return 255 - levels if inverted else levels


def fitted(array, height):
    """128 x 128 with black around; `height` of a pixel in widths."""
    rows, columns = array.shape[0] * height, array.shape[1]
    shape = [max(1, round(n * 128 / max(rows, columns))) for n in (rows, columns)]
    image = Image.fromarray(array.astype(np.float32))
    for size in ((shape[1], image.height), (shape[1], shape[0])):
        shrinks = size[0] <= image.width and size[1] <= image.height
        image = image.resize(size, Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR)
    canvas = np.zeros((128, 128))
    top, left = ((128 - n) // 2 for n in shape)
    canvas[top : top + shape[0], left : left + shape[1]] = np.asarray(image)
    return canvas


def reference(path, folder):
    """The picture of whichever decoder makes one; None where neither does."""
    dataset, frame, found, height = facts(path)
    out = folder / f"{hashlib.md5(path.encode()).hexdigest()}.pnm"
    picture = by_dcmtk(path, out, dataset, frame, found)
    if picture is None:
        picture = by_simpleitk(path, dataset, frame, found)
    return None if picture is None else fitted(picture, height)


def drawn(folder):
    """Path -> our picture; what has no pixels is left out."""
    paths = sorted(
        str(p) for p in folder.rglob("*") if p.is_file() and p.suffix not in (".py", ".md")
    )
    pictures, reasons, _ = render_all(paths, "pad", 2, Progress(len(paths), "images"))
    undrawn = {p for p, reason in zip(paths, reasons, strict=True) if reason in UNDRAWN}
    assert {Path(p).name for p in undrawn} <= NOT_DRAWN.keys()
    return {p: pictures[n] for n, p in enumerate(paths) if reasons[n] is None}


@pytest.mark.skipif(shutil.which("dcmj2pnm") is None, reason="dcmtk is not installed")
@pytest.mark.parametrize("folder", [PACKAGED, REAL], ids=["packaged", "real"])
def test_our_pictures_are_those_of_independent_decoders(folder, tmp_path):
    if not folder.is_dir():
        pytest.skip("../shared/dicom is not here")
    ours = drawn(folder)
    with ThreadPoolExecutor(2) as pool:
        theirs = dict(
            zip(ours, pool.map(lambda path: reference(path, tmp_path), ours), strict=True)
        )
    named = {Path(path).name: picture.astype(float) for path, picture in ours.items()}
    for path in [path for path, picture in theirs.items() if picture is None]:
        theirs[path] = named[TWINS[Path(path).name]]
    off = {path: np.abs(ours[path] - theirs[path]).max() for path in ours}
    different = {path: levels for path, levels in off.items() if levels > LEVELS}
    assert {Path(path).name for path in different} <= DIFFERENT.keys(), different
    assert len(ours) > 80
