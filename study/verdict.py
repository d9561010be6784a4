"""Conclusions from the figures, in sentences made from them; none is fixed in advance.

Algorithms are ordered by ranks, since AMIs of different data sets are not comparable: they are
ranked on each data set, and the ranks are averaged.
"""

from collections.abc import Sequence

import polars as pl
from scipy.stats import friedmanchisquare

CONTROL = "control"  # the data set with values missing at random
SHOWN_K = 15  # the article's
HALF = 0.5
LIKE = 0.2  # largest relative difference of the number of clusters from K
COUNTED = ("placed_modality", "placed_body_part")  # where there is no planted truth
SURE = 0.05  # p-value below which algorithms differ
ALIKE = 0.01  # differences of AMI up to this do not count


def agreements(table: pl.DataFrame, presence: float = 1.0) -> pl.DataFrame:
    """Return `data`, `algorithm`, `ami`: the mean over K without the tags that state the labels.

    table: rows of `algorithms.measured`.
    The AMI is that of the annotations (the cluster of the nearest medoid), with the planted truth
    where there is one, else the mean of those with modality and body part.
    """
    rows = table.filter(~pl.col("told"), presence=presence)
    ami = pl.coalesce("placed_truth", pl.mean_horizontal(*COUNTED))
    return rows.group_by("data", "algorithm", maintain_order=True).agg(ami=ami.mean())


def ranks(table: pl.DataFrame) -> pl.DataFrame:
    """Return one row per algorithm, best first: mean ranks over all data sets but the control.

    Returns algorithm, agreement, stability, silhouette (mean ranks, 1 = best), overall (mean of the
    ranks of agreement and stability), ami (mean); the worst over data sets at SHOWN_K: largest
    (share of images in the largest cluster), off (relative difference of the number of clusters
    from SHOWN_K), moved; seconds (the largest).
    """
    table = table.filter(pl.col("data") != CONTROL)
    main = table.filter("told", presence=1.0)
    by = ("data", "algorithm")
    off = ((pl.col("k") - pl.col("asked")) / pl.col("asked")).abs().alias("off")
    scores = (
        main.group_by(by, maintain_order=True)
        .agg(pl.col("stability", "silhouette").mean(), pl.col("seconds").max())
        .join(main.filter(asked=SHOWN_K).select(*by, "largest", off, "moved"), on=by, how="left")
        .join(agreements(table), on=by, how="left")
    )
    columns = {"agreement": "ami", "stability": "stability", "silhouette": "silhouette"}
    ranked = scores.with_columns(
        **{
            f"rank_{name}": pl.col(column).fill_null(-1.0).rank(descending=True).over("data")
            for name, column in columns.items()
        }
    )
    return (
        ranked.group_by("algorithm", maintain_order=True)
        .agg(
            **{name: pl.col(f"rank_{name}").mean() for name in columns},
            ami=pl.col("ami").mean(),
            largest=pl.col("largest").max(),
            off=pl.col("off").max(),
            moved=pl.col("moved").max(),
            seconds=pl.col("seconds").max(),
        )
        .with_columns(overall=pl.mean_horizontal("agreement", "stability"))
        .sort("overall", "agreement", "algorithm")
    )


def recommendation(table: pl.DataFrame, default: str = "fasterpam") -> str:
    """Return the paragraphs that recommend an algorithm and compare the default with it."""
    order = ranks(table)
    lumped, off_k = pl.col("largest") > HALF, pl.col("off") > LIKE
    fit = order.filter(~lumped, ~off_k)
    sets = table.filter(pl.col("data") != CONTROL)["data"].n_unique()
    rule = (
        f"The rule: of the algorithms that at K = {SHOWN_K} put no more than half of the images "
        f"into one cluster, and find a number of clusters within {LIKE:.0%} of K, on every data "
        "set (what is stable because it is coarse is not compared with what is fine), the one with "
        f"the best mean of its ranks of agreement and of stability over {sets} data sets."
    )
    passed_over = [
        _passed_over(order.filter(lumped), "more than half of the images in one cluster"),
        _passed_over(order.filter(off_k), "another number of clusters"),
    ]
    if fit.is_empty():
        return " ".join([rule, *filter(None, passed_over), "Nothing is left to recommend."])
    best = fit.row(0, named=True)
    sentences = [
        rule,
        f"By it: **`{best['algorithm']}`** (mean rank {best['overall']:.2f}; agreement "
        f"{best['agreement']:.2f}, stability {best['stability']:.2f} of {len(order)}).",
        *passed_over,
        _default(order, best["algorithm"], default),
        _apart(table, best["algorithm"], default),
        _leaders(order),
        _chance(table),
        _then(table, best["algorithm"], default),
    ]
    return " ".join(part for part in sentences if part)


def _passed_over(some: pl.DataFrame, reason: str) -> str:
    names = _listed(some["algorithm"].to_list())
    return f"Passed over for {reason} somewhere: {names}." if names else ""


