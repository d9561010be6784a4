"""The page: what a run found, figure by figure, in one file that needs nothing from outside."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydicom.uid import UID

from tagsight.evaluation import labellings, nulls
from tagsight.evaluation.labellings import Labelling
from tagsight.interpretation import nesting
from tagsight.interpretation.agreement import LEFT_OUT
from tagsight.report import sentences, wording
from tagsight.report.counts import trial_sizes
from tagsight.report.figures.pictures import Tiles
from tagsight.report.figures.style import COLOURS

TEMPLATE = "page.html"
DOCUMENTS = ("counts", "choice", "cards", "evaluation", "agreement", "nesting")
TABLES = ("frequencies", "selection", "unmapped", "training")
CHIPS = 5  # tags shown of a cluster
SHOWN = 50  # clusters shown one by one where there are no pictures
LABELS = {
    "body_part": "Body part",
    "modality": "Modality",
    "model": "Scanner model",
    "manufacturer": "Maker",
    "site": "Site",
}
# Classes of the page for Hennig's readings of a cluster's stability.
TRUST = {
    "highly stable": "sure",
    "stable": "sure",
    "a pattern": "vague",
    "not to be trusted": "unsure",
    "of one patient": "unsure",
    "unknown": "vague",
}


@dataclass(frozen=True)
class Run:
    """What the page tells of: results of a run, as their files hold them.

    Without pixels, in a run on a ready table of tags, there is neither `evaluation` nor `training`.
    """

    counts: Mapping[str, Any]
    choice: Mapping[str, Any]
    cards: Sequence[Mapping[str, Any]]
    agreement: Mapping[str, Any]
    nesting: Sequence[Mapping[str, Any]]
    rules: Mapping[str, Any]
    frequencies: pl.DataFrame
    selection: pl.DataFrame
    unmapped: pl.DataFrame
    distance: str
    evaluation: Mapping[str, Any] | None = None
    training: pl.DataFrame | None = None


def render(
    run: Run,
    drawings: Mapping[str, str],
    reconstructions: bytes | None,
    tiles: Mapping[int, Tiles],
) -> str:
    """Return the page as HTML.

    drawings: name -> SVG of flow, silhouettes, choice, nesting, and where there are looks training
    and explained; reconstructions: PNG, None where no image may be shown; tiles: of cluster 1, 2,
    …, as many as are shown.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": wording.percent,
        "number": wording.number,
        "p": wording.p_value,
        "score": wording.score,
        "words": wording.in_words,
        "thousands": lambda value: f"{value:,}",
    }
    return environment.get_template(TEMPLATE).render(
        result=result(run),
        run=run,
        epochs=0 if run.training is None else len(run.training),
        facts=facts(run),
        clusters=clusters(run, tiles),
        tests=tests(run.evaluation or {}),
        agreement=agreement(run.agreement),
        confounding=sentences.confounding_sentence(run.agreement["confounding"]),
        basis=sentences.confounding_basis(run.agreement["confounding"]),
        nested=nested(run.nesting),
        homes=homes(run),
        trusted=trusted(run.cards),
        kept=_kept(run),
        dropped=dropped(run.selection),
        paper=paper(run),
        lacking=lacking_modality(run.frequencies),
        figures={name: inline(name, svg) for name, svg in drawings.items()},
        held_back=sum(each.held_back for each in tiles.values()),
        reconstructions=reconstructions and _data_uri(reconstructions, "png"),
    )


def result(run: Run) -> str:
    """Return the run's result in a sentence."""
    if run.evaluation is None:
        return sentences.without_looks(run.counts["images"], run.choice)
    return sentences.result(run.evaluation)


def inline(name: str, svg: str) -> Markup:
    """Return an SVG to stand in the page: its ids its own, its colours the page's.

    >>> inline("a", '<?xml?><svg><g id="x" style="fill: #17242c"/></svg>')
    Markup('<svg><g id="a-x" style="fill: var(--ink)"/></svg>')
    """
    text = svg[svg.index("<svg") :]
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)
    for colour, variable in COLOURS.items():
        text = text.replace(colour, f"var(--{variable})")
    return Markup(text)


def facts(run: Run) -> list[tuple[str, str]]:
    """Return the run in numbers: a figure and what it counts."""
    counts, choice = run.counts, run.choice
    sizes = trial_sizes(counts["samples"])
    silhouette = wording.number(choice["grid"][str(choice["k"])]["silhouette"], 2)
    looks = run.evaluation is not None
    trials = [(f"{len(sizes)} × {max(sizes):,}", "trials × images, to test it")] if looks else []
    return [
        (
            f"{counts['images']:,}",
            f"images of {counts['files']:,} files" if looks else "rows of a table of tags",
        ),
        (f"{counts['series']:,}", "series"),
        (f"{counts['patients']:,}", "patients known"),
        (f"{counts['kept']:,}", f"of {counts['tags']:,} tags, as {counts['columns']:,} columns"),
        (f"{choice['k']}", f"clusters: {choice['reading']}, mean silhouette {silhouette}"),
        *trials,
    ]


def clusters(run: Run, tiles: Mapping[int, Tiles]) -> list[dict[str, Any]]:
    """Return what is shown of each cluster: its card, its rule, its pictures as data URIs."""
    rules = {rule["cluster"]: rule for rule in run.rules["clusters"]}
    return [
        {
            **card,
            "trust": TRUST[card["reading"]],
            "told": rules.get(card["cluster"], {"rule": None}),
            "chips": [_chip(tag) for tag in card["tags"][:CHIPS]],
            "tiles": _pictures(tiles.get(card["cluster"])),
            "shown": card["cluster"] in (tiles if run.evaluation else range(1, SHOWN + 1)),
        }
        for card in run.cards
    ]


