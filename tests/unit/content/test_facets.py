"""Facets: examples of the standard and of makers; closed words; nothing raises."""

import re

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagsight.content.facets import MORE_EXACT
from tagsight.content.header import headers
from tagsight.content.tables import content_tables
from tagsight.dicom.dictionary import attribute
from tagsight.run.package_data import rows_of
from tagsight.run.tables import BOOKKEEPING

FACETS = {facet.name: facet for facet in content_tables().facets}
READ = [facet for facet in FACETS.values() if facet.read]


def word(name, kind, region=None, **tags):
    """The word of a facet for one image."""
    facet = FACETS[name]
    unknown = set(tags) - set(facet.keywords)
    assert not unknown, f"{name} does not read {unknown}"
    row = {"kind": kind, "region": region, **dict.fromkeys(facet.keywords), **tags}
    schema = dict.fromkeys(row, pl.String)
    (header,) = headers(pl.DataFrame([row], schema), facet.keywords)
    return facet.read(header)


@pytest.mark.parametrize(
    ("orientation", "plane"),
    [
        ("1\\0\\0\\0\\1\\0", "AX"),
        ("-1\\0\\0\\0\\1\\0", "AX"),
        ("0\\1\\0\\0\\0\\-1", "SAG"),
        ("1\\0\\0\\0\\0\\-1", "COR"),
        ("1\\0\\0\\0\\0.866\\-0.5", "AX"),  # 30° off
        ("1\\0\\0\\0\\0.766\\-0.643", "OBL"),  # 40° off
        ("1\\0\\0\\1\\0\\0", None),  # parallel: no plane
        ("0\\0\\0\\0\\0\\0", None),
        ("1\\0\\0", None),
        ("", None),
        ("A\\B\\C\\D\\E\\F", None),
    ],
)
def test_planes_are_named_after_the_axis_of_the_normal(orientation, plane):
    assert word("plane", "MR", ImageOrientationPatient=orientation) == plane


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("SE", "500", "12", None), "T1"),
        (("SE", "4000", "100", None), "T2"),
        (("SE", "3000", "30", None), "PD"),
        (("IR", "9000", "120", "2500"), "FLAIR"),
        (("SE\\IR", "4500", "60", "160"), "STIR"),
        (("GR\\IR", "2300", "3", "900"), "T1"),  # MPRAGE
        (("SE", "3000", "30", "0"), "PD"),  # no inversion
        (("GR", "600", "20", None), "T2*"),
        (("GR", "8", "3", None), "T1"),
        (("EP\\GR", "2000", "30", None), "EPI"),
        (("SE", "1300", "55", None), None),  # between the limits
        (("SE", None, "100", None), None),
        ((None, "500", "12", None), None),
    ],
)
def test_weighting_by_echo_and_times(tags, expected):
    sequence, tr, te, ti = tags
    found = word(
        "weighting",
        "MR",
        ScanningSequence=sequence,
        RepetitionTime=tr,
        EchoTime=te,
        InversionTime=ti,
    )
    assert found == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"ImageType": "DERIVED\\PRIMARY\\DIFFUSION\\ADC"}, "ADC"),
        ({"ImageType": "ORIGINAL\\PRIMARY\\DIFFUSION\\NONE"}, "DWI"),
        ({"ImageType": "DERIVED\\PRIMARY\\T1 MAP"}, "MAP"),
        ({"AcquisitionContrast": "FLUID_ATTENUATED"}, "FLAIR"),
        ({"AcquisitionContrast": "T2_STAR"}, "T2*"),
        ({"AcquisitionContrast": "PROTON_DENSITY"}, "PD"),
        ({"AngioFlag": "Y"}, "MRA"),
        ({"DiffusionBValue": "1000", "ScanningSequence": "EP"}, "DWI"),
        ({"DiffusionBValue": "0", "ScanningSequence": "EP\\SE"}, "DWI"),
        ({"DiffusionBValue": "0", "ScanningSequence": "GR"}, None),
        ({"SequenceName": "*ep_b1000#1"}, "DWI"),
        ({"SequenceName": "*tfi2d1_15"}, "SSFP"),
        (
            {"SequenceVariant": "SS", "ScanningSequence": "GR", "RepetitionTime": "4"}
            | {"EchoTime": "2", "FlipAngle": "50"},
            "SSFP",
        ),
        (
            {"SequenceVariant": "SK\\OSP", "ScanningSequence": "GR", "RepetitionTime": "3"}
            | {"EchoTime": "1.5", "FlipAngle": "60"},
            "SSFP",  # OSP is oversampling, no spoiling
        ),
        (
            {"SequenceVariant": "SS\\SP", "ScanningSequence": "GR", "RepetitionTime": "4"}
            | {"EchoTime": "2", "FlipAngle": "15"},
            "T1",
        ),
        (
            {"ScanningSequence": "GR", "RepetitionTime": "2000", "EchoTime": "30"}
            | {"EchoTrainLength": "43", "FlipAngle": "90"},
            "EPI",  # Philips, which states no EP
        ),
        (
            {"ImageType": "ORIGINAL\\PRIMARY\\P\\ND", "ScanningSequence": "GR"}
            | {"RepetitionTime": "8", "EchoTime": "3"},
            None,  # a phase has no weighting
        ),
    ],
)
def test_weighting_by_what_the_object_states(tags, expected):
    assert word("weighting", "MR", **tags) == expected