def _default(order: pl.DataFrame, best: str, default: str) -> str:
    if best == default:
        return "It is the default."
    rows = {row["algorithm"]: row for row in order.to_dicts()}
    ours, other = rows[default], rows[best]
    gain = other["ami"] - ours["ami"]
    how = "better" if gain > ALIKE else "less" if gain < -ALIKE else "alike"
    place = order["algorithm"].to_list().index(default) + 1
    return (
        f"The default, `{default}`, is number {place} of {len(order)} in that order (mean rank "
        f"{ours['overall']:.2f}). `{best}` agrees {how}: mean AMI {other['ami']:.3f} against "
        f"{ours['ami']:.3f}; it took {other['seconds']:.1f} s where the default took "
        f"{ours['seconds']:.1f} s at most."
    )


def _apart(table: pl.DataFrame, best: str, default: str) -> str:
    """Data sets on which the best agrees better than the default, and less."""
    if best == default:
        return ""
    both = _wide(table).select("data", gain=pl.col(best) - pl.col(default))
    more, less = both.filter(pl.col("gain") > ALIKE), both.filter(pl.col("gain") < -ALIKE)
    gained, lost = (_in_words(both, some["data"].to_list()) for some in (more, less))
    return f"By data set: better on {len(more)} of {len(both)}{gained}, worse on {len(less)}{lost}."


def _chance(table: pl.DataFrame) -> str:
    """Whether the order by agreement may be due to chance."""
    p, sets = _friedman(table), table.filter(pl.col("data") != CONTROL)["data"].n_unique()
    if p is None:
        return "Data sets are too few to test the order."
    order = "differ" if p < SURE else "cannot be told apart by so few"
    test = f"Friedman's test over {sets} data sets, p = {p:.2f}."
    return f"In agreement the algorithms {order}: {test}"


def _friedman(table: pl.DataFrame) -> float | None:
    """P-value of Friedman's test over the data sets; None where there are too few."""
    wide = _wide(table).drop("data")
    if len(wide) < 3 or wide.width < 3:
        return None
    return float(friedmanchisquare(*wide.iter_columns()).pvalue)


def _then(table: pl.DataFrame, best: str, default: str) -> str:
    """Conclusion where the best is not the default, but may be so by chance."""
    p = _friedman(table)
    if best == default or (p is not None and p < SURE):
        return ""
    return (
        f"So no algorithm is shown to be better than another, and `{default}` stays the default: "
        "it alone goes on to all images (`cluster.on: all`). For a run that ends with the "
        f"sample, `{best}` is worth a look beside it."
    )


def _wide(table: pl.DataFrame) -> pl.DataFrame:
    """AMI: one row per data set but the control, one column per algorithm."""
    rows = agreements(table.filter(pl.col("data") != CONTROL))
    return rows.pivot("algorithm", index="data", values="ami", maintain_order=True)


def _leaders(order: pl.DataFrame) -> str:
    first = {
        name: order.sort(name, "algorithm")["algorithm"][0]
        for name in ("agreement", "stability", "silhouette")
    }
    return (
        f"First in agreement alone is `{first['agreement']}`, in stability `{first['stability']}`, "
        f"in silhouette `{first['silhouette']}`."
    )


def gains(table: pl.DataFrame) -> pl.DataFrame:
    """Return `data`, `algorithm`, `without`, `with`, `gain`: AMI by weight 0 and 1 of presence."""
    by = ("data", "algorithm")
    return (
        agreements(table, 0.0)
        .rename({"ami": "without"})
        .join(agreements(table, 1.0).rename({"ami": "with"}), on=by, maintain_order="left")
        .with_columns(gain=pl.col("with") - pl.col("without"))
    )


def missingness(table: pl.DataFrame) -> str:
    """Return the sentences on whether it matters which tags an image lacks."""
    by_data = gains(table).group_by("data", maintain_order=True).agg(pl.col("gain").mean())
    others = by_data.filter(pl.col("data") != CONTROL)
    better = others.filter(pl.col("gain") > ALIKE)["data"].to_list()
    worse = others.filter(pl.col("gain") < -ALIKE)["data"].to_list()
    effect = "matters" if len(better) > len(others) / 2 else "was not seen to matter"
    sentences = [
        f"Which tags an image lacks {effect}: with presence columns the mean AMI over all "
        f"algorithms rises by more than {ALIKE} on {len(better)} of {len(others)} data sets"
        f"{_in_words(others, better)}, and falls on {len(worse)}{_in_words(others, worse)}."
    ]
    control = by_data.filter(data=CONTROL)["gain"].to_list()
    if control:
        conclusion = (
            "so the gain is not of having more columns"
            if control[0] <= ALIKE
            else "so part of the gain may be of having more columns"
        )
        sentences.append(
            f"On the control, whose values are missing as often but at random, it changes by "
            f"{control[0]:+.3f}, {conclusion}."
        )
    return " ".join(sentences)


def _in_words(by_data: pl.DataFrame, names: Sequence[str]) -> str:
    rows = by_data.filter(pl.col("data").is_in(names)).select("data", "gain").rows()
    each = ", ".join(f"{name} {gain:+.3f}" for name, gain in rows)
    return f" ({each})" if each else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
