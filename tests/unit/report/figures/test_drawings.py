"""Drawings: what they are told is in them, and the same input is the same bytes."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
import tree_run
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes

from tagsight.evaluation import labellings
from tagsight.evaluation.labellings import Stratum
from tagsight.evaluation.pair_statistic import UNDIVIDED
from tagsight.report.figures import (
    choice,
    dealing,
    drawings,
    explained,
    flow,
    label_silhouettes,
    nesting,
    silhouettes,
    style,
    training,
    tree,
)
from tagsight.report.figures.pictures import GalleryRow
from tagsight.report.figures.style import COLOURS


def test_a_dollar_sign_in_a_name_is_no_formula():
    figure = style.new(2, 1)
    ax = figure.subplots()
    ax.text(0.5, 0.5, "$x_{$ · HEAD")
    ax.set_yticks([0], ["a$b^$\x1b"])
    assert ElementTree.fromstring(style.svg(figure)).tag.endswith("svg")


COUNTS = {
    "files": 1230,
    "images": 1200,
    "series": 300,
    "patients": 99,
    "rejected": {"no_pixels": 20, "not_dicom": 10},
    "tags": 30,
    "kept": 20,
    "columns": 25,
    "presence": 4,
    "samples": {"tuning": 40, "holdout": 21, "autoencoder": 50, "trial-01": 25, "trial-02": 26},
}
GRID = {str(k): {"silhouette": s, "heldout_ratio": r} for k, s, r in [(5, 0.3, 1.01), (9, 0.4, 9)]}
CHOICE = {"k": 5, "rule": "heldout", "grid": GRID}


def clusters(sizes, seed=1):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)) + 1, sizes)
    return pl.DataFrame({"cluster": labels, "silhouette": rng.uniform(-0.2, 1, len(labels))})


def evaluation(explained_=0.25, interval=(0.2, 0.3), reason=None):
    found = {"explained": explained_, "ci95": interval and list(interval), "reason": reason}
    return {"pair": {"labels": {"none": found, "modality": found}}}


def step(coarse, fine, *links):
    rows = [dict(zip(("fine", "coarse", "images", "share"), link, strict=True)) for link in links]
    return {"coarse": coarse, "fine": fine, "inside": rows}


NESTED = [
    step(2, 3, (1, 1, 40, 1.0), (2, 2, 30, 0.75), (2, 1, 10, 0.25), (3, 2, 20, 1.0)),
    step(2, 4, (1, 1, 40, 1.0), (2, 2, 30, 1.0), (3, 1, 10, 1.0), (4, 2, 20, 1.0)),
    step(2, 50, (1, 1, 50, 1.0), (2, 2, 50, 1.0)),
    step(3, 4, (1, 1, 40, 1.0), (2, 2, 30, 1.0), (3, 2, 10, 1.0), (4, 3, 20, 1.0)),
    step(3, 50, (1, 1, 40, 1.0)),
    step(4, 50, (1, 1, 40, 1.0)),
]
LOOSE = [  # of hdbscan: at K = 2 a whole cluster of K = 3 was in none
    step(2, 3, (0, 1, 5, 1.0), (1, 1, 40, 1.0), (2, 0, 20, 1.0), (3, 2, 9, 1.0)),
    step(2, 4, (1, 1, 45, 1.0), (2, 0, 20, 1.0), (3, 2, 5, 1.0), (4, 2, 4, 1.0)),
    step(3, 4, (1, 1, 40, 0.89), (1, 0, 5, 0.11), (2, 2, 20, 1.0), (3, 3, 5, 1.0), (4, 3, 4, 1.0)),
]
DRAWINGS = {
    "flow": lambda: flow.flow(COUNTS, CHOICE, 7),
    "flow of a table": lambda: flow.flow(COUNTS, CHOICE, None),
    "silhouettes": lambda: silhouettes.silhouettes(clusters([9, 4, 1]), ["CT", "MR", "US"]),
    "many": lambda: silhouettes.silhouettes(clusters([3] * 60), [f"C{i}" for i in range(60)]),
    "nesting": lambda: nesting.nesting(NESTED, 4, ["CT", "MR", "US", "XA"]),
    "nesting of some": lambda: nesting.nesting(LOOSE, 4, ["CT", "MR", "US", "XA"]),
    "nesting from the least": lambda: nesting.nesting(NESTED, 2, ["CT", "MR"]),
    "choice": lambda: choice.choice(CHOICE, 1.05),
    "one k": lambda: choice.choice(CHOICE | {"rule": "silhouette", "grid": {"5": GRID["5"]}}, 1),
    "unknown ratio": lambda: choice.choice(
        CHOICE | {"grid": {"5": {"silhouette": 0.1, "heldout_ratio": None}}}, 1.05
    ),
    "training": lambda: training.training(
        pl.DataFrame({"epoch": [1, 2], "loss": [0.2, 0.1], "validation_loss": [0.3, 0.2]})
    ),
    "no validation": lambda: training.training(
        pl.DataFrame({"epoch": [1], "loss": [0.2], "validation_loss": [None]})
    ),
    "explained": lambda: explained.explained(evaluation()),
    "single trial": lambda: explained.explained(evaluation(interval=None)),
    "flow of a tree": lambda: flow.flow(COUNTS, tree_run.choice(), 7, 12),
    "tree": lambda: tree.tree(tree_run.tree_run().label_kinds, 1200),
    "empty tree": lambda: tree.tree([], 0),
    "dealing": lambda: dealing.dealing(tree_run.choice(), {"MG": "mammograms"}),
    "labels": lambda: label_silhouettes.label_silhouettes(
        members(), [card["name"] for card in tree_run.cards()]
    ),
    "nothing explained": lambda: explained.explained(evaluation(None, None)),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_svg_of_the_same_bytes_each_time_and_says_no_date(name):
    text = DRAWINGS[name]()
    assert text == DRAWINGS[name]()
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert "<text" not in text
    assert "metadata" not in text


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_has_no_colours_that_the_page_cannot_change(name):
    root = ElementTree.fromstring(DRAWINGS[name]())
    styles = ";".join(element.get("style", "") for element in root.iter()).split(";")
    pairs = [style.split(":") for style in styles if ":" in style]
    painted = {value.strip() for name, value in pairs if name.strip() in ("fill", "stroke")}
    assert {colour for colour in painted if colour.startswith("#")} <= set(COLOURS)
    assert painted & set(COLOURS)


@pytest.fixture
def written(monkeypatch):
    """All that is written into axes."""
    said = []
    for name in ("text", "annotate"):
        original = getattr(Axes, name)

        def spy(self, *args, original=original, **kwargs):
            said.extend(arg for arg in args if isinstance(arg, str))
            return original(self, *args, **kwargs)

        monkeypatch.setattr(Axes, name, spy)
    return said


def test_the_flow_tells_the_counts(written):
    flow.flow(COUNTS, CHOICE, 7)
    wanted = {"1,230 found", "1,200 images", "30 rejected", "20 no pixels", "10 not DICOM"}
    wanted |= {"30 tags", "20 kept", "25 columns", "21 of values", "4 of presence", "7 epochs"}
    wanted |= {"40 images", "21 images", "50 images", "2 trials", "25 to 26 images", "K = 5 to 9"}
    assert wanted <= set(written)


def test_the_flow_of_a_table_ends_with_clusters(written):
    flow.flow(COUNTS, CHOICE, None)
    assert {"Table of tags", "1,230 rows", "1,200 annotated"} <= set(written)
    assert not {"Autoencoder", "Embeddings", "Paired test", "30 rejected"} & set(written)


def test_many_reasons_are_summed_and_none_is_lost():
    tally = {f"r{i}": 10 - i for i in range(7)}
    lines = flow._reasons(tally)
    assert len(lines) == 5
    assert sum(int(line.split()[0]) for line in lines) == sum(tally.values())


def test_the_chosen_k_is_marked_in_both_curves_with_its_values(written):
    choice.choice(CHOICE, 1.05)
    assert {"K = 5: 0.30", "K = 5: 1.010", "as good as own: up to 1.05"} <= set(written)


def test_the_tolerance_is_not_shown_where_the_rule_does_not_use_it(written):
    choice.choice(CHOICE | {"rule": "silhouette"}, 1.05)
    assert not [text for text in written if "as good as own" in text]


def test_shares_explained_are_written_beside_their_marks(written):
    explained.explained(evaluation(-0.013))
    assert written.count("−1.3 %") == 2
    assert "Inside a modality" in written
    assert "Inside a modality and region" not in written


def test_what_divides_nothing_has_no_mark(written):
    explained.explained(evaluation(0.0, (0, 0), UNDIVIDED))
    assert "Inside a modality" not in written


def test_the_chosen_clusters_have_their_names_and_all_their_numbers(written):
    nesting.nesting(NESTED, 4, ["CT", "MR", "US", "XA"])
    assert {"K = 2", "K = 3", "K = 4", "CT", "MR", "US", "XA"} <= set(written)
    assert sorted(text for text in written if text.isdigit()) == sorted("12" + "123" + "1234")


def test_images_in_no_cluster_are_a_group_without_a_name(written):
    nesting.nesting(LOOSE, 3, ["CT", "MR", "US"])
    assert written.count("none") == 2
    assert {"CT", "MR", "US", "K = 2", "K = 3"} <= set(written)
    assert "K = 4" not in written


def test_no_k_is_drawn_whose_clusters_could_not_be_told_apart(written):
    assert [step["fine"] for step in nesting.drawn_steps(NESTED, 50)] == [3, 4]
    nesting.nesting(NESTED, 50, ["CT"] * 50)
    assert "K = 50" not in written
    assert "CT" not in written


def test_a_band_is_as_high_as_its_share_of_both_clusters():
    left, right = nesting._columns(NESTED[:1])
    assert sum(left.height.values()) == pytest.approx(nesting.FILLED)
    assert left.height[1] / left.height[2] == pytest.approx(50 / 50)
    assert right.height[2] == pytest.approx(0.4 * nesting.FILLED)
    assert list(right.order) == [1, 2, 3]


def test_a_single_k_has_an_empty_figure():
    assert nesting.nesting([], 5, []).count("<svg") == 1


def test_the_mean_silhouette_is_over_images_not_clusters(written):
    part = pl.DataFrame({"cluster": [1, 1, 1, 2], "silhouette": [1.0, 1.0, 1.0, 0.0]})
    silhouettes.silhouettes(part, ["CT", "MR"])
    assert "mean 0.75" in written


def test_images_in_no_cluster_count_in_the_mean_and_have_no_name(written):
    part = pl.DataFrame({"cluster": [0, 1, 1, 2], "silhouette": [0.0, 1.0, 1.0, 0.4]})
    silhouettes.silhouettes(part, ["CT", "MR"])
    assert "mean 0.60" in written


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_labels_keep_their_order_and_distance_and_stay_inside(middles):
    found = silhouettes.move_apart(np.sort(middles), 5.0, 100.0)
    assert (np.diff(found) >= 5.0 - 1e-9).all()
    assert found[-1] <= 100


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_labels_that_would_stray_are_left_out(middles):
    places = silhouettes.move_apart_while_near(np.sort(middles), 5.0)
    assert len(places) >= 1
    assert (np.diff(places) >= 5.0 - 1e-9).all()
    assert (places - np.sort(middles)[: len(places)] <= 10 + 1e-9).all()


def asked_for(*, tree):
    rules = (Path(__file__).parents[4] / "rules/report.smk").read_text(encoding="utf-8")
    other = "nesting.svg" if tree else "tree.svg"
    return sorted(set(re.findall(r'"(\w+\.(?:svg|png))"', rules)) - {other})


def from_pixels(documents):
    epochs = pl.DataFrame({"epoch": [1], "loss": [0.2], "validation_loss": [0.3]})
    images = np.zeros((3, 128, 128), np.uint8)
    shown = [GalleryRow(1, 2, 0, [1]), GalleryRow(2, 1, None, [2])]
    documents = {**documents, "evaluation": evaluation()}
    return drawings.from_pixels(documents, epochs, images, shown, images[[0, 2]])


def test_the_figures_of_a_flat_run_are_those_that_the_rule_asks_for():
    cards = [{"name": name} for name in ("CT", "MR", "US", "XA", "PX")]
    documents = {"counts": COUNTS, "choice": CHOICE, "nesting": [], "cards": cards}
    found = drawings.from_tags(documents, clusters([9, 4, 1, 1, 1]), 7, 1.05)
    assert sorted(found | from_pixels(documents)) == asked_for(tree=False)


def test_the_figures_of_a_tree_are_those_that_the_rule_asks_for():
    documents = {"counts": COUNTS, "choice": tree_run.choice(), "cards": tree_run.cards()}
    found = drawings.of_labels(documents, tree_run.tree_run().label_kinds, members(), 7)
    assert sorted(found | from_pixels(documents)) == asked_for(tree=True)


def test_an_archive_without_a_picture_has_all_figures():
    documents = {"counts": COUNTS, "cards": tree_run.cards({})}
    documents["choice"] = {"count": 50, "clusters": 0, "kinds": {}}
    found = drawings.of_labels(documents, tree_run.tree_run({}).label_kinds, members().clear(), 0)
    assert all(text.count("<svg") == 1 for text in found.values())


def members():
    """Images of all labels of `tree_run` but the last two of MR."""
    rows = [card for card in tree_run.cards() if card["kind"] != "SR"][:-3]
    parts = [
        clusters([card["label"] + 1]).with_columns(kind=pl.lit(card["kind"]), cluster=card["label"])
        for card in rows
    ]
    return pl.concat(parts)


def test_the_tree_names_each_kind_and_region_once_and_every_label(written):
    kinds = tree_run.tree_run().label_kinds
    tree.tree(kinds, 1200)
    assert [written.count(kind) for kind in ("CT", "MR", "MG", "XA")] == [1] * 4
    assert written.count("chest") == written.count("abdomen") == written.count("knee") == 1
    assert {"lung · thin", "FLAIR", "MLO · R", "others", "1,000", "83.3 %"} <= set(written)
    assert "structured reports" not in written


def test_labels_without_images_in_the_sample_have_no_silhouettes_nor_has_one_alone():
    names = [card["name"] for card in tree_run.cards()]
    alone = members().with_columns(kind=pl.col("cluster").cast(pl.String))
    assert label_silhouettes.label_silhouettes(alone, names).count("<svg") == 1
    assert len(label_silhouettes.label_silhouettes(members(), names)) > 10_000


def test_a_new_stratum_is_drawn_without_more_than_its_entry(written, monkeypatch):
    site = Stratum("site", "Inside a site", "Among images of one site.", ("site",))
    monkeypatch.setattr(labellings, "STRATA", (*labellings.STRATA, site))
    tested = evaluation()
    tested["pair"]["labels"]["site"] = tested["pair"]["labels"]["none"]
    explained.explained(tested)
    assert "Inside a site" in written


def test_a_run_without_trials_or_network_has_all_figures(written):
    """Their files are asked for by the plan, which doesn't know how small the archive is."""
    sizes = {"tuning": 3, "holdout": 0, "autoencoder": 0, "trial-01": 0, "trial-02": 0}
    one = {"k": 1, "rule": "heldout", "grid": {"1": {"silhouette": 0.0, "heldout_ratio": None}}}
    documents = {"counts": COUNTS | {"samples": sizes}, "choice": one, "nesting": []}
    documents |= {"cards": [{"name": "CT"}], "evaluation": {"pair": {}}}
    of_tags = drawings.from_tags(documents, clusters([3]), 0, 1.05)
    images, epochs = np.zeros((3, 128, 128), np.uint8), pl.DataFrame(schema=["epoch"])
    shown = [GalleryRow(1, 3, 0, [1, 2])]
    of_pixels = drawings.from_pixels(documents, epochs, images, shown, images[:0])
    assert {"No trials", "not trained", "No network was trained"} <= set(written)
    assert all(of_tags.values())
    assert all(of_pixels.values())
