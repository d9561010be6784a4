"""Opens regular files and nothing else, without ever waiting."""

import errno
import os
import stat

from tagsight.refusals import Refused

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_regular(path: str) -> tuple[int, os.stat_result]:
    """A descriptor of the file at `path` (not in text form), and its status.

    O_NONBLOCK: opening a pipe returns at once instead of waiting for a writer for ever.

    Raises:
        Refused: vanished, unreadable, not_a_regular_file, empty_file.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError as error:
        raise Refused("vanished") from error
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a device that is not there
            raise Refused("not_a_regular_file") from error
        raise unreadable(error) from error
    except ValueError as error:  # a NUL in a name of a list
        raise Refused("vanished", "impossible name") from error
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size:
        return descriptor, status
    os.close(descriptor)
    raise Refused("empty_file" if stat.S_ISREG(status.st_mode) else "not_a_regular_file")


def unreadable(error: OSError) -> Refused:
    """What the system's error makes of a file."""
    return Refused("unreadable", os.strerror(error.errno or 0))
