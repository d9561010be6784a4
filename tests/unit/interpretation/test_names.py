import itertools
import random
from collections import Counter, defaultdict

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.content.tables import content_tables
from tagsight.interpretation.annotations import annotations
from tagsight.interpretation.names import HOLDS, JOINT, LONGEST, names
from tagsight.interpretation.tree_cards import label_cards
from tagsight.run.package_data import rows_of
from tagsight.terms.name_words import Words, bands, number_columns, order_of

COMPOSITION = {
    "cluster": pl.Int32,
    "kind": pl.String,
    "column": pl.String,
    "word": pl.String,
    "images": pl.Int64,
    "patients": pl.Int64,
}
LEAVES = {"cluster": pl.Int32, "kind": pl.String, "found": pl.Boolean}
KINDS = {
    "SEG": "segmentations",
    "RTSTRUCT": "RT structures",
    "SM": "slides",
    "SC": "screen captures",
}


def archive(leaves):
    """Composition and leaves from (kind, size, {column: {word: images}}, found)."""
    rows, table = [], []
    for cluster, (kind, size, columns, *found) in enumerate(leaves, start=1):
        table.append((cluster, kind, found[0] if found else None))
        for column, counts in ({"modality": {kind: size}} | columns).items():
            counts = dict(counts) if isinstance(counts, dict) else {counts: size}
            counts[None] = counts.get(None, 0) + size - sum(counts.values())
            rows += [(cluster, kind, column, w, n, n) for w, n in counts.items() if n]
    return (
        pl.DataFrame(rows, COMPOSITION, orient="row"),
        pl.DataFrame(table, LEAVES, orient="row"),
    )


def named(*leaves):
    """The name of each leaf."""
    return names(*archive(leaves), Words(KINDS))["name"].to_list()


def ct(size=10, found=None, **columns):
    return "CT", size, columns, found


def mr(size=10, found=None, **columns):
    return "MR", size, columns, found


def one(kind, size=10, **columns):
    return kind, size, columns, None


# What a radiologist would call the leaves of an archive, beside each other.
SANITY = [
    (
        ct(90, region="CHEST", kernel="lung", thickness="thin", plane="AX"),
        "CT · chest · lung · thin",
    ),
    (
        ct(80, region="CHEST", kernel="lung", thickness="thick", plane="AX"),
        "CT · chest · lung · thick",
    ),
    (
        ct(70, region="CHEST", kernel="soft", contrast="C+", plane="AX"),
        "CT · chest · soft tissue · contrast",
    ),
    (
        ct(60, region="CHEST", kernel="soft", contrast="C-", plane="AX"),
        "CT · chest · soft tissue · plain",
    ),
    (ct(8, region="CHEST", localizer="LOC"), "CT · chest · scout"),
    (ct(50, region="HEAD", kernel="soft", plane="AX"), "CT · head · soft tissue"),
    (ct(40, region="HEAD", kernel="bone", plane="AX"), "CT · head · bone"),
    (ct(30, region="LSPINE", kernel="bone", plane="AX"), "CT · lumbar spine"),
    (ct(20, region="LSPINE", kernel="bone", plane="SAG"), "CT · lumbar spine · sagittal"),
    (
        mr(90, region="KNEE", weighting="PD", suppression="FS", plane="SAG"),
        "MR · knee · PD · FS · sagittal",
    ),
    (
        mr(80, region="KNEE", weighting="PD", suppression="FS", plane="COR"),
        "MR · knee · PD · FS · coronal",
    ),
    (mr(70, region="KNEE", weighting="T1", plane="COR"), "MR · knee · T1"),
    (mr(60, region="HEAD", weighting="FLAIR", plane="AX"), "MR · head · FLAIR"),
    (
        mr(50, region="HEAD", weighting="T1", contrast="C+", plane="AX"),
        "MR · head · T1 · contrast",
    ),
    (mr(40, region="HEAD", weighting="T1", contrast="C-", plane="AX"), "MR · head · T1 · plain"),
    (mr(30, region="HEAD", weighting="DWI", plane="AX"), "MR · head · DWI"),
    (mr(20, region="HEAD", weighting="ADC", plane="AX"), "MR · head · ADC"),
    (mr(10, region="HEART", weighting="SSFP", plane="OBL"), "MR · heart · SSFP"),
    (mr(5, localizer="LOC"), "MR · localizer"),
    (one("DX", 50, region="CHEST", view="PA"), "DX · chest · PA"),
    (one("DX", 40, region="CHEST", view="LAT"), "DX · chest · lateral"),
    (one("DX", 30, region="KNEE", view="AP", side={"L": 15, "R": 15}), "DX · knee · AP"),
    (one("CR", 20, region="CHEST", view="AP"), "CR · chest · AP"),
    (one("MG", 20, region="BREAST", view="MLO", side="R"), "MG · breast · MLO · right"),
    (one("MG", 19, region="BREAST", view="MLO", side="L"), "MG · breast · MLO · left"),
    (one("MG", 18, region="BREAST", view="CC", side={"L": 9, "R": 9}), "MG · breast · CC"),
    (
        one("US", 20, region="HEART", transducer="sector", mode="COLOR"),
        "US · heart · colour Doppler",
    ),
    (one("US", 19, region="HEART", transducer="sector", mode="B"), "US · heart"),
    (one("US", 18, region="THYROID", transducer="linear"), "US · thyroid"),
    (
        one("PT", 9, region="WHOLEBODY", tracer="FDG", correction="AC"),
        "PT · whole body · FDG · AC",
    ),
    (
        one("PT", 8, region="WHOLEBODY", tracer="FDG", correction="NAC"),
        "PT · whole body · FDG · NAC",
    ),
    (
        one("NM", 7, region="WHOLEBODY", tracer="BONE", acquisition="WB"),
        "NM · whole body · bone scan · planar",
    ),
    (one("XA", 6, region="HEART"), "XA · heart"),
    (one("XA", 5, region="HEAD", reformat="SUB"), "XA · head · DSA"),
    (one("SR", 4), "SR"),
    (one("SEG", 3), "segmentations"),
    (one("RTSTRUCT", 2), "RT structures"),
    (one("SM", 2), "slides"),
]


