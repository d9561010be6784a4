"""Axial slices, drawn from tissues whose tones come from the modality's physics.

z runs from -1 (lowest slice) to 1 (highest) through the scanned range.
"""

from collections.abc import Mapping

import numpy as np

from tagsight.arrays import Float32s
from tagsight.demo.pictures.body import Body
from tagsight.demo.pictures.canvas import (
    Canvas,
    Point,
    capsule,
    ellipse,
    paint,
    ring,
    texture,
    tube,
)

Tones = Mapping[str, float]


def empty(c: Canvas, tones: Tones) -> Float32s:
    """Return a picture of air."""
    return np.full(c.x.shape, tones["air"], dtype=np.float32)


def add_lesion(
    image: Float32s, c: Canvas, body: Body, tones: Tones, at: Point, *, size: float
) -> None:
    """Draw the patient's lesion, if any, near a point."""
    if body.lesion:
        r = size * body.lesion
        spot = ellipse(c, at, (r, r * 0.8), body.lesion_x, soft=2.0)
        paint(image, spot, tones["lesion"])


def _eyes(image: Float32s, c: Canvas, tones: Tones, size: float) -> None:
    for side in (-1, 1):
        at = (0.27 * size * side, -0.62 * size)
        paint(image, ellipse(c, at, (0.19 * size, 0.22 * size)), tones["fat"])
        paint(image, ellipse(c, (at[0], at[1] - 0.03), (0.12 * size, 0.12 * size)), tones["csf"])
    paint(image, ellipse(c, (0, -0.6 * size), (0.09 * size, 0.2 * size)), tones["air"])


def _ventricles(image: Float32s, c: Canvas, body: Body, tones: Tones, z: float) -> None:
    size = 0.05 + 0.05 * body.atrophy
    for side in (-1, 1):
        width = size * (1 + 0.15 * side * body.skew)
        if -0.15 < z < 0.6:
            front, back = (0.07 * side, -0.26), (0.15 * side, 0.24)
            path = [front, (0.06 * side, -0.05), (0.1 * side, 0.1), back]
            paint(image, tube(c, path, (width, width * 0.7), soft=1.5), tones["csf"])
        if z < 0.3:
            paint(image, ellipse(c, (0.2 * side, 0.0), (0.08, 0.15), 0.35 * side), tones["gm"])
    if z <= -0.15:
        paint(image, ellipse(c, (0, 0.32), (0.3, 0.22)), 0.5 * (tones["gm"] + tones["wm"]))
        paint(image, ellipse(c, (0, 0.14), (0.03 + 0.02 * body.atrophy, 0.05)), tones["csf"])
        paint(image, ellipse(c, (0, 0.05), (0.12, 0.1)), tones["wm"])


