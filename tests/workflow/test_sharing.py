"""Who may read what a run leaves, and what it says last."""

import stat
from pathlib import Path

from running import overlay, run

HANDED_AROUND = {"index.html", "annotations.csv"}


def modes(folder):
    """The permissions of files and folders below a folder, by path."""
    return {path: stat.S_IMODE(path.stat().st_mode) for path in Path(folder).rglob("*")}


def is_handed_around(path):
    return path.name in HANDED_AROUND or path.parent.name == "figures"


def test_results_and_logs_are_their_owners_but_for_what_is_handed_around(finished):
    found = modes(finished / "results") | modes(finished / "logs")
    for path, mode in found.items():
        if path.is_symlink() or "demo/archive" in str(path):
            continue
        expected = 0o700 if path.is_dir() else 0o600
        if path.is_dir() or not is_handed_around(path):
            assert mode == expected, path
        else:
            assert mode & 0o600 == 0o600, path
    assert {".tsv", ".log"} <= {path.suffix for path in found}


def test_a_group_may_read_what_it_shares(copy_of_finished, tmp_path):
    changed = overlay(tmp_path, privacy__share_mode="group", privacy__mask_paths=False)
    run(copy_of_finished, changed, targets=["results/rejected.csv"])
    made = [copy_of_finished / name for name in ("results/rejected.csv", "logs/rejected_csv.log")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o640}


def test_a_part_of_a_run_under_another_config_tells_no_earlier_result(copy_of_finished, tmp_path):
    changed = overlay(tmp_path, privacy__mask_paths=False)
    told = (
        (copy_of_finished / "results/report/result.txt").read_text(encoding="utf-8").splitlines()[0]
    )
    done = run(copy_of_finished, changed, targets=["results/rejected.csv"])
    assert "Page:" not in done.stdout
    assert told not in done.stdout


def test_what_went_wrong_is_told_last(copy_of_finished, tmp_path):
    strict = overlay(tmp_path, tags__reject_limit=0.0)
    done = run(copy_of_finished, strict, targets=["results/frequencies.parquet"], check=False)
    assert done.returncode != 0
    lines = done.stderr.strip().splitlines()
    told = [i for i, line in enumerate(lines) if "tags.reject_limit" in line]
    assert told[-1] >= len(lines) - 8, lines[-12:]
    assert lines[told[-1]].startswith("frequencies: tags.reject_limit: ")
