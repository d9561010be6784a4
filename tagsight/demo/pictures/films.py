"""Plain films: attenuation of the beam, 0 (air) to about 1 (metal)."""

from collections.abc import Callable

import numpy as np

from tagsight.arrays import Float32s
from tagsight.demo.pictures.body import Body
from tagsight.demo.pictures.canvas import (
    Canvas,
    Point,
    capsule,
    ellipse,
    mirrored,
    paint,
    ring,
    texture,
    tube,
)

Film = Callable[[Canvas, Body], Float32s]


def _air(c: Canvas) -> Float32s:
    return np.full(c.x.shape, 0.03, dtype=np.float32)


def _bone(image: Float32s, cover: Float32s, density: float) -> None:
    image += np.float32(density) * cover


def _chest_ribs(image: Float32s, c: Canvas, body: Body) -> None:
    lean = 0.22 + 0.03 * body.curve
    for i in range(9):
        y = -0.62 + 0.145 * i
        wide = 0.42 + 0.06 * min(i, 4)
        for side in (-1, 1):
            back = [(0.06 * side, y), (wide * 0.6 * side, y - 0.04), (wide * side, y + 0.1)]
            _bone(image, tube(c, back, (0.03, 0.025), soft=2), 0.09)
            front = [(wide * side, y + 0.1), (wide * 0.75 * side, y + lean + 0.08)]
            _bone(image, tube(c, front, (0.025, 0.025), soft=2), 0.06)


def chest_pa(c: Canvas, body: Body) -> Float32s:
    """Draw lungs, ribs, collar bones, heart, domes of the diaphragm, spine."""
    image = _air(c)
    wide = body.grow(0.78, body.wide, 0.05)
    paint(image, ellipse(c, (0, 0.25), (wide + 0.08 + 0.1 * body.fat, 1.25), power=3), 0.5)
    paint(image, capsule(c, (0, -1.2), (0, -0.75), (0.22, 0.28)), 0.52)
    for side in (-1, 1):
        top = ellipse(
            c, (0.36 * side, -0.1), (wide * 0.42, body.grow(0.78, body.tall, 0.04)), 0, 2.4
        )
        dome = ellipse(c, (0.38 * side, 0.95 + 0.04 * side), (0.5, 0.4), soft=2)
        paint(image, top * (1 - dome), 0.16)
    haze = texture(body.rng(5), c.x.shape, c.x.shape[0] / 20)
    hila = ellipse(c, (0, -0.02), (0.42, 0.3), soft=12)
    image += np.float32(0.02) * haze + 0.09 * hila * np.abs(haze)
    _bone(image, capsule(c, (0, -1), (0, 1), (0.09, 0.12), soft=3), 0.16)
    r = body.grow(0.27, body.heart, 0.14)
    paint(image, ellipse(c, (0.13, 0.3), (r * 1.15, r * 1.05), -0.5, soft=3), 0.55)
    paint(image, tube(c, [(0.06, 0.1), (0.09, -0.25), (0.0, -0.35)], (0.11, 0.09), soft=3), 0.5)
    _chest_ribs(image, c, body)
    for side in (-1, 1):
        collar = [(0.08 * side, -0.66), (0.35 * side, -0.78), (0.66 * side, -0.8)]
        _bone(image, tube(c, collar, (0.035, 0.03)), 0.13)
        _bone(image, ellipse(c, (0.86 * side, -0.72), (0.13, 0.13)), 0.12)
        if body.female:
            breast = ellipse(c, (0.42 * side, 0.45), (0.3, 0.28), soft=8)
            image += np.float32(0.05 + 0.1 * body.fat) * breast
    if body.lesion:
        at = (0.45 * np.sign(body.skew), 0.5 * body.lesion_y)
        image += np.float32(0.16) * ellipse(c, at, (0.07 * body.lesion, 0.07), soft=3)
    return image


