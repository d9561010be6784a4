"""A run of a tree as its files hold it, of any number of labels."""

import polars as pl

from tagsight.interpretation.agreement import MODALITY_AND_BODY_PART
from tagsight.report import results

STATED = ["region", *MODALITY_AND_BODY_PART]
NAMES = {  # kind -> region -> techniques; "" is the rest of a region
    "CT": {"chest": ["lung · thin", "soft tissue", ""], "abdomen": ["contrast", ""], None: [""]},
    "MR": {"head": ["T1", "FLAIR", "T2 · axial"], "knee": ["PD · FS"], None: ["localizer"]},
    "MG": {"breast": ["MLO · R", "CC · L"]},
    "XA": {None: [""]},
}
FOUND = (True, False, None)


def cards(names=NAMES):
    """Cards of labels 1, 2, …, the first of each kind the largest, and of one class."""
    rows = []
    for kind, regions in names.items():
        for region, techniques in regions.items():
            for technique in techniques:
                pieces = [piece for piece in (kind, region, technique) if piece]
                rows.append(_card(len(rows) + 1, kind, region, " · ".join(pieces)))
    rows.append(_card(len(rows) + 1, "SR", None, "structured reports") | {"medoid": None})
    rows[-1] |= {"tags": [], "words": {}, "found": None, "again": None, "stability": None}
    return rows


def _card(label, kind, region, name):
    found = FOUND[label % 3]
    words = [[region.upper(), 0.97]] if region else [["CHEST", 0.6], ["HEAD", 0.03]]
    return {
        "label": label,
        "name": name,
        "parent": kind,
        "region": region,
        "kind": kind,
        "clusters": [label],
        "size": 1000 // label,
        "share": 0.02,
        "medoid": f"image {label}",
        "stability": 0.8,
        "again": None if found is None else 0.7 if found else 0.2,
        "found": found,
        "patients": 12,
        "maker": None,
        "words": {
            "modality": [[kind, 1.0]],
            "region": words,
            "plane": [["AX", 0.5], ["SAG", 0.3]],
        },
        "tags": [
            {"keyword": "KVP", "column": "KVP?", "value": "120", "inside": 1.0, "outside": 0.25}
        ],
    }


def choice(names=NAMES, count=50):
    kinds = {
        kind: {
            "k": sum(map(len, regions.values())),
            "images": 400,
            "sample": 100,
            "grid": {
                str(k): {"distance": 0.4 / k, "silhouette": 0.3}
                for k in range(1, 2 + sum(map(len, regions.values())))
            },
        }
        for kind, regions in names.items()
    }
    return {"count": count, "clusters": sum(row["k"] for row in kinds.values()), "kinds": kinds}


def stability(of):
    leaves = [
        {"cluster": card["label"], **{name: card[name] for name in ("kind", "again", "found")}}
        for card in of
    ]
    return {"bootstraps": 10, "people": 40, "leaves": leaves}


def agreement(anatomy=0.53, maker=0.21):
    scores = {"rows": 90, "missing": 10, "levels": 4, "ami": 0.6, "homogeneity": 0.5}
    inside = {"body_part": anatomy, "manufacturer": maker, "modality": None, "model": None}
    rows = [
        {"k": 12, "label": name, "left_out": out, **scores, "inside_modality": value}
        for out in ([], STATED)
        for name, value in inside.items()
    ]
    return {"k": 12, "agreement": rows, "confounding": {"verdict": "unknown", "compared": []}}


def encoding(names=NAMES):
    columns = [
        {"keyword": "region", "kind": "categorical", "parser": "word", "weight": 3.0},
        {"keyword": "region", "kind": "categorical", "parser": "presence", "weight": 1.0},
        {"keyword": "KVP", "kind": "numeric", "parser": "number", "weight": 4.0},
    ]
    pictures = {kind: {"images": 400, "picture": True, "columns": columns} for kind in names}
    return pictures | {"SR": {"images": 9, "picture": False, "columns": []}}


def selection(names=NAMES):
    rows = [
        ("KVP", "kept", "kept", "content"),
        ("Manufacturer", "dropped", "not content", "equipment"),
        ("BitsStored", "dropped", "not content", "storage"),
    ]
    return pl.DataFrame(
        [(kind, *row, 0.25) for kind in names for row in rows]
        + [(None, "ContentDate", "dropped", "in no picture", "patient", 1.0)],
        ["kind", "keyword", "fate", "reason", "role", "missing_share"],
        orient="row",
    )


def tree_run(names=NAMES, **others):
    """The run; others: fields of it that are to be different."""
    of = cards(names)
    rules = [
        {"cluster": card["label"], "name": card["name"], "rule": f"kind is {card['kind']}"}
        | {"purity": 0.75, "coverage": 1.0, "heldout_purity": 0.5, "heldout_coverage": None}
        for card in of
    ]
    content = {
        "draws": {
            "samples": {"tuning": {"asked": 400, "drawn": 400, "patients": 40}},
            "shared": False,
            "untested": [],
        },
        "counts": {
            "files": 1230,
            "images": 1200,
            "series": 300,
            "patients": 99,
            "unknown_patient": 7,
            "rejected": {},
            "tags": 4,
            "kept": 1,
            "columns": 2,
            "presence": 1,
            "samples": {"tuning": 400, "holdout": 200, "autoencoder": 500, "trial-01": 250},
            "drawn": 1150,
            "undrawn": {},
            "remarks": {},
        },
        "choice": choice(names),
        "cards": of,
        "stability": stability(of),
        "rules": {"k": len(of), "clusters": rules},
        "agreement": agreement(),
        "frequencies": pl.DataFrame(
            {
                "keyword": ["KVP", "Modality"],
                "tag": ["0018,0060", "0008,0060"],
                "missing_share": [0.5, 0.0],
                "level": ["series", "patient"],
                "inferred": ["numeric", "categorical"],
                "top_values": ["120 (7)", "CT (9)"],
            }
        ),
        "selection": selection(names),
        "unmapped": pl.DataFrame({"keyword": ["KVP"], "value": ["high"], "count": [5]}),
        "distance": "linear",
        "kinds": encoding(names),
    }
    return results.Run(**content | others)
