"""Roles: by keyword, else by module, else content."""

import pytest
from pydicom.datadict import tag_for_keyword

from tagsight.dicom.roles import Role, role, roles
from tagsight.run.package_data import rows_of

TABLE = roles()


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("EchoTime", "content"),
        ("BodyPartExamined", "content"),
        ("SOPClassUID", "content"),
        ("PhotometricInterpretation", "content"),
        ("SeriesDescriptionRegion", "content"),
        ("Manufacturer", "equipment"),
        ("StationName", "equipment"),
        ("SpecificCharacterSet", "equipment"),
        ("MagneticFieldStrength", "equipment"),
        ("PatientAge", "patient"),
        ("DeidentificationMethod", "patient"),
        ("StudyDescription", "patient"),
        ("BitsStored", "storage"),
        ("RescaleSlope", "storage"),
        ("TransferSyntaxUID", "storage"),
        ("SeriesNumber", "order"),
        ("SliceLocation", "order"),
        ("NoSuchKeyword", "content"),
    ],
)
def test_roles_of_tags(keyword, expected):
    assert role(keyword, TABLE) == expected


def test_every_row_is_a_tag_or_a_module_with_a_role_and_a_source():
    modules = {row["module"] for row in rows_of("modules.csv")}
    for row in rows_of("roles.csv"):
        assert row["name"] in modules or tag_for_keyword(row["name"]), row
        assert row["role"] in Role.__args__
        assert row["source"]


def test_a_users_rows_count_before_the_shipped_ones(tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("name,role\nEchoTime,equipment\nMR Image,storage\n", encoding="utf-8")
    mine = roles(table)
    assert role("EchoTime", mine) == "equipment"
    assert role("FlipAngle", mine) == "storage"
    assert role("KVP", mine) == "content"
