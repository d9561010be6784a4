"""Nuclear medicine and PET: uptake of the tracer, 0 to 1, before blur and counting noise."""

import numpy as np

from tagsight.arrays import Float32s
from tagsight.demo.pictures.body import Body
from tagsight.demo.pictures.canvas import (
    Canvas,
    capsule,
    ellipse,
    mirrored,
    paint,
    ring,
    tube,
)


def _limbs(image: Float32s, c: Canvas, soft: float, bone: float) -> None:
    for side in (-1, 1):
        arm = [(0.15 * side, -0.66), (0.24 * side, -0.3), (0.27 * side, 0.0)]
        leg = [(0.08 * side, 0.05), (0.1 * side, 0.5), (0.09 * side, 0.93)]
        paint(image, tube(c, arm, (0.05, 0.035)), soft)
        paint(image, tube(c, leg, (0.09, 0.045)), soft)
        paint(image, tube(c, arm, (0.014, 0.012)), bone * 0.7)
        paint(image, tube(c, leg, (0.02, 0.014)), bone * 0.7)
        for x, y in ((0.15, -0.66), (0.24, -0.3), (0.1, 0.5), (0.09, 0.93), (0.1, 0.06)):
            paint(image, ellipse(c, (x * side, y), (0.026, 0.022)), bone)


def bone_scan(c: Canvas, body: Body, view: str) -> Float32s:
    """Draw a whole skeleton from the front (ANT) or behind (POST), with hot lesions."""
    c = mirrored(c) if view == "POST" else c
    image = np.zeros_like(c.x)
    paint(image, ellipse(c, (0, -0.36), (0.16, 0.36), power=2.5), 0.1)
    _limbs(image, c, 0.08, 0.45)
    paint(image, ellipse(c, (0, -0.86), (0.085, 0.1)), 0.35)
    spine = 0.8 if view == "POST" else 0.5
    paint(image, capsule(c, (0, -0.75), (0, -0.08), (0.02, 0.028)), spine)
    for i in range(8):
        y = -0.66 + 0.045 * i
        for side in (-1, 1):
            rib = [(0.01 * side, y), (0.1 * side, y - 0.005), (0.14 * side, y + 0.04)]
            paint(image, tube(c, rib, (0.007, 0.007)), 0.35)
    for side in (-1, 1):
        paint(image, ellipse(c, (0.08 * side, -0.05), (0.06, 0.07), 0.4 * side), 0.55)
        if view == "POST":
            paint(image, ellipse(c, (0.065 * side, -0.25), (0.028, 0.04)), 0.5)
    paint(image, ellipse(c, (0, 0.02), (0.035, 0.028)), 0.9 + 0.3 * body.heart)
    if view == "ANT":
        paint(image, capsule(c, (0, -0.66), (0, -0.45), (0.014, 0.014)), 0.55)
    if body.lesion:
        rng = body.rng(30)
        for _ in range(int(1 + 4 * body.lesion)):
            at = (float(0.05 * rng.standard_normal()), float(rng.uniform(-0.7, 0.0)))
            paint(image, ellipse(c, at, (0.02, 0.018)), 1.6)
    return np.clip(image, 0, 2)


def thyroid_scan(c: Canvas, body: Body, view: str) -> Float32s:
    """Draw both lobes, as a butterfly, with a cold or hot node."""
    del view
    image = np.full(c.x.shape, 0.04, dtype=np.float32)
    for side in (-1, 1):
        size = body.grow(0.36, body.skew * side, 0.12)
        paint(image, ellipse(c, (0.24 * side, 0), (0.15, size), 0.25 * side), 0.8)
    paint(image, capsule(c, (-0.2, 0.22), (0.2, 0.22), (0.06, 0.06)), 0.5)
    if body.lesion:
        tone = 1.4 if body.curve > 0 else 0.15
        paint(image, ellipse(c, (0.24 * np.sign(body.skew), 0.05), (0.09, 0.1)), tone)
    return image


def myocardium(c: Canvas, body: Body, view: str) -> Float32s:
    """Draw the left ventricle's wall: a ring (SA) or a horseshoe (VLA); a defect for a lesion."""
    image = np.full(c.x.shape, 0.08, dtype=np.float32)
    r = body.grow(0.48, body.heart, 0.1)
    paint(image, ring(c, (0, 0), (r, r if view == "SA" else r * 1.25), 0.22), 0.9)
    if view == "VLA":
        image *= 1 - 0.85 * ellipse(c, (0.0, 0.75), (0.3, 0.55))
    if body.lesion:
        at = (r * float(np.cos(body.skew * 2)), r * float(np.sin(body.skew * 2)))
        image *= 1 - 0.7 * ellipse(c, at, (0.25 * body.lesion, 0.22), soft=5)
    paint(image, ellipse(c, (-0.6, 0.8), (0.4, 0.3)), 0.45)
    return image


def pet_brain(c: Canvas, body: Body, z: float) -> Float32s:
    """Draw FDG uptake of the brain: hot cortex and basal ganglia, cold ventricles."""
    image = np.zeros_like(c.x)
    size = float(np.sqrt(max(0.2, 1 - (0.8 * z) ** 2)))
    rx, ry = 0.55 * size, 0.7 * size
    paint(image, ellipse(c, (0, 0), (rx + 0.1, ry + 0.1)), 0.12)
    paint(image, ellipse(c, (0, 0), (rx, ry)), 1.0 - 0.3 * body.atrophy)
    paint(image, ellipse(c, (0, 0), (rx - 0.17, ry - 0.17), soft=3), 0.45)
    for side in (-1, 1):
        paint(image, ellipse(c, (0.2 * side, -0.05), (0.09, 0.16)), 0.95)
        paint(image, ellipse(c, (0.07 * side, 0), (0.04 + 0.04 * body.atrophy, 0.2)), 0.2)
    return image


def pet_trunk(c: Canvas, body: Body, z: float) -> Float32s:
    """Draw FDG uptake in a slice from thigh (-1) over liver (0) and heart to brain (1)."""
    if z > 0.8:
        return pet_brain(c, body, (z - 0.9) * 5)
    image = np.zeros_like(c.x)
    wide = body.grow(0.78, body.wide + 2 * body.fat - 0.8, 0.06)
    paint(image, ellipse(c, (0, 0), (wide, 0.52), power=2.4), 0.14)
    paint(image, ellipse(c, (0, 0.25), (0.12, 0.1)), 0.3)
    if z > 0.25:
        for side in (-1, 1):
            paint(image, ellipse(c, (0.38 * side, 0), (0.25, 0.36)), 0.06)
        paint(image, ring(c, (0.16, -0.1), (0.2, 0.18), 0.07), 0.5 + 0.3 * body.heart)
    elif z > -0.2:
        paint(image, ellipse(c, (-0.35, -0.05), (0.36, 0.36)), 0.4)
        paint(image, ellipse(c, (0.55, 0.1), (0.12, 0.2)), 0.32)
        for side in (-1, 1):
            paint(image, ellipse(c, (0.38 * side, 0.25), (0.07, 0.09)), 0.7)
    else:
        paint(image, ellipse(c, (0, -0.15), (0.17, 0.14)), 2.0)
    if body.lesion:
        paint(image, ellipse(c, (0.4 * body.lesion_x, 0.1), (0.07, 0.07)), 1.6)
    return image
