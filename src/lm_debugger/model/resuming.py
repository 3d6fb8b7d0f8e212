"""Whether a model's upper layers can run alone on a stream that is known, found out by trying. No list of models.

Some layers take more from below than the stream (another layer's keys, the first layer's values): there the outcome
differs, and everything is run every time.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.engine.engine import Engine, Resume
from lm_debugger.engine.sites import Pass, Side, Site

IDS = (3, 5, 4, 7)  # any tokens
SAME = 1e-4  # relative: two forwards whose batches differ by rounding
FORMS = (0, 1, 2, 3)  # what a layer gives: the stream, or a tuple of so many items


def entrance(anatomy: Anatomy, layer: int) -> Site:
    """The stream that enters a layer."""
    return Site(path=anatomy.layers[layer].path, side=Side.INPUT)


def resume_at(anatomy: Anatomy, layer: int, stream: Tensor, items: int) -> Resume | None:
    """Begin at a layer with the stream (positions, hidden) that enters it; None for the first: nothing is saved."""
    return Resume(tuple(each.path for each in anatomy.layers[:layer]), stream, items) if layer else None


@torch.no_grad()
def form(engine: Engine, anatomy: Anatomy, vocabulary: int) -> int | None:
    """What the layers of a model give (`Resume.items`), or None where none of its forwards can begin in the middle."""
    count = len(anatomy.layers)
    paths = {layer.path for layer in anatomy.layers}
    if count < 2 or len(paths) < count or anatomy.mutates or not anatomy.batch_first or vocabulary <= max(IDS):
        return None
    cuts = sorted({1, count // 3, 2 * count // 3, count - 1} - {0})
    last = anatomy.layers[-1].after
    entrances = [entrance(anatomy, cut) for cut in cuts]
    capture = engine.observe([Pass(IDS)], [last, *entrances])[0]
    for items in FORMS:
        resumes = [resume_at(anatomy, cut, capture[site], items) for cut, site in zip(cuts, entrances, strict=True)]
        if _right(engine, last, capture[last], resumes):
            return items
    return None


def _right(engine: Engine, last: Site, expected: Tensor, resumes: Sequence[Resume | None]) -> bool:
    for resume in resumes:
        try:
            captures = engine.observe([Pass(IDS)] * 2, [last], resume=resume)
        except Exception:  # noqa: BLE001  # a layer that is given what it does not expect fails as it likes
            return False
        for each in captures:
            found = each[last]
            if found.shape != expected.shape or (found - expected).norm() > SAME * expected.norm():
                return False
    return True
