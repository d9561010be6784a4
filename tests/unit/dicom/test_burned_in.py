"""Which images may have text in their pixels, by what PS3.3 and PS3.6 say of them."""

import pytest
from pydicom.uid import (
    CTImageStorage,
    DermoscopicPhotographyImageStorage,
    EnhancedUSVolumeStorage,
    MRImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundMultiFrameImageStorage,
    VideoEndoscopicImageStorage,
    VLEndoscopicImageStorage,
    VLPhotographicImageStorage,
    VLWholeSlideMicroscopyImageStorage,
)

from tagsight.dicom.burned_in import may_have_text
from tagsight.run.package_data import rows_of

RETIRED_ULTRASOUND = ("1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.3")


@pytest.mark.parametrize(
    "sop_class",
    [
        *RETIRED_ULTRASOUND,
        DermoscopicPhotographyImageStorage,
        EnhancedUSVolumeStorage,
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        SecondaryCaptureImageStorage,
        UltrasoundMultiFrameImageStorage,
        VideoEndoscopicImageStorage,
        VLEndoscopicImageStorage,
        VLPhotographicImageStorage,
    ],
)
def test_a_class_that_carries_text_does_without_a_modality(sop_class):
    assert may_have_text({"SOPClassUID": sop_class})


@pytest.mark.parametrize(
    ("keyword", "text"),
    [("BurnedInAnnotation", text) for text in ("YES", "Yes", "yes ", "Y", "TRUE", "1", "JA")]
    + [("RecognizableVisualFeatures", "YES"), ("ConversionType", "WSD")]
    + [("Modality", text) for text in ("US", "us", "US\\CT", "ct\\Us", "ES", "DMS", "SC", "XC")]
    + [
        ("ImageType", f"DERIVED\\SECONDARY\\{text}")
        for text in ("SCREEN SAVE", "DOSE_INFO", "Dose Report", "CSA REPORT", "LABEL")
    ]
    + [
        ("ImageType", f"DERIVED\\SECONDARY\\{text}")
        for text in (
            *(
                "SCREENCAPTURE",
                "SCREENSHOTS",
                "SCREENGRAB",
                "SCREENDUMP",
                "DOSEREPORT",
                "DOSESHEET",
            ),
            *("PATIENTPROTOCOL", "REPORTS", "RESULTS", "BURNEDIN"),
        )
    ]
    + [
        ("Modality", text)
        for text in ("OPV", "OPM", "ECG", "HD", "EPS", "Ultrasound", "OTHER", "SECONDARY")
    ]
    + [("Modality", "DOCUMENT"), ("SOPClassUID", f"{SecondaryCaptureImageStorage}\0")],
)
def test_a_header_that_says_so_is_believed_in_any_spelling(keyword, text):
    assert may_have_text({"SOPClassUID": CTImageStorage, "Modality": "CT", keyword: text})


@pytest.mark.parametrize(
    "values",
    [
        {"SOPClassUID": CTImageStorage, "Modality": "CT", "ImageType": "ORIGINAL\\PRIMARY\\AXIAL"},
        {"SOPClassUID": MRImageStorage, "Modality": "MR", "BurnedInAnnotation": "NO"},
        {"SOPClassUID": CTImageStorage, "BurnedInAnnotation": "no ", "Modality": "CT"},
        {
            "SOPClassUID": VLWholeSlideMicroscopyImageStorage,
            "Modality": "SM",
            "ImageType": "VOLUME",
        },
        {},
    ],
)
def test_other_images_are_shown(values):
    assert not may_have_text(values)


def test_of_the_terms_for_an_image_type_only_those_of_screens_and_labels_count():
    (terms,) = (r["terms"] for r in rows_of("enumerated_terms.csv") if r["keyword"] == "ImageType")
    found = {term for term in terms.split("|") if may_have_text({"ImageType": term})}
    assert found == {"SCREEN SAVE", "DOSE_INFO", "CSA REPORT", "LABEL", "OVERVIEW"}
