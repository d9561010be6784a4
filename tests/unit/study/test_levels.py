"""A short run of the simulation of levels; the long one is `make levels`."""

import numpy as np
import pytest

from study import levels

DRAWS = 60


def share(text):
    return float(text.removesuffix(" %")) / 100


@pytest.fixture(scope="module")
def alarms():
    return list(levels.false_alarms(DRAWS))


def test_every_kind_of_noise_keeps_the_level(alarms):
    assert len(alarms) == len(levels.UNITS) * len(levels.LOOKS) + len(levels.UNEVEN)
    assert max(share(row["false alarms"]) for row in alarms) <= 0.07
    assert np.mean([share(row["false alarms"]) for row in alarms]) <= 0.05


def test_an_effect_is_seen_the_sooner_the_more_images_there_are():
    few, more = levels.power(20, sizes=(60, 300), shifts=(0.5,))
    assert share(few["seen"]) < share(more["seen"])
    told = [share(row["smallest visible, as told"]) for row in (few, more)]
    assert told[0] > 1.5 * told[1]


def test_uneven_archives_are_what_they_are_called():
    rng = np.random.default_rng(0)
    few = levels.archive(rng, 100, levels.UNEVEN["of 3 trials"])
    assert len(np.unique(few.trials)) == 3
    sizes = {
        name: np.sort(np.bincount(levels.archive(rng, 100, shape).patients))[::-1]
        for name, shape in (("even", levels.EVEN), ("Pareto", levels.Shape(even=False)))
    }
    assert sizes["even"][0] <= 8
    tenth = len(sizes["Pareto"]) // 10
    assert sizes["Pareto"][:tenth].sum() > 0.4 * sizes["Pareto"].sum()


def test_a_row_can_be_drawn_without_those_before_it(alarms):
    (last,) = levels.false_alarms(DRAWS, first=len(alarms) - 1)
    assert last == alarms[-1]


def test_units_are_what_they_are_called():
    of = levels.archive(np.random.default_rng(0), 100)
    for name, unit in levels.UNITS.items():
        labels = levels.labels(np.random.default_rng(1), of, name)
        units = unit(of)
        assert all(len(np.unique(labels[units == u])) == 1 for u in np.unique(units))
    trials = [np.unique(of.trials[of.patients == p]) for p in np.unique(of.patients)]
    assert max(map(len, trials)) == 1


def test_tables_stand_between_their_marks():
    first, last = levels.MARKS
    page = f"before\n{first}\nold\n{last}\nafter\n"
    assert levels.written(page, "new") == f"before\n{first}\nnew\n{last}\nafter\n"
    with pytest.raises(ValueError, match="no place"):
        levels.written("nothing", "new")
    assert levels.MARKS[0] in levels.PAGE.read_text(encoding="utf-8")
