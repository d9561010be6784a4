"""What the figures say, in sentences made from them: nothing here is known beforehand.

The order of algorithms is by ranks, since an AMI of one data set is not comparable with that of
another: each is ranked among the others on each data set, and its ranks are averaged.
"""

from collections.abc import Sequence

import polars as pl
from scipy.stats import friedmanchisquare

CONTROL = "control"  # the data set whose missing values tell nothing
SHOWN_K = 15  # the article's
HALF = 0.5
LIKE = 0.2  # how far the number of clusters may be from that asked for, as a share
COUNTED = ("placed_modality", "placed_body_part")  # where no truth was planted
SURE = 0.05  # p-value below which algorithms are said to differ
ALIKE = 0.01  # a difference of AMI that is none


def agreements(table: pl.DataFrame, presence: float = 1.0) -> pl.DataFrame:
    """Return `data`, `algorithm`, `ami`: the mean over K without the tags that state the labels.

    table: rows of `algorithms.measured`. Compared is what a user gets, the cluster of the nearest
    medoid, with the planted truth where there is one, else with modality and body part, which weigh
    the same.
    """
    rows = table.filter(~pl.col("told"), presence=presence)
    ami = pl.coalesce("placed_truth", pl.mean_horizontal(*COUNTED))
    return rows.group_by("data", "algorithm", maintain_order=True).agg(ami=ami.mean())


def ranks(table: pl.DataFrame) -> pl.DataFrame:
    """Return a row an algorithm, best first: mean ranks over the data sets but the control.

    Columns: algorithm, agreement, stability, silhouette (mean ranks, 1 = best), overall (the mean
    of the ranks of agreement and stability), ami (mean), and of the data sets the worst at SHOWN_K:
    largest (share of images that one cluster holds), off (how far the number of clusters is from
    SHOWN_K, as a share), moved; seconds (the largest).
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
    place = {"agreement": "ami", "stability": "stability", "silhouette": "silhouette"}
    ranked = scores.with_columns(
        **{
            f"rank_{name}": pl.col(column).fill_null(-1.0).rank(descending=True).over("data")
            for name, column in place.items()
        }
    )
    return (
        ranked.group_by("algorithm", maintain_order=True)
        .agg(
            **{name: pl.col(f"rank_{name}").mean() for name in place},
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
    """Return the paragraphs that say which algorithm to take, and how the default stands."""
    order = ranks(table)
    lumped, strayed = pl.col("largest") > HALF, pl.col("off") > LIKE
    fit = order.filter(~lumped, ~strayed)
    sets = table.filter(pl.col("data") != CONTROL)["data"].n_unique()
    rule = (
        f"The rule: of the algorithms that at K = {SHOWN_K} put no more than half of the images "
        f"into one cluster, and find a number of clusters within {LIKE:.0%} of K, on every data "
        "set (what is stable because it is coarse is not compared with what is fine), the one with "
        f"the best mean of its ranks of agreement and of stability over {sets} data sets."
    )
    passed_over = [
        _passed_over(order.filter(lumped), "more than half of the images in one cluster"),
        _passed_over(order.filter(strayed), "another number of clusters"),
    ]
    if fit.is_empty():
        return " ".join([rule, *filter(None, passed_over), "Nothing is left to recommend."])
    best = fit.row(0, named=True)
    said = [
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
    return " ".join(part for part in said if part)


def _passed_over(some: pl.DataFrame, reason: str) -> str:
    names = _listed(some["algorithm"].to_list())
    return f"Passed over for {reason} somewhere: {names}." if names else ""


def _default(order: pl.DataFrame, best: str, default: str) -> str:
    if best == default:
        return "It is the default."
    rows = {row["algorithm"]: row for row in order.to_dicts()}
    own, other = rows[default], rows[best]
    apart = other["ami"] - own["ami"]
    told = "agrees better" if apart > ALIKE else "agrees less" if apart < -ALIKE else "agrees alike"
    place = order["algorithm"].to_list().index(default) + 1
    return (
        f"The default, `{default}`, is number {place} of {len(order)} in that order (mean rank "
        f"{own['overall']:.2f}). `{best}` {told}: mean AMI {other['ami']:.3f} against "
        f"{own['ami']:.3f}; it took {other['seconds']:.1f} s where the default took "
        f"{own['seconds']:.1f} s at most."
    )


def _apart(table: pl.DataFrame, best: str, default: str) -> str:
    """On which data sets the best agrees better than the default, and on which less."""
    if best == default:
        return ""
    both = _wide(table).select("data", gain=pl.col(best) - pl.col(default))
    more, less = both.filter(pl.col("gain") > ALIKE), both.filter(pl.col("gain") < -ALIKE)
    gained, lost = (_in_words(both, some["data"].to_list()) for some in (more, less))
    return f"By data set: better on {len(more)} of {len(both)}{gained}, worse on {len(less)}{lost}."


def _chance(table: pl.DataFrame) -> str:
    """Whether the order in agreement could be by chance."""
    p, sets = _friedman(table), table.filter(pl.col("data") != CONTROL)["data"].n_unique()
    if p is None:
        return "Data sets are too few to test the order."
    told = "differ" if p < SURE else "cannot be told apart by so few"
    return (
        f"In agreement the algorithms {told}: Friedman's test over {sets} data sets, p = {p:.2f}."
    )


def _friedman(table: pl.DataFrame) -> float | None:
    """The p-value of Friedman's test over the data sets; None where there are too few."""
    wide = _wide(table).drop("data")
    if len(wide) < 3 or wide.width < 3:
        return None
    return float(friedmanchisquare(*wide.iter_columns()).pvalue)


def _then(table: pl.DataFrame, best: str, default: str) -> str:
    """What follows where another than the default is first, and that could be by chance."""
    p = _friedman(table)
    if best == default or (p is not None and p < SURE):
        return ""
    return (
        f"So no algorithm is shown to be better than another, and `{default}` stays the default: "
        "it alone goes on to all images (`cluster.on: all`). For a run that ends with the "
        f"sample, `{best}` is worth a look beside it."
    )


def _wide(table: pl.DataFrame) -> pl.DataFrame:
    """A row a data set but the control, a column an algorithm: the AMI."""
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
    held = "matters" if len(better) > len(others) / 2 else "was not seen to matter"
    said = [
        f"Which tags an image lacks {held}: with presence columns the mean AMI over all algorithms "
        f"rises by more than {ALIKE} on {len(better)} of {len(others)} data sets"
        f"{_in_words(others, better)}, and falls on {len(worse)}{_in_words(others, worse)}."
    ]
    control = by_data.filter(data=CONTROL)["gain"].to_list()
    if control:
        turned = (
            "so the gain is not of having more columns"
            if control[0] <= ALIKE
            else "so part of the gain may be of having more columns"
        )
        said.append(
            f"On the control, whose values are missing as often but at random, it changes by "
            f"{control[0]:+.3f}, {turned}."
        )
    return " ".join(said)


def _in_words(by_data: pl.DataFrame, names: Sequence[str]) -> str:
    rows = by_data.filter(pl.col("data").is_in(names)).select("data", "gain").rows()
    each = ", ".join(f"{name} {gain:+.3f}" for name, gain in rows)
    return f" ({each})" if each else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
