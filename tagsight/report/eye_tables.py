"""The table of eyes: what labels explain by each of them, and what it sees."""

from collections.abc import Mapping
from typing import Any

from tagsight.evaluation.eye_figures import AUTOENCODER
from tagsight.evaluation.labellings import LABELS, MODALITY
from tagsight.report.pair_tables import share
from tagsight.report.wording import percent

Figures = Mapping[str, Any]

NAMES = {
    AUTOENCODER: "autoencoder",
    "hog": "gradients (hog)",
    "pca": "pixels (pca)",
}
SEEN = ("modality", "region", "manufacturer_inside_modality")


def eye_table(eyes: Mapping[str, Figures]) -> list[dict[str, Any]]:
    """Return a row for each eye: its name, what labels explain by it, and what it retrieves.

    eyes: of evaluation.json. `seen` has for each of modality, region and maker `agreement` and
    `chance` as text, a dash where nothing could be asked.
    """
    ordered = sorted(eyes, key=lambda name: (name != AUTOENCODER, list(eyes).index(name)))
    return [
        {
            "name": NAMES.get(name, name),
            "share": share(eyes[name]["pair"][LABELS.key][MODALITY.key]),
            **{p: eyes[name]["pair"][LABELS.key][MODALITY.key][p] for p in ("p", "p_holm")},
            "seen": [_found(eyes[name]["retrieval"][what]) for what in SEEN],
        }
        for name in ordered
    ]


def _found(figures: Figures) -> dict[str, str]:
    known = figures["agreement"] is not None
    return {key: percent(figures[key]) if known else "–" for key in ("agreement", "chance")}
