"""Makes the jobs of one rule fail: loaded by Python at its start, where the tests put it."""

import os
import sys

_rule = os.environ.get("TAGSIGHT_FAULT")
if _rule and any(part.endswith(f".{_rule}.py") for part in sys.orig_argv):
    print("a fault, made by a test", file=sys.stderr)
    os._exit(1)
