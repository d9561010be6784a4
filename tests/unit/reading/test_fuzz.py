"""Broken headers by the thousand; `make fuzz` has them by the million (TAGSIGHT_FUZZ=…)."""

import faulthandler
import os
import tarfile
import zipfile

import numpy as np
import pytest
from both_readers import disagreeing
from memory import traced
from mutants import many, mutants
from pydicom_reference import disagreements

from tagsight.archive.source import BytesSource
from tagsight.dicom.headers import Image, ReaderOptions, RejectedFile, read_header
from tagsight.dicom.part10 import parse
from tagsight.reading import fast_tokenizer, interning
from tagsight.rejections import Rejection

COUNT = int(os.environ.get("TAGSIGHT_FUZZ", "4000"))  # through the tokenizers
FILES = max(300, COUNT // 50)  # through the whole reader
BATCH, WIDTH = 64, 32 * 2**10
MOST_READ = 8 * 32 * 2**10  # bytes of a header of at most 40 kB, in stretches of 32 kB
KEY = bytes(range(32))
KEPT = ReaderOptions(undrawable=frozenset({"no_pixels", "unsupported_pixels", "pixels_incomplete"}))


class Scanner:
    """The fast tokenizer over headers in memory."""

    def __init__(self):
        self.vocabulary, self.rows = interning.vocabulary(), interning.rows(BATCH)
        self.pixels, self.status = interning.pixels(BATCH), np.zeros(BATCH, np.uint8)

    def scan(self, headers):
        if self.vocabulary.used[0] > interning.MAX_VALUES // 2:
            self.vocabulary = interning.vocabulary()
        buffer = np.zeros((len(headers), WIDTH), np.uint8)
        for i, data in enumerate(headers):
            buffer[i, : len(data[:WIDTH])] = np.frombuffer(data[:WIDTH], np.uint8)
        filled = np.array([min(len(data), WIDTH) for data in headers])
        sizes = np.array([len(data) for data in headers])
        arguments = (self.vocabulary, self.rows, self.status, self.pixels)
        fast_tokenizer.scan(buffer, filled, sizes, *arguments)


class Counted(BytesSource):
    """Bytes that count how many of them are read, again and again."""

    read = 0

    def pread(self, size, place):
        found = super().pread(size, place)
        Counted.read += len(found)
        return found


def plain(data):
    """What the plain tokenizer finds, None where it refuses; and how many bytes it read."""
    Counted.read = 0
    try:
        return parse(Counted(data)), Counted.read
    except Rejection:
        return None, Counted.read


@pytest.fixture
def watchdog():
    """Ends the tests with a traceback should they hang: in machine code nothing else can."""
    faulthandler.dump_traceback_later(max(600, COUNT / 10), exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def batches(headers):
    waiting = []
    for data in headers:
        waiting.append(data)
        if len(waiting) == BATCH:
            yield waiting
            waiting = []
    yield waiting


@pytest.mark.usefixtures("watchdog")
def test_tokenizers():
    """No exception, no hang, no growth; where the fast one reads, the plain one reads the same."""
    scanner, read = Scanner(), 0
    scanner.scan([b""])
    with traced() as peak:
        for headers in batches(many(COUNT, seed=3)):
            scanner.scan(headers)
            for n, header in enumerate(headers):
                parsed, size = plain(header)
                assert size <= MOST_READ
                if scanner.status[n] == fast_tokenizer.DONE:
                    read += 1
                    check_same(scanner, n, parsed)
        assert peak() < 2**28
    assert read > COUNT / 10


def check_same(scanner, n, parsed):
    """Every value of the row is an element of the plain one's, with the same bytes."""
    assert parsed is not None
    assert bool(parsed.pixels) == bool(scanner.pixels.tags[n])
    if parsed.pixels:
        assert parsed.pixels.offset == scanner.pixels.places[n]
        assert parsed.pixels.length == scanner.pixels.lengths[n]
    words = scanner.vocabulary
    for value in scanner.rows.values[n, 1 : scanner.rows.counts[n]].tolist():
        data = words.arena[words.starts[value] : words.starts[value + 1]].tobytes()
        assert parsed.window.value(parsed.elements[int(words.tags[value])]) == data


@pytest.mark.usefixtures("watchdog")
def test_the_whole_reader_beside_pydicom(tmp_path):
    """Whatever both read is the same; see `referee` for what may differ, and why."""
    found, images = [], 0
    for path in mutants(tmp_path, FILES, seed=5):
        read = read_header(path, KEY, ReaderOptions())
        assert isinstance(read, Image | RejectedFile)
        if isinstance(read, Image):
            images += 1
            found += [(path, *what) for what in disagreements(path)]
    assert images > FILES / 5
    assert found == []


@pytest.mark.usefixtures("watchdog")
@pytest.mark.parametrize("options", [ReaderOptions(), KEPT], ids=["default", "undrawable too"])
def test_the_readers_beside_each_other(tmp_path, options):
    """Whole verdicts, so that none hangs on how many files are read at once."""
    different, fast = disagreeing(mutants(tmp_path, FILES, seed=7), KEY, options)
    assert different == []
    assert fast > FILES / 10


@pytest.mark.usefixtures("watchdog")
def test_the_readers_beside_each_other_in_containers(tmp_path):
    """Broken headers in a tar, compressed, and in a zip: as they are outside."""
    plain = mutants(tmp_path, FILES // 4, seed=9)
    verdicts = [verdict(read_header(path, KEY, KEPT)) for path in plain]
    for name in ("a.tar", "a.tar.gz", "a.zip"):
        packed = packed_in(tmp_path / name, plain)
        different, _ = disagreeing(packed, KEY, KEPT)
        assert different == []
        assert [verdict(read_header(path, KEY, KEPT)) for path in packed] == verdicts


def verdict(read):
    """What is said of a file, less what its place is in."""
    if isinstance(read, RejectedFile):
        return read
    return read._replace(image="", mtime_ns=0)


def packed_in(path, files):
    """Put files into a container; the paths of its members."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, os.path.basename(file))
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
            for file in files:
                archive.add(file, os.path.basename(file))
    return [f"{path}!{os.path.basename(file)}" for file in files]


@pytest.mark.parametrize("size", [0, 3, 131, 132, 140, 32 * 2**10])
def test_zeros(tmp_path, size):
    (tmp_path / "f").write_bytes(bytes(size))
    reason = read_header(str(tmp_path / "f"), KEY, ReaderOptions()).reason
    assert reason == ("empty_file" if size == 0 else "not_dicom")
