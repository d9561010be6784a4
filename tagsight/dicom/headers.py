"""The plain reader: from a file to an image's tags as text, without anything that identifies.

It keeps keyed hashes of the file's identifiers, one text for each public keyword, and the names
(never the values) of the keywords that it withholds: see `privacy`.
"""

from dataclasses import dataclass
from typing import NamedTuple

from pydicom.uid import UID

from tagsight.archive.opening import forget_containers
from tagsight.archive.paths import is_of_a_system
from tagsight.archive.source import PASSING, Source
from tagsight.dicom import burned_in
from tagsight.dicom.dictionary import region_column, words_column
from tagsight.dicom.drawable import Demand, check_pixels, demand, is_directory
from tagsight.dicom.header_texts import HeaderTexts, gather
from tagsight.dicom.part10 import ParsedFile, Pixels, open_header
from tagsight.dicom.privacy import (
    WITHHELD,
    identifier_hash,
    image_hash,
    in_public,
    patient_hash,
    repeating,
)
from tagsight.rejections import Reason, Rejection
from tagsight.terms.body_parts import BodyParts
from tagsight.terms.facet_words import FacetWords
from tagsight.terms.technique_words import TechniqueWords, joined

# Keywords on which it depends whether an image can be drawn and what is written on it. The batch
# reader judges all headers that agree in these at once: nothing else may be looked at.
FACTS = frozenset(
    [
        "BitsAllocated",
        "BitsStored",
        "Columns",
        "DimensionOrganizationType",
        "NumberOfFrames",
        "PhotometricInterpretation",
        "Rows",
        "SamplesPerPixel",
        "TransferSyntaxUID",
        *burned_in.FACTS,
    ]
)


@dataclass(frozen=True)
class ReaderOptions:
    """The reader's options, from the config.

    keep: identifying keywords to keep nevertheless; undrawable: reasons for which a file is
    kept for its tags alone; derive: descriptions whose region becomes a column, by `vocabulary`,
    and whose words of technique become another one, by `technique`; facets: the words in which
    radiopharmaceuticals are told.
    """

    keep: frozenset[str] = frozenset()
    undrawable: frozenset[str] = frozenset()
    derive: tuple[str, ...] = ()
    vocabulary: BodyParts | None = None
    technique: TechniqueWords | None = None
    facets: FacetWords | None = None


class Image(NamedTuple):
    """An image's header: hashes in hex, texts by keyword, withheld keywords.

    image, instance, series, study, patient: None where the file has no such identifier;
    undrawable: the reason if the image is kept for its tags alone; size: bytes of the file on disk;
    mtime_ns: of the open file; remark: what is wrong with it and did no harm, empty if nothing is.
    """

    image: str
    instance: str | None
    series: str | None
    study: str | None
    patient: str | None
    burned_in: bool
    undrawable: Reason | None
    values: dict[str, str]
    withheld: list[str]
    size: int
    mtime_ns: int
    remark: str = ""


