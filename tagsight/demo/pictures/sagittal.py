"""Sagittal and coronal slices, drawn from tissues; z runs from one side (-1) to the other (1)."""

import numpy as np

from tagsight.arrays import Float32s
from tagsight.demo.pictures.body import Body
from tagsight.demo.pictures.canvas import (
    Canvas,
    Point,
    capsule,
    ellipse,
    paint,
    texture,
    tube,
)
from tagsight.demo.pictures.sections import Tones, add_lesion, empty


def _brain(image: Float32s, c: Canvas, body: Body, tones: Tones, size: float) -> None:
    at, radii = (0.08, -0.28), (0.64 * size, 0.48 * size)
    paint(image, ellipse(c, at, radii), tones["csf"])
    gap = 0.012 + 0.04 * body.atrophy
    brain = ellipse(c, at, (radii[0] - gap, radii[1] - gap))
    paint(image, brain, tones["gm"])
    folds = texture(body.rng(1), c.x.shape, c.x.shape[0] / 16)
    white = ellipse(c, at, (radii[0] - 0.14, radii[1] - 0.14), soft=2)
    paint(image, np.clip(white + 0.4 * folds * brain, 0, 1) * brain, tones["wm"])
    paint(image, brain * np.clip(folds - 1, 0, 1), tones["csf"])


