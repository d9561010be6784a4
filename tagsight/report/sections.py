"""The sections of the page. A new section is one entry here and one template."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup
from pydicom.uid import UID

from tagsight.evaluation import eye_figures
from tagsight.interpretation import nesting
from tagsight.interpretation.agreement import LEFT_OUT
from tagsight.report import sentences, sites, wording, worth_words
from tagsight.report.counts import trial_sizes
from tagsight.report.eye_tables import eye_table
from tagsight.report.figures.pictures import Tiles
from tagsight.report.pair_tables import pair_table
from tagsight.report.results import Run

CHIPS = 5  # tags shown per cluster
UNMAPPED = "sections/unmapped.html"  # in the sections on tags
MOST_CLUSTERS = 50  # shown one by one in a run without pictures
# CSS classes for Hennig's verdicts on a cluster's stability.
TRUST = {
    "highly stable": "sure",
    "stable": "sure",
    "a pattern": "vague",
    "not to be trusted": "unsure",
    "of one patient": "unsure",
    "unknown": "vague",
}


@dataclass(frozen=True)
class Content:
    """The data that the values of sections are made from.

    tiles: pictures by cluster, of the clusters that are shown.
    reconstructions: PNG; None where no image may be shown.
    """

    run: Run
    tiles: Mapping[int, Tiles]
    reconstructions: bytes | None


def _no_values(_content: Content) -> dict[str, Any]:
    return {}


def _any_run(_run: Run) -> bool:
    return True


@dataclass(frozen=True)
class Section:
    """A section of the page.

    key: its anchor.
    name: in the navigation.
    template: its file, a literal so that recipes see it. Every template gets `run` and `figures`.
    needs: whether a run has what it shows; by default every run has.
    values: returns the other values of its template; all sections use different names.
    """

    key: str
    name: str
    template: str
    needs: Callable[[Run], bool] = _any_run
    values: Callable[[Content], dict[str, Any]] = _no_values


def clusters(run: Run, tiles: Mapping[int, Tiles]) -> list[dict[str, Any]]:
    """Return the data shown for each cluster: its card, its rule, its pictures as data URIs.

    tiles: pictures by cluster.
    """
    rules = {rule["cluster"]: rule for rule in run.rules["clusters"]}
    return [
        {
            **card,
            "trust": TRUST[card["reading"]],
            "rule": rules.get(card["cluster"], {"rule": None}),
            "chips": [chip(tag) for tag in shown_tags(card["tags"])],
            "tiles": picture_uris(tiles.get(card["cluster"])),
            "shown": card["cluster"] in (tiles if run.evaluation else range(1, MOST_CLUSTERS + 1)),
        }
        for card in run.cards
    ]


def shown_tags(tags: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the first CHIPS tags of a card; equal items of one tag are one, in its name."""
    items: dict[tuple[str, str], Mapping[str, Any]] = {}
    for tag in tags:
        key = tag["keyword"], tag["value"]
        items[key] = {**items[key], "column": tag["keyword"]} if key in items else tag
    return [*items.values()][:CHIPS]


def chip(tag: Mapping[str, Any]) -> dict[str, str]:
    """Return a tag of a card as it is shown."""
    shares = f"{wording.percent(tag['inside'])} here, {wording.percent(tag['outside'])} elsewhere"
    return {"tag": tag["column"].removesuffix("?"), "value": tag["value"], "shares": shares}


def picture_uris(tiles: Tiles | None) -> dict[str, Any] | None:
    """Return a group's pictures as data URIs, and why some are not shown."""
    if tiles is None:
        return None
    return {
        "medoid": tiles.medoid and _data_uri(tiles.medoid, "jpeg"),
        "members": [_data_uri(picture, "jpeg") for picture in tiles.members],
        "held_back": tiles.held_back,
        "medoid_held_back": tiles.medoid_held_back,
        "medoid_elsewhere": tiles.medoid_elsewhere,
        "of_few": tiles.of_few,
    }


