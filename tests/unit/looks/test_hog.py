import math

import numpy as np
import pytest

from tagsight.looks.hog import LENGTH, GradientHistograms


def slow_histograms(image):
    """Pixel by pixel, as the paper has it."""
    cells = np.zeros((8, 8, 9))
    for y in range(128):
        for x in range(128):
            down = (float(image[y + 1, x]) - float(image[y - 1, x])) / 255 if 0 < y < 127 else 0.0
            right = (float(image[y, x + 1]) - float(image[y, x - 1])) / 255 if 0 < x < 127 else 0.0
            angle = math.degrees(math.atan2(down, right)) % 180
            for direction in range(9):
                apart = abs(angle - (20 * direction + 10))
                near = max(0, 1 - min(apart, 180 - apart) / 20)
                cells[y // 16, x // 16, direction] += near * math.hypot(down, right)
    out = []
    for y in range(7):
        for x in range(7):
            block = [cells[y, x], cells[y, x + 1], cells[y + 1, x], cells[y + 1, x + 1]]
            values = [value for cell in block for value in cell]
            for _ in range(2):
                length = math.sqrt(sum(value**2 for value in values) + 1e-6)
                values = [value / length for value in values]
                last, values = values, [min(value, 0.2) for value in values]
            out += last
    return np.array(out)


@pytest.mark.parametrize("smooth", [False, True])
def test_it_is_what_the_paper_says_pixel_by_pixel(smooth):
    image = np.random.default_rng(3).integers(0, 256, (128, 128), dtype=np.uint8)
    if smooth:
        image = (np.add.outer(np.arange(128), 2 * np.arange(128) ** 2 // 128) / 3).astype(np.uint8)
    described = GradientHistograms().embed(image[None])
    assert (described.shape, described.dtype) == ((1, LENGTH), np.float32)
    np.testing.assert_allclose(described[0], slow_histograms(image), atol=1e-5)


def test_a_brighter_image_of_the_same_shape_is_described_alike_and_a_turned_one_is_not():
    image = np.kron(np.random.default_rng(0).integers(0, 100, (8, 8)), np.ones((16, 16)))
    plain, brighter, turned = GradientHistograms().embed(
        np.stack([image, 2 * image + 20, image.T]).astype(np.uint8)
    )
    np.testing.assert_allclose(plain, brighter, atol=1e-2)
    assert np.abs(plain - turned).max() > 0.2


def test_an_image_of_one_grey_has_no_direction():
    assert not GradientHistograms().embed(np.full((1, 128, 128), 77, np.uint8)).any()
