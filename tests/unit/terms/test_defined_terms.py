import pytest

from tagsight.terms.defined_terms import defined_term

SPELLED = {
    ("view", "AP"): "AP|ap|A.P.|AP SUPINE|PORTABLE AP|Antero-posterior|AP_PORTABLE",
    ("view", "PA"): "PA|PA ERECT|Postero-anterior",
    ("view", "LATERAL"): "LAT|LATERAL|Lateral|SEITLICH|PROFIL",
    ("view", "LL"): "LL|LEFT LATERAL|L LAT",
    ("view", "RL"): "RL|RIGHT LATERAL",
    ("view", "MLO"): "MLO|MLO |RMLO|L MLO|MLO LEFT|medio-lateral oblique",
    ("view", "CC"): "CC|LCC|RIGHT CC|Cranio-caudal",
    ("laterality", "L"): "L|LEFT|links|Gauche",
    ("laterality", "R"): "R|RIGHT|RT|droite",
    ("laterality", "B"): "B|BILATERAL|BOTH|L/R",
    ("laterality", "U"): "U|UNPAIRED",
    ("sex", "F"): "F|FEMALE|weiblich|W",
    ("sex", "M"): "M|male|Männlich",
    ("sex", "O"): "O|OTHER",
}


@pytest.mark.parametrize(
    ("kind", "text", "term"),
    [(kind, text, term) for (kind, term), all_ in SPELLED.items() for text in all_.split("|")],
)
def test_spellings_are_merged(kind, text, term):
    assert defined_term(kind, text) == term


@pytest.mark.parametrize("text", ["", "RLL", "AP LAT", "ROOM 3", "R", "CHEST", "APPLE", "PA2"])
def test_what_no_row_says_stays_open(text):
    assert defined_term("view", text) is None
