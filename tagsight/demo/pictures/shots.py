"""One image of a series, from plan and technique to the numbers to be stored."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tagsight.arrays import Float32s
from tagsight.demo.pictures import angiography, films, nuclear, sagittal, sections, ultrasound
from tagsight.demo.pictures.body import Body
from tagsight.demo.pictures.breast import mammogram
from tagsight.demo.pictures.canvas import Canvas, Pose, blur, canvas, ellipse
from tagsight.demo.pictures.sections import Tones
from tagsight.demo.population import Patient, Series
from tagsight.demo.technique import Technique

Slice = Callable[[Canvas, Body, Tones, float], Float32s]

SLICES: dict[tuple[str, str], Slice] = {
    ("HEAD", "AX"): sections.head,
    ("HEAD", "SAG"): sagittal.head_sagittal,
    ("CHEST", "AX"): sections.chest,
    ("ABDOMEN", "AX"): sections.abdomen,
    ("PELVIS", "AX"): sections.pelvis,
    ("HEART", "SA"): sections.heart,
    ("LSPINE", "AX"): sections.spine,
    ("LSPINE", "SAG"): sagittal.spine_sagittal,
    ("KNEE", "SAG"): sagittal.knee_sagittal,
    ("KNEE", "COR"): sagittal.knee_coronal,
}
BEND = {"CT": 0.035, "MR": 0.035, "NM": 0.02, "PT": 0.03, "MG": 0.03, "US": 0.05, "XA": 0.05}


@dataclass(frozen=True)
class Shot:
    """An image to be drawn: its series, technique, place in the stack and random stream."""

    patient: Patient
    series: Series
    technique: Technique
    image: int
    pose: Pose
    rng: np.random.Generator

    @property
    def depth(self) -> float:
        """Return the slice's place from -1 to 1; short stacks lie near the middle."""
        n = self.series.slices
        if n > 5:
            return 1.7 * self.image / (n - 1) - 0.85
        return float(np.clip(0.25 * (self.image - (n - 1) / 2) + self.pose.shift_x * 6, -0.9, 0.9))


def draw_pose(series: Series, zoom: float, rng: np.random.Generator) -> Pose:
    """Draw the patient's position in a series at random."""
    loose = series.modality in ("CR", "DX", "XA")
    shift = 0.07 if loose else 0.04
    x, y = (float(v) for v in np.clip(shift * rng.standard_normal(2), -0.16, 0.16))
    angle = float(0.05 * rng.standard_normal())
    if series.modality == "MG":
        x = angle = 0.0
    return Pose(x, y, angle, zoom)


def make_canvas(shot: Shot, rows: int, columns: int) -> Canvas:
    """Return the patient's bent grid, the same for all slices of a stack."""
    bend = BEND.get(shot.series.modality, 0.03)
    part = 50 + len(shot.series.body_part)
    return canvas(rows, columns, shot.pose, shot.patient.body.rng(part), bend)


def _section(shot: Shot, c: Canvas) -> Float32s:
    part, body, z = shot.series.body_part, shot.patient.body, shot.depth
    if part == "WHOLEBODY":
        part = "CHEST" if z > 0.1 else "ABDOMEN" if z > -0.4 else "PELVIS"
    draw = SLICES[part, shot.series.view(shot.image)]
    return draw(c, body, shot.technique.tones, z)


def _ct(shot: Shot, c: Canvas) -> Float32s:
    if shot.series.contrast == "SCOUT":
        film = films.FILMS[shot.series.body_part, shot.series.view(shot.image)]
        return film(c, shot.patient.body) * 900 - 400
    t, image = shot.technique, _section(shot, c)
    grain = shot.rng.standard_normal(c.x.shape, dtype=np.float32)
    image = blur(image, t.blur) + np.float32(t.noise) * blur(grain, t.blur) * (1 + 2 * t.blur)
    if t.sharpen:
        image += np.float32(t.sharpen) * (image - blur(image, 1.0))
    table = ellipse(c, (0, 1.05), (0.9, 0.24)) - ellipse(c, (0, 1.02), (0.9, 0.24))
    return np.clip(image + 500 * np.clip(table, 0, 1) * (image < -600), -1024, 3071)


def _shade(shot: Shot, c: Canvas) -> Float32s:
    x, y = shot.rng.normal(0, 1, 2)
    lit = 1 + np.float32(shot.technique.shading) * (np.float32(x) * c.x + np.float32(y) * c.y)
    return np.clip(lit, 0.3, 2)


def _mr(shot: Shot, c: Canvas) -> Float32s:
    image = blur(_section(shot, c), shot.technique.blur) * _shade(shot, c)
    real, imaginary = shot.rng.standard_normal((2, *c.x.shape), dtype=np.float32)
    noise = np.float32(shot.technique.noise)
    return np.hypot(image + noise * real, noise * imaginary)


