"""Labels of a sample made of tags of other roles."""

from pathlib import Path

import polars as pl
import pytest
import yaml
from sklearn.metrics import adjusted_mutual_info_score

from tagsight.content.content import content
from tagsight.content.tables import content_tables
from tagsight.dicom.roles import ROLES
from tagsight.handover.role_labels import (
    MOST_IMAGES,
    in_order,
    labels_of_roles,
    sample_of,
)
from tagsight.terms.spelling_table import spelling_table

CLONE = Path(__file__).parents[3]
KEY = bytes(32)
EQUIPMENT = (
    *("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "PixelPaddingValue"),
    *("DetectorID", "DetectorType", "DetectorConfiguration", "FocalSpots", "CollimatorType"),
)
SPELLINGS = spelling_table(None)


def settings():
    """The values that the rule reads, at their defaults."""
    config = yaml.safe_load((CLONE / "config/config.yaml").read_text(encoding="utf-8"))
    return {
        "tables": config["labels"]["tables"],
        **{name: config["cluster"][name] for name in ("algorithm", "weight")},
        **{name: config["privacy"][name] for name in ("keep", "min_patients")},
        **{name: config[name] for name in ("select", "gower")},
    }


def tags():
    """CT by two protocols, each done on both of two machines that write their own equipment."""
    n = 80
    protocol, machine = [i % 2 for i in range(n)], [i // 2 % 2 for i in range(n)]
    columns = {
        "image": [f"{i * 37 % n:02d}" for i in range(n)],
        **{name: [str(i // 4) for i in range(n)] for name in ("series", "study", "patient")},
        "withheld": [None] * n,
        "Modality": ["CT"] * n,
        "SOPClassUID": ["1.2.840.10008.5.1.4.1.1.2"] * n,
        "KVP": [("80", "140")[i] for i in protocol],
        "SliceThickness": [("1", "5")[i] for i in protocol],
    }
    for place, keyword in enumerate(EQUIPMENT):  # of equal ones one alone is kept
        columns[keyword] = [
            f"{'AB'[at]}{i % 8 // 4 if i % len(EQUIPMENT) == place else ''}"
            for i, at in enumerate(machine)
        ]
    return pl.DataFrame(columns, schema_overrides={"withheld": pl.String}), protocol, machine


def labelled(table, wanted, count=2):
    of_content = content(table, SPELLINGS, content_tables())
    (labels,) = labels_of_roles(
        table, of_content, SPELLINGS, KEY, settings(), wanted=[wanted], count=count
    )
    return labels


def test_labels_of_content_are_protocols_and_labels_of_all_tags_are_machines():
    table, protocol, machine = tags()
    of_content, of_all = labelled(table, ["content"]), labelled(table, ROLES)
    assert adjusted_mutual_info_score(of_content, protocol) == pytest.approx(1)
    assert adjusted_mutual_info_score(of_content, machine) < 0.1
    assert adjusted_mutual_info_score(of_all, machine) == pytest.approx(1)


def test_labels_are_in_the_order_of_the_images_and_as_many_as_asked_for():
    table, *_ = tags()
    labels = labelled(table, ROLES, count=4)
    assert labels.n_unique() == 4
    other = table.sort("image")
    again = labelled(other, ROLES, count=4)
    both = table.select("image", one=labels).join(other.select("image", two=again), on="image")
    assert adjusted_mutual_info_score(both["one"], both["two"]) == pytest.approx(1)


def test_a_sample_is_no_larger_than_can_be_compared():
    tuning = pl.DataFrame({"image": [f"{i:05d}" for i in range(MOST_IMAGES + 7)], "KVP": 1})
    assert sample_of(tuning).equals(tuning.select("image").head(MOST_IMAGES))
    assert len(sample_of(tuning.head(9))) == 9


def test_rows_come_in_the_order_of_the_sample():
    table = pl.LazyFrame({"image": list("abcd"), "KVP": [1, 2, 3, 4]})
    drawn = pl.DataFrame({"image": ["d", "a"]})
    assert in_order(drawn, table).rows() == [("d", 4), ("a", 1)]
