"""The hospitals' devices, and how each device spells and fills its tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np

from tagsight.run.package_data import rows_of

INSTITUTIONS = ("St. Elsewhere University Hospital", "KBC Dubrava Nova", "Klinik am Rehberg")
CHARSETS = ("ISO_IR 100", "ISO_IR 101", "ISO_IR 192")
LANGUAGES = ("english", "croatian", "german")
# Probability that a device writes its usual spelling; otherwise staff typed another one.
USUAL_SHARE = 0.8


@dataclass(frozen=True)
class Device:
    """An imaging device: its identity, the tags that it fills, and how it stores pixels."""

    number: int
    modality: str
    maker: str
    manufacturer: str
    model: str
    software: str
    site: int
    rows: int
    columns: int
    bits: int
    fill: float
    style: str
    compress: str
    codes: str
    weight: float


def _device(number: int, row: Mapping[str, str]) -> Device:
    counts = {key: int(row[key]) for key in ("site", "rows", "columns", "bits")}
    shares = {key: float(row[key]) for key in ("fill", "weight")}
    texts = {key: row[key] for key in row if key not in counts and key not in shares}
    return Device(number=number, **texts, **counts, **shares)  # type: ignore[arg-type]


@cache
def devices(modality: str) -> tuple[Device, ...]:
    """Return the devices of a modality, in the order of the table."""
    rows = enumerate(rows_of("demo_devices.csv"))
    return tuple(_device(i, row) for i, row in rows if row["modality"] == modality)


def pick(fleet: Sequence[Device], rng: np.random.Generator) -> Device:
    """Draw a device, busy ones more often."""
    weights = np.array([device.weight for device in fleet])
    return fleet[int(rng.choice(len(fleet), p=weights / weights.sum()))]


@cache
def words(term: str) -> Mapping[str, str]:
    """Return a body part's code, its meaning and its name in the three sites' languages."""
    rows = {row["term"]: row for row in rows_of("demo_words.csv")}
    return MappingProxyType(rows[term])


@cache
def spellings(term: str, site: int) -> tuple[str, ...]:
    """Return the spellings of a body part at a site; the first is Annex L's."""
    rows = rows_of("demo_spellings.csv")
    return tuple(r["spelling"] for r in rows if r["term"] == term and r["site"] in ("", str(site)))


def spell(term: str, device: Device, rng: np.random.Generator) -> str:
    """Return a spelling of a body part, mostly the device's usual one."""
    options = spellings(term, device.site)
    usual = (device.number * 7 + len(term)) % (2 * len(options))
    # Half of the devices are configured with the standard's term.
    default = options[usual] if usual < len(options) else options[0]
    return default if rng.random() < USUAL_SHARE else options[int(rng.integers(len(options)))]
