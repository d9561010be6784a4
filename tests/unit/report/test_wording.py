"""How numbers are written."""

import doctest

import pytest

from tagsight.report import wording


def test_the_examples_hold():
    assert doctest.testmod(wording).failed == 0


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "0 %"), (-0.0001, "0 %"), (0.0994, "9.9 %"), (0.0996, "10 %"), (1.0, "100 %")],
)
def test_shares_do_not_jump_at_the_change_of_digits(share, said):
    assert wording.percent(share).replace(wording.SPACE, " ") == said


@pytest.mark.parametrize(
    ("value", "said"), [(1234567.0, "1.23 × 10^6"), (0.00001, "1 × 10^−5"), (0.5, "0.5")]
)
def test_numbers_are_never_written_with_an_e(value, said):
    assert wording.number(value).replace(wording.SPACE, " ") == said


def test_a_p_of_one_keeps_its_one():
    assert wording.p_value(1.0) == "1.000"
