"""Names of labels: words that hold for the images of a label, over the whole archive.

A word is in a name where at least 90 % of the label's images have it; images that do not state it
count against it. Of regions, views and the like two words may do so together, the more frequent
first: `abdomen / pelvis`, in one column alone where one is enough. After kind and region come the
words of technique, in the order in which they are spoken: those that tell labels of one region
apart, and those without which a name of this kind sounds incomplete. Ranges of numbers come in
where no word tells labels apart, and each of these labels can say its own. A name too long for a
table lacks words that it does without; which leaves are one label does not depend on that.

A leaf becomes a label with others where no word tells it from them. One that is not found again in
other patients has no name of its own: it joins the label of the same words, or else all such leaves
of its kind and region are one label, named as these.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from tagsight.terms.name_words import Words, number_columns, order_of

HOLDS = 0.9  # share of a label's images that a word of its name has at least
MIXED = ("region", "view", "weighting", "tracer")  # columns of which two words may hold together
SECOND = 0.1  # share that the second of them has at least
MENTIONED = 0.05  # share that a modality of a mix has at least
LONGEST = 48  # characters of a name, but where shorter ones would be equal
JOINT = " · "
OR = " / "  # between two words that hold together
MIXED_RANGES, NO_RANGE = "MIXED", "UNSTATED"  # words of numbers in data/name_words.csv
UNSTATED = "unstated"
SCHEMA = {
    "cluster": pl.Int32,
    "label": pl.Int32,
    "name": pl.String,
    "parent": pl.String,
    "region": pl.String,
    "size": pl.Int64,
}
LABELS = pl.Schema(
    {
        "name": pl.String(),
        "parent": pl.String(),
        "region": pl.String(),
        "size": pl.Int64(),
        "kind": pl.String(),
        "of_kind": pl.Int64(),
        "cluster": pl.List(pl.Int32()),
    }
)
Counts = Mapping[str, Mapping[str | None, int]]  # column -> word -> images
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class _Piece:
    """What a name says of one column; dividing: whether it tells the label from another."""

    column: str
    text: str
    dividing: bool = True

    @property
    def plain(self) -> str:
        """The text without shares and in one order of words, which alone make no two names."""
        return OR.join(sorted(re.sub(r" \d+ %", "", self.text).split(OR)))


@dataclass(frozen=True)
class _Label:
    """Leaves that are one label. bare: named by kind and region alone."""

    leaves: tuple[int, ...]
    kind: str | None
    counts: Counts
    size: int
    bare: bool = False

    def holds(self, column: str) -> str | None:
        """Return the word of a column that at least 90 % of the images have."""
        words = self.together(column)
        return words[0] if len(words) == 1 else None

    def together(self, column: str) -> list[str]:
        """Return the one or two words that at least 90 % of the images have; none if more do."""
        counts = {w: n for w, n in self.counts.get(column, {}).items() if w is not None}
        ranked = sorted(counts, key=lambda word: (-counts[word], word))[:2]
        if ranked and counts[ranked[0]] >= HOLDS * self.size:
            return ranked[:1]
        if len(ranked) < 2 or sum(counts[word] for word in ranked) < HOLDS * self.size:
            return []
        return ranked if counts[ranked[1]] >= SECOND * self.size else []


def names(composition: pl.DataFrame, leaves: pl.DataFrame, words: Words) -> pl.DataFrame:
    """Return the label of each leaf and its name.

    composition: a row for each leaf, column and word: `cluster`, `column`, `word` (null = not
    stated), `images`, of all images of the archive. A leaf's counts of a column add up to its size.
    leaves: `cluster`, `kind` (null: the name begins with the modality), `found` (false: not found
    again in other patients; null: not known).
    Returns `cluster`, `label` (1, 2, …: kinds by their number of images, in a kind the largest
    first), `name`, `parent` (the name less its last level, null of a kind), `region` (as the name
    has it, null where it has none) and `size` (images of the label), in order of `cluster`. Names
    are unique.
    Raises ValueError where the counts of a leaf's columns differ.
    """
    labels = _alone(composition, leaves)
    found = set(leaves.filter(pl.col("found").fill_null(True))["cluster"])
    labels = _with_lost(labels, found, words)
    while True:
        pieces = _pieces(labels, words)
        equal = _grouped(zip(map(_plain, labels, pieces), labels, strict=True))
        if len(equal) == len(labels):
            return _table(labels, _short(labels, pieces))
        labels = [_merged(group) for group in equal.values()]


def _plain(label: _Label, pieces: Iterable[_Piece]) -> tuple[str | None, str]:
    """Kind and what a name says: two labels of which these are equal are one."""
    return label.kind, JOINT.join(piece.plain for piece in pieces)


def _alone(composition: pl.DataFrame, leaves: pl.DataFrame) -> list[_Label]:
    counts: dict[int, dict[str, dict[str | None, int]]] = defaultdict(lambda: defaultdict(dict))
    for cluster, column, word, images in composition.select(
        "cluster", "column", "word", "images"
    ).iter_rows():
        counts[cluster][column][word] = counts[cluster][column].get(word, 0) + images
    return [
        _Label((cluster,), kind, counts[cluster], _size(cluster, counts[cluster]))
        for cluster, kind in leaves.select("cluster", "kind").iter_rows()
    ]


def _size(cluster: int, counts: Counts) -> int:
    sizes = {sum(by_word.values()) for by_word in counts.values()}
    if len(sizes) > 1:
        raise ValueError(f"the columns of leaf {cluster} count different numbers of images")
    return next(iter(sizes), 0)


def _with_lost(labels: list[_Label], found: set[int], words: Words) -> list[_Label]:
    """Labels, with the leaves that are not found again in the label where they belong."""
    own = [label for label in labels if label.leaves[0] in found]
    joined: dict[int, list[_Label]] = {label.leaves[0]: [label] for label in own}
    by_words = _grouped((_spoken(label, words), label) for label in own)
    lost: list[_Label] = []
    for label in labels:
        same = by_words.get(_spoken(label, words), [])
        if label.leaves[0] in joined:
            continue
        if same:
            joined[max(same, key=lambda one: _rank(one, words)).leaves[0]].append(label)
        else:
            lost.append(label)
    parents = _grouped((_plain(label, _base(label, words)), label) for label in lost)
    rest = [_merged(group, bare=True) for group in parents.values()]
    return [*map(_merged, joined.values()), *rest]


def _spoken(label: _Label, words: Words) -> Hashable:
    """All words that hold of a label, but for ranges of numbers."""
    columns = [c for c in words.columns(label.kind) if c not in number_columns()]
    return _plain(label, _base(label, words)), *(_value(label, c, words) for c in columns)


def _rank(label: _Label, words: Words) -> tuple[int, str]:
    numbers = sorted(number_columns())
    return label.size, repr([_value(label, column, words) for column in numbers])


def _pieces(labels: list[_Label], words: Words) -> list[list[_Piece]]:
    """The pieces of each label's name: what tells it apart from others of its kind and region."""
    out: dict[tuple[int, ...], list[_Piece]] = {}
    families = _grouped((_plain(label, _base(label, words)), label) for label in labels)
    for family in families.values():
        divided, always = _dividing(family, words), order_of(family[0].kind).always
        # Two regions stand in one order in all names that begin with them.
        of_all = _merged(family) if len(_base(family[0], words)) > 1 else family[0]
        region = _base(of_all, words)[1:]
        for label in family:
            pieces = [_base(label, words)[0], *region]
            for column in words.columns(label.kind):
                value, divides = _value(label, column, words), column in divided[label.leaves]
                said = {piece.text for piece in pieces}
                if value and value not in said and (divides or column in always):
                    pieces.append(_Piece(column, value, divides))
            out[label.leaves] = pieces
    return [out[label.leaves] for label in labels]


