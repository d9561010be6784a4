"""Angiograms: vessels filled with contrast agent, dark on gray."""

import numpy as np

from tagsight.arrays import Float32s
from tagsight.demo.pictures.body import Body
from tagsight.demo.pictures.canvas import Canvas, Point, capsule, ellipse, texture, tube

# Main vessels as routes; small ones branch off at random, the same in all images of a patient.
ROUTES: dict[tuple[str, str], list[list[Point]]] = {
    ("HEART", "LCA"): [
        [(-0.5, -0.6), (-0.3, -0.5), (-0.1, -0.45)],
        [(-0.1, -0.45), (0.2, -0.3), (0.4, 0.1), (0.42, 0.6)],
        [(-0.1, -0.45), (-0.05, -0.1), (0.0, 0.3), (0.1, 0.7)],
        [(0.05, -0.38), (0.4, -0.4), (0.65, -0.1)],
    ],
    ("HEART", "RCA"): [
        [(0.3, -0.6), (0.0, -0.6), (-0.35, -0.35), (-0.45, 0.05), (-0.25, 0.45), (0.1, 0.55)],
        [(0.1, 0.55), (0.45, 0.6)],
        [(0.05, 0.55), (0.25, 0.3)],
    ],
    ("HEAD", "ICA"): [
        [(0.1, 1.1), (0.08, 0.6), (0.2, 0.4), (0.0, 0.28), (0.08, 0.05)],
        [(0.08, 0.05), (-0.25, -0.15), (-0.35, -0.5), (-0.1, -0.75), (0.35, -0.7)],
        [(0.08, 0.05), (0.35, -0.1), (0.65, -0.2)],
        [(0.2, -0.02), (0.45, -0.35), (0.5, -0.6)],
        [(0.1, 0.0), (0.1, -0.3), (0.25, -0.5)],
    ],
    ("ABDOMEN", "AORTA"): [
        [(0.0, -1.1), (0.02, 0.0), (0.0, 0.5)],
        [(0.0, 0.5), (-0.2, 0.8), (-0.35, 1.2)],
        [(0.0, 0.5), (0.2, 0.8), (0.35, 1.2)],
        [(0.0, -0.15), (-0.3, -0.1), (-0.55, -0.02)],
        [(0.0, -0.12), (0.3, -0.08), (0.55, 0.02)],
        [(0.0, -0.5), (-0.25, -0.55), (-0.55, -0.45)],
    ],
}
WIDTH = {"HEART": 0.035, "HEAD": 0.04, "ABDOMEN": 0.1}


def _bent(route: list[Point], rng: np.random.Generator, amount: float) -> list[Point]:
    points = np.array(route) + amount * rng.standard_normal((len(route), 2))
    steps = np.linspace(0, len(route) - 1, 3 * len(route))
    x, y = (np.interp(steps, np.arange(len(route)), points[:, i]) for i in (0, 1))
    wobble = amount * 0.35 * rng.standard_normal((len(steps), 2))
    return [(float(a + w[0]), float(b + w[1])) for a, b, w in zip(x, y, wobble, strict=True)]


def vessels(c: Canvas, body: Body, part: str, view: str) -> Float32s:
    """Cover the contrast-filled tree of a part, 0 to 1, with the patient's own branches."""
    rng, cover = body.rng(10 + len(view)), np.zeros_like(c.x)
    width = WIDTH[part]
    for route in ROUTES[part, view]:
        main = _bent(route, rng, 0.04)
        np.maximum(cover, tube(c, main, (width, width * 0.55)), out=cover)
        for _ in range(3):
            start = main[int(rng.integers(1, len(main)))]
            end = (start[0] + 0.3 * rng.standard_normal(), start[1] + 0.3 * rng.standard_normal())
            twig = tube(c, _bent([start, end], rng, 0.03), (width * 0.4, width * 0.15))
            np.maximum(cover, twig * 0.7, out=cover)
        width *= 0.85
    if body.lesion and part == "HEART":
        x, y = ROUTES[part, view][1][1]
        cover *= 1 - 0.8 * ellipse(c, (x, y), (0.05, 0.05), soft=3)
    return cover


def background(c: Canvas, body: Body, part: str) -> Float32s:
    """Draw the background: heart and diaphragm, skull, or spine; about 0.5."""
    image = np.full(c.x.shape, 0.55, dtype=np.float32)
    image += np.float32(0.03) * texture(body.rng(15), c.x.shape, c.x.shape[0] / 5)
    if part == "HEART":
        image -= 0.12 * ellipse(c, (0.5, 1.0), (0.9, 0.5), soft=3)
        image -= 0.08 * capsule(c, (-0.8, -1), (-0.6, 1), (0.2, 0.2), soft=5)
        catheter = [(-0.75, -1.0), (-0.6, -0.75), (-0.45, -0.6)]
        image -= 0.2 * tube(c, catheter, (0.02, 0.02))
    elif part == "HEAD":
        image -= 0.15 * ellipse(c, (0.05, -0.1), (0.85, 0.85), soft=3)
        image += 0.08 * ellipse(c, (0.05, -0.1), (0.78, 0.78), soft=3)
        image -= 0.12 * ellipse(c, (0.0, 0.5), (0.5, 0.12), 0.2, soft=5)
    else:
        for i in range(6):
            image -= 0.08 * ellipse(c, (0.0, -0.9 + 0.35 * i), (0.17, 0.14), power=4, soft=2)
    return image
