"""What runs again: each config key, exactly its rules; touching or commenting, nothing."""

import io
import os
import re
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import yaml
from running import CI, CLONE, contents, overlay, run
from snakemake.api import SnakemakeApi
from snakemake.settings.enums import RerunTrigger
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    ResourceSettings,
    StorageSettings,
)

from tagsight.run.config import keys

SCHEMA = yaml.safe_load((CLONE / "config/config.schema.yaml").read_text(encoding="utf-8"))
TABLE = CLONE / "docs/reruns.md"
PROFILE = yaml.safe_load((CLONE / "profiles/default/config.yaml").read_text(encoding="utf-8"))

# A value other than ci.yaml's for every key.
OTHER = {
    "input": {"north": "results/demo/archive", "south": "results/demo/archive/pydicom"},
    "seed": 7,
    "demo": {"patients": 61, "images": 280},
    "tags.shards": 3,
    "tags.draw": 0.9,
    "tags.reject_limit": 0.9,
    "tags.keep_undrawable": ["no_pixels"],
    "tags.derive_text": ["ProtocolName"],
    "tags.table": str(CLONE / "tagsight/data/body_parts.csv"),
    "tags.columns": {"image": "spelling", "BodyPartExamined": "term"},
    "tags.split": [{"column": "term", "separator": ",", "into": ["Modality"]}],
    "tags.body_parts": str(CLONE / "tagsight/data/body_parts.csv"),
    "privacy.key_file": "results/demo/archive/../key",
    "privacy.keep": ["PatientSex"],
    "privacy.min_patients": 5,
    "privacy.mask_paths": False,
    "privacy.share_mode": "group",
    "labels.tree": False,
    "labels.count": 20,
    "labels.region_weight": 0.1,
    "labels.facets_weight": 0.1,
    "labels.roles": ["content", "equipment"],
    "labels.tables.kinds": str(CLONE / "tagsight/data/kinds.csv"),
    "labels.tables.regions": str(CLONE / "tagsight/data/regions.csv"),
    "labels.tables.kernels": str(CLONE / "tagsight/data/kernels.csv"),
    "labels.tables.facets": str(CLONE / "tagsight/data/facet_words.csv"),
    "labels.tables.roles": str(CLONE / "tagsight/data/roles.csv"),
    "labels.tables.words": str(CLONE / "tagsight/data/technique_words.csv"),
    "select.method": "entropy",
    "select.count": 30,
    "select.max_missing": 0.5,
    "select.max_categories": 20,
    "select.image_level": True,
    "select.per_module": 3,
    "select.drop": ["Modality"],
    "gower.distance": "root",
    "gower.presence_weight": 0.5,
    "gower.ranges": "sample",
    "gower.scale": "range",
    "gower.weights": "looks",
    "samples.tuning": 50,
    "samples.holdout": 20,
    "samples.autoencoder": 50,
    "samples.trials": 3,
    "samples.trial": 20,
    "samples.per_series": 2,
    "cluster.k": [3, 5],
    "cluster.algorithm": "pam",
    "cluster.weight": "rows",
    "cluster.on": "all",
    "cluster.candidates": 9,
    "stability.bootstraps": 5,
    "choose.rule": "silhouette",
    "choose.tolerance": 1.5,
    "images.aspect": "stretch",
    "autoencoder.preset": "paper",
    "autoencoder.epochs": 3,
    "autoencoder.batch": 20,
    "autoencoder.learning_rate": 0.01,
    "autoencoder.validation": 0.2,
    "autoencoder.device": "cpu",
    "eyes": ["autoencoder", "hog"],
    "evaluation.permutations": 20,
    "assign.input": "new",
    "jobs.minutes": 60,
    "manifest.per_label": 9,
    "manifest.train": 0.5,
    "manifest.validation": 0.5,
    "manifest.test": 0.5,
    "worth.target": "region",
    "worth.labels": str(CLONE / "tagsight/data/kinds.csv"),
    "report.gallery": 3,
    "report.burned_in": True,
    "report.worth": True,
}


def planned(directory, *configs, clone=CLONE, targets=()):
    """The rules that a run would execute, by Snakemake's own plan, in this process."""
    here = os.getcwd()
    try:
        with (
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
            SnakemakeApi(OutputSettings(quiet={"all"}, dryrun=True)) as api,
        ):
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=2),
                storage_settings=StorageSettings(),
                config_settings=ConfigSettings(configfiles=[CI, *configs]),
                snakefile=clone / "Snakefile",
                workdir=directory,
            )
            dag = workflow.dag(
                DAGSettings(
                    targets=set(targets),
                    rerun_triggers={RerunTrigger[t.upper().replace("-", "_")] for t in TRIGGERS},
                    max_checksum_file_size=PROFILE["max-checksum-file-size"],
                )
            )
            dag.execute_workflow(executor="dryrun")
            jobs = workflow._workflow.dag.needrun_jobs(exclude_finished=False)
            return {job.rule.name for job in jobs} - {"all"}
    finally:
        os.chdir(here)