def test_names_are_what_a_radiologist_says():
    said = named(*(leaf for leaf, _ in SANITY))
    assert said == [name for _, name in SANITY]


def test_a_word_needs_nine_tenths_of_all_images_and_silence_counts_against_it():
    assert named(ct(100, region={"CHEST": 90})) == ["CT · chest"]
    assert named(ct(100, region={"CHEST": 89})) == ["CT"]
    assert named(ct(100, region={"CHEST": 80, "HEAD": 9})) == ["CT"]


def test_two_words_may_hold_together_of_what_is_spoken_so():
    mixed = {"region": {"PELVIS": 60, "ABDOMEN": 35}, "kernel": {"soft": 50, "lung": 50}}
    assert named(ct(100, **mixed)) == ["CT · pelvis / abdomen"]
    assert named(one("DX", 100, view={"AP": 30, "PA": 70}, side={"L": 50, "R": 50})) == [
        "DX · PA / AP"
    ]
    three = {"ABDOMEN": 40, "PELVIS": 40, "CHEST": 20}
    assert named(ct(100, region=three)) == ["CT"]


def test_a_kind_of_several_modalities_says_so():
    mixed = {"modality": {"US": 63, "NM": 20, "XA": 17}}
    assert named((None, 100, mixed)) == ["US 63 % / NM / XA"]
    assert named(("DX", 100, {"modality": {"CR": 60, "DX": 40}})) == ["CR 60 % / DX"]
    assert named(("SC", 100, {"modality": {"CT": 60, "MR": 40}})) == ["screen captures"]
    assert named(("CT", 100, {"modality": {"CT": 80}})) == ["CT 80 % / unstated"]


def test_two_kinds_with_one_mix_have_two_names():
    mix = {"modality": {"CR": 60, "DX": 40}}
    assert named(("DX", 100, mix), ("CR", 100, mix)) == ["CR 60 % / DX (DX)", "CR 60 % / DX (CR)"]


def test_leaves_that_no_word_tells_apart_are_one_label():
    table = names(
        *archive([mr(10, weighting="T1", region="KNEE"), mr(30, weighting="T1", region="KNEE")]),
        Words(),
    )
    assert table["label"].to_list() == [1, 1]
    assert table["size"].to_list() == [40, 40]
    assert table["name"].to_list() == ["MR · knee · T1"] * 2
    assert table["parent"].to_list() == ["MR · knee"] * 2


