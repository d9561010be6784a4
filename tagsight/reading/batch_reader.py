"""Reads headers by the batch: the fast tokenizer, and the plain reader for what that leaves.

What is judged of a header (which of its texts repeat what identifies, what a picture needs) hangs
on few of its values, and files of a series share these. So it is judged once for each such
signature, by the same function as in `headers`, and remembered.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pydicom.uid import UID

from tagsight.archive.opening import Source, open_source
from tagsight.dicom.dictionary import region_column
from tagsight.dicom.header_texts import Gathered
from tagsight.dicom.headers import (
    Image,
    Rejected,
    Verdict,
    Wanted,
    judge,
    read_header,
    settle,
)
from tagsight.dicom.part10 import PIXEL_TAGS, Pixels
from tagsight.dicom.privacy import hashed, identities, image_hash, patient_hash
from tagsight.dicom.tokenizer import UNDEFINED
from tagsight.reading import fast_tokenizer, interning
from tagsight.reading.value_meanings import ABSENT, PLAIN, PRESENT, WITHHELD, Known
from tagsight.rejections import Reason, Rejection
from tagsight.run.processes import Marker

BATCH = 256  # files
FIRST = 32 * 2**10  # bytes of a file that are read at first: 94 % of headers are shorter
SECOND = 512 * 2**10


Images = list[tuple[int, Image]]
Others = list[tuple[int, Image | Rejected]]


class Batch(NamedTuple):
    """What was read of some files: each by its place among them.

    `rows`: images, their values in `codes`: int32 (rows, columns so far), numbers of texts, -1 =
    none. `columns` and `texts` are those that have come since the batch before; of another
    `generation`, all. `others`: what was not read the fast way.
    """

    rows: Images
    codes: np.ndarray
    columns: list[str]
    texts: list[str]
    generation: int
    others: Others


@dataclass(frozen=True)
class Judged:
    """What is the same for all headers of one signature.

    `texts`: those in which an identifying value might turn up, in lower case.
    """

    verdict: Verdict
    withheld: list[str]
    dropped: list[int]
    texts: str


def _pixels(tag: int, letters: int, offset: int, length: int) -> Pixels:
    return Pixels(PIXEL_TAGS[tag], interning.vr_of(letters) or "OW", offset, length)


class PlainReader:
    """Reads file by file: for a few, as the fast tokenizer takes a quarter of a second to load."""

    def __init__(self, key: bytes, wanted: Wanted) -> None:
        self._key, self._wanted = key, wanted

    def read(self, paths: Sequence[str], marker: Marker) -> Batch:
        """As `Reader.read`."""
        others: Others = []
        for place, path in enumerate(paths):
            marker[0] = place
            others.append((place, read_header(path, self._key, self._wanted)))
        return Batch([], np.zeros((0, 0), np.int32), [], [], 0, others)


class Reader:
    """Reads batches of files, and remembers what they have in common, within bounds."""

    def __init__(self, key: bytes, wanted: Wanted) -> None:
        self._key, self._wanted = key, wanted
        self._buffer = np.zeros((BATCH, FIRST), np.uint8)
        self._long = np.zeros((1, SECOND), np.uint8)
        self._filled = np.zeros(BATCH, np.int64)
        self._sizes = np.zeros(BATCH, np.int64)
        self._rows = interning.rows(BATCH)
        self._status = np.zeros(BATCH, np.uint8)
        self._pixels = interning.pixels(BATCH)
        self._begin(0)

    def _begin(self, generation: int) -> None:
        self._known = Known(generation)
        self._judged: dict[bytes, Judged] = {}
        self._hashes: dict[int, str | None] = {}
        self._told = (0, 0)

    def read(self, paths: Sequence[str], marker: Marker) -> Batch:
        """Reads at most 256 files; none of them, whatever is in it, raises.

        `marker[0]` is the place of the file in hand, of the last one while it is all of them.
        """
        if self._known.is_full():
            self._begin(self._known.generation + 1)
        with ExitStack() as stack:
            sources, others = self._open(paths, stack, marker)
            self._scan(sources, len(paths))
            self._known.learn(self._wanted)
            rows, codes = self._finish(paths, sources, others, marker)
        read = {place for place, _ in [*rows, *others]}
        for place in sorted(set(range(len(paths))) - read):
            marker[0] = place
            others.append((place, read_header(paths[place], self._key, self._wanted)))
        return self._batch(rows, codes, others)

    def _batch(
        self,
        rows: Images,
        codes: np.ndarray,
        others: Others,
    ) -> Batch:
        columns, texts = self._told
        self._told = len(self._known.columns), len(self._known.output)
        return Batch(
            rows=rows,
            codes=codes,
            columns=list(self._known.columns)[columns:],
            texts=self._known.output[texts:],
            generation=self._known.generation,
            others=others,
        )

    def _open(
        self, paths: Sequence[str], stack: ExitStack, marker: Marker
    ) -> tuple[dict[int, Source], Others]:
        """Opens the files and reads the first bytes of each."""
        sources: dict[int, Source] = {}
        others: Others = []
        self._sizes[:] = self._filled[:] = 0
        for place, path in enumerate(paths):
            marker[0] = place
            try:
                source = stack.enter_context(open_source(path))
                self._filled[place] = source.readinto(memoryview(self._buffer[place]), 0)
                self._sizes[place] = source.size
                sources[place] = source
            except Rejection as refused:
                others.append((place, Rejected(refused.reason, refused.detail)))
        return sources, others

    def _scan(self, sources: dict[int, Source], n: int) -> None:
        """Tokenizes; long headers a second time, with more of the file."""
        fast_tokenizer.scan(
            self._buffer[:n],
            self._filled,
            self._sizes,
            self._known.vocabulary,
            self._rows,
            self._status,
            self._pixels,
        )
        for place in np.flatnonzero(self._status[:n] == fast_tokenizer.MORE).tolist():
            one = slice(place, place + 1)
            try:
                self._filled[place] = sources[place].readinto(memoryview(self._long[0]), 0)
            except Rejection:
                continue
            fast_tokenizer.scan(
                self._long,
                self._filled[one],
                self._sizes[one],
                self._known.vocabulary,
                interning.InternedRows(*(part[one] for part in self._rows)),
                self._status[one],
                interning.PixelPlaces(*(facts[one] for facts in self._pixels)),
            )

    def _values(self, n: int) -> tuple[np.ndarray, np.ndarray]:  # (files,), (files, columns)
        """Places of the files that were read, and their values by column, -1 = none."""
        done = np.flatnonzero(self._status[:n] == fast_tokenizer.DONE)
        rows = interning.InternedRows(*(part[done] for part in self._rows))
        table = np.full((len(done), len(self._known.columns)), -1, np.int32)
        # Later ones stand: the top level over functional groups, and of these the first.
        self._put(table, rows.nested, rows.nested_counts, backwards=True)
        self._put(table, rows.values, rows.counts)
        plain = (self._known.fate[table] == PLAIN).any(axis=1)
        return done[~plain], table[~plain]

    def _put(
        self, table: np.ndarray, rows: np.ndarray, counts: np.ndarray, *, backwards: bool = False
    ) -> None:
        values = rows[np.arange(rows.shape[1]) < counts[:, None]]
        files = np.repeat(np.arange(len(rows)), counts)
        there = self._known.fate[values] != ABSENT
        step = -1 if backwards else 1
        files, values = files[there][::step], values[there][::step]
        table[files, self._known.column[values]] = values

    def _codes(self, values: np.ndarray) -> np.ndarray:
        """Numbers of the texts that leave the reader, derived ones among them."""
        columns, codes = self._known.columns, self._known.shown[values]
        for keyword in self._wanted.derive:
            if region_column(keyword) in columns:
                described = self._known.region[values[:, columns[keyword]]]
                codes[:, columns[region_column(keyword)]] = described
        return codes

    def _finish(
        self,
        paths: Sequence[str],
        sources: dict[int, Source],
        others: Others,
        marker: Marker,
    ) -> tuple[Images, np.ndarray]:
        """The images among what was read, and the numbers of their texts."""
        places, values = self._values(len(paths))
        signatures = self._signatures(places, values)
        codes = self._codes(values)
        found = self._found_pixels(places)
        rows, kept = [], []
        for i, place in enumerate(places.tolist()):
            marker[0] = place
            source, pixels = sources[place], found[i]
            judged = self._judgement(signatures[i].tobytes(), values[i], pixels)
            if self._repeats(values[i], judged):
                continue
            try:
                undrawable = settle(judged.verdict, source, pixels, self._wanted.undrawable)
            except Rejection as refused:
                others.append((place, Rejected(refused.reason, refused.detail)))
                continue
            codes[i, judged.dropped] = -1
            kept.append(i)
            image = self._image(paths[place], values[i], judged, undrawable, source)
            rows.append((place, image))
        return rows, codes[kept]

    def _signatures(self, places: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Of each header what its verdict hangs on, in numbers."""
        encapsulated = self._pixels.lengths[places, None] == UNDEFINED
        tags = self._pixels.tags[places, None].astype(np.int32)
        return np.hstack([self._known.sign[values], tags, encapsulated.astype(np.int32)])

    def _found_pixels(self, places: np.ndarray) -> list[Pixels | None]:
        facts = zip(*(part[places].tolist() for part in self._pixels), strict=True)
        return [_pixels(*of_file) if of_file[0] else None for of_file in facts]

    def _judgement(self, signature: bytes, values: np.ndarray, pixels: Pixels | None) -> Judged:
        if signature not in self._judged:
            self._judged[signature] = self._judge(values, pixels)
        return self._judged[signature]

    def _judge(self, values: np.ndarray, pixels: Pixels | None) -> Judged:
        """As `headers.judge` on what of the values is in their signature."""
        known, gathered = self._known, Gathered()
        for value in values[values >= 0].tolist():
            head, told = known.heads[value], known.sign[value] > PRESENT
            keyword = head.keyword
            if known.fate[value] == WITHHELD:
                gathered.withheld[keyword] = known.texts[value] if told else ""
            elif told:
                gathered.values[keyword] = known.texts[value]
            gathered.vrs[keyword] = head.vr
        syntax = UID(gathered.values["TransferSyntaxUID"])
        verdict = judge(gathered, pixels, syntax, self._wanted.keep)
        return Judged(
            verdict=verdict,
            withheld=sorted({*gathered.withheld, *verdict.repeating}),
            dropped=[known.columns[keyword] for keyword in verdict.repeating],
            texts="\n".join(gathered.values.values()).lower(),
        )

    def _repeats(self, values: np.ndarray, judged: Judged) -> bool:
        """Whether a value that differs from file to file might turn up in another text."""
        varying = values[self._known.varies[values]].tolist()
        looked_for = identities(self._known.texts[value] for value in varying)
        return any(identity in judged.texts for identity in looked_for)

    def _image(
        self,
        path: str,
        values: np.ndarray,
        judged: Judged,
        undrawable: Reason | None,
        source: Source,
    ) -> Image:
        uid = self._value(values, "SOPInstanceUID")
        text = None if uid < 0 else self._known.texts[uid]
        return Image(
            image=image_hash(self._key, text, path),
            instance=hashed(self._key, text),
            series=self._hash(self._value(values, "SeriesInstanceUID")),
            study=self._hash(self._value(values, "StudyInstanceUID")),
            patient=self._hash(self._value(values, "PatientID")),
            burned_in=judged.verdict.burned_in,
            undrawable=undrawable,
            values={},
            withheld=judged.withheld,
            size=source.size,
            mtime_ns=source.mtime_ns,
        )

    def _value(self, values: np.ndarray, keyword: str) -> int:
        column = self._known.columns.get(keyword)
        return -1 if column is None else int(values[column])

    def _hash(self, value: int) -> str | None:
        """The hash of an identifier that many files share."""
        if value < 0:
            return None
        if value not in self._hashes:
            hashing = patient_hash if self._known.heads[value].keyword == "PatientID" else hashed
            self._hashes[value] = hashing(self._key, self._known.texts[value])
        return self._hashes[value]
