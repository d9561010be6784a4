"""The study of labels as its command runs it, on little data."""

import re

import numpy as np
import polars as pl
import pytest

from study import archives, label_page, label_scores, labels
from study.label_designs import Design, Labelled
from tagsight.demo.habits import Habits

SMALL = archives.Setting(7, False, Habits(machines=2), patients=40)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return archives.archive(SMALL, tmp_path_factory.mktemp("archives"))


@pytest.fixture
def scores():
    """A table as of the study: 'all' explains more than 'none' on each archive, by .1 and noise."""
    rng = np.random.default_rng(0)
    rows = []
    for setting in archives.settings():
        about = {"seed": setting.seed, "choosing": setting.choosing, "patients": 150}
        habits = {name: getattr(setting.habits, name) for name in label_page.HABIT_NAMES}
        for design in labels.factorial():
            level = 0.1 * (design.name == label_page.ALL_STEPS) + 0.01 * rng.standard_normal()
            steps = {step: getattr(design, step) for step in label_page.STEPS}
            figures = dict.fromkeys(label_page.SCORES, 0.5 + level)
            rows.append(
                {**about, **habits, "design": design.name, **steps, "images": 700, "labels": 40}
                | figures
                | {"scale": "rank", "algorithm": "fasterpam"}
            )
    return pl.DataFrame(rows, label_page.SCHEMA)


def test_every_combination_of_habits_is_in_both_halves():
    settings = archives.settings()
    assert len(settings) >= 30
    halves = [{s.habits for s in settings if s.choosing is half} for half in (True, False)]
    assert halves[0] == halves[1]
    assert len({s.seed for s in settings}) == len({s.name for s in settings}) == len(settings)


def test_an_archive_is_drawn_once_and_its_tags_know_nothing_of_the_truth(archive):
    assert len(archive.tags) == len(archive.truth) == len(archive.pictures) > 80
    assert not set(archive.truth.columns) & set(archive.tags.columns)
    assert not [name for name in archive.tags.columns if name.startswith(archives.PLANTED)]
    assert archive.truth["modality"].equals(archive.tags["Modality"], check_names=False)


def test_no_patient_is_in_both_halves(archive):
    fitted = label_scores.fitted_half(archive)
    patients = archive.tags["patient"]
    assert not set(patients.filter(fitted)) & set(patients.filter(~fitted))
    assert 0.25 < fitted.mean() < 0.75


def test_what_was_planted_scores_best_and_nothing_scores_nothing(archive):
    fitted = label_scores.fitted_half(archive)
    references = dict(label_scores.references(archive))
    planted = label_scores.scores(archive, fitted, references["planted content"])
    assert planted["content"] == 1
    assert planted["explained"] > 0.1
    none = label_scores.scores(archive, fitted, pl.Series([1] * len(fitted)))
    assert none["content"] == none["machine"] == none["explained"] == 0


def test_the_steps_of_the_tree_turn_labels_from_machines_to_content(archive):
    fitted = label_scores.fitted_half(archive)
    labelled, count = Labelled(archive, fitted), label_scores.planted_number(archive, fitted)
    flat, tree = (
        label_scores.scores(archive, fitted, labelled.labels(design, count))
        for design in (labels.FLAT, Design())
    )
    assert tree["content"] > flat["content"]
    assert tree["machine"] < flat["machine"]
    kinds = pl.DataFrame(
        {"label": labelled.labels(Design(), count), "modality": archive.truth["modality"]}
    )
    assert kinds.group_by("label").agg(pl.col("modality").n_unique())["modality"].max() == 1


def test_weights_are_learned_from_the_fitted_images_alone(archive):
    fitted = label_scores.fitted_half(archive)
    design, others = Design(weights="looks"), archive.pictures.copy()
    others[~fitted] = 255 - others[~fitted]
    spoilt = archives.Archive(archive.setting, archive.tags, archive.truth, others)
    said = [Labelled(each, fitted).labels(design, 30) for each in (archive, spoilt)]
    assert said[0].equals(said[1])


def test_designs_have_names_of_their_own():
    designs = [*labels.factorial(), *labels.MORE]
    assert len({design.name for design in designs}) == len(designs)


def test_the_page_says_what_the_table_says(scores, tmp_path):
    label_page.write(tmp_path, scores)
    page = (tmp_path / "labels.md").read_text(encoding="utf-8")
    for path in re.findall(r"\]\((\S+)\)", page):
        assert (tmp_path / path).stat().st_size > 1000
    assert "No design explains more" in page
    mean, reach = label_page.paired(
        scores.filter(~pl.col("choosing")),
        pl.col("design") == label_page.ALL_STEPS,
        pl.col("design") == "none",
        "explained",
    )
    assert abs(mean - 0.1) < 3 * reach
    assert f"explained {mean:+.3f} ± {reach:.3f}" in page


def test_figures_are_of_the_archives_that_no_choice_was_made_on(scores, tmp_path):
    spoilt = scores.with_columns(
        explained=pl.when("choosing").then(pl.lit(0.9)).otherwise("explained")
    )
    label_page.write(tmp_path / "a", scores)
    label_page.write(tmp_path / "b", spoilt)
    tables = [
        (tmp_path / name / "labels.md").read_text(encoding="utf-8").split("## What to take")[0]
        for name in "ab"
    ]
    assert tables[0] == tables[1]
