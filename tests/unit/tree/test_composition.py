import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tagsight.tree.composition import composition, shard_words

IMAGES = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(["HEAD", "CHEST", None]),
        st.sampled_from(["p1", "p2", None]),
    ),
    min_size=1,
    max_size=30,
)


def shard(rows, name, modality=" ct"):
    images = [f"{name}-{i}" for i in range(len(rows))]
    text = dict.fromkeys(["image", "kind", "region", "patient", "study", "series"], pl.String)
    frame = pl.DataFrame(
        {
            "image": images,
            "cluster": [cluster for cluster, _, _ in rows],
            "kind": ["CT"] * len(rows),
            "picture": [True] * len(rows),
            "region": [region for _, region, _ in rows],
            "patient": [patient for _, _, patient in rows],
            "study": images,
            "series": images,
            "Modality": [modality] * len(rows),
        },
        {**text, "cluster": pl.Int32, "picture": pl.Boolean, "Modality": pl.String}
        | {"image": pl.String},
    )
    shuffled = frame.reverse()
    return shard_words(
        frame.lazy().select("image", "cluster"),
        shuffled.lazy().select("image", "kind", "picture", "region"),
        frame.lazy().select("image", "patient", "study", "series", "Modality"),
    )


@given(IMAGES, IMAGES)
def test_every_image_of_all_shards_counts_once_in_each_column(one, other):
    table = composition([shard(one, "a"), shard(other, "b")])
    rows = [*one, *other]
    for cluster in {cluster for cluster, _, _ in rows}:
        size = sum(c == cluster for c, _, _ in rows)
        for column in ("modality", "region"):
            of_column = table.filter(cluster=cluster, column=column)
            assert of_column["images"].sum() == size
    for cluster, region in {(c, r) for c, r, _ in rows}:
        counted = table.filter(
            (pl.col("cluster") == cluster)
            & (pl.col("column") == "region")
            & pl.col("word").eq_missing(pl.lit(region, pl.String))
        )
        same = [p for c, r, p in rows if (c, r) == (cluster, region)]
        people = len(set(same))  # who is not known is one person at most
        assert counted.select("images", "patients").row(0) == (len(same), people)


def test_modality_is_compared_as_the_standard_writes_it():
    table = composition([shard([(1, None, "p1")], "a")])
    assert table.filter(column="modality")["word"].to_list() == ["CT"]


def test_what_is_no_term_of_modality_is_in_no_name():
    table = composition([shard([(1, "HEAD", "p1")], "a", "SMITH JOHN")])
    assert table.filter(column="modality")["word"].to_list() == [None]
