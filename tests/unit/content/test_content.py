"""The table of what was imaged: one row an image, in order; descriptions as the second source."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import PositronEmissionTomographyImageStorage

from tagsight.content.content import content, described_words
from tagsight.content.tables import content_tables
from tagsight.dicom.dictionary import DERIVED
from tagsight.dicom.headers import Image, ReaderOptions, read_header
from tagsight.terms.facet_words import facet_words
from tagsight.terms.spelling_table import spelling_table

TABLES = content_tables()
SPELLINGS = spelling_table(None)
REAL = Path(__file__).parents[4] / "shared/dicom"
COLUMNS = ["image", "kind", "picture", "region", *(facet.name for facet in TABLES.facets)]


def table(**columns):
    n = len(next(iter(columns.values())))
    return pl.DataFrame({"image": [f"i{i}" for i in range(n)], **columns})


def test_columns_are_the_same_for_every_archive():
    for tags in (table(Modality=["CT"]), table(Modality=["SR", None]), table(KVP=["120"])):
        found = content(tags, SPELLINGS, TABLES)
        assert found.columns == COLUMNS
        assert found["image"].to_list() == tags["image"].to_list()
        assert set(found.drop("picture").dtypes) == {pl.String}


def test_an_empty_table_has_all_columns():
    assert content(table(Modality=["CT"]).clear(), SPELLINGS, TABLES).columns == COLUMNS


def test_facets_are_of_their_kind_and_objects_without_picture_have_none():
    orientation = "1\\0\\0\\0\\1\\0"
    tags = table(
        Modality=["MR", "US", "SEG"],
        ImageOrientationPatient=[orientation] * 3,
        ImageLaterality=["L"] * 3,
    )
    found = content(tags, SPELLINGS, TABLES)
    assert found["plane"].to_list() == ["AX", None, None]
    assert found["side"].to_list() == ["L", "L", None]
    assert found["picture"].to_list() == [True, True, False]


def test_the_region_tells_what_a_sharp_kernel_is_for():
    tags = table(
        Modality=["CT"] * 3,
        ConvolutionKernel=["B70f"] * 3,
        BodyPartExamined=["CHEST", "FOOT", None],
    )
    assert content(tags, SPELLINGS, TABLES)["kernel"].to_list() == ["lung", "bone", "sharp"]


def test_a_kind_that_shows_one_region_alone_has_it_where_no_source_names_another():
    tags = table(Modality=["MG", "MG", "OPT", "CT"], BodyPartExamined=[None, "AXILLA", None, None])
    found = content(tags, SPELLINGS, TABLES)
    assert found["region"].to_list() == ["BREAST", "SHOULDER", "EYE", None]
    assert set(TABLES.kinds.regions.values()) <= TABLES.regions.names()


NEAREST = ["plane=SAG", "plane=SAG", None, "plane=SAG\\plane=COR", "x", "plane=SHORT"]
DESCRIBED = table(
    Modality=["MR"] * 6,
    ImageOrientationPatient=["1\\0\\0\\0\\1\\0", *[None] * 4, "1\\0\\0\\0\\0.7\\-0.7"],
    SeriesDescriptionWords=NEAREST,
    ProtocolNameWords=[None, "plane=COR", "plane=COR\\weighting=T2", "plane=AX", "phase=ART", None],
    StudyDescriptionWords=["plane=COR", None, None, None, "plane=AX", None],
)


def test_tags_count_before_descriptions_and_near_descriptions_before_far_ones():
    found = content(DESCRIBED, SPELLINGS, TABLES)
    # Words that contradict each other say nothing; a word that says more than OBL takes its place.
    # The plane that a study's description names is not that of each of its series.
    assert found["plane"].to_list() == ["AX", "SAG", "COR", None, None, "SHORT"]
    assert found["weighting"].to_list() == [None, None, "T2", None, None, None]
    assert found["phase"].to_list() == [None, None, None, None, "ART", None]


def test_without_descriptions_tags_alone_count():
    found = content(DESCRIBED, SPELLINGS, TABLES, described=False)
    assert found["plane"].to_list() == ["AX", None, None, None, None, "OBL"]
    assert found["phase"].null_count() == len(DESCRIBED)


def test_without_descriptions_their_regions_do_not_count():
    tags = table(Modality=["MR"], SeriesDescriptionRegion=["KNEE"])
    assert content(tags, SPELLINGS, TABLES)["region"].to_list() == ["KNEE"]
    assert content(tags, SPELLINGS, TABLES, described=False)["region"].to_list() == [None]


def test_words_that_no_facet_has_are_ignored():
    tags = table(SeriesDescriptionWords=["plane=UP\\shape=ROUND\\=\\plane", "", None])
    assert described_words(tags, TABLES.facets).null_count().sum_horizontal()[0] == 3 * len(
        TABLES.facets
    )


VALUE = st.none() | st.sampled_from(["CT", "MR", "SR", "1\\0\\0\\0\\1\\0", "CHEST", "plane=AX"])
NAMES = ["Modality", "ImageOrientationPatient", "BodyPartExamined", "SeriesDescriptionWords"]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(VALUE, VALUE, VALUE, VALUE), min_size=1, max_size=4))
def test_an_image_has_the_same_words_whatever_others_are_beside_it(rows):
    tags = table(**{name: [row[i] for row in rows] for i, name in enumerate(NAMES)})
    tags = tags.cast(pl.String)
    together = content(tags, SPELLINGS, TABLES)
    apart = [content(tags[i : i + 1], SPELLINGS, TABLES) for i in range(len(rows))]
    assert together.equals(pl.concat(apart))


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/dicom is not here")
def test_planes_of_real_headers_are_those_that_their_folders_are_named_after():
    orientations = REAL / "dcm_qa/In/Orientation"
    rows = []
    for path in sorted(path for path in orientations.rglob("*") if path.is_file()):
        header = read_header(str(path), b"k" * 32, ReaderOptions())
        if isinstance(header, Image):
            folder = path.relative_to(orientations).parts[0]
            rows.append({"image": header.image, "folder": folder, **header.values})
    tags = pl.DataFrame(rows, infer_schema_length=None)
    named = tags["folder"].str.slice(0, 2).replace_strict({"sa": "SAG", "co": "COR", "ax": "AX"})
    found = content(tags, SPELLINGS, TABLES)
    assert len(tags) > 15
    assert found["plane"].to_list() == named.to_list()
    assert set(found["weighting"]) == {"EPI"}  # series of an echo-planar sequence


def test_the_tracer_of_a_file_is_told_by_its_sequence(tmp_path):
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    dataset.SOPClassUID, dataset.Modality = PositronEmissionTomographyImageStorage, "PT"
    code = Dataset()
    code.CodeValue, code.CodeMeaning = "456995000", "Florbetapir F^18^"
    tracer = Dataset()
    tracer.RadiopharmaceuticalCodeSequence = [code]
    dataset.RadiopharmaceuticalInformationSequence = [tracer]
    dataset.save_as(tmp_path / "f")
    header = read_header(str(tmp_path / "f"), b"k" * 32, ReaderOptions(facets=facet_words()))
    tags = pl.DataFrame({"image": header.image, **header.values})
    assert content(tags, SPELLINGS, TABLES, described=False)["tracer"].to_list() == ["AMYLOID"]


def test_derived_columns_are_not_read_as_facets():
    keywords = {keyword for facet in TABLES.facets for keyword in facet.keywords}
    assert keywords.isdisjoint(DERIVED)
