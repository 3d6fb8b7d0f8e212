"""Finds out by experiment whether the input of an output projection splits into heads, and into how many.

1. The layer is run once with derivatives. For chosen channels of the projection's input, the derivative by everything
   that the maps inside the mixer gave says which of their channels touch it. At a random point the derivative of an
   analytic function is zero everywhere only if there is no dependence.
2. Some channels of every slice of the proposed width are chosen, its first two and its last among them.
3. The slices are heads if nothing cuts one (what touches several channels of a slice touches all of it, as a query
   does; what touches one channel, as a value does, may be anything), and if each has something of its own that touches
   all of it and nothing else.

So too coarse a proposal fails, because a query touches a part of the slice; so does too fine a one, because a query
touches several slices. Keys and values that several heads share touch whole groups, which proves nothing and spoils
nothing.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from lm_debugger.anatomy.discovery.record import Call
from lm_debugger.anatomy.discovery.subject import Subject

MOST_HEADS = 512
FEWEST_CHANNELS = 2  # a head of one channel cannot be told from a channel


class Split:
    """The experiment on one projection.

    Args:
        subject: the layer.
        call: what enters this call is to be split: the output projection, or a norm before it.
        maps: calls whose outputs are watched: the maps inside the mixer that ended before.
    """

    def __init__(self, subject: Subject, call: Call, maps: list[Call]) -> None:
        self.width = call.input_width
        self._entered, self._left = subject.differentiable(call, maps)
        tokens = self._entered.shape[0]
        self._weights = torch.randn(tokens, generator=torch.Generator().manual_seed(5)).to(self._entered)
        self._known: dict[int, Tensor] = {}

    def heads(self, counts: Iterable[int]) -> int:
        """The first of the proposed counts that is proved, or 0."""
        return next((count for count in dict.fromkeys(counts) if self._possible(count) and self.proves(count)), 0)

    def _possible(self, count: int) -> bool:
        return 0 < count <= MOST_HEADS and self.width % count == 0 and self.width // count >= FEWEST_CHANNELS

    def proves(self, count: int) -> bool:
        """Whether the projection's input splits into this many heads."""
        width = self.width // count
        chosen = sorted({0, 1, width // 2, width - 1})
        parts: list[Tensor] = []
        for head in range(count):
            touched = torch.stack([self._touching(head * width + channel) for channel in chosen]).sum(0)
            if bool(((touched > 1) & (touched < len(chosen))).any()):
                return False  # something cuts the slice
            parts.append(touched)
        whole = torch.stack(parts) == len(chosen)  # (heads, channels of the maps)
        alone = (torch.stack(parts) > 0).sum(0) == 1
        return bool((whole & alone).any(1).all())

    def _touching(self, channel: int) -> Tensor:
        """Which channels of all maps the channel of the projection's input depends on: (channels of all maps,)."""
        if channel not in self._known:
            value = self._entered[:, channel] @ self._weights
            slopes: tuple[Tensor | None, ...] = torch.autograd.grad(
                value, self._left, retain_graph=True, allow_unused=True
            )
            self._known[channel] = torch.cat(
                [
                    torch.zeros(left.shape[-1], dtype=torch.bool)
                    if slope is None
                    else (slope.reshape(-1, slope.shape[-1]) != 0).any(0).cpu()
                    for left, slope in zip(self._left, slopes, strict=True)
                ]
            )
        return self._known[channel]