def chest_lateral(c: Canvas, body: Body) -> Float32s:
    """Draw the chest from its left side: sternum in front, spine behind, heart between."""
    image = _air(c)
    paint(image, ellipse(c, (0, 0.2), (0.66 + 0.1 * body.fat, 1.3), power=3), 0.58)
    lung = ellipse(c, (0.02, -0.05), (body.grow(0.5, body.tall, 0.05), 0.78), 0.08, 2.3)
    dome = ellipse(c, (0.0, 0.95), (0.65, 0.4), soft=2)
    paint(image, lung * (1 - dome), 0.24)
    r = body.grow(0.3, body.heart, 0.12)
    paint(image, ellipse(c, (-0.2, 0.32), (r, r * 0.9), 0.5, soft=4), 0.54)
    arch = [(-0.08, 0.05), (-0.03, -0.3), (0.18, -0.3), (0.25, 0.3)]
    _bone(image, tube(c, arch, (0.06, 0.05), soft=4), 0.09)
    for i in range(10):
        y = -0.85 + 0.18 * i
        x = 0.42 + 0.08 * np.cos(1.6 * y) + 0.02 * body.curve
        _bone(image, ellipse(c, (x, y), (0.085, 0.075), power=4), 0.13)
        rib = [(x, y), (x - 0.35, y + 0.2), (x - 0.75, y + 0.3)]
        _bone(image, tube(c, rib, (0.022, 0.018), soft=2), 0.05)
    _bone(image, tube(c, [(-0.45, -0.6), (-0.53, 0), (-0.5, 0.35)], (0.03, 0.025)), 0.14)
    _bone(image, tube(c, [(0.0, -0.95), (0.05, -0.3)], (0.045, 0.04), soft=3), -0.1)
    return image


def _tubular(c: Canvas, a: Point, b: Point, widths: Point) -> Float32s:
    """Cover a long bone, denser at its walls."""
    hollow = capsule(c, a, b, (widths[0] * 0.5, widths[1] * 0.5), soft=4)
    return capsule(c, a, b, widths) - np.float32(0.4) * hollow


def knee_ap(c: Canvas, body: Body) -> Float32s:
    """Draw a knee from the front: condyles, plateau, kneecap in overlay, fibula."""
    image = _air(c)
    thick = 0.55 + 0.2 * body.fat
    paint(image, tube(c, [(0, -1.3), (0, 0), (0, 1.3)], (thick + 0.08, thick - 0.1)), 0.3)
    size = body.grow(1.0, body.wide, 0.05)
    _bone(image, _tubular(c, (0, -1.3), (0, -0.4), (0.2, 0.3)), 0.32)
    for side in (-1, 1):
        _bone(image, ellipse(c, (0.22 * side, -0.2), (0.25 * size, 0.23)), 0.2)
    gap = 0.12 - 0.05 * body.atrophy
    _bone(image, ellipse(c, (0, 0.16 + gap), (0.46 * size, 0.15), power=3), 0.3)
    _bone(image, _tubular(c, (0, 1.3), (0, 0.42), (0.17, 0.3)), 0.3)
    _bone(image, _tubular(c, (0.42, 0.48), (0.36, 1.3), (0.1, 0.06)), 0.18)
    _bone(image, ellipse(c, (0.02 * body.skew, -0.42), (0.2, 0.2)), 0.1)
    return image


def knee_lateral(c: Canvas, body: Body) -> Float32s:
    """Draw a bent knee from the side, kneecap in front."""
    image = _air(c)
    thick = 0.42 + 0.15 * body.fat
    path = [(0.5, -1.2), (-0.1, -0.1), (0.3, 1.2)]
    paint(image, tube(c, path, (thick + 0.1, thick)), 0.32)
    bend = 0.05 * body.curve
    _bone(image, _tubular(c, (0.5 + bend, -1.2), (0.02, -0.22), (0.2, 0.24)), 0.3)
    _bone(image, ellipse(c, (0.0, -0.12), (0.32, 0.27)), 0.2)
    _bone(image, _tubular(c, (0.32, 1.2), (0.05, 0.4), (0.17, 0.27)), 0.3)
    _bone(image, _tubular(c, (0.25, 0.45), (0.45, 1.2), (0.09, 0.06)), 0.12)
    _bone(image, ellipse(c, (-0.46, -0.22), (0.1, 0.19), 0.2), 0.22)
    _bone(image, capsule(c, (-0.45, 0.0), (-0.18, 0.42), (0.025, 0.025)), 0.05)
    return image