def trust_counts(cards: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """Return how many clusters have each verdict on stability, the most stable first."""
    counts = [(sum(card["reading"] == reading for card in cards), reading) for reading in TRUST]
    return [(count, reading) for count, reading in counts if count]


def grid(run: Run) -> dict[str, dict[str, Any]]:
    """Return K -> its silhouette and fit, and how stable its clusters are."""
    unknown = dict.fromkeys(("stability", "stability_heldout", "stability_trials"))
    stable = run.stability["grid"]
    return {k: {**unknown, **stable.get(k, {}), **row} for k, row in run.choice["grid"].items()}


def nesting_shares(steps: Sequence[nesting.Step]) -> dict[int, dict[int, float | None]]:
    """Return K -> smaller K -> the share of images that are where most of their cluster is.

    steps: nesting.json.
    """
    shares: dict[int, dict[int, float | None]] = {}
    for step in steps:
        shares.setdefault(step["fine"], {})[step["coarse"]] = nesting.nested(step)
    return shares


def cluster_homes(run: Run) -> dict[str, Any]:
    """Return where clusters' images are at other K: `smaller` (K), `larger` (K or None), `rows`.

    rows: `cluster`, `name`, `homes` (the row of nesting.json for each smaller K; None where the
    sample has no image of the cluster), `parts` (rows of clusters at the larger K mostly in it).
    """
    k = run.choice["k"]
    above = {step["coarse"]: nesting.homes(step) for step in run.nesting if step["fine"] == k}
    below = {step["fine"]: nesting.homes(step) for step in run.nesting if step["coarse"] == k}
    larger = min(below, default=None)
    parts = list(below[larger].values()) if larger else []
    rows = [
        {
            "cluster": card["cluster"],
            "name": card["name"],
            "homes": [above[coarse].get(card["cluster"]) for coarse in sorted(above)],
            "parts": [part for part in parts if part["coarse"] == card["cluster"]],
        }
        for card in run.cards
    ]
    return {"smaller": sorted(above), "larger": larger, "rows": rows}


def agreement(stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the scores at the chosen K of each label from outside the clusters that is known.

    stored: agreement.json.
    Returns `label`, `stated`, and `scores` of the clusters from all tags, without tags that state
    modality and body part, and without tags that state the scanner; None without such clusters.
    """
    rows = {
        (row["label"], tuple(row["left_out"])): row
        for row in stored["agreement"]
        if row["k"] == stored["k"]
    }
    stated = {name: rows.get((name, ()), {"ami": None}) for name in wording.LABEL_NAMES}
    return [
        {
            "label": label,
            "stated": stated[name],
            "scores": [rows.get((name, left_out)) for left_out in LEFT_OUT],
        }
        for name, label in wording.LABEL_NAMES.items()
        if stated[name]["ami"] is not None
    ]


def kept_tags(run: Run) -> list[dict[str, Any]]:
    """Return the kept tags with their frequencies, in the order of the selection."""
    kept = run.selection.filter(fate="kept").select("keyword")
    joined = kept.join(run.frequencies, on="keyword", how="left", maintain_order="left")
    columns = ["keyword", "tag", "missing_share", "level", "inferred", "top_values"]
    rows = joined.select(columns).to_dicts()
    return [row | {"top_values": with_names(row["top_values"])} for row in rows]


def with_names(values: str | None) -> str | None:
    """Return values with UIDs of the standard replaced by their names.

    >>> with_names("1.2.840.10008.1.2.1 (12) · 1.2.3 (4)")
    'Explicit VR Little Endian (12) · 1.2.3 (4)'
    """
    return values and re.sub(r"\b1\.2\.840\.10008[\d.]+", lambda uid: UID(uid[0]).name, values)


def dropped_tags(selection: pl.DataFrame) -> list[tuple[str, list[str]]]:
    """Return the reasons why tags were dropped with their tags, the longest list first."""
    dropped = selection.filter(fate="dropped").group_by("reason").agg(pl.col("keyword").sort())
    rows: list[tuple[str, list[str]]] = dropped.sort("reason").rows()
    return sorted(rows, key=lambda row: -len(row[1]))


def lacking_modality(frequencies: pl.DataFrame) -> float:
    """Return the share of images without Modality."""
    share = frequencies.filter(keyword="Modality")["missing_share"]
    return float(share[0]) if len(share) else 1.0


def paper(run: Run) -> list[tuple[str, str, str]]:
    """Return rows of a figure's name, its value in the paper and in the run.

    Both by the paper's measure: centres include the image itself, labels permuted between images.
    """
    ours: Mapping[str, Any] = (run.evaluation or {}).get("paper", {})
    chosen = run.choice["grid"][str(run.choice["k"])]
    sizes = trial_sizes(run.counts["samples"])
    share = ours.get("explained")
    return [
        ("trials × images", "10 × 5,000", f"{len(sizes)} × {max(sizes):,}"),
        ("K, clusters", "15", f"{run.choice['k']}"),
        ("mean silhouette", "0.37", wording.number(chosen["silhouette"], 2)),
        ("distance to centre (sd)", "0.28 (0.023)", _mean(ours, "distance")),
        ("by permuted labels (sd)", "0.42 (0.017)", _mean(ours, "null")),
        ("explained", wording.percent(1 / 3), "–" if share is None else wording.percent(share)),
        ("paired t-test", f"t(9) = 16.42, p <{wording.SPACE}.001", _t_test(ours)),
        ("effect size dz", "5.2", wording.number(ours.get("effect_size"), 2)),
        ("correlation of the two", ".12", wording.number(ours.get("correlation"), 2)),
    ]


def _mean(figures: Mapping[str, Any], what: str) -> str:
    mean, sd = figures.get(f"mean_{what}"), figures.get(f"sd_{what}")
    return f"{wording.number(mean, 2)} ({wording.number(sd, 2)})"


def _t_test(figures: Mapping[str, Any]) -> str:
    if figures.get("t") is None:
        return "–"
    p = wording.p_value(figures["p"])
    return f"t({figures['df']}) = {wording.number(figures['t'])}, p {'' if '<' in p else '= '}{p}"


def _data_uri(content: bytes, kind: str) -> Markup:
    return Markup(f"data:image/{kind};base64,{base64.b64encode(content).decode()}")


def _nesting(content: Content) -> dict[str, Any]:
    nested, homes = nesting_shares(content.run.nesting), cluster_homes(content.run)
    return {"nested": nested, "homes": homes, "grid": grid(content.run)}


def _clusters(content: Content) -> dict[str, Any]:
    run = content.run
    return {"clusters": clusters(run, content.tiles), "trusted": trust_counts(run.cards)}


def looks(content: Content) -> dict[str, Any]:
    """Return the values of the section on the network."""
    training, pair = content.run.training, content.reconstructions
    epochs = 0 if training is None else len(training)
    return {"epochs": epochs, "reconstructions": pair and _data_uri(pair, "png")}


def _tags(content: Content) -> dict[str, Any]:
    run = content.run
    return {
        "kept": kept_tags(run),
        "dropped": dropped_tags(run.selection),
        "unmapped": UNMAPPED,
    }


def _paper(content: Content) -> dict[str, Any]:
    lacking = lacking_modality(content.run.frequencies)
    return {"paper": paper(content.run), "lacking": lacking}


def tested(content: Content) -> dict[str, Any]:
    """Return the values of the section on the test."""
    run = content.run
    share = (run.evaluation or {}).get("paper", {}).get("explained")
    return {
        "tests": pair_table(run.pair, run.scanners, run.unit),
        "eyes": eye_table(run.eyes),
        "no_better": eye_figures.remark(run.eyes),
        "paper_test": _t_test((run.evaluation or {}).get("paper", {})),
        "paper_share": None if share is None else wording.percent(share),
    }


def has_untested(run: Run) -> bool:
    """Return whether anything was not tested."""
    return bool(sentences.untested(run.draws, run.evaluation))


def untested(content: Content) -> dict[str, Any]:
    """Return the values of the section on what was not tested."""
    return {"untested": sentences.untested(content.run.draws, content.run.evaluation)}


def has_sites(run: Run) -> bool:
    """Return whether images are of sites that have a name."""
    return run.sites is not None and bool(run.sites["sites"])


def of_sites(content: Content) -> dict[str, Any]:
    """Return the values of the section on sites."""
    run = content.run
    return {} if run.sites is None else sites.values(run.sites, named=run.has_looks)


def _worth(content: Content) -> dict[str, Any]:
    run = content.run
    told = run.worth or {"reason": "it was not asked for"}
    return {
        "worth_sentence": worth_words.sentence(told, run.unit),
        "worth_told": "" if told["reason"] else worth_words.told(told, run.unit),
        "worth_rows": [] if told["reason"] else worth_words.rows(told, run.unit),
    }


WORTH = Section(
    "worth",
    "Their worth",
    "sections/worth.html",
    needs=lambda run: run.worth is not None,
    values=_worth,
)

# In the order of the page.
SECTIONS = (
    Section(
        "untested",
        "Not tested",
        "sections/untested.html",
        needs=has_untested,
        values=untested,
    ),
    Section(
        "test",
        "The test",
        "sections/test.html",
        needs=lambda run: run.is_tested,
        values=tested,
    ),
    WORTH,
    Section("clusters", "Clusters", "sections/clusters.html", values=_clusters),
    Section("k", "Number of clusters", "sections/k.html", values=_nesting),
    Section(
        "looks", "Looks", "sections/looks.html", needs=lambda run: run.is_trained, values=looks
    ),
    Section("flow", "The run", "sections/flow.html"),
    Section("labels", "Known labels", "sections/labels.html"),
    Section("sites", "Sites", "sections/sites.html", needs=has_sites, values=of_sites),
    Section("tags", "Tags", "sections/tags.html", values=_tags),
    Section("files", "Files", "sections/files.html", needs=lambda run: run.has_looks),
    Section(
        "paper", "The paper", "sections/paper.html", needs=lambda run: run.is_tested, values=_paper
    ),
    Section("limits", "What it does not say", "sections/limits.html"),
)