def trusted(cards: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """Return how many clusters have each reading, the most stable first."""
    counts = [(sum(card["reading"] == said for card in cards), said) for said in TRUST]
    return [(count, said) for count, said in counts if count]


def nested(found: Sequence[Mapping[str, Any]]) -> dict[int, dict[int, float | None]]:
    """Return K -> smaller K -> the share of images that are where most of their cluster is."""
    shares: dict[int, dict[int, float | None]] = {}
    for step in found:
        shares.setdefault(step["fine"], {})[step["coarse"]] = nesting.nested(step)
    return shares


def homes(run: Run) -> dict[str, Any]:
    """Return where the clusters live at other K: `smaller` (each K), `larger` (the next K or None).

    `rows`: `cluster`, `name`, for each smaller K the row of nesting.json in `homes` (None where the
    sample has no image of the cluster), and in `parts` those of the larger that live mostly in it.
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


def _chip(tag: Mapping[str, Any]) -> dict[str, str]:
    shares = f"{wording.percent(tag['inside'])} here, {wording.percent(tag['outside'])} elsewhere"
    return {"tag": tag["column"].removesuffix("?"), "value": tag["value"], "shares": shares}


def _pictures(tiles: Tiles | None) -> dict[str, Any] | None:
    if tiles is None:
        return None
    return {
        "medoid": tiles.medoid and _data_uri(tiles.medoid, "jpeg"),
        "members": [_data_uri(each, "jpeg") for each in tiles.members],
        "held_back": tiles.held_back,
        "medoid_held_back": tiles.medoid_held_back,
        "medoid_elsewhere": tiles.medoid_elsewhere,
    }


def tests(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the table of tests: for each null its rows, a labelling each, both kinds of centre."""
    groups = []
    for null in nulls.NULLS:
        rows = [
            _row(labelling, evaluation[labelling.key][null.key])
            for labelling in labellings.LABELLINGS
            if null.key in evaluation.get(labelling.key, {})
        ]
        if rows:
            groups.append({"name": null.name, "question": null.question, "rows": rows})
    return groups


def _row(labelling: Labelling, figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "labelling": labelling.name,
        "own": labelling == labellings.TAGS,
        "left_out": {**figures, "share": _explained(figures)},
        "in_sample": {**figures["in_sample"], "share": _explained(figures["in_sample"])},
    }


def _explained(figures: Mapping[str, Any]) -> str:
    """`31 % (28 to 34 %)`; a dash where there is nothing to divide by."""
    if figures["explained"] is None:
        return "–"
    share, bounds = wording.percent(figures["explained"]), figures["explained_ci95"]
    return share if bounds is None else f"{share} ({wording.interval(bounds)})"


def agreement(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return for each outside label that is known its scores at the chosen K.

    `scores`: with all tags, without those that state modality and body part, and without those
    that state the scanner; None where there is no such clustering.
    """
    rows = {
        (row["label"], tuple(row["left_out"])): row
        for row in found["agreement"]
        if row["k"] == found["k"]
    }
    stated = {name: rows.get((name, ()), {"ami": None}) for name in LABELS}
    return [
        {
            "label": said,
            "stated": stated[name],
            "scores": [rows.get((name, left_out)) for left_out in LEFT_OUT],
        }
        for name, said in LABELS.items()
        if stated[name]["ami"] is not None
    ]


def _kept(run: Run) -> list[dict[str, Any]]:
    kept = run.selection.filter(fate="kept").select("keyword")
    known = kept.join(run.frequencies, on="keyword", how="left", maintain_order="left")
    columns = ["keyword", "tag", "missing_share", "level", "inferred", "top_values"]
    rows = known.select(columns).to_dicts()
    return [row | {"top_values": named(row["top_values"])} for row in rows]


def named(values: str | None) -> str | None:
    """Put the standard's names in the place of its UIDs.

    >>> named("1.2.840.10008.1.2.1 (12) · 1.2.3 (4)")
    'Explicit VR Little Endian (12) · 1.2.3 (4)'
    """
    return values and re.sub(r"\b1\.2\.840\.10008[\d.]+", lambda uid: UID(uid[0]).name, values)


def dropped(selection: pl.DataFrame) -> list[tuple[str, list[str]]]:
    """Return the reasons for which tags were dropped, each with its tags, the longest first."""
    out = selection.filter(fate="dropped").group_by("reason").agg(pl.col("keyword").sort())
    rows: list[tuple[str, list[str]]] = out.sort("reason").rows()
    return sorted(rows, key=lambda row: -len(row[1]))


def lacking_modality(frequencies: pl.DataFrame) -> float:
    """Return the share of images that do not say their modality."""
    found = frequencies.filter(keyword="Modality")["missing_share"]
    return float(found[0]) if len(found) else 1.0


def paper(run: Run) -> list[tuple[str, str, str]]:
    """Return the paper's own figures beside the run's: what, theirs, ours.

    Ours by the paper's measure: centres with the image itself, labels permuted between images.
    """
    of_tags: Mapping[str, Any] = (run.evaluation or {}).get("tags", {})
    ours: Mapping[str, Any] = of_tags.get("images", {}).get("in_sample") or {}
    found = run.choice["grid"][str(run.choice["k"])]
    sizes = trial_sizes(run.counts["samples"])
    share = ours.get("explained")
    return [
        ("trials × images", "10 × 5,000", f"{len(sizes)} × {max(sizes):,}"),
        ("K, clusters", "15", f"{run.choice['k']}"),
        ("mean silhouette", "0.37", wording.number(found["silhouette"], 2)),
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


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
