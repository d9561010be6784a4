"""Habits of the demo's hospitals: how far an archive says more of machines than of content.

The defaults are those of the demo; a study draws archives with others.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

from tagsight.demo.devices import Device, devices


@dataclass(frozen=True)
class Habits:
    """What differs between archives.

    machines: of each modality, the first of the table; None for all. at_home: share of exams that
    are made in the patient's hospital, where it has the modality; others are made on any machine.
    own_machine: share of exams that are made on the one machine that is the patient's own. filled:
    share of series with a body part; None for that of each machine. wrong: share of these with
    another body part than was imaged.
    """

    machines: int | None = None
    at_home: float = 0.7
    own_machine: float = 0.0
    filled: float | None = None
    wrong: float = 0.045

    def fleet(self, modality: str) -> Sequence[Device]:
        """Return the machines of a modality."""
        return devices(modality)[: self.machines]

    def to_text(self) -> str:
        """Return one line of text, for the command of a process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return what `to_text` returned."""
        return cls(**json.loads(text))


DEMO = Habits()