def _film(shot: Shot, c: Canvas) -> Float32s:
    t, series = shot.technique, shot.series
    image = films.FILMS[series.body_part, series.view(shot.image)](c, shot.patient.body)
    image = blur(image, t.blur) * _shade(shot, c)
    image += np.float32(t.noise) * shot.rng.standard_normal(c.x.shape, dtype=np.float32)
    if shot.rng.random() < 0.35:
        _collimate(image, shot.rng)
    if shot.rng.random() < 0.6:
        _letter(image, shot.rng)
    return np.clip(image, 0, 1.3)


def _collimate(image: Float32s, rng: np.random.Generator) -> None:
    rows, columns = image.shape
    top, bottom = (int(rows * rng.uniform(0, 0.08)) for _ in range(2))
    left, right = (int(columns * rng.uniform(0, 0.12)) for _ in range(2))
    open_field = np.zeros(image.shape, dtype=bool)
    open_field[top : rows - bottom, left : columns - right] = True
    image[~open_field] = 1.0


def _letter(image: Float32s, rng: np.random.Generator) -> None:
    """Draw a lead marker (a coarse R) in an upper corner."""
    mark = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 0], [1, 0, 1]], dtype=bool)
    size = max(2, image.shape[0] // 70)
    mark = np.kron(mark, np.ones((size, size), dtype=bool))
    row = int(image.shape[0] * rng.uniform(0.04, 0.12))
    column = int(image.shape[1] * rng.choice([0.06, 0.86]))
    image[row : row + mark.shape[0], column : column + mark.shape[1]][mark] = 1.1


def _breast(shot: Shot, c: Canvas) -> Float32s:
    side, view = shot.series.view(shot.image).split()
    image = mammogram(c, shot.patient.body, side, view)
    grain = shot.rng.standard_normal(c.x.shape, dtype=np.float32)
    return np.clip(image + np.float32(shot.technique.noise) * grain, 0, 1.3)


def _counts(shot: Shot, c: Canvas) -> Float32s:
    body, view, part = shot.patient.body, shot.series.view(shot.image), shot.series.body_part
    if shot.series.modality == "PT":
        brain = part == "HEAD"
        image = (nuclear.pet_brain if brain else nuclear.pet_trunk)(c, body, shot.depth)
    else:
        draw = {"WHOLEBODY": nuclear.bone_scan, "THYROID": nuclear.thyroid_scan}
        image = draw.get(part, nuclear.myocardium)(c, body, view)
    sigma = shot.technique.blur if part == "WHOLEBODY" else shot.technique.blur * c.x.shape[0] / 64
    level = 1 / shot.technique.noise
    activity = np.maximum(blur(image, sigma), 0)  # subtracted shapes may meet outside a small body
    return shot.rng.poisson(activity * level).astype(np.float32)


def _run(shot: Shot, c: Canvas) -> Float32s:
    """Return the frames of a run: contrast agent fills and leaves while the heart moves."""
    part, n, body = shot.series.body_part, shot.series.frames, shot.patient.body
    tree = blur(angiography.vessels(c, body, part, shot.series.views[0]), shot.technique.blur)
    back = angiography.background(c, body, part)
    if shot.series.contrast == "DSA":
        back = 0.6 + 0.12 * (back - back.mean())
    fill = np.clip(1.6 * np.sin(np.pi * (np.arange(n) + 1) / (n + 1)), 0, 1)
    frames = [
        np.roll(back - 0.42 * f * tree, round(1.5 * np.sin(i)), 0) for i, f in enumerate(fill)
    ]
    noise = shot.rng.standard_normal((n, *c.x.shape), dtype=np.float32)
    return np.clip(np.stack(frames) + np.float32(shot.technique.noise) * noise, 0, 1)


def _beating(shot: Shot, c: Canvas) -> Float32s:
    """Return the frames of a gated or moving organ (frames, rows, columns)."""
    frames = []
    for i in range(shot.series.frames):
        swell = np.float32(1 + 0.06 * np.sin(2 * np.pi * i / 8))
        frames.append(_PLAIN[shot.series.modality](shot, Canvas(c.x * swell, c.y * swell, c.edge)))
    return np.stack(frames)


def _echo(shot: Shot, c: Canvas) -> Float32s:
    straight = canvas(c.x.shape[0], c.x.shape[1], Pose(), shot.rng, 0.0)
    fan = ultrasound.window(straight, shot.series.contrast, 0.9)
    organ = shot.series.view(shot.image)
    return ultrasound.scan(c, shot.patient.body, organ, shot.rng) * fan


_PLAIN = {"CT": _ct, "MR": _mr, "CR": _film, "DX": _film, "MG": _breast, "NM": _counts,
          "PT": _counts, "XA": _run, "US": _echo}  # fmt: skip


def take(shot: Shot) -> Float32s:
    """Draw a shot.

    Hounsfield units for CT, counts for NM and PT, else about 0 to 1; one more leading axis
    where the series has several frames.
    """
    device, part = shot.series.device, shot.series.body_part
    rows, columns = device.rows, device.columns
    if shot.series.modality == "NM" and part != "WHOLEBODY":
        rows = columns = 128 if part == "THYROID" else 64
    c = make_canvas(shot, rows, columns)
    if shot.series.frames > 1 and shot.series.modality != "XA":
        return _beating(shot, c)
    return _PLAIN[shot.series.modality](shot, c)