def _dividing(family: list[_Label], words: Words) -> dict[tuple[int, ...], set[str]]:
    """The columns that tell each label from others, those first that are always shown."""
    always = order_of(family[0].kind).always
    shown: dict[tuple[int, ...], set[str]] = {label.leaves: set() for label in family}
    columns = sorted(
        words.columns(family[0].kind), key=lambda c: (c not in always, c in number_columns())
    )
    blocks = [family]
    for divide in (_by_truth, _by_value):
        for column in columns:
            parts = []
            for block in blocks:
                divided = divide(block, column, words) if _can(block, column) else [block]
                if len(divided) > 1:
                    for label in block:
                        shown[label.leaves].add(column)
                parts += divided
            blocks = parts
    return shown


def _can(block: list[_Label], column: str) -> bool:
    """Whether a column may divide labels: of numbers, if all but bare ones say theirs, one a range.

    A range in one name alone would say that the other's images are outside of it.
    """
    if column not in number_columns():
        return True
    said = [_range(label, column) for label in block if not label.bare]
    return None not in said and not set(said) <= {MIXED_RANGES, NO_RANGE}


def _by_value(block: list[_Label], column: str, words: Words) -> list[list[_Label]]:
    """Labels divided by what their names would say of a column."""
    return list(_grouped((_said(one, column, words), one) for one in block).values())


