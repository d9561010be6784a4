"""Drawing of soft shapes on a grid that is bent slightly differently for each patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import ndimage

from tagsight.arrays import Float32s

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Canvas:
    """Coordinates of each pixel: y from -1 (top) to 1, x in the same unit, 0 in the middle."""

    x: Float32s  # (rows, columns)
    y: Float32s  # (rows, columns)
    edge: float


@dataclass(frozen=True)
class Pose:
    """How the patient lies in the picture: shifts in half heights, angle in radians."""

    shift_x: float = 0.0
    shift_y: float = 0.0
    angle: float = 0.0
    zoom: float = 1.0


def texture(rng: np.random.Generator, shape: tuple[int, int], grain: float) -> Float32s:
    """Return smooth noise of unit spread; `grain` is its coarseness in pixels."""
    coarse = tuple(max(3, int(n / grain) + 2) for n in shape)
    seeds = rng.standard_normal(coarse, dtype=np.float32)
    scale = [n / c for n, c in zip(shape, coarse, strict=True)]
    return ndimage.zoom(seeds, scale, order=3, mode="nearest", grid_mode=True)[
        : shape[0], : shape[1]
    ]


def canvas(rows: int, columns: int, pose: Pose, rng: np.random.Generator, bend: float) -> Canvas:
    """Return a grid over the picture, posed and bent by `bend` (in half heights)."""
    x0 = (np.arange(columns, dtype=np.float32) * 2 + 1 - columns) / rows - pose.shift_x
    y0 = (np.arange(rows, dtype=np.float32) * 2 + 1 - rows) / rows - pose.shift_y
    cos, sin = np.cos(pose.angle) / pose.zoom, np.sin(pose.angle) / pose.zoom
    x = (cos * x0[None, :] + sin * y0[:, None]).astype(np.float32)
    y = (cos * y0[:, None] - sin * x0[None, :]).astype(np.float32)
    size = (rows, columns)
    grain = rows / 3
    x += np.float32(bend) * texture(rng, size, grain)
    y += np.float32(bend) * texture(rng, size, grain)
    return Canvas(x, y, 2.0 / rows / pose.zoom)


def ellipse(
    c: Canvas,
    centre: Point,
    radii: Point,
    angle: float = 0.0,
    power: float = 2.0,
    *,
    soft: float = 1.0,
) -> Float32s:
    """Cover a (super)ellipse: 1 inside, 0 outside, with an edge of `soft` pixels."""
    dx, dy = c.x - np.float32(centre[0]), c.y - np.float32(centre[1])
    if angle:
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = cos * dx + sin * dy, cos * dy - sin * dx
    u, v = np.abs(dx / np.float32(radii[0])), np.abs(dy / np.float32(radii[1]))
    r = np.sqrt(u * u + v * v) if power == 2.0 else (u**power + v**power) ** (1 / power)
    slope = np.float32(min(abs(radii[0]), abs(radii[1])) / (c.edge * soft))
    return np.clip((1 - r) * slope + np.float32(0.5), 0, 1)


def ring(c: Canvas, centre: Point, radii: Point, width: float, angle: float = 0.0) -> Float32s:
    """Cover an elliptic shell of these outer radii."""
    inner = (max(radii[0] - width, 1e-3), max(radii[1] - width, 1e-3))
    return np.clip(ellipse(c, centre, radii, angle) - ellipse(c, centre, inner, angle), 0, 1)


def capsule(c: Canvas, a: Point, b: Point, widths: Point, soft: float = 1.0) -> Float32s:
    """Cover a bone-like stroke from a to b whose half width goes from widths[0] to widths[1]."""
    dx, dy = np.float32(b[0] - a[0]), np.float32(b[1] - a[1])
    px, py = c.x - np.float32(a[0]), c.y - np.float32(a[1])
    t = np.clip((px * dx + py * dy) / np.float32(dx * dx + dy * dy + 1e-9), 0, 1)
    gap = np.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2)
    half = np.float32(widths[0]) + t * np.float32(widths[1] - widths[0])
    return np.clip((half - gap) / np.float32(c.edge * soft) + np.float32(0.5), 0, 1)


def tube(c: Canvas, points: Sequence[Point], widths: Point, soft: float = 1.0) -> Float32s:
    """Cover a bent tube through the points, tapering from widths[0] to widths[1]."""
    halves = np.linspace(widths[0], widths[1], len(points))
    cover = np.zeros_like(c.x)
    for i in range(len(points) - 1):
        stroke = capsule(c, points[i], points[i + 1], (halves[i], halves[i + 1]), soft)
        np.maximum(cover, stroke, out=cover)
    return cover


def paint(image: Float32s, cover: Float32s, value: float | Float32s) -> None:
    """Blend a value into the image where the cover is, in place."""
    image += cover * (value - image)


def blur(image: Float32s, sigma: float) -> Float32s:
    """Smooth by a Gaussian of `sigma` pixels, if above a fifth of a pixel."""
    return ndimage.gaussian_filter(image, sigma, mode="nearest") if sigma > 0.2 else image


def mirrored(c: Canvas) -> Canvas:
    """Return the canvas as seen from behind."""
    return Canvas(-c.x, c.y, c.edge)
