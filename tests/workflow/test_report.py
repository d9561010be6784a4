"""`snakemake --report` of a finished run: figures, page and tables, each with its caption."""

import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from running import CI, CLONE

# Flat ones, those on several sites, and those asked what labels are worth.
OF_OTHER_RUNS = {"nesting.svg", "sites.json", "worth.json"}
CAPTIONS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in (CLONE / "docs/captions").glob("*.*.rst")
    if path.stem not in OF_OTHER_RUNS
}
# What would be fetched from elsewhere when the report is opened.
ELSEWHERE = re.compile(r"<(?:script|link|img)[^>]*\s(?:src|href)=[\"']?https?:")


@pytest.fixture(scope="module", params=["html", "zip"])
def report(request, finished, tmp_path_factory):
    """A report of the finished run, made where no network answers."""
    path = tmp_path_factory.mktemp("report") / f"report.{request.param}"
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--report", path, "--configfile", CI),
            *("--snakefile", CLONE / "Snakefile", "--directory", finished),
        ],
        env=os.environ | {"PYTHONPATH": str(CLONE)} | nowhere,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        cwd=CLONE,
    )
    assert done.returncode == 0, done.stdout
    return path


def page_and_files(report):
    """The page of a report, and the names of the files in it."""
    if report.suffix == ".html":
        page = report.read_text(encoding="utf-8")
        return page, {name for name in CAPTIONS if f'"name": "{name}"' in page}
    with ZipFile(report) as inside:
        paths = [Path(name) for name in inside.namelist()]
        (page,) = [name for name in inside.namelist() if name.endswith("/report.html")]
        return inside.read(page).decode(), {p.name for p in paths} - {"report.html"}


def test_every_file_that_has_a_caption_is_in_the_report(report):
    page, files = page_and_files(report)
    assert files == CAPTIONS.keys()
    for category in ("Page", "Figures", "Tables"):
        assert f'"{category}"' in page
    for caption in CAPTIONS.values():
        assert " ".join(caption.split()[:4]) in page


def test_the_report_needs_nothing_from_elsewhere(report):
    assert not ELSEWHERE.search(page_and_files(report)[0])


def test_every_result_that_is_shown_has_a_caption():
    rules = "\n".join(path.read_text(encoding="utf-8") for path in (CLONE / "rules").glob("*.smk"))
    names = {Path(path).name for path in re.findall(r'shown\("([^"{]+)"', rules)}
    captions = {*CAPTIONS, *OF_OTHER_RUNS}
    assert names == {name for name in captions if not name.endswith((".svg", ".png"))}
