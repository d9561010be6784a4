"""The tags of patient, study, series and image, as each device fills them."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from pydicom.uid import UID

from tagsight.demo import people
from tagsight.demo.devices import CHARSETS, INSTITUTIONS, LANGUAGES, Device, words
from tagsight.demo.population import Patient, Series
from tagsight.demo.technique import Technique

Tags: TypeAlias = dict[str, object]
ROOT = "1.2.826.0.1.3680043.8.498."
CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1", "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "MG": "1.2.840.10008.5.1.4.1.1.1.2", "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "NM": "1.2.840.10008.5.1.4.1.1.20", "PT": "1.2.840.10008.5.1.4.1.1.128",
    "XA": "1.2.840.10008.5.1.4.1.1.12.1",
}  # fmt: skip
MULTIFRAME_US = "1.2.840.10008.5.1.4.1.1.3.1"
# How a device writes an unknown number or text; None leaves the tag out.
UNKNOWN: dict[str, tuple[object, str | None]] = {
    "zero": (0, ""), "999": (999, "N/A"), "unknown": (None, "UNKNOWN"), "empty": ("", ""),
    "absent": (None, None),
}  # fmt: skip
ORIENTATIONS = {"AX": [1, 0, 0, 0, 1, 0], "SAG": [0, 1, 0, 0, 0, -1], "COR": [1, 0, 0, 0, 0, -1],
                "SA": [0.7, 0.6, -0.39, 0.05, -0.6, -0.8]}  # fmt: skip
# Names of exams at each site, and what staff add to them.
EXAM_WORDS = {"CR": ("XR", "Rtg", "Rö"), "DX": ("XR", "Rtg", "Rö"), "US": ("US", "UZV", "Sono"),
        "NM": ("NM", "Scintigrafija", "Szinti"), "XA": ("Angio", "DSA", "DSA")}  # fmt: skip
EXAM_SUFFIXES = ((" routine", " V2", " w/o", " stat"), (" kontrola", " nativ", " s k.s."),
         (" Kontrolle", " nativ", " mit KM", " V2"))  # fmt: skip
POSITIONS = ("HFS", "FFS", "HFP")


def uid(seed: int, *parts: object) -> UID:
    """Return a UID that depends on its parts alone."""
    text = "\0".join(str(part) for part in (seed, *parts))
    digest = hashlib.blake2b(text.encode(), digest_size=15).digest()
    return UID(ROOT + str(int.from_bytes(digest, "big")))


def _blank(device: Device, number: bool) -> object:
    return UNKNOWN[device.codes][0 if number else 1]


def _age(device: Device, patient: Patient, day: dt.date, rng: np.random.Generator) -> str | None:
    if rng.random() < 0.15:
        return {"zero": "000Y", "999": "999Y", "empty": ""}.get(device.codes)
    return f"{int((day - patient.birth).days / 365.25):03d}Y"


def patient_tags(patient: Patient, device: Device, study: int, rng: np.random.Generator) -> Tags:
    """Return the tags of a study that describe the patient."""
    measured = device.modality in ("MR", "PT", "NM") or rng.random() < 0.3
    number = _blank(device, True)
    name = people.full_name(patient.number, patient.site, patient.sex)
    if device.site not in (patient.site, 2):
        name = people.plain(name)
    return {
        "PatientName": name.upper() if device.site == 0 else name,
        "PatientID": f"{'ABC'[patient.site]}{417301 + 97 * patient.number}",
        "PatientBirthDate": patient.birth.strftime("%Y%m%d"),
        "PatientSex": patient.sex if rng.random() < 0.95 else _blank(device, False),
        "PatientAge": _age(device, patient, patient.dates[study], rng),
        "PatientWeight": round(patient.weight) if measured else number,
        "PatientSize": round(patient.height, 2) if measured and rng.random() < 0.6 else number,
        "OtherPatientIDs": f"{patient.number * 7919 % 10**6}" if patient.site == 1 else None,
        "PatientComments": "" if patient.site else None,
        "EthnicGroup": _blank(device, False) if device.maker == "Siemens" else None,
    }


def describe(series: Series, rng: np.random.Generator) -> str:
    """Return the free text of a study or protocol, in the site's language."""
    site = series.device.site
    word = words(series.body_part)[LANGUAGES[site]]
    kind = EXAM_WORDS.get(series.modality, (series.modality,) * 3)[site]
    extra = ("", "", *EXAM_SUFFIXES[site])
    return f"{kind} {word}{extra[int(rng.integers(len(extra)))]}"


