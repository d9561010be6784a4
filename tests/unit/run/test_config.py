"""The config: all mistakes at once, each a line that names key, value and what is allowed."""

import copy
from pathlib import Path

import pytest
import yaml

from tagsight.errors import ConfigError
from tagsight.run.config import NO_INPUT, checked, completed, keys, lacks_input
from tagsight.run.user_files.repeated_keys import repeated_keys

CONFIG = Path(__file__).parents[3] / "config"
SCHEMA = CONFIG / "config.schema.yaml"


def defaults():
    config = yaml.safe_load((CONFIG / "config.yaml").read_text(encoding="utf-8"))
    return config | {"input": str(CONFIG)}


def merged(base, overlay):
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        base[key] = merged(base[key], value) if both else value
    return base


def mistakes(**overlay):
    with pytest.raises(ConfigError) as error:
        checked(merged(defaults(), overlay), SCHEMA)
    return str(error.value).splitlines()


def test_the_defaults_are_allowed():
    config = defaults()
    assert checked(copy.deepcopy(config), SCHEMA) == config


@pytest.mark.parametrize("overlay", ["demo", "ci", "paper"])
def test_the_overlays_are_allowed(overlay):
    config = merged(
        defaults(), yaml.safe_load((CONFIG / f"{overlay}.yaml").read_text(encoding="utf-8"))
    )
    assert checked(config, SCHEMA)


def test_eyes_begin_with_the_autoencoder_and_have_names_of_their_own(tmp_path):
    network = {
        "name": "pca",
        "file": str(tmp_path / "net.pt2"),
        "sha256": 64 * "0",
        "size": 224,
        "mean": [0.5],
        "std": [0.5, 0.5],
    }
    told = mistakes(eyes=["hog", "pca", network])
    assert [line.split(":")[0] for line in told] == ["eyes", "eyes", "eyes.pca.file", "eyes.pca"]
    (tmp_path / "net.pt2").touch()
    mended = {**network, "name": "own", "std": [0.5]}
    config = merged(defaults(), {"eyes": ["autoencoder", mended]})
    assert checked(copy.deepcopy(config), SCHEMA) == config
    assert mistakes(eyes=["autoencoder", "hogs"])[0].startswith("eyes.1: ")


def test_on_without_quotes_is_the_key_not_the_truth():
    overlay = yaml.safe_load("cluster: {on: all}")
    assert list(overlay["cluster"]) == [True]
    assert checked(merged(defaults(), overlay), SCHEMA)["cluster"]["on"] == "all"
    assert mistakes(**yaml.safe_load("cluster: {on: everything}"))[0].startswith("cluster.on: ")


