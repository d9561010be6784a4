"""The kind of each image: its modality, or of an object that is no picture its class.

The SOP Class decides, since it says which attributes an object has and what they mean; Modality is
typed into protocols, and PS3.3 C.7.3.1.1.1 lets it differ from the name of the object. Where a
class is used for several modalities (`also` in the table), Modality decides among them.

A secondary capture (PS3.3 A.8) has no geometry and no technique of its own. Of a modality of
sections (CT, MR, PT, NM) it is a screen of text, curves or coloured renderings, which looks unlike
a section and shares no tag with it: kind SC. If it says where its plane lies in the patient, or
that it is an emission image, it is as good as a section. Of other modalities (US, X-ray,
photographs) it shows what their own objects show, so it keeps the Modality; a scanned document
(Conversion Type SD) is SC whatever the Modality.
"""

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

UNKNOWN = "unknown"
CAPTURE = "SC"
ANY = "*"  # in `also`: a class used for every modality
SECTIONS = frozenset(["CT", "MR", "PT", "NM"])
KEYWORDS = ("SOPClassUID", "Modality", "ConversionType", "ImageOrientationPatient", "ImageType")
EMISSION = ("EMISSION", "TRANSMISSION")  # fourth item of Image Type, PS3.3 C.8.4.9.1.1


@dataclass(frozen=True)
class CodeMeaning:
    """The kind that a code stands for, whether it is a picture, and the kinds that also occur."""

    kind: str
    picture: bool
    also: frozenset[str]


class Kinds:
    """The table of kinds.

    table: columns code (a SOP Class UID, its beginning with `.*`, a Modality, or a kind), kind,
    picture (yes, no), also, words; later rows have precedence.
    """

    def __init__(self, table: pl.DataFrame) -> None:
        rows = list(table.iter_rows(named=True))
        self.meanings = {row["code"].upper(): _meaning(row) for row in rows}
        self._words = {row["kind"]: row["words"] for row in rows if row["words"]}

    def names(self) -> frozenset[str]:
        """Return all kinds that there are."""
        return frozenset(meaning.kind for meaning in self.meanings.values()) | {UNKNOWN}

    def is_picture(self, kind: str) -> bool:
        """Return whether objects of a kind are pictures; those of an unknown kind are."""
        own = [meaning for meaning in self.meanings.values() if meaning.kind == kind]
        return any(meaning.picture for meaning in own) if own else True

    def words(self, kind: str) -> str:
        """Return what a radiologist calls a kind: `slides` for SM; CT, MR and the like stay."""
        return self._words.get(kind) or kind

    def all_words(self) -> dict[str, str]:
        """Return kind → its words, for those that have any."""
        return dict(self._words)

    def kind(
        self,
        sop_class: str | None,
        modality: str | None = None,
        conversion: str | None = None,
        *,
        section: bool = False,
    ) -> str:
        """Return the kind of an image.

        sop_class, modality, conversion: SOP Class UID, Modality, Conversion Type as stored, None if
        missing; section: whether it says that it is a section or an emission image.
        """
        by_class = self._of_class((sop_class or "").strip())
        stated = self.meanings.get(_first(modality))
        if by_class is None:
            return stated.kind if stated else UNKNOWN
        if by_class.kind == CAPTURE:
            scanned = _first(conversion) == "SD"
            return CAPTURE if scanned else _captured(stated, section=section)
        if stated and (stated.kind in by_class.also or ANY in by_class.also):
            return stated.kind
        return by_class.kind

    def _of_class(self, uid: str) -> CodeMeaning | None:
        """The meaning of a SOP Class: its own, else that of the longest beginning in the table."""
        if uid in self.meanings:
            return self.meanings[uid] if "." in uid else None
        parts = uid.split(".")
        beginnings = (".".join([*parts[:end], "*"]) for end in range(len(parts), 0, -1))
        return next((self.meanings[b] for b in beginnings if b in self.meanings), None)


def kinds(tags: pl.DataFrame, table: Kinds) -> pl.DataFrame:
    """Return the kind of each image: kind (String), picture (Boolean).

    tags: the columns KEYWORDS.
    """
    kind = lru_cache(maxsize=None)(table.kind)
    picture = {name: table.is_picture(name) for name in table.names()}
    fourth = pl.col("ImageType").str.to_uppercase().str.split("\\").list.get(3, null_on_oob=True)
    section = (pl.col("ImageOrientationPatient") != "") | fourth.is_in(EMISSION)
    rows = tags.select(*KEYWORDS[:3], section.fill_null(value=False).alias("section")).iter_rows()
    names = [kind(*row, section=section) for *row, section in rows]
    return pl.DataFrame({"kind": names, "picture": [picture[name] for name in names]}).cast(
        {"kind": pl.String, "picture": pl.Boolean}
    )


def _meaning(row: dict[str, str | None]) -> CodeMeaning:
    also = frozenset((row["also"] or "").split())
    return CodeMeaning(row["kind"] or UNKNOWN, row["picture"] == "yes", also)


def _first(value: str | None) -> str:
    """The first item, in upper case."""
    return (value or "").split("\\")[0].strip().upper()


def _captured(stated: CodeMeaning | None, *, section: bool) -> str:
    """The kind of a secondary capture with this Modality."""
    if stated is None or not stated.picture or stated.kind == "OT":
        return CAPTURE
    return stated.kind if section or stated.kind not in SECTIONS else CAPTURE
