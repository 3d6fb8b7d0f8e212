"""What a fit has done so far, kept in the cache now and then: one that was killed goes on from there and ends equal.

Arrays are kept as they are, and whatever is still to be done is done in the same order, so nothing differs.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping

from torch import Tensor

from lm_debugger.records.cache import CacheKind
from lm_debugger.store import cache, entries

KIND: CacheKind = "lensfits"
VERSION = 1
IDS = "ids"  # the name of the texts among the arrays
SECONDS = 20.0  # between two times of keeping
SHARE = 20  # keeping takes at most this part of the time


class FitState:
    """The state of one fit, as it was left.

    Args:
        fingerprint: of the model.
        name: of the lens.
        plan: everything that the result depends on, as JSON. A state of another plan counts as none.

    Attributes:
        arrays: what was kept; empty where nothing was.
        done: how much was done.
    """

    def __init__(self, fingerprint: str, name: str, plan: Mapping[str, object]) -> None:
        self._key = _key(fingerprint, name)
        self._plan = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
        self._last = self._start = time.monotonic()
        self._took = 0.0
        self.arrays: dict[str, Tensor] = {}
        self.done = 0
        entry = cache.read(KIND, self._key, VERSION)
        about = None if entry is None else entry.about(plan=str, done=int, seconds=float)
        if entry is not None and about is not None and about["plan"] == self._plan and IDS in entry.arrays:
            self.arrays, self.done = dict(entry.arrays), about["done"]
            self._start -= about["seconds"]

    @property
    def seconds(self) -> float:
        """How long the fit has taken, earlier attempts included."""
        return time.monotonic() - self._start

    @property
    def texts(self) -> list[tuple[int, ...]] | None:
        """The texts as token ids, if they are known."""
        return None if IDS not in self.arrays else [tuple(ids) for ids in self.arrays[IDS].tolist()]

    def offer(self, arrays: Callable[[], Mapping[str, Tensor]], done: int) -> None:
        """Keep the state, if it is time to."""
        if time.monotonic() - self._last >= max(SECONDS, SHARE * self._took):
            self.keep(arrays(), done)

    def keep(self, arrays: Mapping[str, Tensor], done: int) -> None:
        """Keep the state: arrays, the texts among them."""
        start = time.monotonic()
        about = json.dumps({"plan": self._plan, "done": done, "seconds": self.seconds})
        cache.write(KIND, self._key, VERSION, arrays, about)
        self._last = time.monotonic()
        self._took = self._last - start


def forget(fingerprint: str, name: str) -> None:
    """Nothing of a fit is left to be done."""
    entries.forget(KIND, _key(fingerprint, name))


def _key(fingerprint: str, name: str) -> str:
    return f"{fingerprint}-{name}"
