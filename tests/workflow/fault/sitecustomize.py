"""Makes the jobs of one rule fail: loaded by Python at its start, where the tests put it."""

import os
import sys

_rule = os.environ.get("TAGSIGHT_FAULT")
if _rule and any(part.endswith(f".{_rule}.py") for part in sys.orig_argv):
    print("a fault, made by a test", file=sys.stderr)
    os._exit(1)

_quoting = os.environ.get("TAGSIGHT_QUOTING")


def _quote(event, arguments):
    """Fail as a library might that knows nothing of privacy: with a message full of names."""
    path = str(arguments[0]) if arguments else ""
    if event in ("open", "os.scandir") and "QZXJVN" in path and "containers" not in path:
        raise RuntimeError(f"{arguments[0]!r} cannot be used")


if _quoting and any(part.endswith(f".{_quoting}.py") for part in sys.orig_argv):
    sys.addaudithook(_quote)
