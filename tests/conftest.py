"""Options of the tests."""


def pytest_addoption(parser):
    parser.addoption(
        "--require-slurm",
        action="store_true",
        help="fail where Slurm is not installed",
    )
