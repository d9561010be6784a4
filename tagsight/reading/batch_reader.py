"""The batch reader: the fast tokenizer, and the plain reader for the files that it leaves out.

The verdict on a header (which of its texts repeat identifying ones, what a picture needs) depends
on a small number of its values, its signature, which files of a series share. So each signature is
assessed once, by the same function as in `headers`, and the verdict is kept.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pydicom.uid import UID

from tagsight.archive.opening import UnpackedMember, open_source
from tagsight.archive.source import Source
from tagsight.arrays import Int32s, Int64s
from tagsight.dicom.dictionary import region_column, words_column
from tagsight.dicom.header_texts import HeaderTexts
from tagsight.dicom.headers import (
    Image,
    ReaderOptions,
    RejectedFile,
    Verdict,
    assess,
    read_header,
    rejected_file,
    undrawable_reason,
)
from tagsight.dicom.identities import written_forms
from tagsight.dicom.part10 import PIXEL_TAGS, Pixels
from tagsight.dicom.privacy import identifier_hash, image_hash, patient_hash, searched
from tagsight.dicom.tokenizer import UNDEFINED
from tagsight.reading import fast_tokenizer, interning
from tagsight.reading.value_meanings import ABSENT, PLAIN, PRESENT, WITHHELD, ValueMeanings
from tagsight.rejections import Reason, Rejection
from tagsight.run.processes import Marker, more_handles

BATCH = 256  # files
FIRST = 32 * 2**10  # bytes of a file that are read at first: 94 % of headers are shorter
SECOND = 512 * 2**10
STREAMED = 2**26  # bytes of members of compressed containers that are open at once
_OTHERS = 40  # files that a process has open beside those it reads


def batch_size() -> int:
    """Return how many files may be read at once: BATCH, fewer where fewer may be open."""
    return min(BATCH, max(1, more_handles() - _OTHERS))


Images = list[tuple[int, Image]]
Others = list[tuple[int, Image | RejectedFile]]


class Batch(NamedTuple):
    """What was read of some files, each with its index among them.

    rows: images, their values in `codes`; codes: int32 (rows, columns so far), indices of texts,
    -1 = no value; columns, texts: added since the previous batch, in a new `generation` all of
    them; others: files that were not read by the fast tokenizer.
    """

    rows: Images
    codes: Int32s
    columns: list[str]
    texts: list[str]
    generation: int
    others: Others


@dataclass(frozen=True)
class SignatureFacts:
    """What all headers of one signature have in common.

    withheld: keywords; dropped: columns of values that repeat an identifying one;
    texts: those in which an identifying value might occur, as they are looked through;
    forms: identifying texts in all the ways in which they may be written.
    """

    verdict: Verdict
    withheld: list[str]
    dropped: list[int]
    texts: str
    forms: frozenset[str]


def _pixels(tag: int, letters: int, offset: int, length: int) -> Pixels:
    return Pixels(PIXEL_TAGS[tag], interning.vr_of(letters) or "OW", offset, length)


class PlainReader:
    """A reader of single files: for few files, as the fast tokenizer takes .25 s to load."""

    def __init__(self, key: bytes, options: ReaderOptions) -> None:
        self._key, self._options = key, options

    def read(self, paths: Sequence[str], marker: Marker) -> Batch:
        """Read files, as `Reader.read`."""
        others: Others = []
        for place, path in enumerate(paths):
            marker[0] = place
            others.append((place, read_header(path, self._key, self._options)))
        return Batch([], np.zeros((0, 0), np.int32), [], [], 0, others)


class Reader:
    """A reader of batches of files, which keeps what they have in common, up to a limit."""

    def __init__(self, key: bytes, options: ReaderOptions) -> None:
        self._key, self._options = key, options
        self._buffer = np.zeros((BATCH, FIRST), np.uint8)
        self._long = np.zeros((1, SECOND), np.uint8)
        self._filled = np.zeros(BATCH, np.int64)
        self._sizes = np.zeros(BATCH, np.int64)
        self._rows = interning.rows(BATCH)
        self._status = np.zeros(BATCH, np.uint8)
        self._pixels = interning.pixels(BATCH)
        self._begin(0)

    def _begin(self, generation: int) -> None:
        self._meanings = ValueMeanings(generation)
        self._facts_by_signature: dict[bytes, SignatureFacts] = {}
        self._hashes: dict[int, str | None] = {}
        self._reported = (0, 0)

    def read(self, paths: Sequence[str], marker: Marker) -> Batch:
        """Read at most 256 files; never raises.

        marker[0]: written, index of the file being read; of the last file in steps over all files.
        """
        if self._meanings.is_full():
            self._begin(self._meanings.generation + 1)
        with ExitStack() as stack:
            sources, others = self._open(paths, stack, marker)
            self._scan(sources, len(paths))
            self._meanings.learn(self._options)
            rows, codes = self._finish(paths, sources, others, marker)
        done = {place for place, _ in [*rows, *others]}
        for place in sorted(set(range(len(paths))) - done):
            marker[0] = place
            others.append((place, read_header(paths[place], self._key, self._options)))
        return self._batch(rows, codes, others)

    def _batch(
        self,
        rows: Images,
        codes: Int32s,
        others: Others,
    ) -> Batch:
        columns, texts = self._reported
        self._reported = len(self._meanings.columns), len(self._meanings.output)
        return Batch(
            rows=rows,
            codes=codes,
            columns=list(self._meanings.columns)[columns:],
            texts=self._meanings.output[texts:],
            generation=self._meanings.generation,
            others=others,
        )

    def _open(
        self, paths: Sequence[str], stack: ExitStack, marker: Marker
    ) -> tuple[dict[int, Source], Others]:
        """Open the files and read the first bytes of each.

        Of compressed containers no more is opened at once than is kept in memory of what they
        unpack to: what comes after is read one by one.
        """
        sources: dict[int, Source] = {}
        others: Others = []
        self._sizes[:] = self._filled[:] = 0
        streamed = 0
        for place, path in enumerate(paths):
            marker[0] = place
            if streamed > STREAMED:
                break
            try:
                source = stack.enter_context(open_source(path))
                if isinstance(source, UnpackedMember) and source.streamed:
                    streamed += source.size
                self._filled[place] = source.readinto(memoryview(self._buffer[place]), 0)
                self._sizes[place] = source.size
                sources[place] = source
            except Rejection as rejection:
                if rejection.reason != "unreadable":  # else tried again when the others are closed
                    others.append((place, rejected_file(path, rejection)))
        return sources, others

    def _scan(self, sources: dict[int, Source], n: int) -> None:
        """Tokenize; long headers a second time, with more of the file."""
        fast_tokenizer.scan(
            self._buffer[:n],
            self._filled,
            self._sizes,
            self._meanings.vocabulary,
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
                self._meanings.vocabulary,
                interning.InternedRows._make(part[one] for part in self._rows),
                self._status[one],
                interning.PixelPlaces._make(part[one] for part in self._pixels),
            )

    def _values(self, n: int) -> tuple[Int64s, Int32s]:
        """Indices (files,) of the files that were read; values (files, columns), -1 = no value."""
        done = np.flatnonzero(self._status[:n] == fast_tokenizer.DONE)
        rows = interning.InternedRows._make(part[done] for part in self._rows)
        table = np.full((len(done), len(self._meanings.columns)), -1, np.int32)
        # Later writes win: the top level over functional groups, and among these the first.
        self._put(table, rows.nested, rows.nested_counts, backwards=True)
        self._put(table, rows.values, rows.counts)
        plain = (self._meanings.disposition[table] == PLAIN).any(axis=1)
        return done[~plain], table[~plain]

    def _put(self, table: Int32s, rows: Int32s, counts: Int64s, *, backwards: bool = False) -> None:
        values = rows[np.arange(rows.shape[1]) < counts[:, None]]
        files = np.repeat(np.arange(len(rows)), counts)
        present = self._meanings.disposition[values] != ABSENT
        step = -1 if backwards else 1
        files, values = files[present][::step], values[present][::step]
        table[files, self._meanings.column[values]] = values

    def _codes(self, values: Int32s) -> Int32s:
        """Indices of the texts that leave the reader, derived ones among them."""
        columns, codes = self._meanings.columns, self._meanings.shown[values]
        for keyword in self._options.derive:
            if region_column(keyword) in columns:
                regions = self._meanings.region[values[:, columns[keyword]]]
                codes[:, columns[region_column(keyword)]] = regions
                codes[:, columns[words_column(keyword)]] = self._words(values, keyword)
        return codes

    def _words(self, values: Int32s, keyword: str) -> Int32s:
        columns = self._meanings.columns
        modality = np.full(len(values), -1, np.int32)
        if "Modality" in columns:
            modality = values[:, columns["Modality"]]
        return self._meanings.word_codes(values[:, columns[keyword]], modality, self._options)

    def _finish(
        self,
        paths: Sequence[str],
        sources: dict[int, Source],
        others: Others,
        marker: Marker,
    ) -> tuple[Images, Int32s]:
        """The images among the files that were read, and the indices of their texts."""
        places, values = self._values(len(paths))
        signatures = self._signatures(places, values)
        codes = self._codes(values)
        pixels = self._pixel_elements(places)
        rows, kept = [], []
        for i, place in enumerate(places.tolist()):
            marker[0] = place
            source = sources[place]
            facts = self._facts_of(signatures[i].tobytes(), values[i], pixels[i])
            if self._repeats(values[i], facts):
                continue
            try:
                undrawable = undrawable_reason(
                    facts.verdict, source, pixels[i], self._options.undrawable
                )
            except Rejection as rejection:
                if rejection.reason != "unreadable":
                    others.append((place, rejected_file(paths[place], rejection)))
                continue
            codes[i, facts.dropped] = -1
            kept.append(i)
            image = self._image(paths[place], values[i], facts, undrawable, source)
            rows.append((place, image))
        return rows, codes[kept]

    def _signatures(self, places: Int64s, values: Int32s) -> Int32s:
        """The signature of each header: what its verdict depends on, in numbers."""
        encapsulated = self._pixels.lengths[places, None] == UNDEFINED
        tags = self._pixels.tags[places, None].astype(np.int32)
        return np.hstack(
            [self._meanings.signature_part[values], tags, encapsulated.astype(np.int32)]
        )

    def _pixel_elements(self, places: Int64s) -> list[Pixels | None]:
        elements = zip(*(part[places].tolist() for part in self._pixels), strict=True)
        return [_pixels(*element) if element[0] else None for element in elements]

    def _facts_of(self, signature: bytes, values: Int32s, pixels: Pixels | None) -> SignatureFacts:
        if signature not in self._facts_by_signature:
            self._facts_by_signature[signature] = self._facts(values, pixels)
        return self._facts_by_signature[signature]

    def _facts(self, values: Int32s, pixels: Pixels | None) -> SignatureFacts:
        """The verdict of `headers.assess` on the values in their signature."""
        meanings, header = self._meanings, HeaderTexts()
        for value in values[values >= 0].tolist():
            head, matters = meanings.heads[value], meanings.signature_part[value] > PRESENT
            keyword = head.keyword
            if meanings.disposition[value] == WITHHELD:
                header.withheld[keyword] = meanings.texts[value] if matters else ""
            elif matters:
                header.values[keyword] = meanings.texts[value]
            header.vrs[keyword] = head.judged
        syntax = UID(header.values["TransferSyntaxUID"])
        verdict = assess(header, pixels, syntax, self._options.keep)
        return SignatureFacts(
            verdict=verdict,
            withheld=sorted({*header.withheld, *verdict.repeating}),
            dropped=[meanings.columns[keyword] for keyword in verdict.repeating],
            texts="\n".join(searched(k, header.vrs[k], text) for k, text in header.values.items()),
            forms=frozenset[str]().union(
                *(
                    written_forms(k, header.vrs[k], text)
                    for k, text in header.withheld.items()
                    if text
                )
            ),
        )

    def _repeats(self, values: Int32s, facts: SignatureFacts) -> bool:
        """Whether a value that differs from file to file might occur in another text.

        It is identifying and in a text, or it is a number and an identifying text.
        """
        varying: set[str] = set()
        for value in values[self._meanings.varies[values]].tolist():
            head = self._meanings.heads[value]
            varying |= written_forms(head.keyword, head.judged, self._meanings.texts[value])
        numbers = {
            number
            for value in values[self._meanings.measures[values]].tolist()
            for number in self._searched(value).split("\n")
        }
        repeated = not numbers.isdisjoint(facts.forms | varying)
        return repeated or any(form in facts.texts for form in varying)

    def _searched(self, value: int) -> str:
        head = self._meanings.heads[value]
        return searched(head.keyword, head.judged, self._meanings.texts[value])

    def _image(
        self,
        path: str,
        values: Int32s,
        facts: SignatureFacts,
        undrawable: Reason | None,
        source: Source,
    ) -> Image:
        uid = self._value(values, "SOPInstanceUID")
        text = None if uid < 0 else self._meanings.texts[uid]
        return Image(
            image=image_hash(self._key, text, path),
            instance=identifier_hash(self._key, text),
            series=self._hash(self._value(values, "SeriesInstanceUID")),
            study=self._hash(self._value(values, "StudyInstanceUID")),
            patient=self._hash(self._value(values, "PatientID")),
            burned_in=facts.verdict.burned_in,
            undrawable=undrawable,
            values={},
            withheld=facts.withheld,
            size=source.file_size,
            mtime_ns=source.mtime_ns,
        )

    def _value(self, values: Int32s, keyword: str) -> int:
        column = self._meanings.columns.get(keyword)
        return -1 if column is None else int(values[column])

    def _hash(self, value: int) -> str | None:
        """The hash of an identifier that many files share."""
        if value < 0:
            return None
        if value not in self._hashes:
            is_patient = self._meanings.heads[value].keyword == "PatientID"
            hash_of = patient_hash if is_patient else identifier_hash
            self._hashes[value] = hash_of(self._key, self._meanings.texts[value])
        return self._hashes[value]
