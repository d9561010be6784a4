"""The page of a tree: labels as kind, region and label; what is no picture; what they rest on."""

import re
from collections import Counter
from html.parser import HTMLParser

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pair_figures import SHARES, UNTESTED, figures, nothing, pair, scanners
from tree_run import NAMES, agreement, cards, tree_run

from tagsight.report import label_sections, label_sentences, page
from tagsight.report.figures import pictures
from tagsight.report.figures.pictures import Tiles
from tagsight.report.label_tree import label_members, label_tree, technique

SVG = '<svg width="9pt" height="9pt"><g id="a" style="fill: #17242c"/></svg>'
FIGURES = ("flow", "silhouettes", "choice", "tree", "training", "explained")
EVIL = "<script>alert(1)</script>"


def rendered(run, tiles=None):
    return page.render(run, dict.fromkeys(FIGURES, SVG), None, tiles or {})


def words(text):
    plain = re.sub("<style>.*?</style>|<.*?>", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", plain.replace("\xa0", " "))


def evaluation(**others):
    paper = {
        **{"n": 10, "mean_distance": 0.3, "sd_distance": 0.02, "mean_null": 0.4, "sd_null": 0.01},
        **{"explained": 0.25, "reason": None, "t": 12.3, "df": 9, "p": 0.00001},
        **{"effect_size": 3.9, "ci95": [2.0, 5.5], "explained_ci95": [0.2, 0.3]},
        "correlation": 0.4,
    }
    trials = {"n": 10, "k": 11, "by_trial": {}, "left_out": {}}
    found = pair(**others)
    return {
        **{"trials": trials, "paper": paper, "pair": found},
        **{"scanners": scanners(found, left=figures(0.4)), "untested": UNTESTED},
    }


class Ids(HTMLParser):
    """Collects ids and links to them, and tags as they open and close."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "img", "br", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_needs_nothing_from_outside():
    found = Ids(rendered(tree_run(evaluation=evaluation(), training=pl.DataFrame({"epoch": [1]}))))
    assert found.open == []
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert [link for link in found.links if not link.startswith(("#", "data:"))] == []
    assert len(found.ids) == len(set(found.ids))


def test_labels_come_first_then_the_test_then_what_they_rest_on():
    run = tree_run(evaluation=evaluation())
    order = re.findall(r'<h2 id="(\w+)"', rendered(run))
    wanted = ["tree", "test", "k", "tags", "labels", "flow", "files", "limits"]
    assert [key for key in order if key in wanted] == wanted


def test_nothing_is_said_of_nesting_or_one_k_and_the_words_are_of_labels():
    text = words(rendered(tree_run(evaluation=evaluation())))
    for word in ("K =", "None", "yardstick", "clusters from tags", "nest"):
        assert word not in text, word
    assert "these labels" in text
    assert "Do images of a label look alike?" in text


def test_where_weights_are_learned_from_looks_the_page_says_so():
    for learned in (False, True):
        text = words(rendered(tree_run(evaluation=evaluation(), learned=learned)))
        assert ("labels are not of tags alone" in text) == learned
        assert ("Tags alone made the labels" in text) != learned


def test_each_label_is_on_the_page_once_under_its_kind_and_region():
    text = rendered(tree_run())
    for card in cards()[:-1]:
        assert text.count(f"<h4>{card['label']} · {card['name']}</h4>") == 1
    heads = re.findall(r'<h3 class="kind">([^<]*)', text)
    assert heads == ["CT", "MR", "MG", "XA", "No pictures"]
    ct = text[text.index('class="kind">CT') : text.index('class="kind">MR')]
    assert re.findall(r'<h4 class="region">([^<]*)', ct) == [
        "chest",
        "abdomen",
        "Several regions, or none stated",
    ]


def test_what_is_no_picture_is_listed_by_class_without_pictures_or_tags():
    text = rendered(tree_run())
    (rest,) = re.findall(r'class="kind">No pictures.*?</table>', text, re.DOTALL)
    assert "structured reports" in rest
    assert '<article class="cluster label">' not in rest
    assert text.count('<article class="cluster label">') == len(cards()) - 1


def test_whether_a_label_was_found_again_is_said_of_each():
    text = words(rendered(tree_run()))
    counts = Counter(card["found"] for card in cards()[:-1])
    assert text.count("Found again in other patients") == counts[True]
    assert text.count("Not found again in other patients") == counts[False]
    assert text.count("Not looked for in other patients") == counts[None]


def test_a_card_has_both_figures_of_stability_named_for_what_they_are():
    text = words(rendered(tree_run()))
    card = next(each for each in cards() if each["again"] is not None)
    said = f"Jaccard coefficient {card['again']:.2f}"
    flattering = f"in bootstraps of its own patients, which flatter, {card['stability']:.2f}"
    assert re.search(f"{re.escape(said)} ?; {re.escape(flattering)}", text)


def test_the_result_counts_labels_and_those_that_came_again():
    pictured = cards()[:-1]
    said = label_sentences.labelled(tree_run())
    images = sum(card["size"] for card in pictured)
    again = sum(card["found"] is True for card in pictured)
    asked = sum(card["found"] is not None for card in pictured)
    assert said == (
        f"{images:,} images of 4 kinds have {len(pictured)} labels; of {asked} that could be "
        f"looked for in other patients {again} were found again."
    )
    (others,) = label_sentences.without_pictures(tree_run())
    assert others == f"{cards()[-1]['size']} objects are no pictures and are labelled by class."


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([True], "have 1 label; it was found again in other patients."),
        ([False], "have 1 label; it was not found again in other patients."),
        ([None], "have 1 label."),
        ([True, False], "have 2 labels; 1 of them was found again in other patients."),
        ([True, None, True], "of 2 that could be looked for in other patients 2 were found again."),
    ],
)
def test_few_labels_are_counted_in_words(found, said):
    of = [card | {"found": each} for card, each in zip(cards(), found, strict=False)]
    assert label_sentences.labelled(tree_run(cards=of)).endswith(said)


def test_an_archive_without_a_picture_has_a_page():
    run = tree_run({}, choice={"count": 50, "clusters": 0, "kinds": {}})
    text = words(rendered(run))
    assert "None of 1,200 objects is a picture; each is labelled by its class." in text
    assert "structured reports" in text
    assert "there is no picture to compare" in text


def test_undivided_kinds_are_said_to_be_modalities():
    names = {"CT": {None: [""]}, "MR": {None: [""]}}
    text = words(rendered(tree_run(names)))
    assert "No kind of images is divided: read the labels as modalities." in text
    assert "Silhouettes, image by image" not in text


@pytest.mark.parametrize(
    ("anatomy", "maker", "said"),
    [
        (0.53, 0.21, "read them as anatomy rather than scanners"),
        (0.21, 0.74, "read them as scanners rather than anatomy"),
        (0.5, 0.45, "anatomy and scanner are mixed in them"),
        (0.05, 0.0, "they are neither anatomy nor scanners"),
        (None, 0.3, "cannot be told"),
        (0.3, None, "cannot be told"),
    ],
)
def test_what_labels_divide_a_modality_by_is_said_first(anatomy, maker, said):
    text = rendered(tree_run(agreement=agreement(anatomy, maker)))
    assert said in words(text[: text.index("<nav")])


def test_what_could_not_be_tested_is_on_the_page_and_in_the_closing_text():
    sentence = "Whether images of a label look alike was not tested: of 1 patient too few are left."
    draws = {"samples": {"tuning": {"asked": 4, "drawn": 4, "patients": 1}}, "untested": [sentence]}
    empty = {"trials": {"n": 0, "k": None, "by_trial": {}, "left_out": {}}}
    empty |= {"paper": {}, "pair": nothing(), "scanners": scanners(nothing())}
    empty |= {"untested": UNTESTED | {"images": 0}}
    run = tree_run(draws=draws, evaluation=empty, training=pl.DataFrame(schema={"epoch": pl.Int64}))
    assert sentence in words(rendered(run))
    assert "test" not in Ids(rendered(run)).ids
    text = page.closing(run, "index.html", "a.csv")
    assert f"- {sentence}" in text
    assert "could not be tested" in text
    assert text.isascii()


def test_roles_are_counted_in_each_kind():
    rows = label_sections.roles(tree_run())
    by_role = {row["role"]: row["kinds"] for row in rows}
    assert by_role["content"] == [(1, 1)] * len(NAMES)
    assert by_role["equipment"] == [(1, 0)] * len(NAMES)
    assert by_role["patient"] == [(0, 0)] * len(NAMES)


def test_words_have_their_share_of_the_weight_presence_included():
    (columns,) = {
        id(kind["columns"]): kind["columns"]
        for kind in tree_run().kinds.values()
        if kind["picture"]
    }.values()
    assert label_sections.word_weights(columns) == [("region", 0.5)]


def test_facets_are_shown_with_their_agreement_where_there_is_any():
    none = {"compared": 0, "agree": 0, "disagreements": []}
    facets = {
        "plane": {
            "compared": 44,
            "agree": 44,
            "disagreements": [],
            "filled_with_descriptions": 90,
        },
        "weighting": {
            "compared": 30,
            "agree": 20,
            "filled_with_descriptions": 40,
            "disagreements": [{"tags": "T1", "descriptions": "FLAIR", "series": 10}],
        },
        "view": none | {"filled_with_descriptions": 0},
        "thickness": none | {"filled_with_descriptions": 9},
        "position": none | {"filled_with_descriptions": 5},
    }
    text = rendered(tree_run(facets=facets))
    assert "plane 44 of 44 agree with descriptions" in words(text)
    assert "T1, FLAIR (10)" in words(text)
    assert [row.split("<")[0] for row in text.split('<tr class="poor"><td>')[1:]] == ["weighting"]
    assert "Not comparable here," in words(text)
    assert "from its description: thickness, position." in words(text)
    assert "against descriptions" not in words(rendered(tree_run()))
    assert "Not comparable" not in words(rendered(tree_run()))


def test_words_are_shown_as_radiologists_say_them():
    said = dict(label_sections.said(cards()[0]))
    assert said["plane"] == [("axial", "50\xa0%"), ("sagittal", "30\xa0%")]
    assert said["region"] == [("chest", "97\xa0%")]
    assert "modality" not in said


def test_nothing_from_the_archive_is_taken_for_markup():
    evil = [card | {"name": f"{card['kind']} · {EVIL}"} for card in cards()]
    assert EVIL not in rendered(tree_run(cards=evil))


def test_pictures_are_those_of_the_label_and_lacking_ones_are_explained():
    tiles = {1: Tiles(b"medoid", [b"a"]), 2: Tiles(None, [], 9, True)}
    text = rendered(tree_run(evaluation=evaluation()), tiles)
    assert text.count('<img class="medoid"') == 1
    assert "9 of its sampled images may carry burned-in text" in words(text)
    assert "No image of this label is in the sample" in words(text)


def test_the_test_comes_first_and_is_in_the_closing_text():
    run = tree_run(evaluation=evaluation())
    text = rendered(run)
    assert "These labels explain 47" in re.search("<h1>(.*?)</h1>", text)[1]
    assert "These labels explain 47 %" in page.closing(run, "index.html", "a.csv")


SCANNERS = {
    "shares": SHARES | {"labels": 0.2, "manufacturer": 0.2},
    "labels__modality_manufacturer": figures(0.0, 0),
}


@pytest.mark.parametrize("told", ["scanners", "coincide"])
def test_an_archive_whose_labels_are_scanners_is_called_so_by_sentence_table_and_card(told):
    """Where parts vary among images of a label; where they do not, that it cannot be told."""
    within = figures(0.2) if told == "scanners" else figures(0.0, 0)
    others = SCANNERS | {"labels__modality_region": within}
    by_looks = scanners(pair(**others), left=figures(0.0, 0), in_region=within)
    assert by_looks["verdict"] == told
    one = {"inside": 1.0, "outside": 0.2, "one": True}
    of = [card | {"maker": one if card["kind"] == "CT" else None} for card in cards()]
    found = evaluation(**others) | {"scanners": by_looks}
    # Tags would have labels read as anatomy: what looks say goes first.
    run = tree_run(evaluation=found, agreement=agreement(0.9, 0.1), cards=of)
    text = rendered(run)
    first, closing = words(text[: text.index("<nav")]), page.closing(run, "index.html", "a.csv")
    (table,) = re.findall(r'<h2 id="test">.*?</section>', text, re.DOTALL)
    assert "maker (as much as these labels, or more)" in words(table)
    assert "agree more with the body part (AMI .90) than with the maker (.10)." in first
    assert "read them as" not in first
    called = ("But they are scanners more than anatomy", "scanners more than anatomy")
    if told == "coincide":
        called = ("These labels and makers coincide", "scanners or anatomy: cannot be told")
    assert called[0] in first
    assert called[0] in closing
    assert called[1] in words(table)
    assert ("more than anatomy" in words(text)) == (told == "scanners")
    kinds = Counter(card["kind"] for card in of)
    assert words(text).count("One maker’s machines : 100 % of its images") == kinds["CT"]


def test_tags_say_what_labels_are_where_looks_do_not():
    run = tree_run(evaluation=evaluation(), agreement=agreement(0.9, 0.1))
    assert "read them as anatomy rather than scanners" in label_sentences.represented(run)
    none = evaluation() | {"pair": nothing()}
    run = tree_run(evaluation=none, agreement=agreement(0.9, 0.1))
    assert "read them as anatomy rather than scanners" in label_sentences.represented(run)


def test_the_page_says_which_images_could_not_be_tested():
    unknown = {"images": 1000, "without_patient": 4, "alone": {"": 1, "XA": 2}}
    text = words(rendered(tree_run(evaluation=evaluation() | {"untested": unknown})))
    assert (
        "3 of 1,000 images could not be tested inside their modality, of which there is no second "
        "patient: not stated 1, XA 2." in text
    )
    assert "4 of 1,000 images state no patient: the series stands for the patient" in text
    assert "could not be tested inside" not in words(rendered(tree_run(evaluation=evaluation())))


def test_a_table_of_tags_has_labels_and_no_test():
    text = rendered(tree_run())
    assert "as a table of tags has no pixels" in words(text)
    assert not {"test", "looks", "files"} & set(Ids(text).ids)


def test_the_tree_holds_every_label_once():
    kinds = label_tree(cards(), list(NAMES))
    assert sorted(c["label"] for kind in kinds for c in kind.labels) == list(
        range(1, 1 + len(cards()))
    )
    assert [kind.picture for kind in kinds] == [True] * 4 + [False]
    sizes = [kind.size for kind in kinds]
    assert sizes == sorted(sizes, reverse=True)


def test_technique_is_what_follows_kind_and_region():
    card = {"name": "CR · hip / pelvis · AP", "region": "hip / pelvis"}
    assert technique(card) == "AP"
    assert technique({"name": "CR · AP / lateral", "region": None}) == "AP / lateral"
    assert technique({"name": "CR", "region": None}) == ""


def test_tags_of_a_card_are_said_once_in_words_and_numbers_come_last():
    shares = {"inside": 1.0, "outside": 0.25}
    rows = [
        ("PixelSpacing", "PixelSpacing[0]", "0.5 (0.4–0.6)"),
        ("PixelSpacing", "PixelSpacing[1]", "0.5 (0.4–0.6)"),
        ("weighting", "word.weighting", "MRA"),
        ("KVP", "KVP?", "absent"),
        ("contrast", "word.contrast?", "absent"),
        ("ScanOptions", "ScanOptions[1]", "FS"),
    ]
    tags = [dict(zip(("keyword", "column", "value"), row, strict=True)) | shares for row in rows]
    chips = label_sections.chips({"kind": "MR", "tags": tags}, {"PixelSpacing", "KVP"})
    assert [(chip["tag"], chip["value"]) for chip in chips] == [
        ("weighting", "angiography"),
        ("KVP", "absent"),
        ("contrast agent", "absent"),
        ("ScanOptions[1]", "FS"),
        ("PixelSpacing", "0.5 (0.4–0.6)"),
    ]


def test_members_of_leaves_are_members_of_their_label_and_it_has_one_medoid():
    two = [
        {"label": 1, "clusters": [1, 3], "medoid": "c", "name": "CT"},
        {"label": 2, "clusters": [2], "medoid": "b", "name": "MR"},
    ]
    members = pl.DataFrame(
        {"image": list("abcd"), "cluster": [1, 2, 3, 1], "medoid": [True, True, True, False]}
    )
    found = label_members(members, two)
    assert found["cluster"].to_list() == [1, 2, 1, 1]
    assert found.filter("medoid")["image"].to_list() == ["b", "c"]


@given(st.integers(1, 200), st.integers(1, 30))
def test_every_label_has_a_picture(groups, count):
    each = pictures.members_each(groups, count)
    assert 1 <= each <= count
    assert pictures.shown_clusters(groups, each) == groups


def test_eyes_are_a_table_and_one_that_sees_little_is_said_to():
    found = {"agreement": 0.8, "chance": 0.2, "n": 100}
    seen = dict.fromkeys(("modality", "region", "manufacturer_inside_modality"), found)
    eyes = {
        key: {"pair": pair(), "retrieval": seen, "sees": sees}
        for key, sees in (
            ("autoencoder", None),
            ("pca", {"difference": 0.001, "ci95": [-0.02, 0.022]}),
        )
    }
    text = words(rendered(tree_run(evaluation=evaluation() | {"eyes": eyes})))
    assert "This rests on 2 of 2 eyes." in text
    assert (
        "autoencoder 47 % (44 to 50 %) &lt; .001 &lt; .001 80 % (20 %) 80 % (20 %) 80 % (20 %)"
        in text
    )
    assert "sees no more than components of pixels (pca): by pca 0.1 in a hundred more of" in text
    assert "What each eye sees" not in words(rendered(tree_run(evaluation=evaluation())))
