"""The page: the results of a run in one self-contained HTML file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from tagsight.report import (
    label_sections,
    label_sentences,
    pair_sentences,
    sections,
    sentences,
    wording,
)
from tagsight.report.counts import trial_sizes
from tagsight.report.figures.pictures import Tiles
from tagsight.report.figures.style import COLOURS
from tagsight.report.results import Run
from tagsight.run.plain_text import counted, noun, short

TEMPLATE, STYLE = "page.html", "style.css"  # of sections: `sections.SECTIONS`


def render(
    run: Run,
    drawings: Mapping[str, str],
    reconstructions: bytes | None,
    tiles: Mapping[int, Tiles],
) -> str:
    """Return the page as HTML.

    drawings: name -> SVG: flow, silhouettes, choice, nesting (in a tree: tree), and in a run with
    pixels training and explained; reconstructions, tiles: as in sections.Content.
    """
    content = sections.Content(run, tiles, reconstructions)
    all_sections = sections.SECTIONS if run.flat else label_sections.SECTIONS
    shown = [section for section in all_sections if section.needs(run)]
    values = {k: value for section in shown for k, value in section.values(content).items()}
    head = _head(run) if run.flat else label_sections.head(run)
    return _template().render(
        **values,
        run=run,
        sections=shown,
        style=STYLE,
        **head,
        figures={name: inline(name, svg) for name, svg in drawings.items()},
        held_back=sum(cluster.held_back for cluster in tiles.values()),
    )


def _head(run: Run) -> dict[str, Any]:
    """The values of the first screen of a flat run."""
    confounding = run.agreement["confounding"]
    told_by_looks = label_sentences.is_told_by_looks(run)
    return {
        "result": result(run),
        "facts": facts(run),
        "agreement": sections.agreement(run.agreement),
        "confounding": sentences.confounding_sentence(confounding, told_by_looks),
        "basis": sentences.confounding_basis(confounding),
        "title": f"{counted(run.counts['images'], 'image')} in "
        f"{counted(run.choice['k'], 'cluster')}",
    }


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "percent": wording.percent,
        "number": wording.number,
        "p": wording.p_value,
        "score": wording.score,
        "words": wording.in_words,
        "thousands": lambda value: f"{value:,}",
        "counted": counted,
    }
    return environment.get_template(TEMPLATE)


def _shown(value: Any) -> Any:
    """A text as the page has room for it; what is made here, as pictures, stays as it is."""
    return short(value) if type(value) is str else value


def result(run: Run) -> list[str]:
    """Return the result of the run in sentences."""
    if not run.flat:
        return label_sentences.result(run)
    images, choice = run.counts["images"], run.choice
    if run.evaluation is None:
        return [sentences.without_looks(images, choice)]
    if not run.is_tested:
        return [sentences.without_trials(images, choice)]
    tested = pair_sentences.result(run.pair, run.eyes, run.scanners, "cluster")
    return [*tested, f"{sentences.clusters(images, choice)}."]


def closing(run: Run, page: str, table: str) -> str:
    """Return the text printed at the end of a run: its result, what was not tested, paths."""
    untested = sentences.untested(run.draws, run.evaluation)
    return sentences.closing(" ".join(result(run)), page, table, untested)


def inline(name: str, svg: str) -> Markup:
    """Return an SVG for inlining in the page, with unique ids and the page's colours.

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
    trials = [(f"{len(sizes)} × {max(sizes):,}", "trials × images, to test it")] if sizes else []
    return [
        (
            f"{counts['images']:,}",
            f"{noun(counts['images'], 'image')} of {counted(counts['files'], 'file')}"
            if run.has_looks
            else f"{noun(counts['images'], 'row')} of a table of tags",
        ),
        (f"{counts['series']:,}", "series"),
        (f"{counts['patients']:,}", f"{noun(counts['patients'], 'patient')} known"),
        (
            f"{counts['kept']:,}",
            f"of {counted(counts['tags'], 'tag')}, as {counted(counts['columns'], 'column')}",
        ),
        (
            f"{choice['k']}",
            f"{noun(choice['k'], 'cluster')}: {choice['reading']}, mean silhouette {silhouette}",
        ),
        *(trials if run.is_tested else []),
    ]
