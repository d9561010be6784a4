"""What sinfo says of a partition's limit, by the formats of Slurm's manual (sinfo(1), %l)."""

import os
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.run.cluster.partitions import limit_in, minutes_of, most_minutes

ANSWER = "short|30:00\nmain*|1:00:00\nlong|7-00:00:00\nfree|infinite\nodd|n/a\n"


@pytest.mark.parametrize(
    ("partition", "limit"),
    [
        (None, ("main", 60)),
        ("main", ("main", 60)),
        ("long", ("long", 7 * 24 * 60)),
        ("short,main", ("main", 60)),
        ("short,free", None),
        ("free", None),
        ("odd", None),
        ("missing", None),
    ],
)
def test_the_limit_is_that_of_the_partition_that_jobs_may_be_in(partition, limit):
    assert limit_in(ANSWER, partition) == limit


def test_without_a_default_partition_nothing_is_known():
    assert limit_in("long|7-00:00:00\n", None) is None


@given(st.integers(1, 60 * 24 * 60))
def test_minutes_are_those_that_slurm_writes(minutes):
    left = timedelta(minutes=minutes)
    hours, rest = divmod(left.seconds // 60, 60)
    clock = f"{hours:02d}:{rest:02d}:00" if hours or left.days else f"{rest}:00"
    assert minutes_of(f"{left.days}-{clock}" if left.days else clock) == minutes


@pytest.mark.parametrize(
    ("said", "limit"), [("echo 'main*|2:00:00'", ("main", 120)), ("exit 1", None)]
)
def test_sinfo_is_asked_where_it_is_there(tmp_path, monkeypatch, said, limit):
    (tmp_path / "sinfo").write_text(f"#!/bin/sh\n{said}\n", encoding="utf-8")
    (tmp_path / "sinfo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert most_minutes(None) == limit


def test_without_slurm_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert most_minutes(None) is None
