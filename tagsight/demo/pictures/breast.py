"""Mammograms: 0 is air, 1 the densest tissue."""

import numpy as np

from tagsight.arrays import Float32s
from tagsight.demo.pictures.body import Body
from tagsight.demo.pictures.canvas import Canvas, capsule, ellipse, mirrored, paint, texture


def mammogram(c: Canvas, body: Body, side: str, view: str) -> Float32s:
    """Draw a breast with its chest wall at the picture's left (L) or right (R) edge, CC or MLO."""
    c = mirrored(c) if side == "R" else c
    wall = float(c.x.min())
    x, image = c.x - np.float32(wall), np.full(c.x.shape, 0.02, dtype=np.float32)
    rng = body.rng(8 if side == "R" else 9)
    reach = body.grow(0.85, body.fat * 3 - 1.2, 0.16)
    drop = 0.22 if view == "MLO" else 0.0
    g = Canvas(x, c.y, c.edge)
    breast = ellipse(g, (0, drop), (reach, body.grow(0.7, body.wide, 0.07)), power=2.1, soft=4)
    if view == "MLO":
        breast = np.maximum(breast, capsule(g, (0, -1.2), (0.0, 0.1), (0.3, 0.8 * reach), soft=3))
    paint(image, breast, 0.3)
    grain = rng.standard_normal
    threads = texture(rng, x.shape, x.shape[0] / 22) + 0.6 * texture(rng, x.shape, x.shape[0] / 50)
    # Glandular tissue decreases with age.
    density = float(np.clip(0.9 - body.age / 110 + 0.18 * grain(), 0.1, 1))
    at = (reach * 0.5, drop + 0.04 * float(grain()))
    gland = ellipse(g, at, (reach * 0.42, 0.42), 0.2, soft=14)
    image += breast * gland * np.clip(density * (0.34 + 0.14 * threads), -0.1, 0.6)
    image += breast * np.float32(0.025) * threads
    paint(image, ellipse(g, (reach - 0.01, drop), (0.035, 0.045)), 0.5)
    if view == "MLO":
        muscle = np.clip((0.5 - x - 0.5 * (c.y + 1) * (0.9 + 0.1 * body.curve)) * 8, 0, 1)
        paint(image, muscle * breast, 0.62)
    if body.lesion and (body.skew > 0) == (side == "R"):
        spot = ellipse(
            g, (reach * 0.5, drop + 0.25 * body.lesion_y), (0.06 * body.lesion, 0.055), soft=3
        )
        image += np.float32(0.3) * spot
    return image
