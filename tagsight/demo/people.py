"""Invented people, so that the archive has something to keep private."""

import unicodedata

SURNAMES = (
    ("Okafor", "Whitfield", "Maguire", "Thornbury", "Castell", "Prakash", "Lindqvist", "Abernathy"),
    ("Kovačić", "Šarić", "Đurđević", "Božić", "Grgić", "Žanić", "Lučić", "Perić"),
    ("Großmann", "Müllner", "Kühnel", "Vogt", "Jäger", "Schönfeld", "Brandt", "Löwe"),
)
FEMALE = (
    ("Agnes", "Ruth", "Imogen", "Nadia", "Carol"),
    ("Željka", "Ivana", "Mirjana", "Vesna", "Đurđa"),
    ("Bärbel", "Sabine", "Käthe", "Ursula", "Jutta"),
)
MALE = (
    ("Edwin", "Samuel", "Omar", "Hugh", "Lionel"),
    ("Krešimir", "Tomislav", "Ante", "Siniša", "Luka"),
    ("Jürgen", "Holger", "Götz", "Rainer", "Uwe"),
)
# Letters that Unicode does not decompose into a base letter and a mark.
UNMARKED = str.maketrans("đĐ", "dD", "") | {ord("ß"): "ss"}


def full_name(number: int, site: int, sex: str) -> str:
    """Return a patient's name as DICOM writes it: family^given."""
    given = (FEMALE if sex == "F" else MALE)[site]
    surnames = SURNAMES[site]
    return f"{surnames[number % len(surnames)]}^{given[number // 3 % len(given)]}"


def doctor(number: int, site: int) -> str:
    """Return a doctor's name; each site has a few."""
    surnames = SURNAMES[site]
    return f"{surnames[(number * 5 + 3) % len(surnames)]}^{MALE[site][number % 2]}^^Dr."


def plain(name: str) -> str:
    """Return a name in ASCII, as devices write it that lack these letters."""
    bare = unicodedata.normalize("NFKD", name.translate(UNMARKED))
    return bare.encode("ascii", "ignore").decode()