def leaves_of(section, prefix=""):
    """The dotted keys of values; those of `tags.columns` and the like are the user's own."""
    for key, value in section.items():
        if isinstance(value, dict) and value:
            yield from leaves_of(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_schema_and_defaults_name_the_same_keys():
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    config = defaults()
    leaves = {key for key, _ in keys(schema)}
    held = set(leaves_of(config))
    assert leaves == held
    assert all(part.get("description") for _, part in keys(schema)), "a key without a meaning"


def test_the_schema_requires_every_key_and_allows_no_other():
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    for part in [schema, *schema["properties"].values()]:
        if part.get("type") == "object":
            assert set(part["required"]) == set(part["properties"])
            assert part["additionalProperties"] is False


def test_all_mistakes_come_at_once():
    lines = mistakes(select={"count": 0}, cluster={"k": [1]}, choose={"rule": "best"})
    assert len(lines) == 3
    assert any(
        line.startswith("select.count: 0 is not allowed") and "≥ 1" in line for line in lines
    )
    assert any(line.startswith("cluster.k.0: 1") and "≥ 2" in line for line in lines)
    assert any('"best"' in line and "heldout, silhouette" in line for line in lines)


def test_a_misspelt_key_gets_a_suggestion():
    assert mistakes(tags={"shard": 8}) == ["tags.shard: no such key; did you mean shards?"]
    assert mistakes(sede=3) == ["sede: no such key; did you mean seed?"]


def test_a_key_in_the_wrong_place_gets_its_right_one():
    assert mistakes(shards=8) == ["shards: no such key; did you mean tags.shards?"]


def test_a_workflow_without_input_can_be_looked_at_and_not_run():
    config = merged(defaults(), {"input": None})
    assert checked(config, SCHEMA)
    assert lacks_input(config)
    assert not lacks_input(defaults())
    assert not lacks_input(merged(config, {"tags": {"table": "tags.csv"}}))
    assert NO_INPUT.startswith("input: not set")
    assert "mine.yaml" in NO_INPUT
    assert "config/demo.yaml" in NO_INPUT


def test_what_a_config_leaves_out_is_filled_in():
    """As Snakemake does, but not for a workflow that is imported with a config."""
    filled = completed({"cluster": {"k": [3]}, "select": None, "sede": 3}, CONFIG / "config.yaml")
    assert filled["cluster"] == defaults()["cluster"] | {"k": [3]}
    assert filled["select"] is None
    assert filled["sede"] == 3
    assert filled["tags"] == defaults()["tags"]


def test_an_input_that_is_not_there_is_named():
    (line,) = mistakes(input=["/nowhere/at/all"])
    assert line.startswith("input: /nowhere/at/all does not exist")


def test_sites_are_checked_path_by_path_and_table_by_table(tmp_path):
    (tmp_path / "s.csv").write_text("spelling,term\nR1,KNEEE\n", encoding="utf-8")
    here = str(CONFIG)
    fine = merged(defaults(), {"input": {"north": here, "south": {"path": [str(tmp_path)]}}})
    assert checked(fine, SCHEMA)
    (line,) = mistakes(input={"north": here, "south": {"path": ["/nowhere"]}})
    assert line.startswith("input: /nowhere does not exist")
    (line,) = mistakes(input={"north": here, "south": [here + "/"]})
    assert line == f"input: {here} is named twice; a path is of one site"
    (line,) = mistakes(
        input={"north": {"path": here, "body_parts": str(tmp_path / "s.csv")}, "x": str(tmp_path)}
    )
    assert line.startswith("input.north.body_parts: ")
    assert "KNEEE is no term" in line
    assert mistakes(input={})[0].startswith("input: {} is not allowed")
    assert mistakes(input={"a": {"paths": here}})[0].startswith("input")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("SliceThicknes,10", "SliceThicknes is no DICOM keyword; did you mean SliceThickness?"),
        ("Modality,10", "Modality is no number with a unit: its VR is CS, not DS, IS, FL, FD"),
        ("PatientAge,12", "PatientAge is no number with a unit: its VR is AS"),
        ("KVP,0", "0 is no factor for KVP; write a number above 0"),
        ("KVP,-1", "-1 is no factor for KVP"),
        ("KVP,nan", "nan is no factor for KVP"),
        ("KVP,V", "V is no factor for KVP"),
        ("KVP,", "(empty) is no factor for KVP"),
        ("KVP,1e999", "1e999 is no factor for KVP"),
        ("KVP", "line 2: 1 value, and the first line names 2"),
        ("KVP,10\nEchoTime,2\nKVP,1", "KVP is in it twice"),
    ],
)
def test_a_sites_units_are_checked_row_by_row(tmp_path, rows, said):
    table = tmp_path / "u.csv"
    table.write_text(f"keyword,factor\n{rows}\n", encoding="utf-8")
    (line,) = mistakes(input={"south": {"path": str(tmp_path), "units": str(table)}})
    assert line.startswith("input.south.units: ")
    assert said in line


def test_a_sites_units_that_can_be_read_are_no_mistake(tmp_path):
    table = tmp_path / "u.csv"
    table.write_text(
        "keyword,factor,unit\nSliceThickness,10,cm\nKVP,1e-3,V\nCTDIvol,.1,\n", encoding="utf-8"
    )
    sites = {"input": {"south": {"path": str(tmp_path), "units": str(table)}}}
    assert checked(merged(defaults(), sites), SCHEMA)
    (line,) = mistakes(input={"south": {"path": str(tmp_path), "units": "/no/u.csv"}})
    assert "/no/u.csv does not exist" in line
    table.write_text("tag,factor\nKVP,1\n", encoding="utf-8")
    (line,) = mistakes(input={"south": {"path": str(tmp_path), "units": str(table)}})
    assert "lacks keyword; the first line has to be keyword,factor" in line


def test_a_section_left_empty_is_a_mistake():
    (line,) = mistakes(select=None)
    assert line.startswith("select: null is not allowed")