def study_tags(patient: Patient, series: Series, seed: int, rng: np.random.Generator) -> Tags:
    """Return the tags that all series of an exam share."""
    device, day = series.device, patient.dates[series.study].strftime("%Y%m%d")
    clock = f"{int(rng.integers(7, 19)):02d}{int(rng.integers(60)):02d}{int(rng.integers(60)):02d}"
    number = patient.number * 10 + series.study
    return {
        "StudyInstanceUID": uid(seed, "study", patient.number, series.study),
        "StudyDate": day,
        "StudyTime": clock if device.maker != "Siemens" else f"{clock}.{number % 1000:03d}000",
        "StudyID": str(number) if device.maker in ("GE", "Siemens") else "",
        "AccessionNumber": f"{patient.site}{day[2:4]}{number:06d}",
        "StudyDescription": describe(series, rng) if rng.random() < 0.85 else None,
        "ReferringPhysicianName": people.doctor(number, device.site),
        "PerformingPhysicianName": people.doctor(number + 5, device.site) if number % 3 else "",
        "OperatorsName": people.doctor(number + 9, device.site) if device.site else None,
    }


def device_tags(device: Device) -> Tags:
    """Return the tags of a device, the same in every file."""
    return {
        "SpecificCharacterSet": CHARSETS[device.site],
        "Manufacturer": device.manufacturer,
        "ManufacturerModelName": device.model,
        "SoftwareVersions": device.software,
        "InstitutionName": INSTITUTIONS[device.site],
        "StationName": f"{device.modality}{device.number:02d}",
        "DeviceSerialNumber": str(10240 + 77 * device.number) if device.number % 3 else None,
        "InstitutionalDepartmentName": "Radiology" if device.number % 4 == 1 else None,
        "DateOfLastCalibration": "20120301" if device.modality in ("MG", "DX", "PT") else None,
    }


def _code(keywords: tuple[str, str], meaning: str) -> Tags:
    value, scheme = keywords
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def _codes(series: Series, view: str) -> Tags:
    """Return the coded region and view, which only some digital X-ray devices fill."""
    if series.modality not in ("DX", "MG") or series.device.number % 2:
        return {}
    word, short = words(series.body_part), view.rsplit(maxsplit=1)[-1]
    tags: Tags = {"AnatomicRegionSequence": [_code((word["code"], "SCT"), word["meaning"])]}
    meaning = {"CC": "cranio-caudal", "MLO": "medio-lateral oblique", "PA": "postero-anterior",
               "AP": "antero-posterior", "LL": "left lateral"}[short]  # fmt: skip
    codes = {"CC": "399162004", "MLO": "399368009", "PA": "399348003", "AP": "399067008"}
    code = codes.get(short, "399173006")
    return tags | {"ViewCodeSequence": [_code((code, "SCT"), meaning)]}


def series_tags(series: Series, t: Technique, seed: int, rng: np.random.Generator) -> Tags:
    """Return the tags that all images of a series share, except its physics."""
    device, key = series.device, (series.patient, series.study, series.number)
    protocol = describe(series, rng)
    subject = protocol.split(" ", 1)[-1]
    title = " ".join(v for v in (series.contrast, series.views[0], subject) if v)
    missing = _blank(device, False)
    tags: Tags = {
        "Modality": series.modality,
        "SeriesInstanceUID": uid(seed, "series", *key),
        "SeriesNumber": series.number if device.maker != "Siemens" else series.number * 100 + 1,
        "SeriesDescription": title.lower() if device.site == 1 else title,
        "ProtocolName": protocol if device.codes != "absent" else None,
        "BodyPartExamined": series.written or missing,
        "PatientPosition": str(rng.choice(POSITIONS, p=[0.7, 0.25, 0.05])),
        "RequestedProcedureDescription": protocol if rng.random() < 0.3 else None,
        "PerformedProcedureStepID": str(10**5 + key[0]) if device.maker == "Siemens" else None,
    }
    if series.modality in ("CT", "MR", "PT", "NM"):
        tags |= {
            "FrameOfReferenceUID": uid(seed, "frame", *key[:2]),
            "PositionReferenceIndicator": "",
        }
    else:
        tags["PatientPosition"] = None
    if series.modality in ("CR", "DX", "MG", "XA") and device.maker in ("GE", "Agfa", "Kodak"):
        tags["AcquisitionDeviceProcessingDescription"] = f"{series.body_part[:4]} {rng.integers(4)}"
    if t.window and device.style == "signed":
        tags["PixelPaddingValue"] = -2000
    return tags


