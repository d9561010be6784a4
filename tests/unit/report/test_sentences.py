"""What a flat run made in sentences, and the closing text."""

from tagsight.report import sentences

CHOICE = {"k": 20, "reading": "weak structure", "grid": {"20": {"silhouette": 0.3712}}}


def test_the_closing_lines_are_few_and_plain():
    text = sentences.closing(
        "These explain −2 %: it’s little.", "results/report/index.html", "a.csv"
    )
    assert text.isascii()
    assert len(text.splitlines()) <= 6
    assert "results/report/index.html" in text
    assert "a.csv" in text


def test_without_looks_nothing_is_claimed_of_them():
    assert sentences.without_looks(1_044_191, CHOICE) == (
        "1,044,191 images fall into 20 clusters by their tags, with weak structure (mean "
        "silhouette 0.37); whether those of a cluster look alike was not tested, as a table of "
        "tags has no pixels."
    )


def test_without_anything_to_compare_clusters_are_counted():
    said = sentences.without_trials(12, CHOICE | {"k": 1, "grid": {"1": {"silhouette": 0.0}}})
    assert said.startswith("12 images are one cluster")
    assert said.endswith("could not be tested.")