def test_a_float_is_no_integer():
    assert mistakes(samples={"trials": 4.0})[0].startswith("samples.trials: 4.0 is not allowed")
    assert mistakes(tags={"draw": 1.0e6})[0].startswith("tags.draw: 1000000.0 is not allowed")


def test_an_archive_and_a_table_are_one_too_many():
    (line,) = mistakes(tags={"table": __file__, "columns": {"image": "a"}})[:1]
    assert line.startswith("input, tags.table: both are set")


def test_a_table_is_checked_with_the_rest(tmp_path):
    table = tmp_path / "table.parquet"
    table.touch()
    asked = {"table": str(table), "columns": {"image": "a", "KVP": "b"}}
    config = merged(defaults(), {"input": None, "tags": asked})
    assert checked(config, SCHEMA)
    (line,) = mistakes(input=None, tags=asked | {"columns": {"KVP": "b"}})
    assert line.startswith("tags.columns: image is not set")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, " does not exist (seen from "),
        (
            "spelling,term\nKNIE,KNE\nZEH,TOE\n",
            ": KNE is no term of DICOM PS3.16 Annex L; did",
        ),
        ("name,term\nKNIE,KNEE\n", ": the first line has to be spelling,term"),
        ("spelling,term\n", ": the first line has to be spelling,term"),
        ("", " is empty; its first line has to name the columns"),
        ("spelling,term\nKNIE, LINKS,KNEE\n", ", line 2: 3 values, and the first line names 2"),
        ('spelling,term\n"KNIE"X,KNEE\n', ", line 2: quotation marks do not match"),
        (b"spelling,term\nHO\xdcFTE,HIP\n", ", line 2: byte 0xDC is not UTF-8 (is it Latin-1?)"),
        (b"\xff\xfe\0\0", " is in UTF-32; save it as UTF-8"),
    ],
)
def test_a_table_of_body_parts_that_cannot_be_used_is_named(tmp_path, text, said):
    table = tmp_path / "mine.csv"
    if text is not None:
        table.write_bytes(text if isinstance(text, bytes) else text.encode())
    (line,) = mistakes(tags={"body_parts": str(table)})
    assert line.startswith(f"tags.body_parts: {table}{said}")


