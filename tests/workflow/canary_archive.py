"""The archive of canaries: in attributes, in repeats, in what is broken, in what is rejected."""

import io
import os
import struct
import tarfile
import zipfile
from pathlib import Path

from canaries import (
    COPIES,
    DICOMDIR,
    DIGITS,
    JPEG,
    LISTED,
    MARK,
    NAME,
    PIXELS,
    PLAIN,
    SLIDE,
    SR,
    Encoding,
    attributes,
    canary,
    element,
    image,
    named,
    part10,
    sequence,
)
from pydicom.datadict import DicomDictionary, tag_for_keyword

NAME_TAG = 0x00100010


def _of(keyword: str, value: str | bytes, vr: str | None = None) -> tuple[int, bytes]:
    return tag_for_keyword(keyword), named(keyword, value, PLAIN, vr)


def descriptions() -> dict[str, bytes]:
    """Images whose descriptions name a region and a side beside a canary, also glued to it."""
    keywords = ("StudyDescription", "SeriesDescription", "ProtocolName")
    fields = [_of(keyword, f"{MARK}D knee left/{MARK}D_{MARK}Dt2") for keyword in keywords]
    return {f"description-{i}": image(fields, PLAIN, 400 + i) for i in range(4)}


def unlisted() -> dict[str, bytes]:
    """An image with persons, free text and UIDs in all attributes that the list does not name."""
    texts = {"PN": f"{MARK}U^ANN", "UI": f"2.25.{DIGITS}6"}
    texts |= dict.fromkeys(("LT", "ST", "UT", "UR"), f"{MARK}U")
    fields = [
        (tag, element(tag, entry[0], texts[entry[0]].encode()))
        for tag, entry in DicomDictionary.items()
        if entry[0] in texts and tag not in LISTED and 0x0008 <= tag >> 16 < 0x7FE0
    ]
    return {f"unlisted-{i}": image(fields, PLAIN, 420 + i) for i in range(COPIES)}


def broken() -> dict[str, bytes]:
    """Images and files that are broken where a canary stands."""
    text = f"{MARK}BROKEN"
    found = {f"vr-{vr}": [_of("PatientName", text, vr)] for vr in ("XX", "OB", "UN", "IS", "US")}
    found |= {"vr-SQ": [_of("PatientName", text, "SQ")], "vr-pn": [_of("PatientName", text, "pn")]}
    found |= {
        f"text-in-{keyword}": [_of(keyword, f"{text}^ANN")]
        for keyword in ("KVP", "SeriesNumber", "EchoTime", "AcquisitionNumber", "ExposureTime")
    }
    found |= {
        f"text-in-{keyword}": [_of(keyword, text)]
        for keyword in ("PatientAge", "PatientWeight", "PatientSize", "PatientSex")
    }
    found["text-in-date"] = [_of("DateOfGainCalibration", text)]
    found["undecodable"] = [
        _of("SpecificCharacterSet", "ISO_IR 192"),
        _of("PatientName", text.encode() + b"\xff\xfe"),
        _of("BodyPartExamined", text.encode() + b"\xff\xfe"),
        _of("ScanOptions", text.encode() + b"\xff\xfe"),
    ]
    found["lying-charset"] = [
        _of("SpecificCharacterSet", "\\ISO 2022 IR 87"),
        _of("PatientName", text.encode() + b"\xc4\xd6^\x1b$B;3ED"),
        _of("InstitutionName", b"\x1b$B" + text.encode() + b"\x1b(J"),
    ]
    found["too-long"] = [_of("BodyPartExamined", f"{text} " * 200), _of("PatientName", text * 200)]
    found["unknown-tag"] = [(0x00099999 - 0x10000, element(0x00089999, "LO", text.encode()))]
    found["twice"] = [_of("PatientName", text), (NAME_TAG + 1, named("PatientName", f"{text}2"))]
    found["undefined-length"] = [(NAME_TAG, _undefined(NAME_TAG, text.encode()))]
    return {name: image(fields, PLAIN, 500 + i) for i, (name, fields) in enumerate(found.items())}


def _undefined(tag: int, value: bytes) -> bytes:
    """A value of UN without a length, which has to be a sequence and is none (PS3.5 6.2.2)."""
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return struct.pack("<HH2sxxI", tag >> 16, tag & 0xFFFF, b"UN", 0xFFFFFFFF) + value + end


