"""Figures of the pair statistic for pages that are made of none: `pair` of an evaluation.json."""

from scipy import stats

from tagsight.evaluation.labellings import LABELLINGS, STRATA, is_compared
from tagsight.evaluation.pair_statistic import UNDIVIDED, Explained
from tagsight.evaluation.pair_tests import told
from tagsight.evaluation.scanners import Beyond
from tagsight.evaluation.scanners import scanners as scanners_of

# What labellings explain inside modality of a run whose labels are good.
SHARES = {
    "labels": 0.47,
    "modality": 0.0,
    "modality_region": 0.27,
    "modality_region_plane": 0.33,
    "manufacturer": 0.006,
    "model": 0.01,
    "embedding": 0.65,
}


def figures(explained, error=0.012, df=9, n=1000, labels=52):
    """One labelling in one stratum; without an error it divides nothing, without df no test."""
    if explained is None:
        return Explained(
            None, None, None, None, None, 0, 0, reason="no stratum has pictures of two patients"
        )
    if not df:
        return Explained(explained, None, None, None, None, n, labels, reason="a single trial")
    if not error:
        return Explained(0.0, (0.0, 0.0), None, df, None, n, labels, 0.0, UNDIVIDED)
    reach = stats.t.ppf(0.975, df) * error
    t = explained / error
    p = 2 * stats.t.sf(abs(t), df)
    return Explained(explained, (explained - reach, explained + reach), t, df, p, n, labels, error)


def pair(trials=10, shares=SHARES, **others):
    """What each labelling explains in each stratum; others: `labelling__stratum` = figures."""
    found = {
        each.key: {
            stratum.key: figures(
                shares[each.key], error=0.012 if shares[each.key] else 0, df=trials - 1
            )
            for stratum in STRATA
            if is_compared(each, stratum)
        }
        for each in LABELLINGS
    }
    for name, changed in others.items():
        labelling, stratum = name.split("__")
        found[labelling][stratum] = changed
    return told(found)


def nothing():
    """Of a run in which nothing can be compared."""
    return told({each.key: {s.key: figures(None) for s in STRATA} for each in LABELLINGS})


MOST, LITTLE = figures(0.2), figures(0.01)


def scanners(of, own=MOST, left=LITTLE, in_region=MOST, by="manufacturer"):
    """`scanners` of evaluation.json: labels inside modality, inside one maker, inside one region.

    of: `pair`; by: manufacturer or model, whose images were compared.
    """
    found = {f"modality_{by}": Beyond(own, left, 1.0), "modality_region": Beyond(own, in_region, 1)}
    return scanners_of(of, found)


UNTESTED = {"images": 1000, "without_patient": 0, "alone": {}}