@pytest.mark.parametrize(
    ("name", "maker", "region", "kernel"),
    [
        ("B30f", "SIEMENS", None, "soft"),
        ("B31s", "SIEMENS", "HEAD", "soft"),
        ("B70f", "SIEMENS", "CHEST", "lung"),
        ("B70f", "SIEMENS", "KNEE", "bone"),
        ("B80s", "SIEMENS", None, "sharp"),
        ("H31s", "SIEMENS", "HEAD", "soft"),
        ("H60s", "SIEMENS", "HEAD", "bone"),
        ("Br40d\\3", "SIEMENS", "ABDOMEN", "soft"),
        ("Br64d", "SIEMENS", "TRUNK", "lung"),
        ("Bl57d", "SIEMENS", "CHEST", "lung"),
        ("Hr38", "SIEMENS", "HEAD", "soft"),
        ("Hr64", "SIEMENS", "HEAD", "bone"),
        ("Qr40", "SIEMENS", None, "soft"),
        ("I26f", "SIEMENS", None, "soft"),
        ("STANDARD", "GE", None, "soft"),
        ("SOFT", "GE", None, "soft"),
        ("LUNG", "GE", "HEAD", "lung"),
        ("BONEPLUS", "GE", "CHEST", "bone"),
        ("DETAIL", "GE", None, "medium"),
        ("FC03", "CANON", None, "soft"),
        ("FC13-H", "CANON", None, "soft"),
        ("FC21", "CANON", "HEAD", "soft"),
        ("FC30", "CANON", None, "bone"),
        ("FC51", "CANON", "CHEST", "lung"),
        ("FC86", "CANON", "CHEST", "lung"),
        ("B", "PHILIPS", None, "soft"),
        ("UB", "PHILIPS", "HEAD", "soft"),
        ("YA", "PHILIPS", "HEAD", "bone"),
        ("L", "PHILIPS", "CHEST", "lung"),
        ("B", "SIEMENS", None, None),  # a letter alone is Philips'
        ("???", "GE", None, None),
        ("", None, None, None),
    ],
)
def test_kernels_by_the_makers_names(name, maker, region, kernel):
    assert word("kernel", "CT", region, ConvolutionKernel=name, Manufacturer=maker) == kernel


@pytest.mark.parametrize(
    ("tags", "view"),
    [
        ({"ViewPosition": "PA"}, "PA"),
        ({"ViewPosition": "LL"}, "LAT"),
        ({"ViewPosition": "lateral"}, "LAT"),
        ({"ViewPosition": "RAO"}, "RAO"),
        ({"ViewCodeSequence": "antero-posterior"}, "AP"),
        ({"ViewCodeSequence": "medio-lateral oblique", "ViewPosition": "CC"}, "MLO"),
        ({"PatientOrientation": "A\\F"}, "LAT"),
        ({"PatientOrientation": "L\\F"}, None),
        ({}, None),
    ],
)
def test_views(tags, view):
    assert word("view", "DX", **tags) == view


def test_patient_orientation_does_not_tell_the_view_of_a_breast():
    assert word("view", "MG", PatientOrientation="A\\F") is None


@pytest.mark.parametrize(
    ("primary", "secondary", "angle"),
    [
        ("30", "0", "LAO"),
        ("-30", "20", "RAO CRA"),
        ("2", "-25", "AP CAU"),
        ("90", "0", "LAT"),
        ("0", None, "AP"),
        (None, "20", None),
    ],
)
def test_angles_of_the_arm(primary, secondary, angle):
    found = word("angle", "XA", PositionerPrimaryAngle=primary, PositionerSecondaryAngle=secondary)
    assert found == angle