def _by_truth(block: list[_Label], column: str, words: Words) -> list[list[_Label]]:
    """Labels divided as `_by_value`, but a bare one stays with those whose word holds of it too.

    A word that holds of both would tell the other from it in name alone.
    """
    said = {_said(one, column, words) for one in block if not one.bare}
    pairs = []
    for one in block:
        held = _sorted(_text(one, column, words))
        pairs.append((held if not one.bare or (None not in said and held in said) else None, one))
    return list(_grouped(pairs).values())


def _value(label: _Label, column: str, words: Words) -> str | None:
    """What a name says of a column, None where nothing holds; of a bare label nothing is said."""
    return None if label.bare else _text(label, column, words)


def _said(label: _Label, column: str, words: Words) -> str | None:
    """What `_value` says, two words in alphabetical order: their order tells no labels apart."""
    return _sorted(_value(label, column, words))


def _sorted(text: str | None) -> str | None:
    return None if text is None else OR.join(sorted(text.split(OR)))


def _text(label: _Label, column: str, words: Words) -> str | None:
    """The words of a column that hold of a label, as they are shown, the more frequent first."""
    held = label.together(column)
    if column in number_columns():
        one = _range(label, column)
        held = [] if one is None else [one]
    shown = [words.shown(label.kind, column, word) for word in held]
    if len(shown) > 1 and (column not in MIXED or None in shown):
        return None
    return OR.join(dict.fromkeys(word for word in shown if word)) or None


def _range(label: _Label, column: str) -> str | None:
    """The range of numbers that holds, MIXED_RANGES, NO_RANGE, or None where neither is true."""
    counts, least = label.counts.get(column, {}), SECOND * label.size
    if label.holds(column) is not None:
        return label.holds(column)
    if sum(images >= least for word, images in counts.items() if word is not None) > 1:
        return MIXED_RANGES
    stated = sum(images for word, images in counts.items() if word is not None)
    return NO_RANGE if label.size and stated <= (1 - HOLDS) * label.size else None


def _base(label: _Label, words: Words) -> list[_Piece]:
    """Kind and region, as far as they hold."""
    region = _text(label, "region", words)
    return [
        _Piece("kind", _kind(label, words)),
        *([_Piece("region", region)] if region else []),
    ]


def _kind(label: _Label, words: Words) -> str:
    """The word of the kind; the modalities where these are others, or where there is no kind."""
    if label.kind is not None and not words.is_modality(label.kind):
        return words.kind(label.kind)
    stated, one = label.counts.get("modality", {}), label.holds("modality")
    if label.kind is not None and (not stated or one == label.kind):
        return words.kind(label.kind)
    return one if one is not None and label.kind is None else mix(stated, label.size)


