"""The section on sites: what is said of labels and sites, and what of few patients is not."""

import re

import pytest
from site_results import EVIL, stored
from tree_run import tree_run

from tagsight.report import label_sections, page, sections
from tagsight.report.sites import MOST_SITES, sentence, values

SVG = '<svg width="9pt" height="9pt"></svg>'


def rendered(**others):
    figures = dict.fromkeys(("flow", "silhouettes", "choice", "tree"), SVG)
    return page.render(tree_run(**others), figures, None, {})


def section(text):
    """The section in words, empty where there is none."""
    found = re.findall(r'<h2 id="sites".*?</section>', text, re.DOTALL)
    plain = re.sub("<.*?>", " ", "".join(found), flags=re.DOTALL)
    return re.sub(r"\s+", " ", plain.replace("\xa0", " "))


@pytest.mark.parametrize("anatomy", ["region", "body_part"])
@pytest.mark.parametrize(
    ("label", "region", "said"),
    [
        (0.45, 0.1, "beyond the parts of the body that sites image, labels follow the site"),
        (0.2, 0.1, "labels follow the site"),
        (0.19, 0.1, "sites image different things"),
        (0.3, 0.5, "sites image different things"),
        (0.09, 0.5, "they are not sites"),
        (0.0, 0.0, "they are not sites"),
        (None, 0.1, "cannot be told"),
        (0.3, None, "cannot be told"),
    ],
)
def test_labels_are_sites_only_as_far_as_they_go_beyond_regions(label, region, said, anatomy):
    assert said in sentence(stored(label=label, region=region, anatomy=anatomy))


def test_there_is_no_minus_before_nothing():
    assert "(AMI .00)" in sentence(stored(label=-0.002))


def test_of_one_site_there_is_nothing_to_compare():
    assert "one site alone" in sentence(stored(sites=("north",)))


def test_labels_of_few_patients_have_no_share_at_that_site():
    shown = values(stored(), named=True)
    assert [label["shares"] for label in shown["site_labels"]] == [[0.75, 0.0625], [0.75, None]]
    assert [site["alone"] for site in shown["site_rows"]] == [[(2, "MR · knee")], []]


def test_sites_of_a_table_are_numbers_as_in_samples():
    shown = values(stored(), named=False)
    assert [site["site"] for site in shown["site_rows"]] == ["site 1", "site 2"]
    assert [label["shares"] for label in shown["site_labels"]] == [[0.75, 0.0625], [0.75, None]]
    said = section(rendered(sites=stored()))  # of a table: there are no looks
    assert "site 2" in said
    assert "north" not in said


def test_of_many_sites_the_largest_are_shown_in_order():
    many = stored(sites=[f"s{i:02d}" for i in range(MOST_SITES + 5)])
    for i, site in enumerate(many["sites"]):
        site["images"] = i
    shown = values(many, named=True)["site_rows"]
    assert [site["site"] for site in shown] == [f"s{i:02d}" for i in range(5, MOST_SITES + 5)]
    assert "The largest 20 of 25 sites" in section(rendered(sites=many))


def test_the_section_says_what_labels_have_of_sites():
    text = rendered(sites=stored())
    said = section(text)
    assert '<a href="#sites">Sites</a>' in text
    assert EVIL not in text
    assert "sites image different things" in said
    assert "1,200 40 2 1 1" in said
    assert "2 · MR · knee" in said
    assert "909 75 % 6.2 %" in said
    assert "30 75 % –" in said
    assert "made anew, of tags about content, order 9 0.66" in said
    assert "as they are: with words of region and technique 9 0.11" in said
    assert "None" not in said


def test_without_roles_or_without_sites_nothing_is_said_of_them():
    assert "made anew" not in section(rendered(sites=stored(roles=False)))
    assert section(rendered()) == ""
    assert section(rendered(sites=stored() | {"sites": []})) == ""


def test_a_flat_run_has_the_section_too():
    for each in (sections.SECTIONS, label_sections.SECTIONS):
        (found,) = [one for one in each if one.key == "sites"]
        assert not found.needs(tree_run())
        assert found.needs(tree_run(sites=stored(anatomy="body_part")))
