"""A head's OV circuit: what it writes if it attends to a token, for all pairs of tokens, without the whole matrix.

The circuit of Elhage et al. 2021 ("A Mathematical Framework for Transformer Circuits"), W_E · W_V · W_O · W_U, has one
entry for each pair (token read, token written) and the rank of the head's width w. So it is kept as its two factors,
reads (vocabulary, w) and writes (vocabulary, w):

1. reads[s] is the value that the head takes from the embedding of token s: through the norm before the mixer and the
   value projection, biases left out. A norm has the scale here that it has for the embedding itself.
2. writes[t] is what a value is multiplied with to give its projection onto token t: the output projection, the route
   and the final norm's weight folded in, as for value vectors.
3. The largest entries are found exactly: reads and writes are sorted by length, and where the product of two lengths is
   below the entries already found, no larger entry can come.

What is not covered: position embeddings, what earlier layers make of the token, and the attention pattern.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.work import UNWATCHED, Work

ROWS = 256  # tokens read at a time: 256 · vocabulary numbers


class Entries(NamedTuple):
    """Entries of the circuit, strongest first.

    Args:
        values: of the entries, (count,).
        reads, writes: the token that is read and the token that is written, (count,).
    """

    values: Tensor
    reads: Tensor
    writes: Tensor


class Circuit:
    """The circuit of one head.

    Args:
        reads: (vocabulary, width), float32.
        writes: (vocabulary, width), float32.
    """

    def __init__(self, reads: Tensor, writes: Tensor) -> None:
        self.reads = reads
        self.writes = writes

    def rows(self, tokens: list[int]) -> Tensor:
        """All entries of some tokens that are read: (tokens, vocabulary)."""
        return self.reads[tokens] @ self.writes.T

    def diagonal(self) -> Tensor:
        """How much the head promotes each token if it attends to that token: (vocabulary,)."""
        common = min(len(self.reads), len(self.writes))
        return (self.reads[:common] * self.writes[:common]).sum(-1)

    def rms(self) -> float:
        """Root mean square of all entries."""
        squares = (
            (self.reads.double().T @ self.reads.double()) * (self.writes.double().T @ self.writes.double())
        ).sum()
        return float((squares / (len(self.reads) * len(self.writes))).clamp_min(0).sqrt())

    def copying(self) -> float:
        """Sum of the eigenvalues over the sum of their absolute values: from -1 to 1, 1 for a head that only copies.

        Elhage et al. 2021, "Summarizing OV/QK Matrices". The nonzero eigenvalues of reads · writesᵀ are those of the
        small matrix writesᵀ · reads.
        """
        common = min(len(self.reads), len(self.writes))
        small = self.writes[:common].double().T @ self.reads[:common].double()
        values = torch.linalg.eigvals(small.cpu())
        return float(values.real.sum() / values.abs().sum().clamp_min(1e-30))

    def extremes(self, count: int, work: Work = UNWATCHED) -> tuple[Entries, Entries]:
        """The largest and the smallest entries, exactly.

        Raises:
            CancelledError: if the work is to stop.
        """
        read_lengths, read_order = self.reads.norm(dim=-1).sort(descending=True)
        write_lengths, write_order = self.writes.norm(dim=-1).sort(descending=True)
        ascending = write_lengths.flip(0).contiguous()
        writes = self.writes[write_order]
        high, low = _Best(count), _Best(count)
        for first in range(0, len(read_order), ROWS):
            work("Reading the head's circuit", first, len(read_order))
            longest = float(read_lengths[first])
            floor = min(high.floor, low.floor)
            reach = len(writes)
            if floor > 0:
                # Shorter writes cannot reach the floor with any read from here on; rounding is allowed for.
                shortest = floor / longest * (1 - 1e-5) if longest > 0 else float("inf")
                reach -= int(torch.searchsorted(ascending, shortest))
            if reach == 0:
                break
            rows = read_order[first : first + ROWS]
            product = self.reads[rows] @ writes[:reach].T
            if float(product.max()) > high.floor:
                high.take(product, rows, write_order)
            if -float(product.min()) > low.floor:
                low.take(-product, rows, write_order)
        found = low.entries
        return high.entries, Entries(-found.values, found.reads, found.writes)


class _Best:
    """The largest entries seen so far."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._found: list[tuple[float, int, int]] = []

    @property
    def floor(self) -> float:
        """What an entry must exceed to be among the largest; minus infinity while there are too few."""
        return self._found[-1][0] if len(self._found) == self._count else float("-inf")

    @property
    def entries(self) -> Entries:
        values, reads, writes = zip(*self._found, strict=True) if self._found else ((), (), ())
        return Entries(torch.tensor(values), torch.tensor(reads), torch.tensor(writes))

    def take(self, product: Tensor, reads: Tensor, writes: Tensor) -> None:
        """Take entries (reads, some of the writes in their order) into account."""
        # Most pieces hold next to nothing above the floor, and a mask is found much faster than the largest entries.
        above = (product > self.floor).flatten().nonzero()[:, 0]
        values = product.flatten()[above]
        if len(above) > self._count:
            values, best = values.topk(self._count)
            above = above[best]
        columns = product.shape[1]
        rows, ends = reads[above // columns].tolist(), writes[above % columns].tolist()
        self._found += zip(values.tolist(), rows, ends, strict=True)
        self._found = sorted(self._found, key=lambda entry: (-entry[0], entry[1], entry[2]))[: self._count]