def test_numbers_tell_apart_what_no_word_does():
    thin, thick = ({"SliceThickness": word} for word in ("1–2 mm", "4–5 mm"))
    knee = {"weighting": "T1", "region": "KNEE"}
    assert named(mr(20, **knee, **thin), mr(10, **knee, **thick)) == [
        "MR · knee · T1 · 1–2 mm",
        "MR · knee · T1 · 4–5 mm",
    ]
    told = {"weighting": "T2", "region": "KNEE"}
    assert named(mr(20, **knee, **thin), mr(10, **told, **thick)) == [
        "MR · knee · T1",
        "MR · knee · T2",
    ]


def test_pixel_spacing_is_never_in_a_name():
    a, b = (ct(10, region="CHEST", PixelSpacing=word) for word in ("0.7 mm", "0.9 mm"))
    assert named(a, b) == ["CT · chest"] * 2


def test_a_leaf_that_is_not_found_again_goes_to_the_label_of_its_words_or_to_its_parent():
    knee = {"region": "KNEE", "plane": "SAG"}
    leaves = [
        mr(50, True, weighting="T1", **knee),
        mr(40, True, weighting="T2", **knee),
        mr(9, False, weighting="T2", **knee),
        mr(8, False, weighting="PD", **knee),
        mr(7, False, weighting="STIR", **knee),
        mr(6, False, weighting="T1", region="HEAD"),
        mr(5, False, weighting="T1"),
    ]
    assert named(*leaves) == [
        "MR · knee · T1",
        "MR · knee · T2",
        "MR · knee · T2",
        "MR · knee",
        "MR · knee",
        "MR · head",
        "MR",
    ]


def test_a_lone_label_has_the_words_that_its_lost_sibling_lacks():
    found, lost = ct(20, True, region="HEAD", kernel="bone"), ct(10, False, region="HEAD")
    assert named(found) == ["CT · head"]
    assert named(found, lost) == ["CT · head · bone", "CT · head"]


def test_a_lost_sibling_is_told_apart_by_what_it_is_not():
    chest = {"region": "CHEST", "kernel": "soft"}
    found, lost = ct(20, True, thickness="thick", **chest), ct(10, False, thickness="thin", **chest)
    assert named(found, lost) == ["CT · chest · thick", "CT · chest"]


def test_labels_are_numbered_by_kind_and_size():
    table = names(
        *archive([one("DX", 30, view="PA"), mr(10, weighting="T1"), mr(25, weighting="T2")]),
        Words(),
    )
    assert table["label"].to_list() == [3, 2, 1]


def test_counts_that_do_not_agree_are_refused():
    composition, leaves = archive([ct(10, region={"CHEST": 10})])
    composition = composition.filter(pl.col("column") != "region").vstack(
        composition.filter(column="region").with_columns(images=pl.lit(7, pl.Int64))
    )
    with pytest.raises(ValueError, match="leaf 1"):
        names(composition, leaves, Words())


def test_a_leaf_that_no_image_is_nearest_to_has_a_name_too():
    composition, leaves = archive([ct(region={"HEAD": 10})])
    empty = pl.DataFrame({"cluster": [2], "kind": ["CT"], "found": [None]}, leaves.schema)
    result = names(composition, pl.concat([leaves, empty]), Words())
    assert result["name"].to_list() == ["CT · head", "CT"]
    assert result["size"].to_list() == [10, 0]


def test_the_order_of_two_words_tells_no_labels_apart():
    flair, dwi = ({"FLAIR": a, "DWI": 10 - a} for a in (7, 3))
    assert named(mr(10, weighting=flair), mr(10, weighting=dwi)) == ["MR · DWI / FLAIR"] * 2
    assert (
        named(mr(20, weighting={"FLAIR": 14, "DWI": 6}), mr(10, weighting=dwi))
        == ["MR · FLAIR / DWI"] * 2
    )
    hips = [
        ct(10, region={"HIP": a, "PELVIS": 10 - a}, kernel=k) for a, k in ((7, "bone"), (4, "soft"))
    ]
    assert named(*hips) == ["CT · hip / pelvis · bone", "CT · hip / pelvis · soft tissue"]


def test_two_words_in_a_second_column_are_left_out_unless_they_tell_apart():
    film = {"region": {"KNEE": 60, "ABDOMEN": 40}, "view": {"AP": 60, "LAT": 40}}
    assert named(one("DX", 100, **film)) == ["DX · knee / abdomen"]
    others = one("DX", 50, region={"KNEE": 30, "ABDOMEN": 20}, view={"AP": 30, "PA": 20})
    assert sorted(named(one("DX", 100, **film), others)) == [
        "DX · knee / abdomen",
        "DX · knee / abdomen · AP / PA",
    ]


