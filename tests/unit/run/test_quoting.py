"""The path of Python, quoted in commands alone."""

import shlex

import pytest

from tagsight.run.quoting import ShellPath


@pytest.mark.parametrize("path", ["/usr/bin/python", "/my clone/python", "/it's/python"])
def test_a_path_is_one_word_of_a_command_and_stands_as_it_is_elsewhere(path):
    quoted = ShellPath(path)
    for command in (f"{quoted} a.py", "{} a.py".format(quoted)):  # noqa: UP032
        assert shlex.split(command) == [path, "a.py"]
    assert quoted == path
    assert str(quoted) == path
