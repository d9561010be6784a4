"""The page: it holds what was found, it needs nothing from outside, it lets no markup in."""

import doctest
import html
import re
from html.parser import HTMLParser

import polars as pl
import pytest
from pair_figures import UNTESTED, figures, nothing, pair, scanners
from site_results import stored

from tagsight.evaluation import labellings
from tagsight.evaluation.labellings import Stratum
from tagsight.interpretation.agreement import LEFT_OUT, MODALITY_AND_BODY_PART
from tagsight.report import page, results, sections
from tagsight.report.figures.pictures import Tiles

SVG = '<?xml version="1.0"?><svg width="9pt" height="9pt"><g id="a" style="fill: #17242c"/></svg>'
EVIL = "<script>alert(1)</script>"


def paper(trials):
    one = trials == 1
    found = {
        "n": trials,
        "mean_distance": 0.3,
        "sd_distance": None if one else 0.02,
        "mean_null": 0.4,
        "sd_null": None if one else 0.01,
        "explained": 0.25,
        "reason": "a single trial" if one else None,
    }
    tests = {"t": 12.3456, "df": 9, "p": 0.00001, "effect_size": 3.9, "ci95": [2.0, 5.5]}
    tests |= {"explained_ci95": [0.2, 0.3], "correlation": 0.4}
    return found | (dict.fromkeys(tests) if one else tests)


def run(trials=10, **others):
    tag = {"keyword": "KVP", "column": "KVP?", "value": EVIL, "inside": 1.0, "outside": 0.25}
    card = {"name": "CT · HEAD", "size": 20, "share": 0.5, "medoid": "x", "tags": [tag]}
    card |= {"stability": 0.8, "reading": "stable", "maker": None}
    told = {"rule": f"KVP is {EVIL}", "purity": 0.75, "coverage": 1.0}
    told |= {"heldout_purity": 0.5, "heldout_coverage": 0.625}
    unknown = dict.fromkeys(told)
    scores = {"rows": 30, "missing": 10, "levels": 4}
    scores |= {"ami": 0.61234, "homogeneity": 0.5, "completeness": None}
    compared = {"label": "model", "rows": 25, "scanner": 0.5, "anatomy": 0.45, "modality": None}
    compared["levels"] = {"scanner": 6, "anatomy": 3}
    stable = {"stability": 0.7, "stability_heldout": 0.6, "stability_trials": None}
    sizes = {"tuning": 40, "holdout": 20, "autoencoder": 50, "trial-01": 25}
    drawn = {n: {"asked": 50, "drawn": size, "patients": 9} for n, size in sizes.items()}
    content = {
        "draws": {"samples": drawn, "shared": False, "untested": []},
        "counts": {
            "files": 1230,
            "images": 1200,
            "series": 300,
            "patients": 99,
            "unknown_patient": 7,
            "rejected": {"no_pixels": 30},
            "tags": 3,
            "kept": 1,
            "columns": 2,
            "presence": 1,
            "samples": sizes,
            "drawn": 115,
            "undrawn": {"decoder_failed": 2},
            "remarks": {"other_colours": 1},
        },
        "choice": {
            "k": 2,
            "rule": "heldout",
            "reading": "weak structure",
            "at_edge": True,
            "grid": {"2": {"silhouette": 0.4, "heldout_ratio": 1.01}},
        },
        "stability": {"bootstraps": 20, "people": 9, "grid": {"2": stable}},
        "cards": [
            card | {"cluster": 1},
            card | {"cluster": 2, "name": EVIL, "stability": None, "reading": "unknown"},
        ],
        "rules": {"k": 2, "clusters": [{"cluster": 1, **told}, {"cluster": 2, **unknown}]},
        "evaluation": {
            "trials": {"n": trials, "k": 2},
            "paper": paper(trials),
            "pair": pair(trials),
            "scanners": scanners(pair(trials), left=figures(0.4)),
            "untested": UNTESTED,
        },
        "agreement": {
            "k": 2,
            "agreement": [
                {"k": k, "label": "modality", "left_out": out, **scores}
                for k in (2, 5)
                for out in map(list, LEFT_OUT[:2])
            ],
            "confounding": {"verdict": "both", "compared": [compared]},
        },
        "nesting": [],
        "frequencies": pl.DataFrame(
            {
                "keyword": ["KVP", "Modality", "StudyDate"],
                "tag": ["0018,0060", "0008,0060", "0008,0020"],
                "missing_share": [0.5, 0.0125, 0.0],
                "level": ["series", "patient", None],
                "inferred": ["numeric", "categorical", "identifying"],
                "top_values": ["120 (7)", EVIL, None],
            }
        ),
        "selection": pl.DataFrame(
            {
                "keyword": ["KVP", "Modality", "StudyDate"],
                "fate": ["kept", "dropped", "dropped"],
                "reason": ["kept", "left out by config", "identifying"],
            }
        ),
        "unmapped": pl.DataFrame({"keyword": ["BodyPartExamined"], "value": [EVIL], "count": [5]}),
        "training": pl.DataFrame({"epoch": [1, 2]}),
        "distance": "linear",
    }
    return results.Run(**content | others)


