import ast
import csv
import json
from collections import Counter
from importlib.resources import files
from io import StringIO
from pathlib import Path

import pytest
from pydicom.uid import UID

import tagsight
from tagsight.dicom.dictionary import DERIVED, attribute, uid_name

ACRONYMS = [
    "CT",
    "MR",
    "CR",
    "DX",
    "NM",
    "PET",
    "RT",
    "US",
    "XA",
    "XRF",
    "VL",
    "ICC",
    "MPR",
    "IVUS",
    "OCT",
    "LUT",
    "VOI",
    "SOP",
    "UDI",
    "SR",
    "2D",
    "3D",
    "QA",
    "DVH",
    "ROI",
]

# Radiology's own modules come before all others, in this order.
FIRST = [
    "patient",
    "patient-study",
    "general-study",
    "general-series",
    "general-equipment",
    "general-image",
    "image-pixel",
    "image-plane",
    "multi-frame",
    "cine",
    "frame-of-reference",
    "sop-common",
    "contrast-bolus",
    "voi-lut",
    "modality-lut",
    "ct-image",
    "mr-image",
    "pet-image",
    "pet-series",
    "pet-isotope",
    "nm-image",
    "us-image",
    "us-region-calibration",
    "cr-series",
    "cr-image",
    "dx-image",
    "dx-detector",
    "dx-positioning",
    "x-ray-acquisition",
    "x-ray-image",
    "xa-positioner",
    "mammography-image",
]


def test_attribute_of_the_standard():
    spacing = attribute("PixelSpacing")
    assert (spacing.tag, spacing.vr, spacing.module) == ("0028,0030", "DS", "Image Plane")
    assert attribute("Modality").module == "General Series"
    assert attribute("KVP").module == "CT Image"
    assert attribute("SmallestImagePixelValue").vr == "US"
    assert attribute("NoSuchKeyword").tag == ""


def test_attribute_of_a_repeating_group():
    assert attribute("OverlayRows").tag == "6000,0010"


@pytest.mark.parametrize(("keyword", "description"), DERIVED.items())
def test_a_derived_tag_is_known_by_its_description(keyword, description):
    assert attribute(keyword).tag == attribute(description).tag


def test_a_uid_has_the_name_of_its_registration():
    assert uid_name("1.2.840.10008.5.1.4.1.1.2") == UID("1.2.840.10008.5.1.4.1.1.2").name
    assert uid_name("1.2.840.10008.5.1.4.1.1.2.99") is None
    assert uid_name("") is None


def test_no_other_module_uses_private_names_of_pydicom():
    library = Path(tagsight.__file__).parent
    users = {
        path.relative_to(library).as_posix()
        for path in library.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if any(is_private(name) for name in pydicom_names(node))
    }
    assert users == {"dicom/dictionary.py"}


def pydicom_names(node):
    """Dotted names of pydicom that a node imports or reads."""
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        names = [ast.unparse(node)] if isinstance(node, ast.Attribute) else []
    return [name for name in names if name.startswith("pydicom.")]


def is_private(name):
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


def modules_of_the_standard() -> str:
    """The CSV anew: per keyword the most general of the modules that hold it.

    Rank: outside any sequence before inside; then radiology's own modules (`FIRST`); then the
    module that most kinds of object (IODs) use; then its name.
    """
    highdicom = pytest.importorskip("highdicom", reason="the CSV is made from highdicom's tables")
    standard = files(highdicom) / "_standard"
    modules = json.loads((standard / "module_attribute_map.json").read_text(encoding="utf-8"))
    objects = json.loads((standard / "iod_module_map.json").read_text(encoding="utf-8"))
    uses = Counter(module["key"] for held in objects.values() for module in held)
    place = {slug: rank for rank, slug in enumerate(FIRST)}
    best: dict[str, tuple] = {}
    for slug, attributes in modules.items():
        for entry in attributes:
            rank = (bool(entry["path"]), place.get(slug, len(place)), -uses[slug], slug)
            best[entry["keyword"]] = min(best.get(entry["keyword"], rank), rank)
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["keyword", "module"])
    writer.writerows((k, title(rank[-1])) for k, rank in sorted(best.items()) if k)
    return out.getvalue()


def title(slug: str) -> str:
    words = (w for w in slug.split("-") if w)
    named = " ".join(w.upper() if w.upper() in ACRONYMS else w.capitalize() for w in words)
    return named.replace("X Ray", "X-Ray")


def test_modules_csv_is_that_of_the_standard():
    stored = (files("tagsight") / "data" / "modules.csv").read_text(encoding="utf-8")
    assert stored == modules_of_the_standard()
