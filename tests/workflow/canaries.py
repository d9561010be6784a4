"""Files with a canary in every place where patients' data can be.

Written byte by byte: no library writes what is broken here. A canary tells what it stands in:
`QZXJVK`, the number of its attribute in LISTED, where in the file that is, and the encoding. File
and folder names have canaries of their own, `QZXJVN`, for they are allowed in columns of paths.
"""

import datetime as dt
import itertools
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2023
from pydicom.datadict import (
    RepeatersDictionary,
    dictionary_VR,
    keyword_for_tag,
    tag_for_keyword,
)

MARK, NAME = "QZXJVK", "QZXJVN"
DIGITS, NUMBER, WHOLE, CLOCK = "739184605", "73918.4605", "1739184605", "034512.739"
WORDS = struct.unpack("<3H", MARK.encode())  # what it is as US
BULK = {"OB", "OW", "UN"}
LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UC", "UN", "UR", "UT", "SV", "UV"}
CT, SR, SLIDE = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "88.11", "77.1.6"))
DICOMDIR, JPEG = "1.2.840.10008.1.3.10", "1.2.840.10008.1.2.4.50"
PIXELS = 0x7FE00010


def _listed() -> list[int]:
    """The tags of PS3.15 Table E.1-1: all single ones, and those of PS3.6 under its masks."""
    single = [group << 16 | element for group, element in _entries(2)]
    repeating = [int(mask.replace("x", "0"), 16) | 2 << 16 for mask in RepeatersDictionary]
    return single + [
        tag
        for tag in repeating
        for group, element, groups, elements in _entries(4)
        if tag >> 16 & groups == group and tag & elements == element
    ]


def _entries(length: int) -> Iterator[tuple[int, ...]]:
    return (entry for entry in dicomfields_2023.ALL_TAGS if len(entry) == length)


LISTED = _listed()


class Encoding(NamedTuple):
    letter: str
    syntax: str
    implicit: bool = False
    order: str = "<"
    deflated: bool = False


PLAIN = Encoding("E", "1.2.840.10008.1.2.1")
ENCODINGS = (
    PLAIN,
    Encoding("I", "1.2.840.10008.1.2", implicit=True),
    Encoding("B", "1.2.840.10008.1.2.2", order=">"),
    Encoding("D", "1.2.840.10008.1.2.1.99", deflated=True),
)


def element(tag: int, vr: str, value: bytes, to: Encoding = PLAIN) -> bytes:
    value += b"" if len(value) % 2 == 0 else b"\0" if vr in {"UI", *BULK} else b" "
    head = struct.pack(f"{to.order}HH", tag >> 16, tag & 0xFFFF)
    if to.implicit:
        return head + struct.pack("<I", len(value)) + value
    if vr in LONG:
        return head + vr.encode() + struct.pack(f"{to.order}xxI", len(value)) + value
    return head + vr.encode() + struct.pack(f"{to.order}H", len(value)) + value


def sequence(tag: int, *items: bytes, to: Encoding = PLAIN) -> bytes:
    head = struct.pack(f"{to.order}HH", 0xFFFE, 0xE000)
    whole = b"".join(head + struct.pack(f"{to.order}I", len(item)) + item for item in items)
    return element(tag, "SQ", whole, to)


def named(keyword: str, value: str | bytes, to: Encoding = PLAIN, vr: str | None = None) -> bytes:
    tag = tag_for_keyword(keyword)
    raw = value.encode() if isinstance(value, str) else value
    return element(tag, vr or dictionary_VR(tag), raw, to)


def canary(tag: int, where: str, to: Encoding = PLAIN) -> bytes:
    """An element of the list with a canary that its VR can hold."""
    vr, number = _vr(tag), LISTED.index(tag)
    text = f"{MARK}{number:04d}{where}{to.letter}"
    day = (dt.date(1803, 1, 1) + dt.timedelta(days=number)).strftime("%Y%m%d")
    clock = f"{CLOCK}{number:03d}"
    if vr == "SQ":
        inside = [named("CodeValue", text, to), named("CodeMeaning", text, to)]
        return sequence(tag, b"".join([*inside, named("PatientName", text, to)]), to=to)
    held = {
        "DA": day,
        "TM": clock,
        "DT": day + clock,
        "DS": f"{NUMBER}{number:03d}",
        "IS": WHOLE,
        "UI": f"2.25.{DIGITS}{number:04d}{ord(where)}{ord(to.letter)}",
        "PN": f"{text}^{text}",
    }
    value = struct.pack(f"{to.order}3H", *WORDS) if vr == "US" else held.get(vr, text).encode()
    return element(tag, vr, value, to)


def _vr(tag: int) -> str:
    return dictionary_VR(tag).split(" or ")[0]


Planted = list[tuple[int, bytes]]


