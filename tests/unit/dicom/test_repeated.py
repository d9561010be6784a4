from tagsight.dicom.repeated import identities, repeating


def test_identities_are_wholes_and_the_parts_of_names():
    assert identities(["Doe-Smith^Jane=X^Y", "MRN-1\\AB12"]) == [
        "ab12",
        "doe-smith",
        "doe-smith jane",
        "doe-smith^jane",
        "jane",
        "mrn-1",
    ]


def test_what_turns_up_again():
    known = identities(["Muster^Erika", "0042", "Abc"])
    texts = {
        "equal": "MUSTER",
        "inside": "head of Erika, again",
        "joined": "phase\\0042",
        "underscore": "scan_muster_1",
        "longer": "Musterung 100423",
        "short": "Abc",
        "other": "HEAD",
    }
    assert repeating(texts, known) == ["equal", "inside", "joined", "underscore"]


def test_nothing_known_is_nothing_found():
    assert repeating({"a": "b"}, []) == []