def _endless(inside: bytes) -> bytes:
    """A sequence of one item, both of undefined length: it has to be gone through to its end."""
    head = struct.pack("<HH2sxxI", 0x0040, 0x0275, b"SQ", 0xFFFFFFFF)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    return head + item + inside + ends


def rejects() -> dict[str, bytes]:
    """Files of each reason that bytes alone can give, by reason."""
    planted = [(tag, canary(tag, "X")) for tag in LISTED if tag >> 16 not in (0, 2, 4)]
    whole = image(planted, PLAIN, 600)
    at = whole.index(f"{MARK}{LISTED.index(NAME_TAG):04d}".encode())
    deep = named("PatientName", f"{MARK}DEEP")
    for _ in range(100):
        deep = _endless(deep)
    record = b"".join(raw for tag, raw in sorted(planted))
    no_pixels = {"PixelData": "", "SOPClassUID": SR, "Modality": "SR"}
    said = sequence(0x0040A730, named("TextValue", f"{MARK}TEXT"), record)
    jpeg = Encoding("J", JPEG)
    fragment = struct.pack("<HHI", 0xFFFE, 0xE000, 0) + struct.pack("<HHI", 0xFFFE, 0xE000, 12)
    cut = struct.pack("<HH2sxxI", 0x7FE0, 0x10, b"OB", 0xFFFFFFFF) + fragment
    return {
        "not_dicom": f"{MARK} README\n".encode() * 30,
        "empty_file": b"",
        "truncated": whole[: at + 7],
        "bad_header": whole[:at] + b"\xff" * 64 + whole[at:],
        "too_deep": image([(0x00400275, deep)], PLAIN, 601),
        "dicomdir": part10(sequence(0x00041220, record), PLAIN, sop_class=DICOMDIR),
        "no_pixels": image([*planted, (0x0040A730, said)], PLAIN, 602, **no_pixels),
        "pixels_incomplete": image(planted, PLAIN, 603)[:-100],
        "pixels_cut": image([(PIXELS, cut + MARK.encode())], jpeg, 604),
        "unsupported_pixels": image([*planted, _of("Rows", b"\0\0")], PLAIN, 605),
        "no_decoder": image(
            [*planted, (PIXELS, cut + b"\0" * 12)], Encoding("J", f"2.25.{MARK}"), 606
        ),
        "whole_slide": image(planted, PLAIN, 607, SOPClassUID=SLIDE),
        "duplicate-1": image(planted, PLAIN, 608),
        "duplicate-2": image(planted, PLAIN, 608),
    }


def repeats() -> dict[str, bytes]:
    """Images in which an identifying value stands in other tags too, by name."""
    texts = {
        "InstitutionName": ("ProtocolName", "ScanOptions", "SequenceName", "Manufacturer"),
        "PatientName": ("ImageComments", "ScanOptions", "ManufacturerModelName", "ImageType"),
        "PatientID": ("SequenceName", "ScanOptions", "ManufacturerModelName", "SoftwareVersions"),
        "StationName": ("DeviceSerialNumber", "ScanOptions", "FilterType", "ConvolutionKernel"),
        "AccessionNumber": ("StudyID", "ScanOptions", "AcquisitionNumber", "CodeMeaning"),
        "OperatorsName": ("SequenceVariant", "BodyPartExamined", "ViewPosition", "ScanOptions"),
    }
    found = {}
    for number, (source, others) in enumerate(texts.items()):
        word = f"{MARK}{LISTED.index(tag_for_keyword(source)):04d}R"
        value = f"{word}^ANN" if source.endswith("sName") else word
        fields = [named(source, value), *(named(k, f"A {word}") for k in others[:-1])]
        fields += [named(others[-1], word.lower())]
        if others[-1] == "CodeMeaning":
            fields[-1] = sequence(0x00082218, fields[-1])
        planted = [(_tag_of(field), field) for field in fields]
        for copy in range(COPIES):
            other = {"PatientID": word} if source == "PatientID" else {}
            found[f"{source}-{copy}"] = image(planted, PLAIN, 10 * number + copy, **other)
    return found


