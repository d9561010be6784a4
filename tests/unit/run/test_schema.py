"""What the schema allows is what the code knows, key by key."""

from pathlib import Path
from typing import get_args

import pytest
import yaml

from tagsight.clustering.algorithms import ALGORITHMS
from tagsight.clustering.choice import ChoiceRule
from tagsight.dicom.dictionary import DERIVED
from tagsight.dicom.roles import Role
from tagsight.gower.distinct_rows import Weight
from tagsight.gower.features import Distance
from tagsight.looks.embedders import PRESETS
from tagsight.looks.rendering import Aspect
from tagsight.rejections import Reason
from tagsight.run.config import keys
from tagsight.run.sharing import ShareMode
from tagsight.tags import scales, selection, weighting
from tagsight.tags.encoding import Ranges

SCHEMA = yaml.safe_load(
    (Path(__file__).parents[3] / "config/config.schema.yaml").read_text(encoding="utf-8")
)
ENUMS = {
    key: set(part.get("enum") or part["items"]["enum"])
    for key, part in keys(SCHEMA)
    if "enum" in part or "enum" in part.get("items", {})
}


def values(literal):
    """The values of a Literal, or of a union of them."""
    return {v for a in get_args(literal) for v in (get_args(a) or (a,))}


KNOWN = {
    "labels.roles": values(Role),
    "tags.derive_text": set(DERIVED.values()),
    "select.method": values(selection.Method),
    "gower.distance": values(Distance),
    "gower.ranges": values(Ranges),
    "gower.scale": values(scales.Kind),
    "gower.weights": values(weighting.Kind),
    "cluster.algorithm": set(ALGORITHMS),
    "cluster.weight": values(Weight),
    "choose.rule": values(ChoiceRule),
    "images.aspect": values(Aspect),
    "privacy.share_mode": values(ShareMode),
    "autoencoder.preset": set(PRESETS),
}
# Their values are compared in a rule or a script.
PLAIN = {"cluster.on": {"sample", "all"}, "autoencoder.device": {"auto", "cpu", "cuda"}}


@pytest.mark.parametrize("key", KNOWN | PLAIN)
def test_a_key_allows_what_the_code_knows(key):
    assert ENUMS[key] == (KNOWN | PLAIN)[key]


def test_a_file_is_kept_for_its_tags_for_reasons_that_there_are():
    assert ENUMS["tags.keep_undrawable"] <= values(Reason)


def test_no_key_with_a_closed_list_is_left_out():
    assert set(ENUMS) == set(KNOWN) | set(PLAIN) | {"tags.keep_undrawable"}