@dataclass(frozen=True)
class RejectedFile:
    """A file that is rejected: its `rejections.Reason`, and a detail without patient data."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True)
class Verdict:
    """The assessment of a header's texts, wherever the pixels are.

    demand: what the image needs to be drawn; rejected: why it cannot be drawn;
    repeating: keywords to withhold because they repeat an identifying value.
    """

    demand: Demand
    rejected: RejectedFile | None
    repeating: tuple[str, ...]
    burned_in: bool


def read_header(path: str, key: bytes, options: ReaderOptions) -> Image | RejectedFile:
    """Read the header of a file; never raises.

    path: in text form, see `archive.paths`; key: of the hashes.
    `image` hashes the SOP Instance UID together with the path: shards are read by independent jobs,
    real archives hold one UID in several files (with different content, too), and each row needs
    an identifier of its own whatever the number of shards. `instance` hashes the UID alone, so that
    copies can be found. `patient` hashes Patient ID without its issuer, which is often filled in
    some files only; placeholders such as `ANON` have no hash.

    Values are as stored: multi-values joined by `\\`, without padding, numbers not reformatted,
    binary numbers in their shortest decimal form; an empty value counts as absent. A known maker
    has one name, so that an institution in its place can be distinguished. Functional groups
    (shared, first frame) fill what the top level lacks. What is withheld: see `privacy`.
    Where a fault of the machine kept the file from being read, it is opened once more.
    """
    read = _read_once(path, key, options)
    if isinstance(read, RejectedFile) and read.reason == "unreadable" and read.detail in PASSING:
        forget_containers()  # which hold files open
        return _read_once(path, key, options)
    return read


def _read_once(path: str, key: bytes, options: ReaderOptions) -> Image | RejectedFile:
    try:
        with open_header(path) as parsed:
            if is_directory(parsed):
                raise Rejection("dicomdir")
            header = gather(parsed, options.keep, words=options.facets)
            verdict = assess(header, parsed.pixels, parsed.syntax, options.keep)
            undrawable = undrawable_reason(
                verdict, parsed.window.source, parsed.pixels, options.undrawable
            )
            derived = _derived(header, options)
            return _image(parsed, header, verdict, undrawable, (path, key), derived)
    except Rejection as rejection:
        return rejected_file(path, rejection)


def rejected_file(path: str, rejection: Rejection) -> RejectedFile:
    """Return what is told of a file that is rejected; path: in text form.

    A file that is no DICOM by what it holds is told from what systems leave behind by its name.
    """
    if rejection.reason in ("not_dicom", "empty_file") and is_of_a_system(path):
        return RejectedFile("system_file")
    return RejectedFile(rejection.reason, rejection.detail)


def assess(
    header: HeaderTexts, pixels: Pixels | None, syntax: UID, keep: frozenset[str]
) -> Verdict:
    """Return the verdict on the texts of an image; the offset of `pixels` does not matter."""
    need, rejected = Demand(), None
    facts = {keyword: header.values[keyword] for keyword in FACTS if keyword in header.values}
    try:
        need = demand(facts, pixels, syntax)
    except Rejection as rejection:
        rejected = RejectedFile(rejection.reason, rejection.detail)
    return Verdict(
        demand=need,
        rejected=rejected,
        repeating=tuple(repeating(header.values, header.withheld, header.vrs, keep)),
        burned_in=burned_in.may_have_text(header.values),
    )


def undrawable_reason(
    verdict: Verdict, source: Source, pixels: Pixels | None, allowed: frozenset[str]
) -> Reason | None:
    """Return why an image cannot be drawn, None where it can.

    Raises Rejection where the reason is not among `allowed`.
    """
    rejected = verdict.rejected
    if rejected is None:
        try:
            check_pixels(source, pixels, verdict.demand)
        except Rejection as rejection:
            rejected = RejectedFile(rejection.reason, rejection.detail)
    if rejected is None:
        return None
    if rejected.reason not in allowed:
        raise Rejection(rejected.reason, rejected.detail)
    return rejected.reason


def _image(
    parsed: ParsedFile,
    header: HeaderTexts,
    verdict: Verdict,
    undrawable: Reason | None,
    name: tuple[str, bytes],
    derived: dict[str, str],
) -> Image:
    path, key = name
    uids = header.values | header.withheld
    uid = uids.get("SOPInstanceUID")
    values = {k: t for k, t in header.values.items() if k not in verdict.repeating}
    values = {k: in_public(k, header.vrs[k], text) for k, text in values.items()}
    return Image(
        image=image_hash(key, uid, path),
        instance=identifier_hash(key, uid),
        series=identifier_hash(key, uids.get("SeriesInstanceUID")),
        study=identifier_hash(key, uids.get("StudyInstanceUID")),
        patient=patient_hash(key, uids.get("PatientID")),
        burned_in=verdict.burned_in,
        undrawable=undrawable,
        values=values | derived,
        withheld=sorted({*header.withheld, *verdict.repeating}),
        size=parsed.file.file_size,
        mtime_ns=parsed.file.mtime_ns,
        remark="delimiters" if parsed.window.strays else "",
    )


def region(keyword: str, text: str, options: ReaderOptions) -> str | None:
    """Return the region that a description names, if the config asks for it as a column."""
    if keyword not in options.derive or options.vocabulary is None or text == WITHHELD:
        return None
    return options.vocabulary.region(text)


def words(keyword: str, text: str, modality: str, options: ReaderOptions) -> str | None:
    """Return the words of technique in a description, if the config asks for them as a column.

    modality: the image's Modality, empty if it has none: it decides what a short word means.
    """
    if keyword not in options.derive or options.technique is None or text == WITHHELD:
        return None
    return joined(options.technique.words(text, modality.strip().upper()))


def _derived(header: HeaderTexts, options: ReaderOptions) -> dict[str, str]:
    texts = header.values | header.withheld
    described = {k: texts[k] for k in options.derive if k in texts}
    modality = texts.get("Modality", "")
    found = {region_column(k): region(k, text, options) for k, text in described.items()}
    found |= {words_column(k): words(k, text, modality, options) for k, text in described.items()}
    return {column: value for column, value in found.items() if value}
