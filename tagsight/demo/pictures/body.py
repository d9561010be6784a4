"""Traits in which the anatomy of patients differs."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Body:
    """Traits around 0 (spread 1) or shares from 0 to 1; the same in all exams of a patient."""

    seed: int
    female: bool
    age: float
    wide: float
    tall: float
    fat: float
    skew: float
    curve: float
    atrophy: float
    heart: float
    lesion: float
    lesion_x: float
    lesion_y: float

    def rng(self, part: int) -> np.random.Generator:
        """Return the random stream for details of one part of this body."""
        return np.random.default_rng([self.seed, part])

    def grow(self, size: float, trait: float, share: float = 0.06) -> float:
        """Return a size made larger or smaller by a trait."""
        return size * (1 + share * float(np.clip(trait, -2.5, 2.5)))


def draw_body(seed: int, female: bool, age: float, rng: np.random.Generator) -> Body:
    """Draw a patient's traits; about a third have a lesion wherever they are imaged."""
    wide, tall, skew, curve, heart = (float(v) for v in rng.standard_normal(5))
    lesion = float(rng.uniform(0.5, 1.6)) if rng.random() < 0.35 else 0.0
    return Body(
        seed=seed,
        female=female,
        age=age,
        wide=wide,
        tall=tall,
        fat=float(rng.beta(2.0, 3.0)),
        skew=skew,
        curve=curve,
        atrophy=float(np.clip((age - 40) / 60 + 0.25 * rng.standard_normal(), 0, 1)),
        heart=heart,
        lesion=lesion,
        lesion_x=float(rng.uniform(-0.8, 0.8)),
        lesion_y=float(rng.uniform(-0.8, 0.8)),
    )
