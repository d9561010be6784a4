"""What the two readers say of the same files."""

from tagsight.dicom.headers import read_header
from tagsight.reading.batch_reader import BATCH, Reader


def images(reader, paths):
    """What a reader says of each file, as the plain one says it, and whether it was fast."""
    columns, texts, found = [], [], {}
    for start in range(0, len(paths), BATCH):
        part = paths[start : start + BATCH]
        batch = reader.read(part, [0])
        assert batch.generation == 0
        columns += batch.columns
        texts += batch.texts
        for (place, image), codes in zip(batch.rows, batch.codes, strict=True):
            values = {columns[c]: texts[v] for c, v in enumerate(codes) if v >= 0}
            found[part[place]] = image._replace(values=values), True
        found |= {part[place]: (other, False) for place, other in batch.others}
    return found


def disagreeing(paths, key, options):
    """Files of which the readers do not say the same, and how many the fast one read itself.

    Whole verdicts: values, hashes, reasons and details, what is withheld.
    """
    found = images(Reader(key, options), paths)
    assert sorted(found) == sorted(paths)
    fast = sum(taken for _, taken in found.values())
    return [path for path in paths if found[path][0] != read_header(path, key, options)], fast