def rendered(of, tiles=None, png=b"png"):
    names = ("flow", "silhouettes", "choice", "nesting", "training", "explained")
    return page.render(
        of, dict.fromkeys(names, SVG), png, tiles or {1: Tiles(b"medoid", [b"a", b"b"])}
    )


class Links(HTMLParser):
    """Collects what a page refers to, and its tags as they open and close."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href", "action", "data")]
        self.ids += [v for k, v in attrs if k == "id"]
        if tag not in ("meta", "img", "br", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_from_outside_and_is_well_formed():
    found = Links(rendered(run()))
    assert found.open == []
    assert found.links
    assert [link for link in found.links if not link.startswith(("data:image/", "#"))] == []
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    assert not re.search(r"@import|url\((?!#)", rendered(run()))


def test_nothing_from_the_archive_is_taken_for_markup():
    text = rendered(run())
    assert EVIL not in text
    assert "&lt;script&gt;" in text


def test_a_long_name_and_a_turned_one_stay_in_their_place():
    cards = [{**run().cards[0], "cluster": 1, "name": "A" * 900 + "\u202eCT\x1b[0m"}]
    text = rendered(run(cards=cards))
    assert "A" * 59 + "…" in text
    assert "A" * 61 not in text
    assert not {"\u202e", "\x1b"} & {*text}


def test_pictures_of_few_patients_are_said_to_be_held_back():
    text = re.sub(r"<.*?>", "", rendered(run(), {1: Tiles(None, [], of_few=True)}))
    assert "of fewer patients than privacy.min_patients asks for" in text


def test_the_result_comes_first():
    text = rendered(run())
    assert "These clusters explain" in re.search("<h1>(.*?)</h1>", text)[1]


def test_what_the_run_found_is_on_the_page():
    text = rendered(run()).replace("\xa0", " ")
    words = (
        "1,230",
        "no pixels",
        "decoder failed",
        "other colours",
        "CT · HEAD",
        "0.612",
        "120 (7)",
        "t(9) = 12.3",
    )
    words += (
        "47 % (44 to 50 %)",
        "25 % explained",
        "1.2 % of the images lack it",
        "left out by config",
        ".645",
    )
    for word in words:
        assert word in text, word


def test_values_of_tags_that_were_not_kept_are_not_shown():
    table = rendered(run())
    assert "StudyDate" in table
    assert [row["keyword"] for row in sections.kept_tags(run())] == ["KVP"]


@pytest.mark.parametrize("trials", [1, 10])
def test_a_page_is_made_of_any_number_of_trials(trials):
    text = rendered(run(trials))
    assert "None" not in re.sub("<style>.*?</style>", "", text, flags=re.DOTALL)
    assert ("single trial" in text) == (trials == 1)


def test_clusters_without_pictures_are_listed_all_the_same():
    cards = [{**run().cards[0], "cluster": c, "name": f"group {c}"} for c in (1, 2, 3)]
    text = rendered(run(cards=cards))
    assert "The 2 smaller clusters" in text
    assert "group 3" in text


def test_a_medoid_that_could_not_be_drawn_is_said_to_be_so():
    assert "medoid could not be drawn" in rendered(run(), {1: Tiles(None, [])})


def test_a_medoid_that_is_not_in_the_sample_is_said_to_be_so():
    text = rendered(run(), {1: Tiles(None, [b"a"], medoid_elsewhere=True)})
    assert "medoid is not in the sample that pictures are of" in text
    assert "could not be drawn</div>" not in text


def test_what_may_carry_text_is_said_to_be_held_back_and_how_to_see_it():
    tiles = {1: Tiles(None, [], 20, True), 2: Tiles(None, [b"a"], 4, True)}
    text = re.sub(r"<.*?>", "", rendered(run(), tiles, png=None))
    assert "24 of these images may carry burned-in text" in text
    assert (
        "20 of 20 sampled images may carry burned-in text and are not shown; "
        "report.burned_in: true shows them" in text
    )
    assert "medoid may carry burned-in text" in text
    assert "4 of 20 sampled images may carry burned-in text and are not shown: the pictures" in text
    assert "No image may be shown" in text
    assert "medoid could not be drawn" not in text
    assert "burned_in" not in rendered(run())


TAGS_ALONE = {"evaluation": None, "training": None}


def without_looks(**others):
    names = ("flow", "silhouettes", "choice", "nesting")
    return page.render(run(**TAGS_ALONE, **others), dict.fromkeys(names, SVG), None, {})


def test_a_page_without_looks_says_so_and_has_no_section_on_them():
    text = without_looks()
    assert "has no pixels" in re.search("<h1>(.*?)</h1>", text)[1]
    found = Links(text)
    assert found.open == []
    assert not {"test", "looks", "files", "paper"} & set(found.ids)
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    words = re.sub("<style>.*?</style>|<.*?>", "", text, flags=re.DOTALL)
    for word in ("None", "autoencoder", "trial", "pictures", "burned", " files"):
        assert word not in words, word


def test_what_could_not_be_tested_is_said_first_and_why():
    said = ["Whether images of a cluster look alike was not tested: of 1 patient too few are left."]
    rows = run().draws["samples"] | {"trial-01": {"asked": 50, "drawn": 0, "patients": 0}}
    draws = {"samples": rows, "shared": False, "untested": said}
    left_out = dict.fromkeys(["trial-02", "trial-03"], "whose images are alike")
    none = {"n": 0, "k": None, "by_trial": {}, "left_out": {"trial-01": "none", **left_out}}
    small = run(
        draws=draws,
        evaluation={
            **{"trials": none, "paper": {}, "pair": nothing(), "untested": UNTESTED},
            "scanners": scanners(nothing()),
        },
        training=run().training.clear(),
    )
    text = rendered(small, png=None)
    assert "could not be tested" in re.search("<h1>(.*?)</h1>", text)[1]
    found = Links(text)
    assert found.open == []
    assert "untested" in found.ids
    assert not {"test", "looks", "paper"} & set(found.ids)
    assert said[0] in text
    closing = page.closing(small, "page.html", "table.csv")
    assert (
        f"- {said[0]}\n- Not in the paper's test: trial-02, trial-03, whose images are alike.\n"
        in closing
    )
    assert "trial-01" not in closing  # which was never drawn: said already
    assert "paper's test" not in page.closing(run(), "page.html", "table.csv")


def test_without_looks_clusters_are_shown_by_their_tags():
    cards = [{**run().cards[0], "cluster": c, "name": f"group {c}"} for c in range(1, 53)]
    text = without_looks(cards=cards)
    assert text.count('<article class="cluster">') == sections.MOST_CLUSTERS
    assert "The 2 smaller clusters<" in re.sub(r"\s*</summary>", "<", text)
    assert "group 52" in text


def test_an_archive_without_modality_lacks_it_everywhere():
    assert sections.lacking_modality(run().frequencies.filter(keyword="KVP")) == 1.0


def test_agreement_is_that_at_the_chosen_k():
    (row,) = sections.agreement(run().agreement)
    assert row["label"] == "Modality"
    assert [found["left_out"] for found in row["scores"][:2]] == [[], list(MODALITY_AND_BODY_PART)]
    assert row["scores"][2] is None
    assert row["stated"]["levels"] == 4


def test_whether_clusters_are_scanners_is_said_before_all_sections():
    text = rendered(run())
    said = "about as much with the scanner model (AMI .50) as with the body part (.45)"
    first = text[: text.index("<nav")]
    assert said in first
    assert "On the 25 images that state them: 6 scanner models, 3 body parts." in first


def links(coarse, fine, *rows):
    inside = [dict(zip(("fine", "coarse", "images", "share"), row, strict=True)) for row in rows]
    return {"coarse": coarse, "fine": fine, "inside": inside}


NESTED = [
    links(2, 3, (1, 1, 9, 1.0), (2, 2, 6, 0.75), (2, 1, 2, 0.25), (3, 2, 3, 1.0)),
    links(2, 5, (1, 0, 5, 1.0), (2, 1, 5, 1.0), (3, 1, 4, 1.0), (4, 2, 3, 1.0), (5, 2, 3, 1.0)),
    links(3, 5, (0, 1, 2, 1.0), (1, 1, 5, 1.0), (2, 1, 4, 0.8), (2, 3, 1, 0.2), (3, 2, 4, 1.0)),
]


def test_it_is_said_in_which_clusters_of_each_smaller_k_the_clusters_live():
    cards = [{**run().cards[0], "cluster": c, "name": f"group {c}"} for c in (1, 2, 3)]
    of = run(nesting=NESTED, cards=cards, choice=run().choice | {"k": 3})
    assert sections.nesting_shares(of.nesting) == {3: {2: 18 / 20}, 5: {2: 1.0, 3: 13 / 14}}
    found = sections.cluster_homes(of)
    assert (found["smaller"], found["larger"]) == ([2], 5)
    assert [[home["coarse"] for home in row["homes"]] for row in found["rows"]] == [[1], [2], [2]]
    assert [[part["fine"] for part in row["parts"]] for row in found["rows"]] == [[1, 2], [3], []]


def test_where_clusters_live_is_on_the_page():
    shown = {str(k): run().choice["grid"]["2"] for k in (2, 3, 5)}
    for k, words in ((2, ["1 (100 %)", "2 (75 %), 3 (100 %)"]), (5, ["none (100 %)", "–"])):
        cards = [{**run().cards[0], "cluster": c} for c in range(1, k + 1)]
        agreed = {**run().agreement, "k": k}
        choice = run().choice | {"k": k, "grid": shown}
        of = run(nesting=NESTED, cards=cards, choice=choice, agreement=agreed)
        text = rendered(of).replace("\xa0", " ")
        (table,) = re.findall(r"<summary>Where each.*?</table>", text, re.DOTALL)
        cells = re.findall(r"<td>(.*?)</td>", table)
        assert set(words) <= set(cells)
        assert "90 %" in text


def test_each_k_has_its_stability_from_the_file_that_measures_it():
    unknown = {"stability_heldout": None, "stability_trials": None}
    shown = {str(k): {"silhouette": 0.4, "heldout_ratio": 1.0} for k in (2, 3)}
    stable = {"grid": {"2": {"stability": 0.71, **unknown}}}
    grid = sections.grid(run(choice=run().choice | {"grid": shown}, stability=stable))
    assert [row["stability"] for row in grid.values()] == [0.71, None]
    assert [row["heldout_ratio"] for row in grid.values()] == [1.0, 1.0]


def test_a_single_k_has_no_table_of_nesting():
    assert "images that nest" not in rendered(run())


def test_each_cluster_says_whether_to_trust_it_and_by_which_rule_it_is_told():
    text = rendered(run(), {1: Tiles(None, []), 2: Tiles(None, [])})
    assert "Here: 1 stable, 1 unknown." in text
    first, second = text.split('<article class="cluster">')[1:]
    assert 'class="trust sure">Stability 0.80: <b>stable</b>' in first
    plain = re.sub(r"<.*?>", "", first).replace("\N{NO-BREAK SPACE}", " ")
    assert (
        "holds for 100 % of its images, and 75 % of what it holds for are its own; "
        "in other patients 62 % and 50 %" in plain
    )
    assert "KVP is &lt;script&gt;" in first
    assert "Stability unknown" in second
    assert 'class="rule"' not in second


def test_the_stability_of_a_cluster_is_said_to_flatter():
    text = html.unescape(rendered(run()))
    cards = text.count('<article class="cluster">')
    assert cards
    assert text.count("in bootstraps of its own patients, which flatter") == cards
    assert "for each number of clusters" in text


def test_what_tags_say_of_scanners_gives_way_to_what_looks_do():
    plain = rendered(run())
    found = pair(10, labels__modality_manufacturer=figures(0.0, 0))
    found["manufacturer"]["modality"] = found["modality_region"]["modality"]
    by_looks = scanners(found, left=figures(0.0, 0))
    assert by_looks["verdict"] == "scanners"
    told = rendered(run(evaluation=run().evaluation | {"pair": found, "scanners": by_looks}))
    assert "scanners more than anatomy" in told
    assert ("read them as" in plain[: plain.index("<nav")]) or ("mixed in them" in plain)
    assert "read them as" not in told[: told.index("<nav")]
    assert "mixed in them" not in told


def test_the_same_run_is_the_same_bytes():
    assert rendered(run()) == rendered(run())


def test_the_examples_hold():
    assert doctest.testmod(page).failed == doctest.testmod(sections).failed == 0


def test_every_stratum_and_labelling_of_the_registries_is_on_the_page():
    words = html.unescape(rendered(run()))
    for stratum in labellings.STRATA:
        name = stratum.name.replace("region", "body part")  # the run is flat
        heading = f'{name}<span class="question">{stratum.question}</span>'
        assert words.count(heading) == 1, stratum.key
    for labelling in labellings.LABELLINGS[1:]:
        name = labelling.name.replace("region", "body part")
        inside = [s for s in labellings.STRATA if labellings.is_compared(labelling, s)]
        assert words.count(f"<td>{name}</td>") == len(inside), labelling.key
    assert words.count("<td>these clusters</td>") == len(labellings.STRATA)


def test_a_new_stratum_is_shown_without_more_than_its_entry(monkeypatch):
    site = Stratum("site", "Inside a site", "Among images of one site.", ("site",))
    monkeypatch.setattr(labellings, "STRATA", (*labellings.STRATA, site))
    found = {key: of | {"site": of["modality"]} for key, of in pair().items()}
    text = rendered(run(evaluation=run().evaluation | {"pair": found}))
    assert "Inside a site" in text
    assert "Among images of one site." in text


def test_a_cluster_of_one_makers_machines_is_called_so():
    one = {"inside": 0.98, "outside": 0.3, "one": True}
    for maker in (None, one | {"one": False}, one):
        text = rendered(run(cards=[{**run().cards[0], "maker": maker}]))
        assert ("One maker’s machines" in text) == (maker == one)


def test_sections_have_anchors_and_values_of_their_own():
    unworthy = {"reason": "fewer than 10 other patients"}
    untested = run().draws | {"untested": ["Something was not tested."]}
    of = run(draws=untested, sites=stored(anatomy="body_part", roles=False), worth=unworthy)
    text, content = rendered(of), sections.Content(of, {}, None)
    values = [name for section in sections.SECTIONS for name in section.values(content)]
    assert len(values) == len(set(values))
    order = [text.index(f'<h2 id="{section.key}">') for section in sections.SECTIONS]
    assert order == sorted(order)
    for section in sections.SECTIONS:
        assert f'<a href="#{section.key}">{section.name}</a>' in text


def test_a_new_section_is_shown_without_more_than_its_entry_and_template(monkeypatch):
    new = sections.Section("css", "Colours", page.STYLE)  # any template
    before = rendered(run())
    monkeypatch.setattr(sections, "SECTIONS", (*sections.SECTIONS, new))
    after = rendered(run())
    assert '<a href="#css">Colours</a>' in after
    assert after.count(":root{") == 2 * before.count(":root{")
