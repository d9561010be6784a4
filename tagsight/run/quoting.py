"""The quoting of paths that contain spaces."""

import shlex


class ShellPath(str):
    """A path that is quoted where it is formatted into a text, such as a shell command.

    >>> f"{ShellPath('/my clone/python')} a.py"
    "'/my clone/python' a.py"
    """

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str.__format__(shlex.quote(self), spec)  # quote may return this object