@pytest.mark.parametrize(
    ("name", "kind", "tags", "expected"),
    [
        ("localizer", "CT", {"ImageType": "ORIGINAL\\PRIMARY\\LOCALIZER"}, "LOC"),
        ("localizer", "CT", {"ImageType": "ORIGINAL\\PRIMARY\\AXIAL"}, None),
        ("localizer", "CT", {"ScanOptions": "SCOUT MODE"}, "LOC"),
        ("reformat", "CT", {"ImageType": "DERIVED\\SECONDARY\\MPR"}, "MPR"),
        ("reformat", "MR", {"ImageType": "DERIVED\\PRIMARY\\PROJECTION IMAGE"}, "MIP"),
        ("suppression", "MR", {"ScanOptions": "FC\\FS"}, "FS"),
        ("suppression", "MR", {"SpectrallySelectedSuppression": "NONE"}, None),
        ("contrast", "CT", {"ContrastBolusAgent": "Omnipaque"}, "C+"),
        ("contrast", "CT", {"ContrastBolusAgent": "NONE"}, "C-"),
        ("contrast", "CT", {"withheld": "PatientID\\ContrastBolusAgent"}, "C+"),
        ("contrast", "CT", {"withheld": "PatientID"}, None),
        ("contrast", "MR", {"ContrastBolusVolume": "10"}, "C+"),
        ("contrast", "MR", {"ContrastBolusVolume": "0"}, None),
        ("correction", "PT", {"CorrectedImage": "DECY\\ATTN"}, "AC"),
        ("correction", "PT", {"CorrectedImage": "DECY"}, "NAC"),
        ("correction", "PT", {"AttenuationCorrectionMethod": "NONE"}, "NAC"),
        ("correction", "PT", {"AttenuationCorrectionMethod": "measured, CT"}, "AC"),
        ("correction", "PT", {}, None),
        ("tracer", "PT", {"Radiopharmaceutical": "Fluorodeoxyglucose F^18^"}, "FDG"),
        ("acquisition", "NM", {"ImageType": "ORIGINAL\\PRIMARY\\WHOLE BODY\\EMISSION"}, "WB"),
        ("acquisition", "PT", {"SeriesType": "STATIC\\IMAGE"}, "STATIC"),
        ("acquisition", "MG", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.13.1.3"}, "TOMO"),
        ("acquisition", "XA", {"RadiationSetting": "SC"}, "FLUORO"),
        ("acquisition", "MR", {"MRAcquisitionType": "3D"}, "3D"),
        ("mode", "US", {"ImageType": "ORIGINAL\\PRIMARY\\ABDOMINAL\\0011"}, "COLOR"),
        ("mode", "US", {"ImageType": "ORIGINAL\\PRIMARY\\ABDOMINAL\\0001"}, "B"),
        ("mode", "US", {"ImageType": "ORIGINAL\\PRIMARY\\ABDOMINAL\\WORDS"}, None),
        ("mode", "US", {"UltrasoundColorDataPresent": "1"}, "COLOR"),
        ("transducer", "US", {"TransducerType": "CURVED LINEAR"}, "curved"),
        ("exam", "US", {"ImageType": "ORIGINAL\\PRIMARY\\THYROID"}, "thyroid"),
        ("thickness", "CT", {"SliceThickness": "1.25"}, "thin"),
        ("thickness", "CT", {"SliceThickness": "2.5"}, "medium"),
        ("thickness", "CT", {"SliceThickness": "5"}, "thick"),
        ("intent", "DX", {"PresentationIntentType": "FOR PROCESSING"}, "raw"),
        ("intent", "DX", {"PresentationIntentType": "FOR PRESENTATION"}, None),
        ("position", "CT", {"PatientPosition": "FFDR"}, "DECUB"),
        ("position", "CT", {"PatientPosition": "HFP"}, "PRONE"),
        ("side", "MG", {"ImageLaterality": "left", "Laterality": "R"}, "L"),
        ("side", "MG", {"Laterality": "U"}, None),
    ],
)
def test_words_of_other_facets(name, kind, tags, expected):
    assert word(name, kind, **tags) == expected


TERMS = ["ORIGINAL", "LOCALIZER", "GR", "EP", "SE", "IR", "1", "0", "-7.5", "1e9", "FS", "A", "F"]
ITEMS = st.sampled_from(TERMS) | st.text(max_size=8)
VALUES = st.none() | st.lists(ITEMS, max_size=8).map("\\".join)


@pytest.mark.parametrize("facet", READ, ids=lambda facet: facet.name)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_any_header_has_a_word_of_the_facet_or_none(facet, data):
    kinds = sorted(facet.kinds) or ["CT", "OT"]
    row = {"kind": data.draw(st.sampled_from(kinds)), "region": None}
    row |= {keyword: data.draw(VALUES) for keyword in facet.keywords}
    table = pl.DataFrame([row], dict.fromkeys(row, pl.String))
    (header,) = headers(table, facet.keywords)
    assert facet.read(header) in {None, *facet.words}


def test_facets_read_tags_of_the_standard():
    keywords = {keyword for facet in READ for keyword in facet.keywords} - set(BOOKKEEPING)
    assert all(attribute(keyword).tag for keyword in keywords)


def test_words_that_say_more_are_words_of_their_facet():
    for name, vague in MORE_EXACT.items():
        assert {*vague, *frozenset().union(*vague.values())} <= set(FACETS[name].words)


def test_words_are_short_and_closed():
    words = {word for facet in FACETS.values() for word in facet.words}
    assert all(re.fullmatch(r"[\w+*-]{1,16}( \w{1,9})?", word) for word in words)
    assert {row["word"] for row in rows_of("kernels.csv")} <= set(FACETS["kernel"].words)


def test_words_of_descriptions_are_words_of_facets():
    said = {(row["facet"], row["word"]) for row in rows_of("technique_words.csv") if row["word"]}
    assert said <= {(facet.name, word) for facet in FACETS.values() for word in facet.words}
    assert FACETS["dixon"].kinds == {"MR"}  # that only descriptions tell, and of MR alone
    assert FACETS["dixon"].read is None


def test_kernels_name_their_source():
    for row in rows_of("kernels.csv"):
        assert row["source"]
        re.compile(row["pattern"])