def image(fields: Planted, to: Encoding, patient: int, meta: bytes = b"", **other: str) -> bytes:
    """A little CT image with `fields` in it; `other` takes the place of what it says itself."""
    said = {
        "SOPClassUID": CT,
        "SOPInstanceUID": f"2.25.{DIGITS}9{patient}",
        "SeriesInstanceUID": f"2.25.{DIGITS}8{patient}",
        "StudyInstanceUID": f"2.25.{DIGITS}7{patient}",
        "PatientID": f"{MARK}P{patient}",
        "Modality": "CT",
        "Manufacturer": "SIEMENS",
        "BodyPartExamined": ("HEAD", "CHEST", "ABDOMEN")[patient % 3],
        "KVP": ("80", "100", "120")[patient % 3],
        "SliceThickness": str(1 + patient % 4),
        "PhotometricInterpretation": "MONOCHROME2",
    } | other
    numbers = {"SamplesPerPixel": 1, "Rows": 16, "Columns": 16, "BitsAllocated": 8}
    numbers |= {"BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}
    held = {tag_for_keyword(k): named(k, v, to) for k, v in said.items() if v}
    for keyword, number in numbers.items():
        held[tag_for_keyword(keyword)] = named(keyword, struct.pack(f"{to.order}H", number), to)
    if other.get("PixelData") != "":
        held[PIXELS] = element(PIXELS, "OB", random.Random(patient).randbytes(256), to)
    held |= {tag: raw for tag, raw in fields if tag >> 16 != 2}  # those are in the meta header
    for tag in (0x00080018, 0x0020000D, 0x0020000E, 0x00100020):  # copies are other patients'
        held[tag] = named(keyword_for_tag(tag), said[keyword_for_tag(tag)], to)
    # Group 0 and 4 stand in a data set by mistake: there they say nothing of its encoding.
    order = sorted(held, key=lambda tag: (tag >> 16 > 0x7FE0, tag >> 16 in (0, 4), tag))
    return part10(b"".join(held[tag] for tag in order), to, meta)


def part10(body: bytes, to: Encoding, meta: bytes = b"", sop_class: str = CT) -> bytes:
    """A file (PS3.10 7.1) with canaries in its preamble and its meta header."""
    text = f"{MARK}META"
    if to.deflated:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
    fields = [
        named("MediaStorageSOPClassUID", sop_class),
        canary(0x00020003, "M"),
        named("TransferSyntaxUID", to.syntax),
        named("ImplementationVersionName", text),
        *(
            named(f"{who}ApplicationEntityTitle", text)
            for who in ("Source", "Sending", "Receiving")
        ),
        named("PrivateInformationCreatorUID", f"2.25.{DIGITS}0"),
        named("PrivateInformation", text),
    ]
    whole = b"".join(fields) + meta
    size = element(0x00020000, "UL", struct.pack("<I", len(whole)))
    return (text.encode() * 16)[:128] + b"DICM" + size + whole + body


def _top(tags: list[int], to: Encoding) -> Planted:
    return [(tag, canary(tag, "T", to)) for tag in tags]


def _item(tags: list[int], where: str, to: Encoding) -> bytes:
    inside = sorted(tag for tag in tags if tag >> 16 not in (0, 2, 0xFFFA, 0xFFFC))
    return b"".join(canary(tag, where, to) for tag in inside)


def _nested(tags: list[int], to: Encoding) -> Planted:
    """In an item of a sequence that is listed, in one that is not, and in one in that."""
    inner = _item(tags, "N", to)
    inner += sequence(0x00400260, _item(tags, "n", to), to=to)
    places = (0x00189346, 0x00400275, 0x00081110, 0x00101002)
    return [(tag, sequence(tag, inner, to=to)) for tag in places]


def _coded(tags: list[int], to: Encoding) -> Planted:
    inside = named("CodeMeaning", "Head", to) + _item(tags, "C", to)
    return [(0x00082218, sequence(0x00082218, inside, to=to))]


def _tracer(tags: list[int], to: Encoding) -> Planted:
    """In the item of which the word for a radiopharmaceutical is told, around it and inside."""
    code = sequence(0x00540304, _item(tags, "r", to) + named("CodeMeaning", "FDG", to), to=to)
    return [(0x00540016, sequence(0x00540016, _item(tags, "R", to) + code, to=to))]


def _groups(tags: list[int], to: Encoding) -> Planted:
    """In the functional groups of an enhanced image, which the reader looks into."""
    return [
        (tag, sequence(tag, sequence(0x00209071, _item(tags, where, to), to=to), to=to))
        for tag, where in ((0x52009229, "S"), (0x52009230, "F"))
    ]


def _private(tags: list[int], to: Encoding) -> Planted:
    found = []
    for i, tag in enumerate(tags):
        group, place = 0x0009 + 2 * (i // 240), 0x1000 + i % 240
        if place == 0x1000:
            creator = f"{MARK} CREATOR".encode()
            found.append((group << 16 | 0x10, element(group << 16 | 0x10, "LO", creator, to)))
        whole = canary(tag, "P", to)
        own = struct.pack(f"{to.order}HH", group, place) + whole[4:]
        found.append((group << 16 | place, own))
    return found


def _private_sequence(tags: list[int], to: Encoding) -> Planted:
    creator = element(0x00290010, "LO", f"{MARK} CREATOR".encode(), to)
    inside = sequence(0x00291001, creator + _item(tags, "Q", to), to=to)
    return [(0x00290010, creator), (0x00291001, inside)]


POSITIONS = {
    "top": _top,
    "nested": _nested,
    "coded": _coded,
    "tracer": _tracer,
    "groups": _groups,
    "private": _private,
    "private_sequence": _private_sequence,
}
COPIES = 3  # as many patients have a canary as make a value one to be shown


def attributes(folder: Path, at_once: int) -> int:
    """Write files with `at_once` attributes of the list each, in all positions and encodings."""
    numbers = itertools.count(1000)
    count = 0
    for position, plant in POSITIONS.items():
        for to in ENCODINGS:
            place = folder / f"{NAME}-{position}-{to.letter}"
            place.mkdir(parents=True)
            for start in range(0, len(LISTED), at_once):
                for copy in range(COPIES):
                    fields = plant(LISTED[start : start + at_once], to)
                    name = f"{NAME}{start}-{copy}.dcm"
                    (place / name).write_bytes(image(fields, to, next(numbers)))
                    count += 1
    return count
