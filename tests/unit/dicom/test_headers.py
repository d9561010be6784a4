import os
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom_reference import disagreements

from tagsight.dicom.headers import Image, ReaderOptions, RejectedFile, read_header
from tagsight.dicom.privacy import PIXEL_FACTS
from tagsight.reading.batch_reader import Reader
from tagsight.rejections import Rejection
from tagsight.run.hashing import keyed_hash
from tagsight.terms.facet_words import facet_words

KEY = bytes(range(32))
REAL = Path(__file__).parents[3].parent / "shared" / "dicom"
PACKAGED = ["CT_small.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm", "rtdose.dcm"]


def written(path, *, name="CT_small.dcm", without=(), **changes):
    """A packaged file with some of its tags changed."""
    dataset = dcmread(get_testdata_file(name, download=False))
    for keyword in without:
        delattr(dataset, keyword)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    return str(path)


def item(**values):
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize("name", PACKAGED)
def test_values_are_those_of_pydicom(name):
    assert disagreements(get_testdata_file(name, download=False)) == []


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/dicom is not here")
def test_values_of_real_files_are_those_of_pydicom():
    wrong, read = {}, 0
    for path in sorted(p for p in REAL.rglob("*") if p.is_file()):
        try:
            wrong[path.name] = disagreements(path)
            read += 1
        except Rejection:
            continue
    assert {k: v for k, v in wrong.items() if v} == {}
    assert read > 800


def test_an_image(tmp_path):
    path = written(tmp_path / "f", PatientID="1CT1", IssuerOfPatientID="here")
    image = read_header(path, KEY, ReaderOptions(keep=frozenset({"PatientAge"})))
    assert isinstance(image, Image)
    assert set(PIXEL_FACTS) - {"NumberOfFrames"} <= set(image.values)
    assert image.values["PatientAge"] == "000Y"
    assert image.values["ImageType"] == "ORIGINAL\\PRIMARY\\AXIAL"
    assert "PatientName" in image.withheld
    assert "PatientName" not in image.values
    uid = dcmread(path).SOPInstanceUID
    assert image.instance == keyed_hash(KEY, uid)
    assert image.image == keyed_hash(KEY, f"{uid}\0{path}")
    assert image.patient == keyed_hash(KEY, "1CT1")
    assert (image.size, image.mtime_ns) == (os.stat(path).st_size, os.stat(path).st_mtime_ns)


def test_what_is_not_there_has_no_hash(tmp_path):
    path = written(tmp_path / "f", without=["SeriesInstanceUID", "StudyInstanceUID"], PatientID="")
    image = read_header(path, KEY, ReaderOptions())
    assert (image.series, image.study, image.patient) == (None, None, None)
    assert len(image.image) == 32


@pytest.mark.parametrize("nobody", ["ANONYMOUS", "anon", "0000", "UNKNOWN", "N/A", "^", "XXXX"])
def test_a_code_for_nobody_is_no_patient(tmp_path, nobody):
    assert (
        read_header(written(tmp_path / "f", PatientID=nobody), KEY, ReaderOptions()).patient is None
    )
    assert (
        read_header(written(tmp_path / "g", PatientID=f"{nobody}7A3"), KEY, ReaderOptions()).patient
        is not None
    )


def test_a_known_maker_goes_by_one_name_and_another_may_be_an_institution(tmp_path):
    maker = written(tmp_path / "f", Manufacturer="GE MEDICAL SYSTEMS", InstitutionName="GE MEDICAL")
    assert read_header(maker, KEY, ReaderOptions()).values["Manufacturer"] == "GE"
    other = written(tmp_path / "g", Manufacturer="St Mary Radiology", InstitutionName="St Mary")
    assert "Manufacturer" in read_header(other, KEY, ReaderOptions()).withheld


def test_what_identifies_is_withheld_wherever_it_turns_up(tmp_path):
    path = written(
        tmp_path / "f",
        PatientName="Muster^Erika",
        PatientID="MRN-778812",
        StationName="SCAN-07",
        InstitutionName="GE",
        ScanOptions="MUSTER",
        FilterType="scan-07 head",
        ConvolutionKernel="MRN-778812",
        PositionReferenceIndicator="SN",
        ManufacturerModelName="SCAN-07",
        BodyPartExamined="HEAD",
    )
    image = read_header(path, KEY, ReaderOptions())
    assert {"ScanOptions", "FilterType", "ConvolutionKernel"} <= set(image.withheld)
    assert image.values["ManufacturerModelName"] == "SCAN-07"  # stations are named after models
    assert image.values["BodyPartExamined"] == "HEAD"
    shown = " ".join(image.values.values()).lower()
    assert not any(secret in shown for secret in ("muster", "erika", "778812"))