def _image_type(series: Series) -> list[str]:
    mr = {"Siemens": "ND", "Philips": "M_SE"}.get(series.device.maker, "OTHER")
    nm = "WHOLE BODY" if series.body_part == "WHOLEBODY" else "STATIC"
    last = {"CT": "AXIAL", "MR": mr, "NM": nm, "PT": "AXIAL"}.get(series.modality, "")
    if series.contrast == "SCOUT":
        return ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    if series.modality == "NM" and series.frames > 1:
        return ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]
    first = "DERIVED" if series.modality in ("CR", "DX", "MG") else "ORIGINAL"
    extra = {"MR": ["M"], "XA": ["SINGLE PLANE"], "NM": []}.get(series.modality, [])
    tail = ["EMISSION"] if series.modality == "NM" else []
    return [v for v in (first, "PRIMARY", *extra, last, *tail) if v or first == "DERIVED"]


def _view_tags(series: Series, view: str) -> Tags:
    if series.modality == "MG":
        return {"ImageLaterality": view[0], "ViewPosition": view[2:],
                "PatientOrientation": ["A", "R"] if view[0] == "L" else ["P", "L"]}  # fmt: skip
    if series.modality not in ("CR", "DX"):
        return {}
    fills_view = series.device.codes != "absent" or series.device.fill > 0.9
    side = {"KNEE": "L", "HAND": "R"}.get(series.body_part)
    if side and (series.patient + series.study) % 2:
        side = "R" if side == "L" else "L"
    return {
        "ViewPosition": view if fills_view else _blank(series.device, False),
        "Laterality": side or "",
    }


def _place(series: Series, t: Technique, image: int) -> Tags:
    """Return the position of a slice in the patient."""
    if series.modality not in ("CT", "MR", "PT"):
        return {}
    view = series.view(image) if series.view(image) in ORIENTATIONS else "COR"
    half = round(-t.spacing * series.device.rows / 2, 3)
    along = round(-40 + 7 * (series.patient % 23) + t.thickness * image, 3)
    place = {"SAG": [along, half, -half], "COR": [half, along, -half]}.get(
        view, [half, half, along]
    )
    return {"ImagePositionPatient": place, "ImageOrientationPatient": ORIENTATIONS[view],
            "SliceLocation": along if series.device.maker != "Philips" else None,
            "PixelSpacing": [round(t.spacing, 6)] * 2}  # fmt: skip


def image_tags(
    series: Series, t: Technique, image: int, shared: Mapping[str, object], seed: int
) -> Tags:
    """Return the tags that differ between images of a series."""
    moment = str(shared["StudyTime"])[:4] + f"{(7 * series.number + image) % 60:02d}.{image:03d}000"
    device, key = series.device, (series.patient, series.study, series.number)
    is_multiframe = series.modality == "US" and series.frames > 1
    tags: Tags = {
        "SOPClassUID": MULTIFRAME_US if is_multiframe else CLASSES[series.modality],
        "SOPInstanceUID": uid(seed, "image", *key, image),
        "InstanceNumber": image + 1,
        "ImageType": _image_type(series),
        "SeriesDate": shared["StudyDate"],
        "AcquisitionDate": shared["StudyDate"] if device.codes != "absent" else None,
        "ContentDate": shared["StudyDate"],
        "SeriesTime": str(shared["StudyTime"])[:6],
        "AcquisitionTime": moment if device.maker != "Agfa" else moment[:6],
        "ContentTime": moment,
        "AcquisitionNumber": 1 if device.maker != "Fuji" else None,
        "InstanceCreationDate": shared["StudyDate"] if device.maker == "Siemens" else None,
    }
    view = series.view(image)
    return tags | _view_tags(series, view) | _codes(series, view) | _place(series, t, image)
