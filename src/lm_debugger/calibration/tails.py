"""Extreme quantiles of many streams of numbers in bounded memory: keeps only both tails and two moments.

Quantiles are exact over up to `CHUNK` numbers. Of more, each chunk's are exact, and the result is their mean, weighted
by the chunks' numbers.
"""

import math

import torch
from torch import Tensor

TAIL = 0.01  # the largest tail whose quantile can be read
QUANTILES = (0.001, 0.01, 0.99, 0.999)
CHUNK = 8192


class Tails:
    """Tails and moments of `width` coefficients over up to `expected` tokens.

    Args:
        width: how many coefficients.
        expected: how many tokens will be added, about.
        device: where to keep them.
    """

    def __init__(self, width: int, expected: int, device: torch.device) -> None:
        self._kept = math.ceil(TAIL * min(expected, CHUNK)) + 1
        self._high = self._low = torch.empty(0, width, device=device)
        self._sum = torch.zeros(width, dtype=torch.float64, device=device)
        self._squares = torch.zeros(width, dtype=torch.float64, device=device)
        self._waiting: list[Tensor] = []
        self._held = 0  # tokens of the chunk under way
        self._finished = torch.zeros(len(QUANTILES), width, device=device)  # sum of earlier chunks' quantiles · tokens
        self.tokens = 0

    def add(self, values: Tensor) -> None:
        """Add tokens: (tokens, width)."""
        for part in values.float().split(CHUNK):
            if self._held and self._held + len(part) > max(CHUNK, self._kept):
                self._finish()
            self._waiting.append(part)
            self._held += len(part)
            self.tokens += len(part)
            if sum(map(len, self._waiting)) >= 4 * self._kept:
                self._merge()

    def _merge(self) -> None:
        if not self._waiting:
            return
        new = torch.cat(self._waiting)
        self._waiting = []
        self._sum += new.sum(0, dtype=torch.float64)
        self._squares += new.double().pow(2).sum(0)
        high, low = torch.cat([self._high, new]), torch.cat([self._low, new])
        self._high = high.topk(min(self._kept, len(high)), dim=0).values
        self._low = low.topk(min(self._kept, len(low)), dim=0, largest=False).values

    def _finish(self) -> None:
        """Close the chunk under way."""
        self._merge()
        if self._held:
            self._finished += torch.stack([self._quantile(q) for q in QUANTILES]) * self._held
        self._high = self._low = self._high[:0]
        self._held = 0

    def summary(self) -> Tensor:
        """Rows: quantiles 0.1 %, 1 %, 99 %, 99.9 %, mean, deviation; shape (6, width). NaN without tokens."""
        width = self._sum.shape[0]
        if self.tokens == 0:
            return torch.full((6, width), math.nan)
        self._finish()
        mean = self._sum / self.tokens
        deviation = (self._squares / self.tokens - mean.square()).clamp_min(0).sqrt()
        return torch.stack([*(self._finished / self.tokens), mean.float(), deviation.float()]).cpu()

    def _quantile(self, q: float) -> Tensor:
        """The q-quantile, of the chunk under way, interpolated between neighbours as numpy's default is."""
        place = q * (self._held - 1)
        sides = self._low if q < 0.5 else self._high
        if q >= 0.5:
            place = self._held - 1 - place  # counted from the largest
        below = min(int(place), len(sides) - 1)
        above = min(below + 1, len(sides) - 1)
        return torch.lerp(sides[below], sides[above], float(place - below) if above > below else 0.0)
