"""Headers broken at random, from the files that pydicom brings: the same ones for the same seed."""

import random
from pathlib import Path

import pydicom
from pydicom.valuerep import VR

PACKAGED = sorted((Path(pydicom.__file__).parent / "data" / "test_files").rglob("*.dcm"))
HEADER = 6000  # bytes in which most changes are made
WHOLE = 40_000
TOKENS = [b"SQ", b"UN", b"OB", b"US", b"\xfe\xff", b"\xfe\xff\0\xe0", b"\x1b$", b"\0\0", b"\\"]
TOKENS += [b"UK", b"??", b"  ", b"cs", b"LO", b"17"]
DELIMITERS = [b"\xfe\xff\xdd\xe0\0\0\0\0", b"\xfe\xff\x0d\xe0\0\0\0\0"]
VRS = {vr.encode() for vr in VR if len(vr) == 2}
LENGTHS = [b"\xff" * 4, b"\xff\xff\xff\x7f", bytes(4), b"\1\0\0\0"]


def originals():
    """The beginnings of the packaged files."""
    return [path.read_bytes()[:WHOLE] for path in PACKAGED]


def boundary(data, place):
    """The place of the next element after `place`, as far as letters of a VR tell."""
    for at in range(place, min(place + 200, len(data) - 6)):
        if bytes(data[at + 4 : at + 6]) in VRS and data[at + 1] == 0:
            return at
    return place


def mutated(data, rng):
    """A header with some bytes, lengths, words or stretches of it changed."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5])):
        data = data or bytearray(1)
        place, kind = rng.randrange(min(len(data), HEADER)), rng.randrange(8)
        if kind == 0:
            data[place] = rng.randrange(256)
        elif kind == 1:
            data[place : place + 4] = rng.choice(LENGTHS)
        elif kind == 2:
            del data[place : place + rng.randrange(1, 9)]
        elif kind == 3:
            data[place:place] = data[max(place - rng.randrange(1, 200), 0) : place]
        elif kind == 4:
            word = rng.choice(TOKENS)
            data[place : place + len(word)] = word
        elif kind == 5 and place > 132:
            data[place:place] = rng.randbytes(rng.randrange(1, 9))
        elif kind == 6:
            del data[place:]
        elif kind == 7:
            place = boundary(data, place)
            data[place:place] = rng.choice(DELIMITERS)
    return bytes(data)


def many(count, seed):
    """`count` broken headers."""
    rng, whole = random.Random(seed), originals()
    for _ in range(count):
        yield mutated(rng.choice(whole), rng)


def mutants(folder, count, seed):
    """The same as files; their paths."""
    paths = []
    for i, data in enumerate(many(count, seed)):
        path = folder / f"{i:06d}"
        path.write_bytes(data)
        paths.append(str(path))
    return paths
