"""DICOM files of any content, right or wrong, by the bytes of PS3.5 7.1: no library objects."""

import struct

LONG = ("OB", "OD", "OF", "OW", "SQ", "UN", "UT")
UNDEFINED = 0xFFFFFFFF
ITEM_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def element(tag, vr, value, *, implicit=False, order="<"):
    value = value.encode() if isinstance(value, str) else value
    value += (b" " if vr in ("CS", "DS", "IS", "LO") else b"\0") * (len(value) % 2)
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return head + struct.pack(f"{order}I", len(value)) + value
    if vr in LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(f"{order}I", len(value)) + value
    return head + vr.encode() + struct.pack(f"{order}H", len(value)) + value


def item(data):
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data


def fragments(*parts, table=b""):
    return b"".join(map(item, [table, *(part + b"\0" * (len(part) % 2) for part in parts)]))


def header(number_of_rows, number_of_columns, **changes):
    """Tag -> VR and value of a grey picture of 16 bits; changes by name, None takes one out."""
    names = {
        "samples": (0x00280002, "US", 1),
        "photometric": (0x00280004, "CS", "MONOCHROME2"),
        "planar": (0x00280006, "US", None),
        "frames": (0x00280008, "IS", None),
        "rows": (0x00280010, "US", number_of_rows),
        "columns": (0x00280011, "US", number_of_columns),
        "allocated": (0x00280100, "US", 16),
        "stored": (0x00280101, "US", None),
        "high": (0x00280102, "US", None),
        "signed": (0x00280103, "US", 0),
        "padding": (0x00280120, "US", None),
        "centre": (0x00281050, "DS", None),
        "width": (0x00281051, "DS", None),
        "intercept": (0x00281052, "DS", None),
        "slope": (0x00281053, "DS", None),
        "function": (0x00281056, "CS", None),
    }
    assert changes.keys() <= names.keys()
    values = {name: value for name, (_, _, value) in names.items()} | changes
    return {names[name][0]: (names[name][1], v) for name, v in values.items() if v is not None}


def file(path, tags, syntax, pixels, *, vr="OW", length=None, implicit=False, order="<"):
    """Write a file; length: of the pixels, as written, in the place of their own."""
    uid = "1.2.840.10008.5.1.4.1.1.7"
    meta = element(0x00020002, "UI", uid) + element(0x00020010, "UI", syntax)
    meta = element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
    body = b""
    common = {0x00080016: ("UI", uid), 0x00080060: ("CS", "OT")}
    for tag, (tag_vr, value) in sorted((common | tags).items()):
        if tag_vr == "US":
            value = struct.pack(f"{order}H", value)
        body += element(tag, tag_vr, value, implicit=implicit, order=order)
    body += struct.pack(f"{order}HH", 0x7FE0, 0x0010)
    body += b"" if implicit else vr.encode() + b"\0\0"
    body += struct.pack(f"{order}I", len(pixels) if length is None else length) + pixels
    body += ITEM_END if length == UNDEFINED else b""
    path.write_bytes(bytes(128) + b"DICM" + meta + body)
    return str(path)