def test_a_table_of_body_parts_may_have_other_columns_and_words_to_pass_over(tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text(
        'spelling,term,why\n"KNIE, LINKS",KNEE,\nSTUDIE,,a word\nZEH,TOE,\n', encoding="utf-8"
    )
    config = merged(defaults(), {"tags": {"body_parts": str(table)}})
    assert checked(config, SCHEMA)


TERMS = "code,kind,picture,also,words\n"
REGION = "code,kind,picture,also,words,region\n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("kinds", None, " does not exist (seen from "),
        ("kinds", "code,kind\nOT,X\n", ": lacks picture, also, words; the first line has to be"),
        ("kinds", TERMS + "OT,X,perhaps,,\n", ": perhaps is not picture; known: yes, no"),
        ("kinds", TERMS + ",X,yes,,\n", ": a row lacks its code or its kind"),
        ("kinds", TERMS + "OT,X\n", ", line 2: 2 values, and the first line names 5 columns"),
        (
            "regions",
            "term,region,parts\nKNE,KNEE,\n",
            ": KNE is not a term of",
        ),
        ("regions", "term,region,parts\n", ": lacks term, region, parts"),
        ("regions", "term,region,parts\nRIB,Chest,\n", ": Chest cannot be a region; write at"),
        ("regions", "term,region,parts\nRIB,CHES,\n", ": CHES is almost CHEST; write CHEST, or"),
        ("regions", "term,region,parts\nRIB,CHSET,\n", ": CHSET is almost CHEST; write CHEST, or"),
        (
            "regions",
            "term,region,parts\nRIB,RIBS,HERAT\n",
            ": HERAT is not a region that a table has",
        ),
        ("kinds", REGION + "OT,X,yes,,,BRAEST\n", ": BRAEST is not a region that a table has"),
        ("regions", b"\xff\xfe\0\0", " is in UTF-32; save it as UTF-8"),
        ("kernels", "maker,pattern,word\nX,(,bone\n", ": ( is no regular expression"),
        (
            "kernels",
            "maker,pattern,word\nX,Q,lungs\n",
            ": lungs is not a word of",
        ),
        (
            "facets",
            "facet,word,keyword,items\nviews,LAT,ViewPosition,XL\n",
            ": views is not a facet of this table; did you mean view?",
        ),
        (
            "facets",
            "facet,word,keyword,items\nview,LAT,ImageType,XL\n",
            ": ImageType is not a tag that view is read from; known: ",
        ),
        ("facets", "facet,word,keyword,items\nview,L A T,ViewPosition,XL\n", ": L A T cannot be"),
        ("facets", "facet,word,keyword,items\nview,LAT,ViewPosition,\n", ": a row lacks its items"),
        ("roles", "name,role\nEcoTime,content\n", ": EcoTime is not a DICOM keyword or a module"),
        (
            "roles",
            "name,role\nEchoTime,contents\n",
            ": contents is not a role; did",
        ),
        ("words", "facet,word,spellings\nplane,AX,AXI\n", ": lacks kinds"),
        ("words", "facet,word,spellings,kinds\nPlane,AX,AXI,\n", ": Plane cannot be a facet"),
        ("words", "facet,word,spellings,kinds\nplane,A X,AXI,\n", ": A X cannot be a word"),
        ("words", "facet,word,spellings,kinds\nplane,AX,,\n", ": a row lacks its spellings"),
    ],
)
def test_a_table_for_labels_that_cannot_be_used_is_named(tmp_path, name, text, said):
    table = tmp_path / "mine.csv"
    if text is not None:
        table.write_bytes(text if isinstance(text, bytes) else text.encode())
    tables = defaults()["labels"]["tables"] | {name: str(table)}
    (line,) = mistakes(labels={"tables": tables})
    assert line.startswith(f"labels.tables.{name}: {table}{said}")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kinds", TERMS + "OT,PHANTOM,yes,,phantoms\n"),
        ("regions", "term,region,parts,why\nEAR,EAR,,\nVEIN,,,\n"),
        ("regions", "term,region,parts\nRIB,RIBS,\nCHEST,CHEST,HEART RIBS\nLUNG,LUNGS_2,\n"),
        ("kinds", REGION + "OT,X,yes,,,\nES,ES,yes,,,ABDOMEN\n"),
        ("kernels", "maker,pattern,word\n*,^X\\d,bone\n"),
        ("facets", "facet,word,keyword,items,kinds\nview,LAT,ViewPosition,XL|XR*,DX|CR\n"),
        ("roles", "name,role\nEchoTime,equipment\nMR Image,order\n"),
        ("words", "facet,word,spellings,kinds\nplane,AX,AXI|AXO,\n,,WITHOUT,\n"),
    ],
)
def test_a_table_for_labels_is_taken(tmp_path, name, text):
    table = tmp_path / "mine.csv"
    table.write_text(text, encoding="utf-8")
    tables = defaults()["labels"]["tables"] | {name: str(table)}
    assert checked(merged(defaults(), {"labels": {"tables": tables}}), SCHEMA)


def test_a_kind_may_have_a_region_of_ones_own(tmp_path):
    (tmp_path / "kinds").write_text(REGION + "OT,X,yes,,,CLAW\n", encoding="utf-8")
    (tmp_path / "regions").write_text("term,region,parts\nHAND,CLAW,\n", encoding="utf-8")
    own = {name: str(tmp_path / name) for name in ("kinds", "regions")}
    tables = defaults()["labels"]["tables"]
    assert checked(merged(defaults(), {"labels": {"tables": tables | own}}), SCHEMA)
    (line,) = mistakes(labels={"tables": tables | {"kinds": own["kinds"]}})
    assert "CLAW" in line


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"separator": ""}, 'tags.split.0.separator: "" is not allowed'),
        ({"into": []}, "tags.split.0.into: [] is not allowed"),
        ({"where": {"a": 3}}, "tags.split.0.where.a: 3 is not allowed"),
        ({"columns": "x"}, "tags.split.0.columns: no such key; did you mean column?"),
    ],
)
def test_a_split_is_checked_key_by_key(changed, said):
    split = {"column": "text", "separator": ",", "into": ["KVP"]} | changed
    (line,) = mistakes(tags={"split": [split]})
    assert line.startswith(said)


