"""sites.json of two sites, or others, as its file holds it."""

EVIL = "<script>alert(1)</script>"


def row(name, ami=0.4, inside=0.3, label_inside=0.3):
    label = {"label_ami": 0.5, "label_inside_modality": label_inside}
    scores = {"levels": 4, "ami": ami, "inside_modality": inside}
    return {"with": name, "rows": 1234, **scores, **label}


def stored(*, label=0.3, region=0.3, anatomy="region", roles=True, sites=("north", EVIL)):
    """The document; the first site has a label that is found nowhere else."""
    of_roles = {"rows": 321, "levels": 9, "ami": 0.7}
    anew = [
        of_roles | {"roles": ["content", "order"], "anew": True, "inside_modality": 0.66},
        of_roles | {"roles": ["content"], "anew": True, "inside_modality": 0.22},
        of_roles | {"roles": ["content"], "anew": False, "inside_modality": 0.11},
    ]
    facts = {"images": 1200, "patients": 40, "labels": 2, "rare": 1, "alone": []}
    at = {"images": 900, "share": 0.75}, {"images": 9, "share": 0.0625}
    shares = dict(zip(sites, at, strict=False))
    rows = [{"site": site, **facts} for site in sites]
    rows[0]["alone"] = [2]
    return {
        "min_patients": 3,
        "sites": rows,
        "labels": [
            {"label": 1, "name": "CT · chest", "images": 909, "sites": shares},
            {"label": 2, "name": "MR · knee", "images": 30, "sites": {sites[0]: shares[sites[0]]}},
        ],
        "confounding": [
            row("label", inside=label),
            row("modality", inside=None),
            row(anatomy, inside=region, label_inside=label),
            row("manufacturer"),
        ],
        "roles": anew if roles else None,
    }
