"""The sections of the page of a tree: labels first, then what they are worth and made of."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from tagsight.content.facet_check import poor
from tagsight.interpretation.tree_agreement import STATED
from tagsight.report import label_sentences, sections, wording
from tagsight.report.counts import trial_sizes
from tagsight.report.figures.pictures import Tiles
from tagsight.report.label_tree import Card, shown, technique
from tagsight.report.results import Run
from tagsight.report.sections import Content, Section
from tagsight.run.plain_text import counted, noun
from tagsight.tree.encodings import WORD

ROLES = {  # role of a tag → what it says
    "content": "what was imaged, and how",
    "equipment": "the machine",
    "patient": "the patient and the visit",
    "storage": "the file",
    "order": "the place in a series or study",
}
# Why a label is to be trusted, by whether it was found again in other patients.
TRUST = {True: "sure", None: "vague", False: "unsure"}
MENTIONED = 0.05  # least share of a label's images that have a word that is shown
MOST_DISAGREEMENTS = 3  # of a facet with descriptions, that are shown
COLUMNS = {"contrast": "contrast agent"}  # what columns of words are called, if otherwise
NOT_SAID = ("modality",)  # columns of words that the heading above has


def head(run: Run) -> dict[str, Any]:
    """Return the values of the first screen."""
    labels = sum(len(kind.labels) for kind in run.label_kinds)
    return {
        "result": label_sentences.result(run),
        "facts": facts(run),
        "agreement": agreement(run.agreement),
        "confounding": label_sentences.represented(run),
        "basis": "",
        "title": f"{counted(run.counts['images'], 'image')} with {counted(labels, 'label')}",
    }


def facts(run: Run) -> list[tuple[str, str]]:
    """Return the run in numbers: a figure and what it counts."""
    counts, kinds = run.counts, run.picture_kinds
    labels = [card for kind in kinds for card in kind.labels]
    sizes = trial_sizes(counts["samples"])
    images = counts["images"]
    of_files = (
        f"{noun(images, 'image')} of {counted(counts['files'], 'file')}"
        if run.has_looks
        else f"{noun(images, 'row')} of a table of tags"
    )
    rows = [
        (f"{counts['images']:,}", of_files),
        (f"{counts['series']:,}", "series"),
        (f"{counts['patients']:,}", f"{noun(counts['patients'], 'patient')} known"),
        (f"{len(kinds)}", f"{noun(len(kinds), 'kind')} of images"),
        (
            f"{len(labels)}",
            f"{noun(len(labels), 'label')} of images, of "
            f"{counted(run.choice['clusters'], 'cluster')}",
        ),
    ]
    if sizes and run.is_tested:
        rows.append((f"{len(sizes)} × {max(sizes):,}", "trials × images, to test them"))
    return rows


def labels(content: Content) -> dict[str, Any]:
    """Return what the section on labels shows: kinds, each with its regions and their labels."""
    rules = {rule["cluster"]: rule["rule"] and rule for rule in content.run.rules["clusters"]}
    numbers = {kind.kind: _numbers(content.run, kind.kind) for kind in content.run.picture_kinds}
    return {
        "kinds": [
            {
                "name": kind.name,
                "size": kind.size,
                "labels": len(kind.labels),
                "regions": [
                    {
                        "name": region.name,
                        "size": region.size,
                        "labels": [
                            _label(card, rules, content.tiles, numbers[kind.kind])
                            for card in region.labels
                        ],
                    }
                    for region in kind.regions
                ],
            }
            for kind in content.run.picture_kinds
        ],
        "others": [card for kind in content.run.other_kinds for card in kind.labels],
    }


def _numbers(run: Run, kind: str) -> frozenset[str]:
    """The tags of a kind that are numbers."""
    columns = run.kinds[kind]["columns"]
    return frozenset(column["keyword"] for column in columns if column["kind"] == "numeric")


def _label(
    card: Card,
    rules: Mapping[int, Mapping[str, Any] | None],
    tiles: Mapping[int, Tiles],
    numbers: Collection[str],
) -> dict[str, Any]:
    return {
        **card,
        "technique": technique(card),
        "trust": TRUST[card["found"]],
        "said": said(card),
        "rule": rules.get(card["label"]),
        "chips": chips(card, numbers),
        "tiles": sections.picture_uris(tiles.get(card["label"])),
    }


def chips(card: Card, numbers: Collection[str]) -> list[dict[str, str]]:
    """Return the tags by which a label differs most as they are shown, numbers last.

    numbers: the tags that are numbers. Words of content are said as radiologists do.
    """
    tags = sorted(sections.shown_tags(card["tags"]), key=lambda tag: _is_number(tag, numbers))
    return [sections.chip(_in_words(tag, card["kind"])) for tag in tags]


def _is_number(tag: Mapping[str, Any], numbers: Collection[str]) -> bool:
    return tag["keyword"] in numbers and not tag["column"].endswith("?")


def _in_words(tag: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    column = tag["column"]
    if not column.startswith(f"{WORD}."):
        return tag
    name = tag["keyword"]
    value = tag["value"] if column.endswith("?") else shown(name, tag["value"], kind)
    return {**tag, "column": COLUMNS.get(name, name.replace("_", " ")), "value": value}


def said(card: Card) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what a label's images are: for each column of words its words with their shares."""
    rows = []
    for column, words in card["words"].items():
        listed = [
            (shown(column, word, card["kind"]), wording.percent(share))
            for word, share in words
            if share >= MENTIONED
        ]
        if listed and column not in NOT_SAID:
            rows.append((COLUMNS.get(column, column.replace("_", " ")), listed))
    return rows


