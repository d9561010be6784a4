"""What can go wrong, as a tree.

UserError            the user can act on it; shown as one line
├── ConfigError      a key of the config
├── ArchiveError     the input: folders, lists, files
├── TableError       a table of the user's: how it is written
└── DataError        the archive does not hold what the config asks for
"""


class UserError(Exception):
    """A fault that the user can correct: one line that says what, where and the way out."""


class ConfigError(UserError):
    """A config key has a value that cannot be used."""


class ArchiveError(UserError):
    """The input cannot be listed or read."""


class TableError(UserError):
    """A table of the user's cannot be read; the line begins with its path."""


class DataError(UserError):
    """The archive does not hold what the config asks for."""
