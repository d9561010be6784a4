import logging

from tagsight.run.progress import Progress


def test_progress_says_what_is_left(caplog):
    progress = Progress(total=1000, unit="files", every=0)
    progress.started -= 10
    with caplog.at_level(logging.INFO, logger="tagsight"):
        progress.add(250)
    assert caplog.messages == ["250 of 1,000 files (25%), 25 a second, 30 s left"]


def test_progress_of_nobody_knows_how_much(caplog):
    progress = Progress(total=None, unit="files found", every=0)
    progress.started -= 10
    with caplog.at_level(logging.INFO, logger="tagsight"):
        progress.add(2500)
    assert caplog.messages == ["2,500 files found, 250 a second"]