def head_sagittal(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw a head from the side, facing left: brain, callosum, cerebellum, stem, face, neck."""
    image = empty(c, tones)
    size = float(np.sqrt(max(0.35, 1 - (0.7 * z) ** 2)))
    paint(image, tube(c, [(0.2, 0.2), (0.22, 1.2)], (0.35, 0.38)), tones["muscle"])
    face = tube(c, [(-0.42, 0.05), (-0.4, 0.45), (-0.25, 0.7)], (0.3, 0.2))
    paint(image, face, tones["fat"])
    skull = (body.grow(0.8, body.tall, 0.03) * size, 0.64 * size)
    paint(image, ellipse(c, (0.08, -0.28), skull), tones["fat"])
    inner = (skull[0] - 0.045, skull[1] - 0.045)
    paint(image, ellipse(c, (0.08, -0.28), inner), tones["bone"])
    paint(image, ellipse(c, (0.08, -0.28), (inner[0] - 0.03, inner[1] - 0.03)), tones["marrow"])
    _brain(image, c, body, tones, size)
    for y in (0.2, 0.42):
        paint(image, ellipse(c, (-0.45, y), (0.18, 0.08)), tones["air"])
    paint(image, ellipse(c, (-0.35, 0.55), (0.25, 0.14)), tones["muscle"])
    paint(image, ellipse(c, (0.42, 0.12), (0.22, 0.16), 0.3), tones["gm"])
    if abs(z) < 0.5:
        arch = [(-0.22, -0.18), (-0.1, -0.32), (0.15, -0.34), (0.3, -0.2)]
        paint(image, tube(c, arch, (0.05, 0.04)), tones["wm"])
        below = [(-0.15, -0.2), (0.05, -0.24), (0.22, -0.2)]
        paint(image, tube(c, below, (0.05 + 0.05 * body.atrophy, 0.04)), tones["csf"])
        paint(image, capsule(c, (0.12, 0.0), (0.2, 0.2), (0.1, 0.08)), tones["wm"])
        paint(image, capsule(c, (0.2, 0.2), (0.26, 1.1), (0.1, 0.09)), tones["csf"])
        paint(image, capsule(c, (0.2, 0.2), (0.26, 1.1), (0.055, 0.05)), tones["wm"])
    add_lesion(image, c, body, tones, (0.1 + 0.3 * body.lesion_x, -0.35), size=0.08)
    return image


def _column(body: Body, count: int, span: float) -> list[tuple[Point, float]]:
    heights = np.linspace(-span, span, count)
    sway = 0.12 + 0.03 * body.curve
    bend = [sway * np.sin(2.2 * y + 0.4) - 0.12 for y in heights]
    tilt = [0.9 * sway * 2.2 * np.cos(2.2 * y + 0.4) for y in heights]
    return [((float(x), float(y)), -float(t)) for x, y, t in zip(bend, heights, tilt, strict=True)]


def spine_sagittal(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw vertebrae and discs in a row, the canal behind them, aorta in front, back muscles."""
    image = empty(c, tones)
    paint(image, ellipse(c, (-0.05, 0), (0.8, 2.5), power=4), tones["fat"])
    paint(image, ellipse(c, (0.32, 0), (0.16, 2.5), power=4), tones["muscle"])
    paint(image, ellipse(c, (-0.6, 0), (0.25, 2.5), power=4), tones["gut"])
    column = _column(body, 6, 0.92)
    canal = [(x + 0.24, y) for (x, y), _ in column]
    middle = abs(z) < 0.6
    if middle:
        paint(
            image, tube(c, [(p[0] - 0.45, p[1]) for p in canal[:4]], (0.07, 0.06)), tones["blood"]
        )
        paint(image, tube(c, canal, (0.075, 0.06)), tones["csf"])
        paint(image, tube(c, canal[:3], (0.035, 0.02)), tones["wm"])
    for i, ((x, y), tilt) in enumerate(column):
        size = (0.165, 0.135)
        paint(image, ellipse(c, (x, y), size, tilt, 4), tones["bone"])
        paint(
            image, ellipse(c, (x, y), (size[0] - 0.018, size[1] - 0.018), tilt, 4), tones["marrow"]
        )
        spine_at = ((x + 0.34, y + 0.08), (x + 0.52, y + 0.14))
        paint(image, capsule(c, *spine_at, (0.06, 0.05)), tones["marrow"])
        worn = body.lesion > 0 and i == 3
        disc = ellipse(c, (x, y + 0.18), (0.17 + 0.05 * worn, 0.035 - 0.012 * worn), tilt)
        paint(image, disc, tones["bone" if worn else "disc"])
    return image


def knee_sagittal(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw femur, tibia, patella, meniscus and fat pad from the side, facing left."""
    image = empty(c, tones)
    leg = tube(c, [(0.05, -1.3), (0.0, 0), (0.08, 1.3)], (0.72, 0.58))
    paint(image, leg, tones["fat"])
    paint(image, tube(c, [(0.1, -1.3), (0.12, 0), (0.2, 1.3)], (0.54, 0.44)), tones["muscle"])
    size = body.grow(1.0, body.wide, 0.05)
    for shift, tissue in ((0.0, "bone"), (0.025, "marrow")):
        shaft = capsule(c, (-0.08, -1.3), (-0.05, -0.3), (0.2 - shift, 0.28 - shift))
        knob = ellipse(c, (0.0, -0.22), (0.38 * size - shift, 0.3 * size - shift))
        plateau = capsule(c, (-0.02, 1.3), (0.02, 0.42), (0.18 - shift, 0.34 - shift))
        kneecap = ellipse(c, (-0.55, -0.3), (0.1 - shift, 0.2 - shift), -0.15)
        for cover in (shaft, knob, plateau, kneecap):
            paint(image, cover, tones[tissue])
        if tissue == "bone":
            paint(image, ellipse(c, (0.0, 0.0), (0.36, 0.11)), tones["cartilage"])
    for x in (-0.24, 0.27):
        paint(image, ellipse(c, (x, 0.08), (0.1, 0.05)), tones["bone"])
    paint(image, ellipse(c, (-0.42, 0.12), (0.13, 0.2), 0.3), tones["fat"])
    tendon = tube(c, [(-0.52, -0.9), (-0.64, -0.3), (-0.42, 0.5)], (0.025, 0.025))
    paint(image, tendon, tones["bone"])
    if abs(z) < 0.4:
        paint(image, capsule(c, (0.16, -0.2), (-0.12, 0.12), (0.035, 0.03)), tones["bone"])
    if body.lesion:
        paint(image, ellipse(c, (-0.35, -0.55), (0.08, 0.2 * body.lesion), 0.2), tones["csf"])
    return image


def knee_coronal(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw both condyles on the plateau, menisci between, fibula at the side."""
    image = empty(c, tones)
    paint(image, tube(c, [(0, -1.3), (0, 0), (0, 1.3)], (0.78, 0.6)), tones["fat"])
    for side in (-1, 1):
        paint(image, ellipse(c, (0.55 * side, -0.6), (0.14, 0.5)), tones["muscle"])
        paint(image, ellipse(c, (0.5 * side, 0.85), (0.16, 0.5)), tones["muscle"])
    for shift, tissue in ((0.0, "bone"), (0.025, "marrow")):
        paint(image, capsule(c, (0, -1.3), (0, -0.3), (0.22 - shift, 0.4 - shift)), tones[tissue])
        paint(image, capsule(c, (0, 1.3), (0, 0.4), (0.2 - shift, 0.42 - shift)), tones[tissue])
        for side in (-1, 1):
            # Condyles are roundest behind.
            radii = (0.26 + 0.03 * z - shift, 0.24 + 0.03 * z - shift)
            paint(image, ellipse(c, (0.27 * side, -0.18), radii), tones[tissue])
        paint(image, capsule(c, (0.6, 0.4), (0.5, 1.3), (0.1 - shift, 0.07 - shift)), tones[tissue])
    paint(image, ellipse(c, (0, -0.02), (0.08, 0.2)), tones["csf"])
    for side in (-1, 1):
        paint(image, ellipse(c, (0.27 * side, 0.06), (0.26, 0.05)), tones["cartilage"])
        paint(image, ellipse(c, (0.45 * side, 0.06), (0.1, 0.05)), tones["bone"])
    if body.lesion:
        at = (0.3 * np.sign(body.skew), 0.3)
        paint(image, ellipse(c, at, (0.15 * body.lesion, 0.12), soft=4), tones["lesion"])
    return image
