"""What a job used is in its log, and of a run in one table."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np

from tagsight.run.cluster.usage import MARK, Stopwatch, usage_table

SIZE = 200  # MB


def job(tmp_path, **more):
    given = tmp_path / "given"
    given.write_bytes(bytes(3_000_000))
    return SimpleNamespace(
        rule="clusters",
        wildcards=["tuning"],
        input=[str(given)],
        threads=2,
        resources={"mem_mb": 6300, "runtime": 30, "_cores": 2},
        **more,
    )


def used(line):
    assert line.startswith(MARK)
    return json.loads(line.removeprefix(MARK))


def test_the_line_says_what_was_granted_and_read(tmp_path):
    row = used(Stopwatch().usage(job(tmp_path)))
    assert (row["rule"], row["job"], row["input_mb"]) == ("clusters", "tuning", 3.0)
    assert (row["threads"], row["asked_mb"], row["asked_minutes"]) == (2, 6300, 30)


def test_memory_that_was_given_back_counts(tmp_path):
    before = used(Stopwatch().usage(job(tmp_path)))["peak_mb"]
    held = np.ones(before * 10**6 // 8 + SIZE * 10**6 // 8)  # more than ever before
    del held
    after = used(Stopwatch().usage(job(tmp_path)))["peak_mb"]
    assert after - before >= SIZE * 0.9


def test_a_worker_process_counts_beside_the_job(tmp_path):
    watch = Stopwatch()
    before = used(watch.usage(job(tmp_path)))["peak_mb"]
    code = f"b = bytearray({10 * SIZE} * 10**6); sum(b[::4096]); x = sum(range(10**7))"
    subprocess.run([sys.executable, "-c", code], check=True)
    row = used(watch.usage(job(tmp_path)))
    assert row["peak_mb"] - before >= SIZE
    assert row["cpu_minutes"] > 0


def test_the_table_has_a_row_for_each_job_that_is_done(tmp_path):
    logs = tmp_path / "logs"
    (logs / "clusters").mkdir(parents=True)
    line = Stopwatch().usage(job(tmp_path))
    stamp = "2026-01-01 10:00:00,000 INFO"
    (logs / "clusters/tuning.log").write_text(
        f"{stamp} 3 kinds\n{stamp} {line}\n", encoding="utf-8"
    )
    (logs / "clusters/holdout.log").write_text(f"{stamp} 3 kinds\n", encoding="utf-8")  # at work
    (logs / "files.log").write_text("", encoding="utf-8")
    table = usage_table(logs)
    assert table["rule"].to_list() == ["clusters"]
    assert table.row(0, named=True) == used(line)
