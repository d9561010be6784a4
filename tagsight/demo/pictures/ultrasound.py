"""Ultrasound: echoes in a fan (sector, curved) or a box (linear), with speckle."""

import numpy as np
from scipy import ndimage

from tagsight.arrays import Float32s
from tagsight.demo.pictures.body import Body
from tagsight.demo.pictures.canvas import Canvas, capsule, ellipse, paint, ring, tube


def window(c: Canvas, probe: str, depth: float) -> Float32s:
    """Cover the part of the picture that a probe sees."""
    if probe == "LINEAR":
        return ellipse(c, (0, 0.02), (0.78, 0.82), power=40)
    apex, half, near = (-1.35, 0.55, 0.45) if probe == "CURVED" else (-0.95, 0.66, 0.04)
    radius = np.hypot(c.x, c.y - np.float32(apex))
    angle = np.abs(np.arctan2(c.x, c.y - np.float32(apex)))
    inside = (radius > near) & (radius < depth - apex) & (angle < half)
    return inside.astype(np.float32)


def _liver(c: Canvas, body: Body) -> Float32s:
    image = np.full(c.x.shape, 0.42, dtype=np.float32)
    paint(image, ellipse(c, (0, -0.95), (1.2, 0.22)), 0.6)
    rng = body.rng(20)
    for _ in range(5):
        x, y = (float(v) for v in rng.uniform(-0.5, 0.5, 2))
        path = [(x, y), (x + 0.2, y - 0.12), (x + 0.4, y - 0.1)]
        paint(image, tube(c, path, (0.035, 0.02)), 0.06)
    if body.heart > 0:
        paint(image, ellipse(c, (0.25, -0.1), (0.16, 0.27), 0.6), 0.03)
        paint(image, ring(c, (0.25, -0.1), (0.19, 0.3), 0.03, 0.6), 0.65)
    paint(image, tube(c, [(-1, 0.5), (-0.2, 0.75), (0.6, 0.45)], (0.025, 0.025)), 0.95)
    return image


def _kidney(c: Canvas, body: Body) -> Float32s:
    image = np.full(c.x.shape, 0.38, dtype=np.float32)
    radii = (body.grow(0.55, body.tall, 0.07), body.grow(0.26, body.wide, 0.07))
    paint(image, ellipse(c, (0.05, 0.15), radii, 0.15), 0.22)
    paint(image, ring(c, (0.05, 0.15), (radii[0] + 0.03, radii[1] + 0.03), 0.03, 0.15), 0.7)
    paint(image, ellipse(c, (0.05, 0.15), (radii[0] * 0.55, radii[1] * 0.4), 0.15, soft=5), 0.8)
    if body.lesion:
        paint(image, ellipse(c, (0.3, 0.05), (0.12 * body.lesion, 0.1)), 0.02)
    return image


def _heart(c: Canvas, body: Body) -> Float32s:
    image = np.full(c.x.shape, 0.3, dtype=np.float32)
    big = body.grow(1.0, body.heart, 0.08)
    paint(image, ellipse(c, (0, 0), (0.55 * big, 0.75)), 0.55)
    chambers = (
        ((0.2, -0.15), (0.2, 0.38), 0.15),
        ((-0.2, -0.12), (0.16, 0.34), -0.2),
        ((0.2, 0.42), (0.2, 0.19), 0.0),
        ((-0.2, 0.4), (0.19, 0.18), 0.0),
    )
    for centre, radii, angle in chambers:
        paint(image, ellipse(c, centre, (radii[0] * big, radii[1]), angle), 0.03)
    for side in (-1, 1):
        paint(image, capsule(c, (0.36 * side, 0.2), (0.14 * side, 0.12), (0.02, 0.015)), 0.9)
    return image


def _thyroid(c: Canvas, body: Body) -> Float32s:
    image = np.full(c.x.shape, 0.35, dtype=np.float32)
    for y, tone in ((-0.72, 0.7), (-0.55, 0.25), (-0.42, 0.2)):
        paint(image, ellipse(c, (0, y), (1.5, 0.07), power=4), tone)
    size = body.grow(0.24, body.wide, 0.1)
    for side in (-1, 1):
        paint(image, ellipse(c, (0.34 * side, -0.08), (0.27, size)), 0.58)
        paint(image, ellipse(c, (0.7 * side, -0.02), (0.13, 0.14)), 0.02)
    paint(image, capsule(c, (-0.3, -0.2), (0.3, -0.2), (0.06, 0.06)), 0.58)
    paint(image, ellipse(c, (0, 0.12), (0.2, 0.22)), 0.05)
    paint(image, ring(c, (0, 0.12), (0.23, 0.25), 0.03), 0.85)
    if body.lesion:
        at = (0.34 * np.sign(body.skew), -0.08)
        paint(image, ellipse(c, at, (0.09 * body.lesion, 0.08)), 0.25)
    return image


def _breast(c: Canvas, body: Body) -> Float32s:
    image = np.full(c.x.shape, 0.3, dtype=np.float32)
    rng = body.rng(21)
    for i in range(7):
        y = -0.7 + 0.16 * i
        xs = np.linspace(-0.9, 0.9, 7)
        path = [(float(x), y + 0.05 * float(rng.standard_normal())) for x in xs]
        paint(image, tube(c, path, (0.045, 0.045), soft=4), float(rng.uniform(0.45, 0.75)))
    paint(image, ellipse(c, (0, 0.55), (1.5, 0.14), power=4), 0.25)
    paint(image, ellipse(c, (0, 0.72), (1.5, 0.03), power=4), 0.95)
    if body.lesion:
        r = 0.18 * body.lesion
        paint(image, ellipse(c, (0.3 * body.lesion_x, -0.05), (r * 1.3, r)), 0.08)
        image *= 1 - 0.6 * capsule(
            c, (0.3 * body.lesion_x, 0.1), (0.3 * body.lesion_x, 1), (r, r), 3
        )
    return image


ORGANS = {
    "LIVER": _liver,
    "KIDNEY": _kidney,
    "HEART": _heart,
    "THYROID": _thyroid,
    "BREAST": _breast,
}


def scan(c: Canvas, body: Body, organ: str, rng: np.random.Generator) -> Float32s:
    """Draw an organ's echoes with speckle and attenuation with depth, before the window."""
    image = ORGANS[organ](c, body)
    grain = rng.rayleigh(0.8, c.x.shape).astype(np.float32)
    grain = ndimage.gaussian_filter(grain, (0.6, 1.1))
    fade = np.clip(1.15 - 0.3 * (c.y + 1) * rng.uniform(0.6, 1.4), 0.3, 1.2).astype(np.float32)
    return np.clip(image * (0.25 + 0.75 * grain) * fade, 0, 1)


def flow(c: Canvas, body: Body) -> tuple[Float32s, Float32s]:
    """Cover a colour Doppler box's flow towards and away from the probe."""
    box = ellipse(c, (0.1, 0.05), (0.3, 0.28), power=20)
    towards = ellipse(c, (0.2, -0.05), (0.12, 0.2), 0.4, soft=4) * box
    away = ellipse(c, (0.0, 0.15), (0.1, 0.14), body.curve, soft=4) * box
    return towards, away