def test_keywords_are_looked_up_before_the_first_job():
    lines = mistakes(select={"drop": ["Modalty"]}, privacy={"keep": ["PatientName"]})
    assert lines[0] == "select.drop: Modalty is no DICOM keyword; did you mean Modality?"
    assert lines[1].startswith("privacy.keep: PatientName is a person's name")


def test_a_derived_tag_can_be_left_out_and_not_be_kept():
    config = merged(defaults(), {"select": {"drop": ["ProtocolNameRegion"]}})
    assert checked(config, SCHEMA)
    words = merged(defaults(), {"select": {"drop": ["SeriesDescriptionWords"]}})
    assert checked(words, SCHEMA)
    (line,) = mistakes(privacy={"keep": ["ProtocolNameRegion"]})
    assert line.startswith("privacy.keep: ProtocolNameRegion is no DICOM keyword")


def test_samples_have_to_be_larger_than_the_least_k():
    (line,) = mistakes(labels={"tree": False}, cluster={"k": [6000]}, samples={"trial": 7000})
    assert line.startswith("samples.tuning: 5000 images are too few for cluster.k")


def test_a_missing_input_is_told_with_the_other_mistakes():
    lines = mistakes(input=None, sede=3)
    assert len(lines) == 2
    assert any(line.startswith("input: not set") for line in lines)


def test_weights_of_the_archive_and_ranges_of_the_sample_exclude_each_other():
    (said,) = mistakes(gower={"ranges": "sample", "weights": "commensurable"})
    assert "gower.weights" in said
    assert "gower.ranges" in said


@pytest.mark.parametrize("algorithm", ["pam", "alternate", "average", "hdbscan", "famd", "dynmsc"])
def test_all_images_are_clustered_by_fasterpam_alone(algorithm):
    flat = {"tree": False}
    (said,) = mistakes(cluster={"on": "all", "algorithm": algorithm}, labels=flat)
    assert said.startswith(f"cluster.algorithm: {algorithm} clusters a sample, and cluster.on: all")
    alone = merged(defaults(), {"cluster": {"algorithm": algorithm}, "labels": flat})
    assert checked(alone, SCHEMA)["cluster"]["on"] == "sample"


@pytest.mark.parametrize("algorithm", ["hdbscan", "dynmsc"])
def test_an_algorithm_that_chooses_its_number_of_clusters_makes_no_tree(algorithm):
    (said,) = mistakes(cluster={"algorithm": algorithm})
    assert said.startswith(f"cluster.algorithm: {algorithm}")
    assert "labels.tree: false" in said


def test_weights_are_not_learned_from_the_looks_of_a_table(tmp_path):
    table = tmp_path / "tags.csv"
    table.write_text("image\n1\n", encoding="utf-8")
    asked = {"table": str(table), "columns": {"image": "image"}}
    lines = mistakes(gower={"weights": "looks"}, tags=asked, input=None)
    assert [line for line in lines if line.startswith("gower.weights: looks")]


def test_worth_is_not_learned_from_a_table(tmp_path):
    table = tmp_path / "tags.csv"
    table.write_text("image\n1\n", encoding="utf-8")
    asked = {"table": str(table), "columns": {"image": "image"}}
    lines = mistakes(report={"worth": True}, tags=asked, input=None)
    assert [line for line in lines if line.startswith("report.worth:")]
    assert not [line for line in mistakes(tags=asked, input=None) if "worth" in line]


def test_shares_of_a_distance_are_not_more_than_all_of_it():
    (line,) = mistakes(labels={"region_weight": 0.6, "facets_weight": 0.5})
    assert line.startswith("labels.facets_weight: 0.5 and labels.region_weight: 0.6")
    whole = {"labels": {"region_weight": 0.5, "facets_weight": 0.5}}
    assert checked(merged(defaults(), whole), SCHEMA)


def test_a_key_file_that_is_not_there_is_named():
    assert mistakes(privacy={"key_file": "/nowhere/key"})[0].startswith("privacy.key_file:")


def test_inner_keys_of_the_demo_are_named():
    (line,) = mistakes(demo={"patients": 5, "images": 500})
    assert line.startswith("demo.patients: 5 is not allowed")


