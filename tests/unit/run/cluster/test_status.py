"""Where a run is, told from logs, the plan and squeue."""

import json
import os

import pytest

from tagsight.run.cluster import status
from tagsight.run.cluster.usage import MARK

STAMP, LATER = "2026-01-01 10:00:00,000", "2026-01-01 10:06:00,000"
NOW = 10**9


@pytest.fixture
def run(tmp_path):
    """A run of four shards: two are read, one is at work, one has failed."""
    logs = tmp_path / "logs"
    (logs / "tags").mkdir(parents=True)
    plan = {"files": 1, "report": 1, "tags": 4}
    (logs / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (logs / "files.log").write_text(
        f"{STAMP} INFO 9 files\n{STAMP} INFO {MARK}{{}}\n", encoding="utf-8"
    )
    for shard in "01":
        done = f"{STAMP} INFO 40 images\n{LATER} INFO {MARK}{{}}\n"
        (logs / f"tags/{shard}.log").write_text(done, encoding="utf-8")
    (logs / "tags/2.log").write_text(
        f"{STAMP} INFO 3 of 40 files (8%), 1 a second, 37 s left\n", encoding="utf-8"
    )
    (logs / "tags/3.log").write_text(
        f"{STAMP} ERROR disk full: results/tags/3.parquet\n", encoding="utf-8"
    )
    os.utime(logs / "tags/2.log", (NOW, NOW))
    return tmp_path


def lock(run):
    (run / ".snakemake/locks").mkdir(parents=True)
    (run / ".snakemake/locks/0.input.lock").touch()


def report(run, waiting=None, now=NOW):
    return list(status.report(run, waiting or {}, now))


def test_each_stage_is_told_in_the_order_of_the_data(run):
    lock(run)
    lines = [line.split() for line in report(run)]
    assert lines[1] == ["files", "1", "of", "1"]
    assert lines[2][:6] == ["tags", "2", "of", "4", "1", "1"]
    assert lines[3] == ["report", "0", "of", "1"]


def test_a_job_at_work_says_how_far_it_is(run):
    lock(run)
    assert "3 of 40 files (8%), 1 a second, 37 s left" in report(run)[2]


def test_of_several_at_work_the_time_left_is_that_of_those_done(run):
    lock(run)
    (run / "logs/tags/3.log").write_text(f"{STAMP} INFO 1 of 40 files\n", encoding="utf-8")
    assert "some 6 min left" in report(run)[2]  # two at work, two done in 6 minutes each


def test_a_failed_job_names_its_log(run):
    lines = report(run)
    assert "failed: tags/3: disk full: results/tags/3.parquet" in lines
    assert str(run / "logs/tags/3.log") in "\n".join(lines)


def test_without_a_lock_what_was_at_work_was_stopped(run):
    assert any(line.startswith("stopped: tags/2;") for line in report(run))
    lock(run)
    assert not any(line.startswith("stopped") for line in report(run))


def test_a_job_that_says_nothing_for_long_is_told_so(run):
    lock(run)
    assert "(30 min ago)" in report(run, now=NOW + 1800)[2]


def test_why_jobs_wait_is_told(run):
    waiting = {"PartitionTimeLimit": ["tags_wildcards_1", "tags_wildcards_1"]}
    assert report(run, waiting)[-1] == "waiting in Slurm (PartitionTimeLimit): 2, tags_wildcards_1"


def test_a_folder_without_a_run_is_told_so(tmp_path):
    assert "no run has begun here" in report(tmp_path)[0]


def test_slurm_is_asked_where_it_is_there(tmp_path, monkeypatch):
    (tmp_path / "squeue").write_text(
        "#!/bin/sh\necho 'Resources|rule_tags_wildcards_1'\n", encoding="utf-8"
    )
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert status.queue() == {"Resources": ["tags_wildcards_1"]}
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert status.queue() == {}