def test_a_range_is_in_a_name_only_where_its_siblings_can_say_theirs():
    chest = {"region": "CHEST"}
    large = ct(100, KVP={"120–130 kV": 94, "140 kV and more": 6}, **chest)
    mixed = ct(90, KVP={"120–130 kV": 41, "70–90 kV": 24}, **chest)
    silent = ct(80, KVP={"120–130 kV": 4}, **chest)
    nearly = ct(70, KVP={"120–130 kV": 60}, **chest)
    assert named(large, mixed) == ["CT · chest · 120–130 kV", "CT · chest · mixed kV"]
    assert named(large, silent) == ["CT · chest · 120–130 kV", "CT · chest · kV unstated"]
    assert named(large, nearly) == ["CT · chest"] * 2
    assert named(mixed, silent) == ["CT · chest"] * 2


LONG = {"localizer": "CAL", "weighting": "MRS", "suppression": "SS", "acquisition": "3D"}


def test_a_name_too_long_lacks_first_what_tells_it_from_none():
    spine = {"region": "LSPINE", **LONG}
    first, second = (mr(n, plane=p, contrast="C+", **spine) for n, p in ((20, "SAG"), (10, "COR")))
    assert named(first, second) == [
        "MR · lumbar spine · calibration · sagittal",
        "MR · lumbar spine · calibration · coronal",
    ]


def test_leaves_that_words_tell_apart_are_labels_of_their_own_however_long_their_names_are():
    spine = {"region": "LSPINE", **LONG}
    varied = [
        mr(10 + i, plane=plane, contrast=agent, breath=breath, position=position, **spine)
        for i, (plane, agent, breath, position) in enumerate(
            itertools.product(("SAG", "COR"), ("C+", "C-"), ("EXP", "INSP"), ("PRONE", "ERECT"))
        )
    ]
    assert len(set(named(*varied))) == len(varied)


REGIONS = "term,region,parts\nKNEE,NEWREGION,\nHEAD,NEW_REGION2,\n"
NEW_WORDS = (
    "facet,word,spellings,kinds\nweighting,T1RHO,T1RHO|RHO,MR\nspecies,cat,CAT,\nspecies,dog,DOG,\n"
)