def hand_pa(c: Canvas, body: Body) -> Float32s:
    """Draw five rays of phalanges and metacarpals on the wrist; left and right by the body."""
    c = mirrored(c) if body.skew < 0 else c
    image = _air(c)
    size = body.grow(1.0, body.tall, 0.05)
    fingers = ((-0.58, -0.12, 0.1), (-0.3, -0.66, 0.06), (-0.04, -0.82, 0.0), (0.22, -0.72, -0.06))
    rays = [*fingers, (0.46, -0.46, -0.12)]
    roots = [(-0.22, 0.5), (-0.13, 0.36), (-0.02, 0.34), (0.1, 0.36), (0.2, 0.42)]
    paint(image, ellipse(c, (0, 0.2), (0.42 * size, 0.42), power=2.5), 0.25)
    paint(image, capsule(c, (0, 0.5), (0.02, 1.3), (0.3, 0.3)), 0.28)
    for (tip_x, tip_y, _), root in zip(rays, roots, strict=True):
        paint(image, capsule(c, root, (tip_x, tip_y), (0.13, 0.085)), 0.22)
    for i, ((tip_x, tip_y, _), (x, y)) in enumerate(zip(rays, roots, strict=True)):
        stops = (0.04, 0.46, 0.76, 0.97) if i == 0 else (0.02, 0.42, 0.68, 0.86, 0.99)
        points = [(x + s * (tip_x - x), y + s * (tip_y - y)) for s in stops]
        for j in range(len(points) - 1):
            a, b = points[j], points[j + 1]
            end = (b[0] + 0.08 * (a[0] - b[0]), b[1] + 0.08 * (a[1] - b[1]))
            width = 0.05 - 0.007 * j
            _bone(image, _tubular(c, a, end, (width, width * 0.85)), 0.38)
    for x, y in (
        (-0.16, 0.56),
        (-0.02, 0.5),
        (0.12, 0.52),
        (-0.1, 0.68),
        (0.05, 0.66),
        (0.17, 0.65),
    ):
        _bone(image, ellipse(c, (x, y), (0.075, 0.07)), 0.3)
    _bone(image, _tubular(c, (-0.08, 0.82), (-0.1, 1.3), (0.16, 0.1)), 0.34)
    _bone(image, _tubular(c, (0.2, 0.84), (0.17, 1.3), (0.09, 0.08)), 0.3)
    return image


def pelvis_ap(c: Canvas, body: Body) -> Float32s:
    """Draw iliac wings, sacrum, hips and pubic arch; a few have a metal hip."""
    c = Canvas(c.x * np.float32(1.22), c.y * np.float32(1.12), c.edge)
    image = _air(c)
    paint(image, ellipse(c, (0, 0.1), (0.95 + 0.1 * body.fat, 1.3), power=3), 0.42)
    spread = 0.62 + 0.04 * body.female
    for side in (-1, 1):
        wing = ellipse(c, (0.5 * side, -0.38), (0.32, 0.42), 0.35 * side, 2.4, soft=2)
        _bone(image, wing, 0.13)
        _bone(image, ring(c, (0.5 * side, -0.38), (0.33, 0.43), 0.05, 0.35 * side), 0.1)
        _bone(image, ring(c, (spread * side, 0.2), (0.2, 0.2), 0.04), 0.14)
        metal = body.lesion > 1.3 and np.sign(body.skew) == side
        _bone(image, ellipse(c, (spread * side, 0.2), (0.15, 0.15)), 0.55 if metal else 0.18)
        neck = capsule(c, (spread * side, 0.2), ((spread + 0.2) * side, 0.38), (0.1, 0.13))
        _bone(image, neck, 0.5 if metal else 0.14)
        shaft = ((spread + 0.2) * side, 0.4), ((spread + 0.15) * side, 1.3)
        _bone(image, _tubular(c, *shaft, (0.15, 0.13)), 0.22)
        _bone(image, ring(c, (0.25 * side, 0.56), (0.24, 0.17), 0.07, -0.5 * side), 0.16)
        _bone(image, capsule(c, (0.05 * side, 0.45), (0.5 * side, 0.3), (0.06, 0.06)), 0.13)
    _bone(image, ellipse(c, (0, -0.3), (0.25, 0.38), power=2.4, soft=3), 0.14)
    _bone(image, capsule(c, (0, -1.2), (0, -0.6), (0.15, 0.16), soft=2), 0.15)
    bladder = ellipse(c, (0, 0.22), (0.26 + 0.05 * body.female, 0.22), soft=5)
    image += np.float32(0.04) * bladder
    return image


