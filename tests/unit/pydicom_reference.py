"""pydicom as the referee of what a header says."""

import warnings

import pytest
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue

from tagsight.dicom.header_texts import gather
from tagsight.dicom.part10 import open_header

# Of these the file's framing tells, not the data set: a length of a group, the syntax in use.
FRAMING = ("CommandGroupLength", "TransferSyntaxUID")
BULK = ("SQ", "OB", "OW", "OF", "OD", "OL", "OV", "UN", "PN")


def texts(path):
    """Keyword -> VR and text of the top level, by pydicom's own conversion.

    Values that pydicom cannot convert are left out, as are those that are bulk, and those that end
    before they are as long as they say: where we saw another length.
    """
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(path, stop_before_pixels=True, force=True)
        for tag in list(dataset.keys()):
            raw = dataset.get_item(tag)
            if isinstance(raw, RawDataElement) and raw.value and len(raw.value) < raw.length:
                continue
            try:
                element = dataset[tag]
            except Exception:
                continue
            if element.VR in BULK or element.tag.is_private or element.value is None:
                continue
            value = element.value
            parts = list(value) if isinstance(value, MultiValue | list) else [value]
            text = "\\".join(str(getattr(p, "original_string", p)).strip(" \0") for p in parts)
            if text.strip("\\") and element.keyword not in ("", *FRAMING):
                found[element.keyword] = element.VR, text
    return found


def agrees(vr, ours, theirs):
    """Floats to their width; a value that we withhold need not be shown."""
    if ours == "\0":
        return True
    if vr in ("FL", "FD"):
        pairs = zip(ours.split("\\"), theirs.split("\\"), strict=True)
        return all(float(a) == pytest.approx(float(b), rel=1e-6, nan_ok=True) for a, b in pairs)
    return ours == theirs or ours.strip() == theirs.strip()  # Python strips U+001C and its like


def disagreements(path):
    """Keyword, our text, pydicom's, wherever they differ."""
    with open_header(str(path)) as parsed:
        gathered = gather(parsed, frozenset())
    ours = gathered.values | gathered.withheld
    try:
        theirs = texts(path)
    except Exception:  # what it cannot read it cannot judge
        return []
    return [
        (keyword, ours.get(keyword, ""), text)
        for keyword, (vr, text) in theirs.items()
        if not agrees(vr, ours.get(keyword, ""), text)
    ]
