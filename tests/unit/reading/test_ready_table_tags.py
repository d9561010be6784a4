"""Rows of a table, against what the reader leaves of the files that they were written from."""

from pathlib import Path

import polars as pl
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tagsight.dicom.dictionary import attribute
from tagsight.dicom.headers import ReaderOptions, read_header
from tagsight.dicom.privacy import patient_hash
from tagsight.reading.column_splits import Split
from tagsight.reading.ready_table import ROW, Layout, ReadyTable, open_table, shard_rows
from tagsight.reading.ready_table_tags import tags
from tagsight.run.hashing import keyed_hash
from tagsight.run.tables import BOOKKEEPING
from tagsight.run.user_files.table_config import IDENTIFIERS
from tagsight.terms.facet_words import facet_words
from tagsight.terms.technique_words import known_words

KEY = bytes(range(32))
FILES = ["CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "examples_palette.dcm"]
PLANTED = {
    "StationName": "SECRETPLACE",
    "ScanOptions": "AT SECRETPLACE",  # repeats what identifies
    "PatientID": "0000",  # nobody
    "PatientSize": "one metre eighty",  # words in the place of a number
    "FrameOfReferenceUID": "1.2.3.4.5",  # in no registry
    "PatientWeight": "70",
    "Manufacturer": "GE Medical Systems",
}


def as_text(value):
    several = value if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    return "\\".join(str(getattr(each, "original_string", each)) for each in several)


def values_of(dataset):
    """Keyword -> text of what is public and neither sequence nor bulk, by pydicom."""
    found = {
        element.keyword: as_text(element.value)
        for element in dataset
        if element.keyword
        and not element.tag.is_private
        and element.VR not in ("SQ", "OB", "OW", "UN")
        and element.value not in (None, "")
    }
    return found | {"TransferSyntaxUID": str(dataset.file_meta.TransferSyntaxUID)}


def test_of_a_column_of_tracers_words_alone_leave():
    names = ["Fluorodeoxyglucose for DOE", "DOE", None, "FDG"]
    rows = pl.DataFrame({"uid": list("1234"), "tracer": names})
    keyword = "RadiopharmaceuticalInformationSequence"
    layout = Layout({"image": "uid", keyword: "tracer"}, ())
    table = ReadyTable(Path("t.csv"), rows.lazy(), layout)
    found = tags(rows.with_row_index(ROW), table, KEY, ReaderOptions(facets=facet_words()))
    assert found[keyword].to_list() == ["FDG", None, None, "FDG"]
    assert keyword not in tags(rows.with_row_index(ROW), table, KEY, ReaderOptions()).columns


def planted(path):
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    for keyword, value in PLANTED.items():
        if keyword != "PatientSize":
            setattr(dataset, keyword, value)
    dataset.add_new("PatientSize", "LO", PLANTED["PatientSize"])  # DS: pydicom would object
    dataset["PatientSize"].VR = "DS"
    dataset.save_as(path)
    return path


def table_of(folder, records, **more):
    names = sorted({name for record in records for name in record})
    frame = pl.DataFrame({n: [r.get(n) for r in records] for n in names}, strict=False)
    frame.write_parquet(folder / "table.parquet")
    columns = {name: keyword for name, keyword in IDENTIFIERS.items() if keyword in names}
    keywords = {name: name for name in names if name != "where"}
    return open_table(folder / "table.parquet", Layout(columns | keywords | more, ()))


def transcribed(table, **wanted):
    (rows,) = shard_rows(table, 1)
    return tags(rows, table, KEY, ReaderOptions(**wanted))


@pytest.mark.parametrize("keep", [frozenset(), frozenset({"PatientWeight", "StationName"})])
def test_a_table_leaves_what_the_reader_leaves_of_the_files(tmp_path, keep):
    paths = [get_testdata_file(name, download=False) for name in FILES]
    paths.append(str(planted(tmp_path / "planted.dcm")))
    read = [read_header(str(path), KEY, ReaderOptions(keep=keep)) for path in paths]
    table = table_of(tmp_path, [values_of(dcmread(path)) for path in paths])
    found = transcribed(table, keep=keep)
    for row, image in zip(found.iter_rows(named=True), read, strict=True):
        known = {k: v for k, v in row.items() if k not in BOOKKEEPING and v is not None}
        assert known == {k: v for k, v in image.values.items() if attribute(k).vr != "SQ"}
        assert row["withheld"].split("\\") == image.withheld
        assert (row["series"], row["study"]) == (image.series, image.study)
        assert row["patient"] == image.patient
        assert row["image"] == image.instance
    assert ("SECRETPLACE" in found.write_csv()) == ("StationName" in keep)


def records(*rows):
    return [{"SOPInstanceUID": f"1.2.{i}", **row} for i, row in enumerate(rows)]


def test_identifiers_leave_as_keyed_hashes(tmp_path):
    ids = [{"SeriesInstanceUID": "1.9", "StudyInstanceUID": "1.8", "PatientID": "P7"}, {}]
    ids += [{"PatientID": "ANONYMOUS"}]
    found = transcribed(table_of(tmp_path, records(*ids)))
    assert found["image"].to_list() == [keyed_hash(KEY, f"1.2.{i}") for i in range(3)]
    assert found["series"].to_list() == [keyed_hash(KEY, "1.9"), None, None]
    assert found["study"].to_list() == [keyed_hash(KEY, "1.8"), None, None]
    assert found["patient"].to_list() == [patient_hash(KEY, "P7"), None, None]
    assert found["withheld"][1] == "SOPInstanceUID"


def test_the_columns_are_those_of_the_reader(tmp_path):
    found = transcribed(table_of(tmp_path, records({"KVP": "120", "EchoTime": "", "Rows": 5}, {})))
    assert found.columns == [*BOOKKEEPING, "KVP", "Rows"]
    assert set(found.dtypes) == {pl.String}
    table = table_of(tmp_path, records({"Modality": "CT", "where": "here"}, {}))
    found = transcribed(table)
    assert found["path"].to_list() == [f"{tmp_path}/table.parquet!{i}" for i in range(2)]
    assert found["site"].null_count() == 2


def test_path_and_site_are_as_the_table_has_them(tmp_path):
    table = table_of(tmp_path, records({"where": "s3://x"}), path="where", site="where")
    assert transcribed(table).select("path", "site").row(0) == ("s3://x", "s3://x")


def test_words_of_technique_are_those_of_the_reader(tmp_path):
    """By text and modality; of a column that is split as well, in the rows that are not."""
    rows = [("MR", "t2 SAG"), ("CT", "PA lung"), (None, "T1 left"), ("MR", None), ("MR ", "t2 SAG")]
    given = [{"Modality": m, "SeriesDescription": text} for m, text in rows]
    found = transcribed(
        table_of(tmp_path, records(*given)),
        derive=("SeriesDescription", "ProtocolName"),
        technique=known_words(),
    )
    sag = "plane=SAG\\weighting=T2"
    assert found["SeriesDescriptionWords"].to_list() == [sag, "kernel=lung", "side=L", None, sag]
    assert "SeriesDescription" not in found.columns
    assert "ProtocolNameWords" not in found.columns


def test_a_column_may_be_split_and_read_for_words(tmp_path):
    given = [{"Modality": "CT", "SeriesDescription": text} for text in ("1,LUNG,120", "bone cor")]
    names = {"image": "SOPInstanceUID", "Modality": "Modality"}
    table_of(tmp_path, records(*given))
    split = Split.from_config(
        {
            "column": "SeriesDescription",
            "separator": ",",
            "into": [None, "ConvolutionKernel", "KVP"],
        }
    )
    layout = Layout(names | {"SeriesDescription": "SeriesDescription"}, (split,))
    table = open_table(tmp_path / "table.parquet", layout)
    found = transcribed(table, derive=("SeriesDescription",), technique=known_words())
    assert found["SeriesDescriptionWords"].to_list() == ["kernel=lung", "kernel=bone\\plane=COR"]
    assert found["ConvolutionKernel"].to_list() == ["LUNG", None]


def test_regions_are_derived_of_withheld_text(tmp_path):
    class Regions:
        def region(self, text):
            return "KNEE" if "knee" in text else None

    table = table_of(tmp_path, records({"StudyDescription": "left knee"}, {}))
    found = transcribed(table, derive=("StudyDescription",), vocabulary=Regions())
    assert found["StudyDescriptionRegion"].to_list() == ["KNEE", None]
    assert "StudyDescription" not in found.columns