def _vertebrae(image: Float32s, c: Canvas, xs: list[float], ys: list[float], half: float) -> None:
    for x, y in zip(xs, ys, strict=True):
        _bone(image, ellipse(c, (x, y), (half, half * 0.78), power=4), 0.2)
        _bone(image, ring(c, (x, y), (half, half * 0.78), 0.025), 0.08)


def lspine_ap(c: Canvas, body: Body) -> Float32s:
    """Draw five lumbar bodies with processes, lowest ribs, wings below, gas around."""
    image = _air(c)
    image += 0.5
    for side in (-1, 1):
        psoas = capsule(c, (0.12 * side, -0.6), (0.45 * side, 0.9), (0.1, 0.25), soft=4)
        image += np.float32(0.05) * psoas
        _bone(image, ellipse(c, (0.62 * side, 0.95), (0.3, 0.45), 0.4 * side, soft=2), 0.14)
    ys = [-0.8 + 0.34 * i for i in range(5)]
    xs = [0.06 * body.curve * float(np.sin(2 * y)) for y in ys]
    for x, y in zip(xs, ys, strict=True):
        _bone(image, capsule(c, (x - 0.36, y), (x + 0.36, y), (0.028, 0.028)), 0.09)
        _bone(image, capsule(c, (x, y + 0.02), (x, y + 0.14), (0.03, 0.03)), 0.1)
    _vertebrae(image, c, xs, ys, 0.18)
    _bone(image, ellipse(c, (0, 0.92), (0.26, 0.25), soft=2), 0.16)
    gas = texture(body.rng(6), c.x.shape, c.x.shape[0] / 6)
    image -= 0.07 * np.clip(gas - 0.7, 0, 1) * np.clip(np.abs(c.x) * 3 - 0.6, 0, 1)
    return image


def lspine_lateral(c: Canvas, body: Body) -> Float32s:
    """Draw the lumbar column from the side, bent forward, sacrum at an angle below."""
    image = _air(c)
    paint(image, ellipse(c, (-0.1, 0), (0.85, 2.4), power=4), 0.55)
    ys = [-0.82 + 0.33 * i for i in range(5)]
    xs = [0.2 - (0.2 + 0.04 * body.curve) * float(np.cos(1.4 * y - 0.1)) for y in ys]
    _vertebrae(image, c, xs, ys, 0.19)
    for x, y in zip(xs, ys, strict=True):
        _bone(image, capsule(c, (x + 0.25, y + 0.03), (x + 0.55, y + 0.14), (0.07, 0.06), 2), 0.09)
    _bone(image, tube(c, [(0.12, 0.8), (0.3, 1.0), (0.55, 1.15)], (0.2, 0.14), soft=2), 0.2)
    _bone(image, ellipse(c, (-0.15, 1.05), (0.5, 0.3), soft=4), 0.1)
    return image