def test_uids_are_kept_only_where_a_standard_registers_them(tmp_path):
    path = written(tmp_path / "f", CreatorVersionUID="1.2.826.0.1.9")
    image = read_header(path, KEY, ReaderOptions())
    assert image.values["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.2"
    assert "CreatorVersionUID" in image.withheld


def test_private_tags_are_left(tmp_path):
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.private_block(0x0011, "SOMEONE", create=True).add_new(1, "LO", "hidden")
    dataset.save_as(tmp_path / "f")
    assert "hidden" not in read_header(str(tmp_path / "f"), KEY, ReaderOptions()).values.values()


def test_functional_groups_fill_what_is_absent(tmp_path):
    shared = item(PixelMeasuresSequence=[item(PixelSpacing=[2, 3], SliceThickness=5)])
    frame = item(FrameContentSequence=[item(TemporalPositionIndex=7)])
    path = written(
        tmp_path / "f",
        without=["PixelSpacing"],
        SliceThickness="4",
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=[frame, item()],
    )
    values = read_header(path, KEY, ReaderOptions()).values
    assert values["PixelSpacing"] == "2.0\\3.0"
    assert values["SliceThickness"] == "4"
    assert values["TemporalPositionIndex"] == "7"


def test_coded_regions_become_their_meanings(tmp_path):
    codes = [item(CodeValue="T-A0100", CodeMeaning="Brain"), item(CodeMeaning="Neck")]
    path = written(tmp_path / "f", AnatomicRegionSequence=codes)
    assert read_header(path, KEY, ReaderOptions()).values["AnatomicRegionSequence"] == "Brain\\Neck"


def tracer(*codes, **values):
    sequence = {"RadiopharmaceuticalCodeSequence": [item(**code) for code in codes]}
    return item(**values, **(sequence if codes else {}))


TRACERS = [
    ([tracer(Radiopharmaceutical="Fluorodeoxyglucose F^18^")], "FDG"),
    ([tracer({"CodeValue": "35321007", "CodingSchemeDesignator": "SCT"})], "FDG"),
    ([tracer({"CodeValue": "C-B1031", "CodeMeaning": "?"}, Radiopharmaceutical="unknown")], "FDG"),
    ([tracer({"CodeMeaning": "Technetium Tc^99m^ medronate"})], "BONE"),
    ([tracer(Radiopharmaceutical="Tc99m mibi "), tracer(Radiopharmaceutical="tl-201")], "MIBI"),
    ([tracer(Radiopharmaceutical="FDG"), tracer({"CodeMeaning": "Florbetapir"})], "FDG\\AMYLOID"),
    ([tracer(Radiopharmaceutical="for JOHN DOE"), tracer()], None),
    ([tracer(Radiopharmaceutical="FDG of JOHN DOE, 417301")], "FDG"),
    ([tracer(RadionuclideTotalDose=3.5e8)], None),
    ([tracer(Radiopharmaceutical="x" * 2000)], None),
    ([], None),
]


@pytest.mark.parametrize(("items", "word"), TRACERS)
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("undefined", [False, True])
def test_of_a_tracer_the_word_alone_leaves(tmp_path, items, word, syntax, undefined):
    """By both readers, the plain one and the fast one."""
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.Modality, dataset.RadiopharmaceuticalInformationSequence = "PT", items
    dataset["RadiopharmaceuticalInformationSequence"].is_undefined_length = undefined
    dataset.file_meta.TransferSyntaxUID = syntax
    path = str(tmp_path / "f")
    dataset.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    options = ReaderOptions(facets=facet_words())
    plain = read_header(path, KEY, options)
    assert plain.values.get("RadiopharmaceuticalInformationSequence") == word
    batch = Reader(KEY, options).read([path], [0])
    assert batch.others == []
    codes = dict(zip(batch.columns, batch.codes[0], strict=True))
    values = {column: batch.texts[code] for column, code in codes.items() if code >= 0}
    assert values == plain.values
    assert not [text for text in values.values() if "DOE" in text or "417301" in text]
    assert (
        "RadiopharmaceuticalInformationSequence"
        not in read_header(path, KEY, ReaderOptions()).values
    )


def test_an_unknown_vr_is_looked_up(tmp_path):
    data = Path(get_testdata_file("CT_small.dcm", download=False)).read_bytes()
    (tmp_path / "f").write_bytes(data.replace(b"CS\x02\0CT", b"UN\0\0\x02\0\0\0CT", 1))
    assert read_header(str(tmp_path / "f"), KEY, ReaderOptions()).values["Modality"] == "CT"


@pytest.mark.parametrize("name", ["ISO\0IR 100", "ISO\0\0\0\x00192", "\xff\xff", "nobody"])
def test_a_character_set_that_nobody_knows(tmp_path, name):
    """Found by fuzzing: a NUL in the name had pydicom raise what it never raises otherwise."""
    data = Path(get_testdata_file("CT_small.dcm", download=False)).read_bytes()
    broken = data.replace(b"ISO_IR 100", name.encode("latin-1").ljust(10)[:10], 1)
    (tmp_path / "f").write_bytes(broken)
    assert read_header(str(tmp_path / "f"), KEY, ReaderOptions()).values["Modality"] == "CT"


def test_a_rejected_file():
    path = get_testdata_file("rtplan.dcm", download=False)
    assert read_header(path, KEY, ReaderOptions()) == RejectedFile("no_pixels", "RTPLAN")


@pytest.mark.parametrize("seed", range(300))
def test_no_broken_header_breaks_the_reader(tmp_path, seed):
    data = bytearray(Path(get_testdata_file("CT_small.dcm", download=False)).read_bytes())
    for step in range(1 + seed % 6):
        place = 132 + (seed * 7919 + step * 104_729) % 3000
        data[place : place + 1 + seed % 4] = bytes([seed % 256]) * 4 if seed % 3 else b"\xff" * 4
    (tmp_path / "f").write_bytes(data)
    assert isinstance(read_header(str(tmp_path / "f"), KEY, ReaderOptions()), Image | RejectedFile)