def dealt(run: Run) -> list[dict[str, Any]]:
    """Return for each kind how many clusters it was dealt, and how clear they are."""
    by_kind = {kind.kind: kind for kind in run.label_kinds}
    return [
        {
            "kind": by_kind[kind].name if kind in by_kind else kind,
            **{name: row[name] for name in ("k", "images", "sample")},
            "labels": len(by_kind[kind].labels) if kind in by_kind else 0,
            "whole": row["grid"]["1"]["distance"],
            **row["grid"][str(row["k"])],
            **_found_again(run, kind),
        }
        for kind, row in run.choice["kinds"].items()
    ]


def _found_again(run: Run, kind: str) -> dict[str, int]:
    """Clusters of a kind that were looked for among other patients, and those that are there."""
    found = [leaf["found"] for leaf in run.stability["leaves"] if leaf["kind"] == kind]
    return {"asked": sum(each is not None for each in found), "again": sum(map(bool, found))}


def roles(run: Run) -> list[dict[str, Any]]:
    """Return for each role of tags how many each kind has (`all`) and compares (`kept`)."""
    of_kinds = run.selection.drop_nulls("kind")
    counts = {
        (role, kind): (every, kept)
        for role, kind, every, kept in of_kinds.group_by("role", "kind")
        .agg(pl.len().alias("all"), (pl.col("fate") == "kept").sum().alias("kept"))
        .iter_rows()
    }
    kinds = [kind.kind for kind in run.picture_kinds]
    names = [*ROLES, *sorted({role for role, _ in counts if role is not None} - set(ROLES))]
    return [
        {
            "role": role,
            "what": ROLES.get(role, ""),
            "kinds": [counts.get((role, kind), (0, 0)) for kind in kinds],
        }
        for role in names
    ]


def tags_of_kinds(run: Run) -> list[dict[str, Any]]:
    """Return for each kind the tags and words that are compared, and why tags are not.

    Returns `kind`, `kept` (rows of the selection with the tag's number and most frequent values),
    `words` (name, share of the weight), `dropped` (reason, tags).
    """
    columns = ["keyword", "tag", "inferred", "top_values"]
    known = run.frequencies.select(columns)
    rows = []
    for kind in run.picture_kinds:
        of_kind = run.selection.filter(kind=kind.kind)
        kept = of_kind.filter(fate="kept").select("keyword", "missing_share")
        joined = kept.join(known, on="keyword", how="left", maintain_order="left")
        rows.append(
            {
                "kind": kind.name,
                "kept": [
                    row | {"top_values": sections.with_names(row["top_values"])}
                    for row in joined.iter_rows(named=True)
                ],
                "words": word_weights(run.kinds[kind.kind]["columns"]),
                "dropped": sections.dropped_tags(of_kind),
            }
        )
    return rows