def tspine_ap(c: Canvas, body: Body) -> Float32s:
    """Draw a dozen thoracic bodies with ribs going off, in a narrow field between lungs."""
    image = _air(c)
    image += 0.5
    for side in (-1, 1):
        paint(image, ellipse(c, (0.62 * side, 0), (0.4, 1.2), power=3, soft=4), 0.26)
    paint(image, ellipse(c, (0.22, 0.55), (0.4, 0.4), soft=6), 0.52)
    ys = [-0.92 + 0.205 * i for i in range(10)]
    xs = [0.07 * body.curve * float(np.sin(2 * y + 1)) for y in ys]
    for x, y in zip(xs, ys, strict=True):
        for side in (-1, 1):
            rib = [(x + 0.08 * side, y), (x + 0.4 * side, y - 0.02), (x + 0.9 * side, y + 0.14)]
            _bone(image, tube(c, rib, (0.032, 0.03), soft=2), 0.09)
    _vertebrae(image, c, xs, ys, 0.115)
    return image


def tspine_lateral(c: Canvas, body: Body) -> Float32s:
    """Draw the thoracic column from the side, bent backward, dark lung in front of it."""
    image = _air(c)
    paint(image, ellipse(c, (0, 0), (0.8, 2.4), power=4), 0.55)
    paint(image, ellipse(c, (-0.3, -0.15), (0.45, 1.0), power=2.5, soft=4), 0.3)
    ys = [-0.92 + 0.215 * i for i in range(10)]
    xs = [0.05 + (0.2 + 0.05 * body.curve) * float(np.cos(1.3 * y)) for y in ys]
    for x, y in zip(xs, ys, strict=True):
        _bone(
            image, tube(c, [(x, y), (x - 0.4, y + 0.2), (x - 0.8, y + 0.3)], (0.025, 0.02), 2), 0.05
        )
    _vertebrae(image, c, xs, ys, 0.125)
    return image


def abdomen_ap(c: Canvas, body: Body) -> Float32s:
    """Draw gas in the colon's frame, psoas edges, spine, lowest ribs, pelvic rim."""
    image = _air(c)
    paint(image, ellipse(c, (0, 0), (0.82 + 0.12 * body.fat, 1.35), power=3), 0.5)
    image += np.float32(0.05) * ellipse(c, (-0.45, -0.55), (0.42, 0.38), soft=4)
    ys = [-0.9 + 0.26 * i for i in range(6)]
    _vertebrae(image, c, [0.05 * body.curve * float(np.sin(2 * y)) for y in ys], ys, 0.125)
    for side in (-1, 1):
        for i in range(2):
            rib = [(0.1 * side, -0.85 + 0.2 * i), (0.5 * side, -0.7 + 0.2 * i), (0.75 * side, -0.4)]
            _bone(image, tube(c, rib, (0.03, 0.02), soft=2), 0.07)
        _bone(image, ellipse(c, (0.55 * side, 0.75), (0.3, 0.38), 0.35 * side, soft=2), 0.13)
    rng = body.rng(7)
    frame = [
        (-0.6, 0.5),
        (-0.62, 0.0),
        (-0.55, -0.4),
        (0, -0.3),
        (0.58, -0.5),
        (0.62, 0.1),
        (0.55, 0.5),
    ]
    for x, y in [*frame, (0.1, 0.2), (-0.2, 0.15), (0, 0.75)]:
        r = float(rng.uniform(0.05, 0.14))
        at = (x + 0.06 * float(rng.standard_normal()), y + 0.06 * float(rng.standard_normal()))
        image -= np.float32(rng.uniform(0.05, 0.2)) * ellipse(c, at, (r, r * 0.75), soft=3)
    return image


FILMS: dict[tuple[str, str], Film] = {
    ("CHEST", "PA"): chest_pa,
    ("CHEST", "AP"): chest_pa,
    ("CHEST", "LL"): chest_lateral,
    ("KNEE", "AP"): knee_ap,
    ("KNEE", "LL"): knee_lateral,
    ("HAND", "PA"): hand_pa,
    ("PELVIS", "AP"): pelvis_ap,
    ("LSPINE", "AP"): lspine_ap,
    ("LSPINE", "LL"): lspine_lateral,
    ("TSPINE", "AP"): tspine_ap,
    ("TSPINE", "LL"): tspine_lateral,
    ("ABDOMEN", "AP"): abdomen_ap,
}
