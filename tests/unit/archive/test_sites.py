"""Sites as the config names them."""

from pathlib import Path

import pytest

from tagsight.archive.sites import Site, named_sites, site_by_path


@pytest.mark.parametrize(("value", "paths"), [("/a", ["/a"]), (["/a", "b"], ["/a", "b"])])
def test_an_archive_without_sites_is_one_without_a_name(value, paths):
    sites = named_sites(value)
    assert sites == {None: Site([Path(path) for path in paths])}
    assert site_by_path(sites) == {}


def test_sites_have_paths_and_some_tables():
    south = {"path": ["/s", "/t"], "body_parts": "s.csv", "units": "u.csv"}
    sites = named_sites({"north": "/n", "south": south})
    assert sites["north"] == Site([Path("/n")])
    assert sites["south"] == Site([Path("/s"), Path("/t")], "s.csv", "u.csv")
    assert site_by_path(sites) == {
        Path("/n"): "north",
        Path("/s"): "south",
        Path("/t"): "south",
    }
