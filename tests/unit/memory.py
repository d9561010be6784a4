"""How much memory something takes, whatever another test has left behind."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Trace what is allocated inside; yield a function that returns the peak in bytes so far."""
    tracemalloc.stop()  # a test that failed may have left it on
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
