"""Options of the tests."""

import hypothesis

# A limit in seconds says more of the machine than of the code.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_addoption(parser):
    parser.addoption(
        "--require-slurm",
        action="store_true",
        help="fail where Slurm is not installed",
    )


def pytest_collection_modifyitems(items):
    """What takes longest first, so that no worker waits for it at the end: Slurm, then all runs."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("slurm") is None,
            "workflow" not in item.path.parts,
        )
    )