TRIGGERS = PROFILE["rerun-triggers"]
BY_NAME = (
    "assign",
    "manifest",
    "worth",
)  # rules that run when they are asked for, each with its own keys
OTHERWISE = {"table", "sites", "weighted", "nesting"}  # rules of other runs than this one
ABSENT = {"labels.tree": {"content", "kinds", "facets", "nearest", "composition"}}  # of a flat run


@pytest.fixture(scope="module")
def rerun_by_key(finished, tmp_path_factory):
    """Config key -> the rules that run again when it alone changes."""
    folder = tmp_path_factory.mktemp("overlays")
    return {
        key: planned(
            finished,
            overlay(folder, **asked(key)),
            targets=[section] if (section := key.split(".")[0]) in BY_NAME else (),
        )
        for key in OTHER
    }


def asked(key):
    """The values of an overlay that changes a key; those of a ready table have no meaning alone."""
    together = [key]
    if key in ("tags.table", "tags.columns", "tags.split"):
        together = ["tags.table", "tags.columns", "tags.split"]
    values = {each.replace(".", "__"): OTHER[each] for each in together}
    no_files = {"input": None, "demo": None, "privacy__key_file": None}
    return values | (no_files if "tags.table" in together else {})


def test_a_finished_run_has_nothing_to_do(finished):
    assert planned(finished) == set()


def test_every_key_of_the_schema_is_tried():
    assert set(OTHER) == {key for key, _ in keys(SCHEMA)}


def test_every_key_reruns_something_but_modes_of_files_and_those_of_flat_runs(rerun_by_key):
    none = {"cluster.k", "choose.rule", "privacy.share_mode", "jobs.minutes"}
    assert {key for key, rules in rerun_by_key.items() if not rules} == none