def otherwise() -> dict[str, bytes]:
    """Images in which an identifying value stands written otherwise, and of its source none."""
    number, born = f"{DIGITS}5", "18030214"
    forms = {
        "number": ("KVP", number),
        "whole": ("ExposureTime", f"{number}"),
        "zeros": ("SoftwareVersions", number),
        "hyphen": ("SoftwareVersions", f"{number[:5]}-{number[5:]}"),
        "weight": ("PatientWeight", born),
        "iso": ("SoftwareVersions", "1803-02-14"),
        "dots": ("SequenceName", "14.02.1803"),
        "slashes": ("ScanOptions", "02/14/1803"),
        "name": ("FilterType", f"{MARK}W JOHN"),
        "comma": ("SequenceVariant", f"JOHN,{MARK}W"),
        "part": ("ScanOptions", f"{MARK}W1803"),
    }
    found = {}
    for i, (name, (keyword, text)) in enumerate(forms.items()):
        person = [_of("PatientName", f"{MARK}W JOHN"), _of("PatientBirthDate", born)]
        for copy in range(COPIES):
            found[f"otherwise-{name}-{copy}"] = image(
                [*person, _of(keyword, text)], PLAIN, 700 + 10 * i + copy, PatientID=f"00{number}"
            )
    return found


def of_one_person() -> dict[str, bytes]:
    """Images of one person in many studies, with a code for nobody, who is named everywhere."""
    fields = [_of(k, f"{MARK}O") for k in ("BodyPartExamined", "ScanOptions", "SequenceName")]
    fields += [_of(k, f"{MARK}O MILLER") for k in ("ViewPosition", "TransducerType")]
    code = sequence(tag_for_keyword("ViewCodeSequence"), named("CodeMeaning", f"{MARK}O"))
    fields.append((tag_for_keyword("ViewCodeSequence"), code))
    return {
        f"one-{i}": image(
            fields, PLAIN, 900 + i, PatientID=("ANONYMOUS", "")[i % 2], Modality=f"{MARK}O JOHN"
        )
        for i in range(6)
    }


def _tag_of(field: bytes) -> int:
    group, number = struct.unpack("<HH", field[:4])
    return int(group << 16 | number)


def write_all(folder: Path, at_once: int) -> int:
    """Write the archive of canaries; return how many of its files are sure to be images."""
    count = attributes(folder, at_once)
    others = repeats() | descriptions() | unlisted() | broken() | rejects()
    others |= otherwise() | of_one_person()
    for name, content in others.items():
        path = folder / f"{NAME}-others" / f"{NAME}-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    _containers(folder / f"{NAME}-containers")
    odd = os.fsencode(folder) + f"/{NAME}".encode() + b"\xff\xfe"
    os.mkdir(odd)
    with open(odd + b"/" + NAME.encode() + b"\xe9", "wb") as file:
        file.write(image([], PLAIN, 77))
    os.mkfifo(folder / f"{NAME}-fifo")
    os.symlink(folder / f"{NAME}-nowhere", folder / f"{NAME}-link")
    return count


def _containers(folder: Path) -> None:
    """A tar and a zip whose members, comments and headers have canaries, whole and cut off."""
    folder.mkdir()
    members = {
        f"{NAME}-{i}": image([(tag, canary(tag, "A")) for tag in LISTED], PLAIN, 300 + i)
        for i in range(3)
    }
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(f"{NAME}/{name}")
            info.size, info.uname, info.gname = len(content), f"{MARK}USER", f"{MARK}GROUP"
            info.pax_headers = {"comment": f"{MARK}PAX"}
            tar.addfile(info, io.BytesIO(content))
    (folder / f"{NAME}.tar").write_bytes(held.getvalue())
    (folder / f"{NAME}-cut.tar").write_bytes(held.getvalue()[: -len(held.getvalue()) // 2])
    with zipfile.ZipFile(folder / f"{NAME}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = f"{MARK}COMMENT".encode()
        for name, content in members.items():
            entry = zipfile.ZipInfo(f"{NAME}/{name}.dcm")
            entry.comment = f"{MARK}COMMENT".encode()
            archive.writestr(entry, content)
    (folder / f"{NAME}-bad.zip").write_bytes(b"PK\3\4" + f"{MARK}BAD".encode() * 40)
