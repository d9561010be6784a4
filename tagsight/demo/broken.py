"""Broken files, as in every archive: cut, empty, mislabelled, or without an image."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless

from tagsight.demo.tags import uid

SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.11"
TEXT = "Export of 14 studies finished with 3 warnings. See the log on the console.\n"
Breaker = Callable[[bytes, int], bytes]


def _empty(intact: bytes, seed: int) -> bytes:
    del intact, seed
    return b""


def _cut_header(intact: bytes, seed: int) -> bytes:
    return intact[: 400 + seed % 100]


def _cut_pixels(intact: bytes, seed: int) -> bytes:
    del seed
    return intact[: -len(intact) // 3]


def _text(intact: bytes, seed: int) -> bytes:
    del intact, seed
    return TEXT.encode()


def _noise(intact: bytes, seed: int) -> bytes:
    return np.random.default_rng([seed, 4]).bytes(min(len(intact), 5000))


def _wrong_syntax(intact: bytes, seed: int) -> bytes:
    """Label native pixels as JPEG 2000; the UID and both lengths before it grow by two bytes."""
    del seed
    tag = b"\x02\x00\x10\x00UI"
    plain = tag + b"\x14\x00" + f"{ExplicitVRLittleEndian}\0".encode()
    wrong = tag + b"\x16\x00" + JPEG2000Lossless.encode()
    group = int.from_bytes(intact[140:144], "little") + 2
    return (intact[:140] + group.to_bytes(4, "little") + intact[144:]).replace(plain, wrong, 1)


def _no_pixels(intact: bytes, seed: int) -> bytes:
    """Keep the header without the pixels."""
    del seed
    at = intact.rfind(b"\xe0\x7f\x10\x00")
    return intact[:at]


BREAKERS: Mapping[str, Breaker] = {
    "empty_file": _empty,
    "truncated_header": _cut_header,
    "truncated_pixels": _cut_pixels,
    "text_file": _text,
    "random_bytes": _noise,
    "wrong_transfer_syntax": _wrong_syntax,
    "missing_pixels": _no_pixels,
}


def _dataset(like: Dataset, seed: int, sop_class: str, modality: str) -> Dataset:
    ds = Dataset()
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "StudyDate",
                    "StudyID", "StudyTime", "SpecificCharacterSet", "Manufacturer"):  # fmt: skip
        if keyword in like:
            ds[keyword] = like[keyword]
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid(seed, modality, "broken")
    ds.SeriesInstanceUID, ds.Modality = uid(seed, modality, "series"), modality
    ds.SeriesNumber, ds.InstanceNumber = 99, 1
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


def _report(like: Dataset, seed: int) -> Dataset:
    """Build a structured report: a valid DICOM object without pixels."""
    ds = _dataset(like, seed, SR_CLASS, "SR")
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.ContentDate, ds.ContentTime = ds.StudyDate, "120000"
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
    item.TextValue = "No sign of an acute process."
    ds.ContentSequence = [item]
    return ds


def _index(like: Dataset, seed: int) -> Dataset:
    """Build a DICOMDIR-like index with one patient record."""
    ds = _dataset(like, seed, "1.2.840.10008.1.3.10", "OT")
    ds.FileSetID = "EXPORT"
    ds.FileSetConsistencyFlag = 0
    record = Dataset()
    record.DirectoryRecordType = "PATIENT"
    record.PatientID = like.PatientID
    record.PatientName = like.PatientName
    ds.DirectoryRecordSequence = [record]
    return ds


def _save(ds: Dataset, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)


def _plain(folder: Path, paths: Sequence[str], count: int) -> list[str]:
    """Return the first `count` files whose transfer syntax is explicit little endian."""
    chosen = []
    for path in paths:
        meta = dcmread(folder / path, stop_before_pixels=True).file_meta
        if meta.TransferSyntaxUID == ExplicitVRLittleEndian:
            chosen.append(path)
        if len(chosen) == count:
            break
    return chosen


def break_some(folder: Path, paths: Sequence[str], seed: int) -> dict[str, str]:
    """Write broken files beside the intact ones, which are not changed.

    folder: the archive; paths: its intact files, relative to it; seed: chooses the files that are
    copied and broken.
    Returns the kind of fault of each file written, by its path relative to the archive.
    """
    rng = np.random.default_rng([seed, 5])
    order = [paths[int(i)] for i in rng.permutation(len(paths))]
    patterns = _plain(folder, order, len(BREAKERS) + 4)
    faults: dict[str, str] = {}
    for (kind, breaker), pattern in zip(BREAKERS.items(), patterns, strict=False):
        path = f"{pattern.rsplit('/', 1)[0]}/x{kind.count('_')}{len(faults):03d}.dcm"
        (folder / path).write_bytes(breaker((folder / pattern).read_bytes(), seed))
        faults[path] = kind
    faults |= _odd_objects(folder, patterns[len(BREAKERS) :], seed)
    return faults


def _odd_objects(folder: Path, patterns: Sequence[str], seed: int) -> dict[str, str]:
    report, index, original, note = patterns
    faults = {
        f"{report.rsplit('/', 1)[0]}/xsr00001.dcm": "structured_report",
        "DICOMDIR": "dicomdir",
        f"{original.rsplit('/', 1)[0]}/xcopy001.dcm": "duplicate",
        f"{note.rsplit('/', 1)[0]}/readme.txt": "text_file",
    }
    paths = list(faults)
    _save(_report(dcmread(folder / report), seed), folder / paths[0])
    _save(_index(dcmread(folder / index), seed), folder / paths[1])
    (folder / paths[2]).write_bytes((folder / original).read_bytes())
    (folder / paths[3]).write_text(TEXT, encoding="ascii")
    return faults