def test_regions_words_and_facets_of_a_users_tables_are_in_names(tmp_path):
    for name, text in (("regions", REGIONS), ("words", NEW_WORDS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    tables = content_tables({name: str(tmp_path / name) for name in ("regions", "words")})
    words = Words(tables.kinds.all_words(), [facet.name for facet in tables.facets])
    regions = [tables.regions.region([term]) for term in ("KNEE", "HEAD")]
    leaves = [
        mr(50, region=regions[0], weighting="T1RHO", suppression="FS"),
        mr(40, region=regions[0], weighting="T1RHO", species="cat"),
        mr(30, region=regions[0], weighting="T1RHO", species="dog", MagneticFieldStrength="3 T"),
        ct(20, region=regions[0]),
        ct(10, region=regions[1]),
    ]
    composition, of = archive(leaves)
    said = names(composition, of, words)
    again = {"leaves": [{"cluster": 1, "found": True}, {"cluster": 2, "found": False}]}
    cards = label_cards(
        said, composition, of.with_columns(image=pl.lit("i"), images=1), again, {}, 3
    )
    images = [f"image {cluster}" for cluster in of["cluster"]]
    nearest = pl.DataFrame(
        {"image": images, "cluster": of["cluster"], "kind": of["kind"], "second": of["cluster"]}
    )
    empty = ("path", "series", "study", "patient", "region", "modality", "body_part")
    table = annotations(
        nearest.with_columns(
            distance=0.1, margin=0.1, because=None, pvalue=1.0, fits=True, trust=1.0
        ),
        pl.DataFrame({"image": images, "kind": of["kind"]}).with_columns(region=None),
        pl.DataFrame({"image": images}).with_columns(**dict.fromkeys(empty[:4])),
        pl.DataFrame({"image": images}).with_columns(**dict.fromkeys(empty[5:])),
        cards,
    )
    assert table["name"].to_list() == [
        "MR · newregion · T1RHO · FS",
        "MR · newregion · T1RHO · cat",
        "MR · newregion · T1RHO · dog",
        "CT · newregion",
        "CT · new region2",
    ]
    assert [card["region"] for card in cards] == ["newregion"] * 4 + ["new region2"]
    assert table["found"].to_list() == [True, False, None, None, None]


def test_what_is_not_to_be_said_is_not_said():
    assert Words().shown("CT", "kernel", "medium") is None
    assert Words().shown("PT", "plane", "AX") is None


def test_words_of_few_patients_are_on_no_card():
    composition, leaves = archive([mr(10, plane={"SAG": 7, "COR": 2}), mr(9, plane={"COR": 2})])
    said = names(composition, leaves, Words())
    tables = composition, leaves.with_columns(image=pl.lit("i"), images=1), {"leaves": []}, {}
    shown = {n: label_cards(said, *tables, n)[0]["words"]["plane"] for n in (1, 3)}
    assert [word for word, _ in shown[1]] == ["SAG", "COR"]
    assert [word for word, _ in shown[3]] == ["SAG"]


WORDS = {
    "CT": {
        "region": ["CHEST", "HEAD", "ABDOMEN"],
        "kernel": ["lung", "bone", "soft"],
        "contrast": ["C+", "C-"],
        "plane": ["AX", "COR"],
        "thickness": ["thin", "medium", "thick"],
        "localizer": ["LOC"],
        "SliceThickness": ["1–2 mm", "4–5 mm"],
        "PixelSpacing": ["0.5", "0.7"],
    },
    "MR": {
        "region": ["KNEE", "HEAD"],
        "weighting": ["T1", "T2", "PD", "ADC"],
        "suppression": ["FS"],
        "plane": ["AX", "SAG", "COR", "OBL"],
        "contrast": ["C+", "C-"],
        "MagneticFieldStrength": ["1.5 T", "3 T"],
    },
    "DX": {"region": ["CHEST", "HAND"], "view": ["PA", "AP", "LAT"], "side": ["L", "R"]},
    "SEG": {},
}


@st.composite
def leaves_of_an_archive(draw):
    leaves = []
    for _ in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(list(WORDS)))
        size = draw(st.integers(1, 60))
        columns = {"modality": {kind: draw(st.sampled_from([size, size, size // 2]))}}
        for column, words in WORDS[kind].items():
            main = draw(st.sampled_from([size, size, (9 * size + 9) // 10, size // 2, 0]))
            columns[column] = Counter({draw(st.sampled_from(words)): main})
            columns[column][draw(st.sampled_from(words))] += (size - main) // 2
        leaves.append((kind, size, columns, draw(st.sampled_from([True, True, None, False]))))
    return leaves


def claimed(name, kind):
    """Pieces of a name, each with column -> words that it may stand for, from the tables alone."""
    for piece in name.split(" (")[0].split(JOINT)[1:]:
        meanings = defaultdict(set)
        for row in rows_of("name_words.csv"):
            if kind in (row["kinds"] or kind).split() and row["shown"] in piece.split(" / "):
                meanings[row["column"]].add(row["word"].upper())
        yield piece, meanings or {column: {piece.upper()} for column in number_columns()}


@settings(max_examples=150)
@given(leaves_of_an_archive(), st.integers(0, 10**6))
def test_names_are_unique_true_short_and_keep_all_images(leaves, seed):
    composition, table = archive(leaves)
    said = names(composition, table, Words(KINDS))
    labels = said.unique("label")
    assert labels["name"].n_unique() == len(labels)
    assert sorted(labels["label"]) == list(range(1, len(labels) + 1))
    assert labels["size"].sum() == sum(size for _, size, *_ in leaves)
    assert max(map(len, said["name"])) <= LONGEST + 5
    rows = composition.join(said, on="cluster")
    for name, size, label, kind in (
        rows.select("name", "size", "label", "kind").unique().iter_rows()
    ):
        inside = rows.filter(label=label)
        assert inside["kind"].n_unique() == 1
        for piece, meanings in claimed(name, kind):
            word = pl.col("word").str.to_uppercase()
            shares = [
                inside.filter(pl.col("column") == column, word.is_in(spelt))["images"].sum() / size
                for column, spelt in meanings.items()
            ]
            numbers = meanings.keys() & number_columns()
            if piece.startswith("mixed "):
                assert sum(shares) == 0
            elif piece.endswith(" unstated") and numbers:
                stated = inside.filter(
                    pl.col("column").is_in(list(numbers)), pl.col("word").is_not_null()
                )
                assert stated["images"].sum() <= (1 - HOLDS) * size + 1e-9
            else:
                assert max(shares) >= HOLDS, (name, piece)

    order = list(range(len(leaves)))
    random.Random(seed).shuffle(order)
    again = names(*archive([leaves[i] for i in order]), Words(KINDS))
    assert again["name"].to_list() == [said["name"][i] for i in order]
    assert again["label"].to_list() == [said["label"][i] for i in order]


def said_words(kind, size, columns):
    """The words of a leaf that hold and are shown, by column; numbers aside."""
    holding = {}
    for column in ("region", *order_of(kind).columns):
        counts = columns.get(column, {}).items()
        word = next((w for w, n in counts if w is not None and n >= HOLDS * size), None)
        if column not in number_columns():
            holding[column] = word and Words(KINDS).shown(kind, column, word)
    return holding


LONG_WORDS = {
    "region": ["LSPINE", "HEAD"],
    "localizer": ["CAL", "BOLUS"],
    "weighting": ["MRS", "MRA"],
    "suppression": ["SS", "WE"],
    "dixon": ["OP", "IP"],
    "contrast": ["C+", "C-"],
    "phase": ["PERF", "DYN"],
    "plane": ["SHORT", "COR"],
}


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(*(st.sampled_from([*words, None]) for words in LONG_WORDS.values())),
        min_size=1,
        max_size=12,
    )
)
def test_leaves_that_differ_in_a_word_are_different_labels_of_different_names(rows):
    leaves = []
    for i, row in enumerate(rows):
        columns = {
            column: {word: 10 + i} for column, word in zip(LONG_WORDS, row, strict=True) if word
        }
        leaves.append(("MR", 10 + i, columns, None))
    said = names(*archive(leaves), Words(KINDS))
    assert said["label"].n_unique() == said["name"].n_unique()
    words = [said_words(*leaf[:3]) for leaf in leaves]
    for (one, a), (other, b) in itertools.combinations(zip(words, said["label"], strict=True), 2):
        assert (one == other) == (a == b)
    # A name is longer than LONGEST only where one without any one of its words is another's.
    plain = set(said["name"])
    for name in plain:
        kind, *pieces = name.split(JOINT)
        if len(name) > LONGEST:
            spare = pieces[1:] if pieces[0] in ("lumbar spine", "head") else pieces
            for piece in spare:
                assert JOINT.join([kind, *(p for p in pieces if p != piece)]) in plain


def test_every_word_is_short_and_stands_for_one_column_of_a_kind():
    kinds = [row["kind"] for row in rows_of("name_order.csv")]
    for kind in kinds:
        columns = {*order_of(kind).columns, "region"} - number_columns()
        seen = defaultdict(set)
        for row in rows_of("name_words.csv"):
            if row["column"] in columns and kind in (row["kinds"] or kind).split() and row["shown"]:
                seen[row["shown"]].add(row["column"])
                assert len(row["shown"]) <= 19
        said_twice = {word: of for word, of in seen.items() if len(of) > 1}
        same = {"AP", "lateral", "LAO", "RAO"}  # of a view and of a C-arm's angle
        assert set(said_twice) <= same
        assert order_of(kind).always <= columns


def test_every_word_of_content_has_its_form_in_names():
    tables = content_tables()
    known = {(row["column"], row["word"]) for row in rows_of("name_words.csv")}
    wanted = {(facet.name, word) for facet in tables.facets for word in facet.words}
    wanted |= {("region", region) for region in tables.regions.names()}
    assert wanted - known == set()


def test_every_facet_of_a_kind_has_its_place_in_names():
    for facet in content_tables().facets:
        for kind in facet.kinds or {"CT", "MR", "DX", "MG", "US", "XA"}:
            assert facet.name in order_of(kind).columns, (kind, facet.name)


def test_bands_are_ranges_that_people_use():
    frame = pl.DataFrame(
        {
            "SliceThickness": [0.625, 1.25, 3.0, 5.0, None, 7.5],
            "MagneticFieldStrength": [1.494, 3.0, 1.5, 7.0, None, 0.5],
            "KVP": [120, 80, 100, 140, None, 0],
        }
    )
    said = frame.select(bands())
    assert said["SliceThickness"].to_list() == [
        "below 1 mm",
        "1–2 mm",
        "2–3.5 mm",
        "4–5 mm",
        None,
        "5–8 mm",
    ]
    assert said["MagneticFieldStrength"].to_list() == [
        "1.5 T",
        "3 T",
        "1.5 T",
        "above 3 T",
        None,
        "below 1.4 T",
    ]
    assert said["KVP"].to_list()[:4] == ["120–130 kV", "70–90 kV", "100–110 kV", "140 kV and more"]
