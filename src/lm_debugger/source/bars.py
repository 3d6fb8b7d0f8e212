"""Turns the progress bars of transformers into calls of our Progress. Nothing else writes to the terminal then."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from transformers.utils import logging

from lm_debugger.work import Progress

GGUF_READER = "transformers.modeling_gguf_pytorch_utils"

_one_at_a_time = threading.RLock()


class _Bar:
    """What a loop over `items` sees in place of tqdm."""

    def __init__(self, progress: Progress, step: str, items: Iterable[Any], total: int) -> None:
        self._progress, self._step, self._items, self._total = progress, step, items, total
        self._done = 0

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            yield item
            self.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, count: int = 1) -> None:
        self._done += count
        self._progress(self._step, self._done, self._total)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None  # the rest of tqdm's methods only draw


@contextmanager
def forwarded(progress: Progress) -> Iterator[None]:
    """While inside, transformers reports the loading of weights to `progress` instead of drawing bars."""

    def bar(*args: Any, **kwargs: Any) -> _Bar:
        items = args[0] if args else kwargs.get("iterable") or ()
        total = kwargs.get("total") or (len(items) if hasattr(items, "__len__") else 0)
        step = str(kwargs.get("desc") or "Loading").rstrip(". ")
        return _Bar(progress, _STEPS.get(step, step), items, total)

    def hook(factory: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Bar:
        return bar(*args, **kwargs)

    with _one_at_a_time:
        previous = logging.set_tqdm_hook(hook)
        # The GGUF reader draws its bar with tqdm itself, past the hook. Where it is used, `convert` has imported it.
        reader = sys.modules.get(GGUF_READER)
        kept = None if reader is None else vars(reader).get("tqdm")
        if reader is not None:
            vars(reader)["tqdm"] = bar
        try:
            yield
        finally:
            if reader is not None:
                vars(reader)["tqdm"] = kept
            logging.set_tqdm_hook(previous)


_STEPS = {
    "Converting and de-quantizing GGUF tensors": "Unpacking the GGUF file",
    "Loading weights": "Loading the weights",
    "Loading checkpoint shards": "Loading the weights",
}
