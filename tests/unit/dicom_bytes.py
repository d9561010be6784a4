"""Small DICOM files, element by element (PS3.5 7): for what no library would write."""

import struct

LONG = ("OB", "OW", "SQ", "UN", "UT", "UC")
UNDEFINED = 0xFFFFFFFF
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def value_of(value):
    data = value.encode() if isinstance(value, str) else value
    return data + b" " * (len(data) % 2)


def element(tag, vr, value=b"", length=None):
    """An explicit element; `length` where it is not that of the value."""
    data = value_of(value)
    length = len(data) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    form = "<2xI" if vr in LONG else "<H"
    return head + struct.pack(form, length) + data


def odd(tag, letters, value, *, long):
    """An explicit element with other letters in the place of the VR."""
    data = value_of(value)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + letters
    return head + struct.pack("<2xI" if long else "<H", len(data)) + data


def implicit(tag, value):
    data = value_of(value)
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(data)) + data


def item(*elements, delimited=False):
    """An item, of explicit length or with its delimiter."""
    content = b"".join(elements)
    length = UNDEFINED if delimited else len(content)
    head = struct.pack("<HHI", 0xFFFE, 0xE000, length)
    return head + content + (ITEM_END if delimited else b"")


def sequence(tag, *items, delimited=False):
    content = b"".join(items) + (SEQUENCE_END if delimited else b"")
    return element(tag, "SQ", content, UNDEFINED if delimited else len(content))


def numbers(*values):
    return struct.pack(f"<{len(values)}H", *values)


def picture(**others):
    """Elements of a picture of 32 x 32 by their tag, `t00180060` and the like among `others`."""
    found = {
        0x00080016: element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7\0"),
        0x00080018: element(0x00080018, "UI", "1.2.3.4\0"),
        0x00080060: element(0x00080060, "CS", "OT"),
        0x00100020: element(0x00100020, "LO", "P1"),
        0x0020000D: element(0x0020000D, "UI", "1.2.3\0"),
        0x0020000E: element(0x0020000E, "UI", "1.2\0"),
        0x00280002: element(0x00280002, "US", numbers(1)),
        0x00280004: element(0x00280004, "CS", "MONOCHROME2"),
        0x00280010: element(0x00280010, "US", numbers(32)),
        0x00280011: element(0x00280011, "US", numbers(32)),
        0x00280100: element(0x00280100, "US", numbers(16)),
        0x00280101: element(0x00280101, "US", numbers(16)),
        0x00280102: element(0x00280102, "US", numbers(15)),
        0x00280103: element(0x00280103, "US", numbers(0)),
        0x7FE00010: element(0x7FE00010, "OW", bytes(2048)),
    }
    return found | {int(tag[1:], 16): data for tag, data in others.items()}


def file_of(elements, syntax="1.2.840.10008.1.2.1"):
    """The bytes of a file with these elements, by their tag."""
    data = b"".join(data for _, data in sorted(elements.items()))
    meta = element(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7\0")
    meta += element(0x00020003, "UI", "1.2.3.4\0")
    meta += element(0x00020010, "UI", syntax + "\0" * (len(syntax) % 2))
    length = element(0x00020000, "UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + data