def word_weights(columns: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """Return the words of content that a kind's images are compared by: share of all weight.

    columns: of encoding.json. Whether a word is stated at all counts with it.
    """
    total = sum(column["weight"] for column in columns)
    names = [column["keyword"] for column in columns if column["parser"] == "word"]
    weights = {
        name: sum(column["weight"] for column in columns if column["keyword"] == name)
        for name in dict.fromkeys(names)
    }
    return [(name, weight / total) for name, weight in weights.items() if total > 0]


def agreement(stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the scores of each outside label that is known; stored: agreement.json.

    Returns `label`, and the rows of labels as they are (`own`) and of clusters without what states
    the body part (`unstated`), None without such clusters.
    """
    rows = {(row["label"], tuple(row["left_out"])): row for row in stored["agreement"]}
    return [
        {"label": label, "own": rows[name, ()], "unstated": rows.get((name, STATED))}
        for name, label in wording.LABEL_NAMES.items()
        if (name, ()) in rows and rows[name, ()]["ami"] is not None
    ]


def facets(run: Run) -> list[dict[str, Any]]:
    """Return the facets that descriptions could be compared with; see facets.json.

    Returns `facet`, `compared` and `agree` (series), `poor` (so many disagree that its words are to
    be doubted) and `disagreements` (the two words, series; the most frequent).
    """
    stored = run.facets or {}
    doubted = poor(stored)
    return [
        {
            "facet": name.replace("_", " "),
            **{key: row[key] for key in ("compared", "agree")},
            "poor": name in doubted,
            "disagreements": [
                (shown(name, each["tags"]), shown(name, each["descriptions"]), each["series"])
                for each in row["disagreements"][:MOST_DISAGREEMENTS]
            ],
        }
        for name, row in stored.items()
        if row["compared"]
    ]


def incomparable(run: Run) -> list[str]:
    """Return the facets that images have words of, but no series from both sources."""
    stored = run.facets or {}
    return [
        name.replace("_", " ")
        for name, row in stored.items()
        if row["filled_with_descriptions"] and not row["compared"]
    ]


def _k(content: Content) -> dict[str, Any]:
    rows = dealt(content.run)
    kinds = content.run.choice["kinds"].values()
    return {
        "dealt": rows,
        "divisible": any(len(kind["grid"]) > 1 for kind in kinds),
        "divided": any(row["labels"] > 1 for row in rows),
    }


def _tags(content: Content) -> dict[str, Any]:
    run = content.run
    return {
        "roles": roles(run),
        "tags_of_kinds": tags_of_kinds(run),
        "facets": facets(run),
        "incomparable": incomparable(run),
        "unmapped": sections.UNMAPPED,
    }


# In the order of the page.
SECTIONS = (
    Section("tree", "Labels", "sections/tree.html", values=labels),
    Section(
        "untested",
        "Not tested",
        "sections/untested.html",
        needs=sections.has_untested,
        values=sections.untested,
    ),
    Section(
        "test",
        "The test",
        "sections/test.html",
        needs=lambda run: run.is_tested,
        values=sections.tested,
    ),
    sections.WORTH,
    Section("k", "How many, how clear", "sections/tree_k.html", values=_k),
    Section("tags", "Tags", "sections/tree_tags.html", values=_tags),
    Section("labels", "Known labels", "sections/tree_agreement.html"),
    Section(
        "sites",
        "Sites",
        "sections/sites.html",
        needs=sections.has_sites,
        values=sections.of_sites,
    ),
    Section(
        "looks",
        "Looks",
        "sections/looks.html",
        needs=lambda run: run.is_trained,
        values=sections.looks,
    ),
    Section("flow", "The run", "sections/flow.html"),
    Section("files", "Files", "sections/files.html", needs=lambda run: run.has_looks),
    Section("limits", "What it does not say", "sections/limits.html"),
)
