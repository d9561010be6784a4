"""The path of Python in a folder whose name has a space."""

import shlex


class ShellPath(str):
    """A path that is quoted where it is put into a text, as into a command of the shell.

    >>> f"{ShellPath('/my clone/python')} a.py"
    "'/my clone/python' a.py"
    """

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str.__format__(shlex.quote(self), spec)  # which may be this very object