def head(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw scalp, skull and brain, with eyes low down and ventricles in the middle."""
    image, rng = empty(c, tones), body.rng(1)
    size = float(np.sqrt(max(0.15, 1 - (0.8 * z) ** 2)))
    rx, ry = body.grow(0.66, body.wide, 0.04) * size, body.grow(0.82, body.tall, 0.03) * size
    paint(image, ellipse(c, (0, 0), (rx, ry)), tones["fat"])
    paint(image, ellipse(c, (0, 0), (rx - 0.045, ry - 0.045)), tones["bone"])
    paint(image, ring(c, (0, 0), (rx - 0.065, ry - 0.065), 0.025), tones["marrow"])
    inner = (rx - 0.115, ry - 0.115)
    brain = ellipse(c, (0, 0), inner)
    paint(image, brain, tones["csf"])
    gap = 0.012 + 0.045 * body.atrophy
    cortex = ellipse(c, (0, 0), (inner[0] - gap, inner[1] - gap))
    paint(image, cortex, tones["gm"])
    folds = texture(rng, c.x.shape, c.x.shape[0] / 14)
    white = ellipse(c, (0, 0), (inner[0] - gap - 0.11, inner[1] - gap - 0.11), soft=2)
    paint(image, np.clip(white + 0.35 * folds * cortex * (1 - white), 0, 1), tones["wm"])
    edge = cortex * (1 - ellipse(c, (0, 0), (inner[0] - gap - 0.1, inner[1] - gap - 0.1)))
    paint(image, edge * np.clip(folds * (0.5 + body.atrophy) - 0.6, 0, 1), tones["csf"])
    paint(image, capsule(c, (0, -inner[1]), (0, inner[1]), (0.008, 0.008)) * brain, tones["csf"])
    _ventricles(image, c, body, tones, z)
    add_lesion(image, c, body, tones, (0.3 * body.lesion_x, 0.4 * body.lesion_y), size=0.09)
    if z < -0.5:
        _eyes(image, c, tones, size)
    return image


def _trunk(
    c: Canvas, body: Body, tones: Tones, width: float, depth: float
) -> tuple[Float32s, Point]:
    image = empty(c, tones)
    rx = body.grow(width, body.wide + 2 * body.fat - 0.8, 0.07)
    ry = body.grow(depth, body.tall + 2 * body.fat - 0.8, 0.09)
    paint(image, ellipse(c, (0, 0), (rx, ry), power=2.4), tones["fat"])
    wall = 0.03 + 0.1 * body.fat
    return image, (rx - wall, ry - wall)


def _vertebra(image: Float32s, c: Canvas, tones: Tones, y: float, size: float = 1.0) -> None:
    paint(image, ellipse(c, (0, y), (0.13 * size, 0.1 * size)), tones["bone"])
    paint(image, ellipse(c, (0, y), (0.11 * size, 0.082 * size)), tones["marrow"])
    for side in (-1, 1):
        path = [(0.07 * side * size, y + 0.1 * size), (0.2 * side * size, y + 0.16 * size)]
        paint(image, tube(c, path, (0.025 * size, 0.02 * size)), tones["bone"])
    spinous = capsule(c, (0, y + 0.2 * size), (0, y + 0.3 * size), (0.025 * size, 0.015 * size))
    paint(image, spinous, tones["bone"])
    paint(image, ellipse(c, (0, y + 0.145 * size), (0.06 * size, 0.05 * size)), tones["csf"])


def _ribs(image: Float32s, c: Canvas, tones: Tones, radii: Point, phase: float) -> None:
    shell = ring(c, (0, 0), radii, 0.045)
    around = np.arctan2(c.y / radii[1], c.x / radii[0])
    pieces = np.clip(4 * np.sin(around * 9 + phase) - 0.5, 0, 1)
    paint(image, shell * pieces, tones["bone"])


def _lungs(image: Float32s, c: Canvas, body: Body, tones: Tones, radii: Point, *, z: float) -> None:
    size = 1 - 0.3 * max(z, 0)
    speckle = texture(body.rng(2), c.x.shape, c.x.shape[0] / 24)
    for side in (-1, 1):
        centre = (side * radii[0] * 0.53, -0.02)
        lung = ellipse(c, centre, (radii[0] * 0.43 * size, radii[1] * 0.85 * size), power=2.2)
        paint(image, lung, tones["lung"])
        vessels = lung * np.clip(speckle - 1.0, 0, 1) * 0.6
        paint(image, vessels, tones["muscle"])
    add_lesion(image, c, body, tones, (0.5 * np.sign(body.skew), 0.2 * body.lesion_y), size=0.05)


def chest(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw ribs, lungs, heart (low) or arch (high), aorta and spine; liver dome at the bottom."""
    image, inner = _trunk(c, body, tones, 0.86, 0.6)
    paint(image, ellipse(c, (0, 0), inner, power=2.3), tones["muscle"])
    _ribs(image, c, tones, (inner[0] - 0.03, inner[1] - 0.03), 2 * z)
    _lungs(image, c, body, tones, (inner[0] - 0.06, inner[1] - 0.06), z=z)
    paint(image, ellipse(c, (0.0, 0.0), (0.13, 0.3)), tones["fat"])
    if z < 0.25:
        r = body.grow(0.25, body.heart, 0.1) * (1 - 0.3 * z)
        paint(image, ellipse(c, (0.1, -0.12), (r * 1.15, r * 0.9), 0.5), tones["muscle"])
        paint(image, ellipse(c, (0.12, -0.12), (r * 0.85, r * 0.6), 0.5, soft=3), tones["blood"])
    else:
        paint(image, capsule(c, (0.03, -0.15), (0.12, 0.12), (0.075, 0.06)), tones["blood"])
        paint(image, ellipse(c, (-0.1, -0.13), (0.05, 0.06)), tones["blood"])
        paint(image, ellipse(c, (0, 0.0), (0.045, 0.045)), tones["air"])
    _vertebra(image, c, tones, 0.28)
    paint(image, ellipse(c, (0.13, 0.15), (0.065, 0.065)), tones["blood"])
    if z < -0.7:
        paint(image, ellipse(c, (-0.4, -0.05), (0.3, 0.33)), tones["liver"])
    return image


def _gut(
    image: Float32s, c: Canvas, body: Body, tones: Tones, inside: Float32s, *, y: float
) -> None:
    rng = body.rng(3)
    for _ in range(9):
        at = (float(rng.uniform(-0.45, 0.5)), y + float(rng.uniform(-0.25, 0.15)))
        r = float(rng.uniform(0.05, 0.11))
        gas = rng.random() < 0.3
        paint(image, ellipse(c, at, (r, r * 0.8)) * inside, tones["muscle"])
        paint(image, ellipse(c, at, (r * 0.7, r * 0.5)) * inside, tones["air" if gas else "gut"])


def _upper_organs(
    image: Float32s, c: Canvas, body: Body, tones: Tones, radii: Point, *, z: float
) -> None:
    liver = 0.5 + 0.35 * z
    at = (-radii[0] * 0.5, -0.08)
    cover = ellipse(c, at, (radii[0] * liver * 0.85, radii[1] * (0.55 + 0.25 * z)), 0.2, 2.2)
    paint(image, cover, tones["liver"])
    spots = np.clip(texture(body.rng(4), c.x.shape, c.x.shape[0] / 20) - 1.3, 0, 1)
    paint(image, cover * spots, tones["blood"])
    if z > -0.2:
        paint(image, ellipse(c, (radii[0] * 0.7, 0.08), (0.13, 0.23), -0.3), tones["spleen"])
        paint(image, ellipse(c, (radii[0] * 0.4, -0.24), (0.2, 0.13), 0.3), tones["muscle"])
        paint(image, ellipse(c, (radii[0] * 0.4, -0.27), (0.15, 0.08), 0.3), tones["air"])
    add_lesion(image, c, body, tones, (at[0] + 0.1 * body.lesion_x, at[1]), size=0.08)


def abdomen(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw liver, spleen, stomach, kidneys, gut, great vessels and spine."""
    image, radii = _trunk(c, body, tones, 0.85, 0.6)
    inside = ellipse(c, (0, 0), radii, power=2.3)
    paint(image, inside, tones["muscle"])
    inner = (radii[0] - 0.06, radii[1] - 0.06)
    paint(image, ellipse(c, (0, -0.03), inner, power=2.3), tones["fat"])
    if z < 0.5:
        _gut(image, c, body, tones, inside, y=-0.12 - 0.1 * z)
    if z > -0.55:
        _upper_organs(image, c, body, tones, inner, z=z)
    for side in (-1, 1):
        paint(image, ellipse(c, (0.16 * side, 0.34), (0.14, 0.12)), tones["muscle"])
        if z < 0.6:
            kidney = (0.42 * side, 0.2 + 0.03 * side * body.skew)
            paint(image, ellipse(c, kidney, (0.11, 0.15), 0.4 * side), tones["kidney"])
            paint(
                image, ellipse(c, (kidney[0] - 0.05 * side, kidney[1]), (0.04, 0.06)), tones["fat"]
            )
    _vertebra(image, c, tones, 0.22)
    paint(image, ellipse(c, (0.06, 0.07), (0.055, 0.055)), tones["blood"])
    paint(image, ellipse(c, (-0.08, 0.08), (0.06, 0.045)), tones["blood"])
    return image


def pelvis(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw iliac wings and sacrum (high) or femoral heads and bladder (low)."""
    image, radii = _trunk(c, body, tones, 0.88, 0.56)
    inside = ellipse(c, (0, 0), radii, power=2.3)
    paint(image, inside, tones["muscle"])
    paint(image, ellipse(c, (0, -0.08), (0.42, 0.33)), tones["fat"])
    for side in (-1, 1):
        if z > 0:
            wing = [(0.2 * side, 0.28), (0.42 * side, 0.1), (0.55 * side, -0.22)]
            paint(image, tube(c, wing, (0.06, 0.045)), tones["bone"])
            paint(image, tube(c, wing, (0.035, 0.02)), tones["marrow"])
        else:
            at = (side * (0.5 + 0.03 * body.female), -0.02)
            paint(image, ring(c, at, (0.17, 0.18), 0.03), tones["bone"])
            paint(image, ellipse(c, at, (0.115, 0.115)), tones["bone"])
            paint(image, ellipse(c, at, (0.1, 0.1)), tones["marrow"])
            paint(image, capsule(c, (at[0], 0.02), (side * 0.7, 0.12), (0.05, 0.07)), tones["bone"])
    if z > 0:
        _vertebra(image, c, tones, 0.26, 1.3)
        _gut(image, c, body, tones, inside, y=-0.08)
    else:
        r = 0.17 + 0.04 * body.heart
        paint(image, ellipse(c, (0, -0.16), (r * 1.2, max(r, 0.08))), tones["csf"])
        paint(image, ellipse(c, (0, 0.1), (0.16 if body.female else 0.1, 0.09)), tones["spleen"])
        paint(image, ellipse(c, (0, 0.3), (0.08, 0.07)), tones["gut"])
        add_lesion(image, c, body, tones, (0.2 * body.lesion_x, 0.1), size=0.06)
    return image


def heart(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw a short axis: round left ventricle in its muscle, right one as a crescent."""
    image, radii = _trunk(c, body, tones, 0.95, 0.85)
    paint(image, ellipse(c, (0, 0), radii, power=2.3), tones["muscle"])
    for side in (-1, 1):
        lung = ellipse(c, (0.55 * side, -0.02), (0.33, 0.66), power=2.3)
        paint(image, lung, tones["lung"])
    size = body.grow(0.33, body.heart, 0.1) * (1 + 0.35 * z)
    at = (0.14, -0.05)
    paint(image, ellipse(c, (-0.1, -0.1), (size * 0.95, size * 0.85), 0.5), tones["muscle"])
    paint(image, ellipse(c, (-0.11, -0.1), (size * 0.87, size * 0.77), 0.5), tones["blood"])
    paint(image, ellipse(c, at, (size, size)), tones["muscle"])
    wall = 0.3 + 0.06 * body.skew
    paint(image, ellipse(c, at, (size * (1 - wall), size * (1 - wall))), tones["blood"])
    paint(image, ellipse(c, (-0.35, 0.5), (0.4, 0.25), 0.1), tones["liver"])
    _vertebra(image, c, tones, 0.55)
    paint(image, ellipse(c, (0.2, 0.4), (0.07, 0.07)), tones["blood"])
    return image


def spine(c: Canvas, body: Body, tones: Tones, z: float) -> Float32s:
    """Draw a lumbar vertebra or (z near 0) a disc, filling the picture, between psoas and back."""
    image = np.full(c.x.shape, tones["fat"], dtype=np.float32)
    for side in (-1, 1):
        paint(image, ellipse(c, (0.72 * side, -0.1), (0.3, 0.36)), tones["muscle"])
        paint(image, ellipse(c, (0.4 * side, 0.68), (0.34, 0.3), 0.3 * side), tones["muscle"])
    size = body.grow(3.6, body.wide, 0.05)
    _vertebra(image, c, tones, -0.12, size)
    if abs(z) < 0.3:
        paint(image, ellipse(c, (0, -0.12), (0.12 * size, 0.095 * size)), tones["disc"])
        bulge = 0.03 * size * body.lesion
        paint(image, ellipse(c, (0.1 * body.skew, 0.2), (0.12, 0.03 + bulge)), tones["disc"])
    paint(image, ellipse(c, (0.12, -0.62), (0.17, 0.17)), tones["blood"])
    paint(image, ellipse(c, (-0.25, -0.58), (0.17, 0.12)), tones["blood"])
    return image