def test_the_table_in_the_docs_is_the_plan(rerun_by_key):
    table = rerun_table(rerun_by_key)
    if os.environ.get("TAGSIGHT_WRITE_DOCS"):
        TABLE.write_text(table, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == table, (
        "write it anew: TAGSIGHT_WRITE_DOCS=1 python -m pytest …"
    )


def test_the_table_says_what_a_reader_of_the_rules_would(rerun_by_key):
    assert rerun_by_key["report.gallery"] == {"figures", "report"}
    assert rerun_by_key["evaluation.permutations"] == {"trials", "evaluation", "figures", "report"}
    assert "autoencoder" not in rerun_by_key["choose.rule"]
    assert "clusters" not in rerun_by_key["choose.rule"]
    assert rerun_by_key["autoencoder.epochs"].isdisjoint({"images", "clusters", "annotations"})
    assert rerun_by_key["select.count"].isdisjoint({"files", "tags", "frequencies"})
    assert {"selection", "clusters", "trials", "annotations"} <= rerun_by_key["select.count"]
    for key in ("select.count", "gower.presence_weight", "cluster.k", "choose.rule"):
        assert rerun_by_key[key].isdisjoint({"draws", "images", "autoencoder", "embeddings"})
    on_a_table = rerun_by_key["tags.table"]
    assert {"table", "frequencies", "draws", "clusters", "report"} <= on_a_table
    assert on_a_table.isdisjoint({"files", "tags", "images", "autoencoder", "trials", "evaluation"})
    everything = rerun_by_key["seed"]
    assert rerun_by_key["demo"] == everything
    assert rerun_by_key["assign.input"] == {"assign"}
    assert rerun_by_key["manifest.per_label"] == {"manifest"}
    assert rerun_by_key["worth.target"] == rerun_by_key["worth.labels"] == {"worth"}
    assert rerun_by_key["report.worth"] == {"worth", "report"}
    assert rerun_by_key["privacy.mask_paths"] == {"annotations_csv", "rejected_csv", "report"}
    assert all(rules <= everything | OTHERWISE | {*BY_NAME} for rules in rerun_by_key.values())
    assert "sites" in rerun_by_key["input"]
    assert "nesting" in rerun_by_key["labels.tree"]
    assert "weighted" in rerun_by_key["gower.weights"]
    assert "tags" in rerun_by_key["labels.tables.words"]  # descriptions are read with the headers
    assert "tags" in rerun_by_key["labels.tables.facets"]  # and so are radiopharmaceuticals


def rerun_table(rerun_by_key):
    lines = [
        "# What runs again when a config key changes",
        "",
        "Written by `tests/workflow/test_reruns.py` from Snakemake's own plan, and checked by it.",
        "Rules come in the order of the data; `distances`, `manifest`, `assign`, `worth` if asked.",
        "`table` stands in the place of `files` and `tags`; the keys of a table go together.",
        "`sites` is of an `input` that names sites, `weighted` of `gower.weights: looks`,",
        "`nesting` of a flat run (`labels.tree: false`), which has no `content`, `facets`,",
        "`kinds`, `nearest` and `composition`.",
        "",
        "| key | rules |",
        "|---|---|",
    ]
    order = [
        rule
        for path in SMK
        for rule in re.findall(r"^rule (\w+):", path.read_text(encoding="utf-8"), re.M)
    ]
    for key, rules in rerun_by_key.items():
        lines.append(f"| `{key}` | {' '.join(sorted(rules, key=order.index))} |")
    return "\n".join(lines) + "\n"


SMK = [
    CLONE / path
    for path in re.findall(r"rules/\w+\.smk", (CLONE / "Snakefile").read_text(encoding="utf-8"))
]


@pytest.fixture
def clone(tmp_path):
    """A copy of the sources, to be changed at will."""
    folder = tmp_path / "clone"
    for name in ("rules", "scripts", "tagsight", "config", "profiles", "envs"):
        shutil.copytree(CLONE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CLONE / "Snakefile", folder)
    return folder


def edit(path: Path, old: str, new: str):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_fresh_clone_and_touched_files_rerun_nothing(finished, clone):
    for path in clone.rglob("*"):
        os.utime(path)
    assert planned(finished, clone=clone) == set()


def test_comments_and_layout_rerun_nothing(finished, clone):
    for path in [*clone.glob("scripts/*.py"), *clone.glob("tagsight/**/*.py")]:
        path.write_text(path.read_text(encoding="utf-8") + "\n\n# a comment\n", encoding="utf-8")
    assert planned(finished, clone=clone) == set()


def test_a_changed_function_reruns_the_rules_that_use_it_and_what_follows(finished, clone):
    edit(
        clone / "tagsight/evaluation/paired_tests.py",
        "def evaluate(",
        "def _unused() -> None: ...\n\n\ndef evaluate(",
    )
    assert planned(finished, clone=clone) == {"evaluation", "figures", "report"}


@pytest.mark.parametrize(
    ("table", "row", "read_again"),
    [
        ("tagsight/data/missing_codes.csv", "EchoTime,-1", False),
        ("tagsight/data/body_parts.csv", "GROSSE ZEHE,TOE", True),
        ("tagsight/data/technique_words.csv", "kernel,lung,PLUCIC,CT,,,a test", True),
    ],
)
def test_a_changed_table_reruns_what_reads_it(finished, clone, table, row, read_again):
    path = clone / table
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n") + f"\n{row}\n", encoding="utf-8")
    again = planned(finished, clone=clone)
    assert {"encoding", "features", "samples"} <= again
    assert again.isdisjoint({"demo", "files"})
    assert ("tags" in again) == read_again  # regions of descriptions are read with the headers


@pytest.mark.parametrize("key", ["labels.tree", "labels.count", "gower.weights", "input"])
def test_recipes_cover_every_producer(finished, tmp_path, key):
    """What a rule takes in by file, its recipe takes in by hash; of a tree, a flat run, ..."""
    changed = overlay(tmp_path, **asked(key))
    with redirect_stderr(io.StringIO()), SnakemakeApi(OutputSettings(quiet={"all"})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[CI, changed]),
            snakefile=CLONE / "Snakefile",
            workdir=finished,
        )
        dag = workflow.dag()
        dag.execute_workflow(executor="dryrun")
        inner = workflow._workflow
        covered = inner.globals["recipe"].after
        names = {job.rule.name for job in inner.dag.jobs}
        elsewhere = {"distances", *BY_NAME} | OTHERWISE | ABSENT.get(key, set())
        assert names >= covered.keys() - elsewhere
        for job in inner.dag.jobs:
            producers = {other.rule.name for other in inner.dag.dependencies[job]}
            if job.rule.name != "all":
                assert producers <= covered[job.rule.name], job.rule.name
    os.chdir(CLONE)


@pytest.mark.long
def test_a_changed_value_then_failed_jobs_then_a_run_equals_a_clean_run(
    copy_of_finished, otherwise
):
    changed, clean = otherwise
    for fault in ("files", "clusters", "report"):  # a first, a middle and the last rule
        failed = run(copy_of_finished, changed, fault=fault, check=False)
        assert failed.returncode != 0
        assert "a fault, made by a test" in failed.stdout + failed.stderr
    run(copy_of_finished, changed)
    assert contents(copy_of_finished) == clean
