"""How the threads that compute wait for more work: asleep, not in a busy loop. Imports nothing heavy.

Two processes whose threads spin on the same cores slow each other tenfold (docs/decisions/0008). The choice is read
once, when torch is loaded, so whoever runs a process of its own makes it first: command line, server, tests,
benchmarks. A library leaves its user's process alone.
"""

import os

POLICY = "OMP_WAIT_POLICY"
_CHOSEN = "PASSIVE"
_OWN = (POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME")  # whoever sets one of these has chosen


def wait_asleep() -> None:
    """Let threads that have nothing to do sleep, unless the user's environment says how they wait."""
    if not any(name in os.environ for name in _OWN):
        os.environ[POLICY] = _CHOSEN