def mix(counts: Mapping[str | None, int], size: int) -> str:
    """`US 63 % / NM / XA`: modalities by their number of images, the first with its share."""
    ranked = sorted(counts, key=lambda word: (-counts[word], word or ""))
    texts = [word or UNSTATED for word in ranked if counts[word] >= MENTIONED * size]
    if not texts:
        return "mixed"
    share = int(100 * counts[ranked[0]] / size)
    more = ["…"] if len(texts) > 3 or len(ranked) > len(texts) else []
    return OR.join([f"{texts[0]} {share} %", *texts[1:3], *more])


def _short(labels: list[_Label], pieces: list[list[_Piece]]) -> list[list[_Piece]]:
    """Pieces without what a name does without: two words in a second column, all beyond LONGEST.

    What tells a label from none goes first, and of that the last; names stay different.
    """
    names = {_plain(label, own) for label, own in zip(labels, pieces, strict=True)}
    out = dict(enumerate(pieces))
    order = sorted(out, key=lambda i: (-labels[i].size, _key(labels[i], out[i])))
    while True:
        before = dict(out)
        for i in order:
            for piece in _spare(out[i]):
                shorter = [each for each in out[i] if each != piece]
                if _plain(labels[i], shorter) not in names:
                    names -= {_plain(labels[i], out[i])}
                    names |= {_plain(labels[i], shorter)}
                    out[i] = shorter
                    break
        if out == before:
            return [out[i] for i in range(len(labels))]


def _spare(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces that a name may lack, those first that it lacks first."""
    mixes = [piece for piece in pieces[1:] if OR in piece.text]
    if len(JOINT.join(piece.text for piece in pieces)) <= LONGEST:
        return mixes[:0:-1]
    words = [piece for piece in reversed(pieces[1:]) if piece.column != "region"]
    return [*mixes[:0:-1], *sorted(words, key=lambda piece: piece.dividing)]


def _key(label: _Label, pieces: list[_Piece]) -> tuple[str, str]:
    kind, name = _plain(label, pieces)
    return kind or "", name


def _merged(labels: list[_Label], *, bare: bool = False) -> _Label:
    counts: dict[str, dict[str | None, int]] = defaultdict(lambda: defaultdict(int))
    for label in labels:
        for column, by_word in label.counts.items():
            for word, images in by_word.items():
                counts[column][word] += images
    leaves = tuple(sorted(leaf for label in labels for leaf in label.leaves))
    size = sum(label.size for label in labels)
    return _Label(leaves, labels[0].kind, counts, size, bare or any(one.bare for one in labels))


def _grouped(pairs: Iterable[tuple[Key, _Label]]) -> dict[Key, list[_Label]]:
    groups: dict[Key, list[_Label]] = {}
    for key, label in pairs:
        groups.setdefault(key, []).append(label)
    return groups


def _table(labels: list[_Label], pieces: list[list[_Piece]]) -> pl.DataFrame:
    texts = [JOINT.join(piece.text for piece in each) for each in pieces]
    twice = {text for text in texts if texts.count(text) > 1}  # of kinds with one mix of modalities
    of_kind: Counter[str | None] = Counter()
    for label in labels:
        of_kind[label.kind] += label.size
    rows = [
        {
            "name": f"{text} ({label.kind})" if text in twice else text,
            "parent": _parent(each),
            "region": next((piece.text for piece in each if piece.column == "region"), None),
            "size": label.size,
            "kind": label.kind,
            "of_kind": of_kind[label.kind],
            "cluster": label.leaves,
        }
        for label, each, text in zip(labels, pieces, texts, strict=True)
    ]
    by_label = pl.DataFrame(rows, LABELS).sort(
        "of_kind", "kind", "size", "name", descending=[True, False, True, False]
    )
    leaves = by_label.with_row_index("label", 1).explode("cluster")
    return leaves.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort("cluster")


def _parent(pieces: list[_Piece]) -> str | None:
    base = [piece for piece in pieces if piece.column in ("kind", "region")]
    above = base if len(pieces) > len(base) else base[:-1]
    return JOINT.join(piece.text for piece in above) or None
