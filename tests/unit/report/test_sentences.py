"""The result in a sentence: what is found, what is not, and what could not be tested."""

import pytest

from tagsight.report import sentences

NULLS = ("series", "within_modality")


def figures(explained, p=0.001, bounds=None, **others):
    around = [explained - 0.03, explained + 0.03] if explained is not None else None
    found = {"explained": explained, "p": p, "permutation_p": 0.01, "reason": None, "n": 10}
    return found | {"explained_ci95": bounds or around} | others


def evaluation(series, within, modality=None, trials=10):
    found = {"trials": {"n": trials, "k": 15}, "tags": {"series": series}}
    if within:
        found["tags"]["within_modality"] = within
    if modality:
        found["modality"] = {"series": modality}
    return found


def said(*args, **kwargs):
    return sentences.result(evaluation(*args, **kwargs)).replace("\xa0", " ")


def test_a_result_reads_as_one_sentence():
    assert said(figures(0.31), figures(0.09), figures(0.24)) == (
        "The 15 clusters made from tags explain 31 % (95 % CI 28 to 34 %) of how far images "
        "differ; modality alone explains 24 %; beyond modality the tags add 9.0 % (95 % CI 6.0 to "
        "12 %)."
    )


def test_a_result_beyond_modality_that_could_be_chance_is_not_claimed():
    sentence = said(figures(0.31), figures(0.02, p=0.2))
    assert "explain 31 %" in sentence
    assert "beyond modality the tags are not shown to add anything, 2.0 %" in sentence
    assert " add 2.0" not in sentence


def test_no_difference_is_not_called_one():
    sentence = said(figures(0.05, p=0.3), figures(0.01, p=0.6))
    assert sentence.startswith("Images of the 15 clusters made from tags could not be shown")


def test_worse_than_chance_is_said():
    sentence = said(figures(-0.2), figures(-0.1))
    assert "look less alike than by chance" in sentence
    assert "−20 %" in sentence
    assert "within a modality they look less alike than by chance, −10 %" in sentence


def test_a_single_trial_has_neither_test_nor_interval():
    one = figures(0.31, p=None, reason="a single trial", n=1) | {"explained_ci95": None}
    sentence = said(one, one, trials=1)
    assert "CI" not in sentence
    assert sentence.endswith(
        "This is from a single trial, so without an interval; by permutations, p = .010."
    )


def test_trials_that_could_not_test_it_are_counted():
    sentence = said(figures(0.31), figures(0.09, n=3))
    assert sentence.endswith("(in 3 of 10 trials; the others could not test it).")


def test_trials_that_differ_alike_have_no_test():
    flat = figures(0.31, p=None, reason="all trials differ from the null alike")
    assert said(flat, flat).endswith("There is no test: all trials differ from the null alike.")


@pytest.mark.parametrize("own", [{}, figures(None, p=None)])
def test_what_could_not_be_measured_is_said_to_be_so(own):
    assert "could not be measured" in said(own, None)


def test_clusters_that_divide_no_modality_leave_nothing_to_test_beyond_it():
    assert "could not be tested, as no modality is divided" in said(figures(0.3), None)


def test_the_closing_lines_are_few_and_plain():
    said = sentences.result(evaluation(figures(-0.2), figures(-0.1)))
    text = sentences.closing(said, "results/report/index.html", "a.csv")
    assert text.isascii()
    assert len(text.splitlines()) <= 6
    assert "results/report/index.html" in text
    assert "a.csv" in text


def test_without_looks_nothing_is_claimed_of_them():
    choice = {"k": 20, "reading": "weak structure", "grid": {"20": {"silhouette": 0.3712}}}
    assert sentences.without_looks(1_044_191, choice) == (
        "1,044,191 images fall into 20 clusters by their tags, with weak structure (mean "
        "silhouette 0.37); whether those of a cluster look alike was not tested, as a table of "
        "tags has no pixels."
    )