@pytest.mark.parametrize(
    "keyword",
    ["SOPInstanceUID", "StudyInstanceUID", "PatientName", "PixelData", "IconImageSequence"],
)
def test_what_cannot_be_kept_is_not_asked_for_in_silence(keyword):
    (line,) = mistakes(privacy={"keep": ["StudyDate", keyword]})
    assert line.startswith(f"privacy.keep: {keyword} ")


def test_each_key_that_is_missing_is_told_once():
    config = defaults()
    del config["seed"], config["cluster"]["k"], config["cluster"]["algorithm"]
    with pytest.raises(ConfigError) as error:
        checked(config, SCHEMA)
    assert sorted(str(error.value).splitlines()) == [
        "cluster.algorithm: not set",
        "cluster.k: not set",
        "seed: not set",
    ]


def test_a_key_that_a_file_has_twice_is_told_with_both_lines(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "tags:\n  draw: 5\nseed: 1\ntags:\n  shards: 2\n  shards: 3\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError) as error:
        checked(defaults(), SCHEMA, [path])
    one, other = str(error.value).splitlines()
    assert one.startswith(f"{path}, line 4: tags is given a second time, after line 1")
    assert other.startswith(f"{path}, line 6: tags.shards is given a second time, after line 5")
    assert checked(defaults(), SCHEMA, [CONFIG / "demo.yaml", CONFIG / "idc.yaml"])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_all_columns_that_a_table_lacks_are_told_before_any_job(tmp_path, separator):
    table = tmp_path / "tags.csv"
    table.write_text(separator.join(["image", "kv", "thick", "thick"]) + "\n", encoding="utf-8")
    columns = {"image": "images", "KVP": "kvs", "Modality": "mod", "SliceThickness": "thick"}
    split = [{"column": "texts", "separator": ",", "into": ["EchoTime"], "where": {"kv": "1"}}]
    asked = {"table": str(table), "columns": columns, "split": split}
    lines = [line for line in mistakes(input=None, tags=asked) if "tags." in line]
    assert [line.partition(str(table))[2] for line in lines] == [
        " has no column images; did you mean image?",
        " has no column kvs; did you mean kv?",
        " has no column mod; it has image, kv, thick, thick",
        " has 2 columns thick; rename all but one",
        " has no column texts; it has image, kv, thick, thick",
    ]


def test_braces_in_the_path_of_a_table_are_told(tmp_path):
    table = tmp_path / "a{b}.csv"
    table.write_text("id,kv\n1,80\n", encoding="utf-8")
    asked = {"table": str(table), "columns": {"image": "id", "KVP": "kv"}}
    (line,) = mistakes(input=None, tags=asked, worth={"labels": None})
    assert (
        line
        == f"tags.table: {table} has braces, which Snakemake takes for wildcards; rename or link it"
    )
    (line,) = mistakes(worth={"labels": "x{y}.csv"})
    assert line.startswith("worth.labels: x{y}.csv has braces")


def test_what_a_terminal_obeys_is_shown_in_escapes():
    lines = mistakes(tags={"\x1b[31mx": 1})
    assert "\x1b" not in "".join(lines)
    assert lines[0].startswith("tags.\\x1b[31mx: no such key")


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_numbers_are_finite(number):
    overlay = {
        "labels": {"region_weight": float(number)},
        "choose": {"tolerance": float(number)},
        "autoencoder": {"learning_rate": float(number)},
        "tags": {"reject_limit": float(number)},
        "manifest": {"train": float(number)},
    }
    lines = mistakes(**overlay)
    told = sorted(f"{section}.{key}" for section, keys in overlay.items() for key in keys)
    assert [line.split(":")[0] for line in lines] == told


def test_a_number_that_yaml_reads_as_text_is_told_as_it_has_to_be_written():
    learning_rate = yaml.safe_load("1e-3")
    (line,) = mistakes(autoencoder={"learning_rate": learning_rate})
    assert line.endswith("; YAML reads this as text: write 0.001")
    (line,) = mistakes(labels={"region_weight": "heavy"})
    assert "write" not in line


def test_a_section_that_holds_itself_is_told_by_its_key(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("a: &x {b: *x}\ntags: &y\n  columns: [*y]\n", encoding="utf-8")
    assert list(repeated_keys(path)) == []
    config = defaults() | yaml.safe_load(path.read_text(encoding="utf-8"))
    with pytest.raises(ConfigError, match=r"^tags\.columns\.0: holds itself"):
        checked(config, SCHEMA, [path])
