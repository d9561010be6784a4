"""Real images of the study of labels: one of each series, with the words of its descriptions.

Words lie in the truth of the archive, apart from its tags: labels are made with or without them.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from study.archives import DESCRIPTIONS, KEY, Archive, Setting
from study.data import CLONE
from tagsight.archive.sharding import listed_with_shards
from tagsight.arrays import UInt8s
from tagsight.content.content import content, described_words
from tagsight.content.header import stored_columns
from tagsight.content.regions import SOURCES, regions
from tagsight.content.tables import content_tables
from tagsight.demo.habits import Habits
from tagsight.dicom.dictionary import DERIVED
from tagsight.dicom.headers import ReaderOptions
from tagsight.looks.rendering import PixelError, render
from tagsight.reading.column_splits import Split
from tagsight.reading.ready_table import Layout, open_table
from tagsight.reading.ready_table_tags import tags as table_tags
from tagsight.reading.shard_reader import read_shard
from tagsight.run.progress import Progress
from tagsight.run.tables import person
from tagsight.tags.labels import labels
from tagsight.terms.body_parts import BodyParts
from tagsight.terms.spelling_table import spelling_table
from tagsight.terms.technique_words import known_words

SIZE = 64  # pixels of a picture
VIEWS = ("view", "plane", "side", "position")  # facets that say from where, not how


def options() -> ReaderOptions:
    """Return what the reader keeps: words and regions of descriptions, never their text."""
    vocabulary = BodyParts(spelling_table(None))
    return ReaderOptions(derive=DESCRIPTIONS, vocabulary=vocabulary, technique=known_words())


def of_folders(folders: Sequence[Path]) -> Archive:
    """Return the pictures of folders, the middle one of each series that can be drawn.

    Each folder is a site. Of equal pictures one counts: copies under other names are no second
    patient.
    """
    tags = _middles(tags_of(folders))
    tags = tags.filter(content(tags, spelling_table(None), content_tables())["picture"])
    drawn = [_picture(path) for path in tags["path"]]
    first = {p.tobytes(): i for i, p in reversed([*enumerate(drawn)]) if p is not None}
    kept = sorted(first.values())
    pictures = np.stack([p for i in kept if (p := drawn[i]) is not None])
    sites = [_site(path, folders) for path in tags["path"][kept]]
    return archive(tags[kept].with_columns(site=pl.Series(sites, dtype=pl.String)), pictures)


def tags_of(folders: Sequence[Path]) -> pl.DataFrame:
    """Return the tags of all files in some folders that can be read."""
    files = listed_with_shards(list(folders), 1, None, seed=0).drop("shard")
    with tempfile.TemporaryDirectory() as store:
        progress = Progress(len(files), "files")
        return read_shard(files, KEY, options(), Path(store), progress).tags.collect()


def of_idc(index: Path, patients: Sequence[str]) -> Archive:
    """Return the series of some patients in the index of the Imaging Data Commons.

    They have no pictures. Of their descriptions words alone are known: technique that
    config/idc.yaml reads from a collection's descriptions is no tag here.
    """
    config = yaml.safe_load((CLONE / "config/idc.yaml").read_text(encoding="utf-8"))["tags"]
    splits = [s for s in config["split"] if s["column"] not in DESCRIPTIONS]
    with tempfile.TemporaryDirectory() as folder:
        some = Path(folder) / "index.parquet"
        rows = pl.scan_parquet(index).filter(pl.col("PatientID").is_in(list(patients)))
        rows.collect().write_parquet(some)
        layout = Layout(config["columns"], tuple(map(Split.from_config, splits)))
        table = open_table(some, layout)
        tags = table_tags(table.rows.collect(), table, KEY, options())
    tags = tags.filter(content(tags, spelling_table(None), content_tables())["picture"])
    return archive(tags, np.zeros((len(tags), 1, 1), np.uint8))


def archive(tags: pl.DataFrame, pictures: UInt8s) -> Archive:
    """Return images with what is known of them besides their labels.

    The truth has `kind`, `person`, `maker`, `part` (stated body part), `site` and, of descriptions
    alone, `technique`, `view`, `region`: all words of a series together, null where it has none.
    """
    tables, spellings = content_tables(), spelling_table(None)
    stated = labels(tags, spellings)
    words = described_words(tags, tables.facets)
    truth = pl.DataFrame(
        {
            "kind": content(tags, spellings, tables, described=False)["kind"],
            "person": tags.select(person()).to_series(),
            "maker": stated["manufacturer"],
            "part": stated["body_part"],
            "site": stored_columns(tags, ["site"])["site"],
            "technique": _joined(words.drop(VIEWS, strict=False)),
            "view": _joined(words.select(pl.col(c) for c in VIEWS if c in words.columns)),
            "region": regions(
                tags, tables.regions, spellings, [s for s in SOURCES if s in DERIVED]
            ),
        }
    )
    return Archive(Setting(0, False, Habits()), tags, truth, pictures)


def withheld(real: Archive) -> Archive:
    """Return an archive without what its descriptions say."""
    tags = real.tags.drop(c for c in real.tags.columns if c in DERIVED)
    return Archive(real.setting, tags, real.truth, real.pictures)


def _site(path: str, folders: Sequence[Path]) -> str:
    return next(folder.name for folder in folders if Path(path).is_relative_to(folder))


def _joined(words: pl.DataFrame) -> pl.Series:
    """All words of an image as one text, null where it has none, (n,)."""
    text = pl.concat_str(pl.all(), separator=" ", ignore_nulls=True)
    return words.select(pl.when(text != "").then(text)).to_series()


def _middles(tags: pl.DataFrame) -> pl.DataFrame:
    """The middle image of each series by path."""
    series = tags.sort("path").group_by(pl.coalesce("series", "image"), maintain_order=True)
    return series.agg(pl.all().get(pl.len() // 2)).select(tags.columns)


def _picture(path: str) -> UInt8s | None:
    """The picture of a file, None where it cannot be drawn."""
    try:
        return render(path, "pad", SIZE)
    except PixelError:
        return None
