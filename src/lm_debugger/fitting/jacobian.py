"""Fits a Jacobian lens: J_ℓ = E[∂ h_final / ∂ h_ℓ], the mean derivative of the last stream by that after layer ℓ.

The estimator of the reference implementation (Gurnee et al. 2026; github.com/anthropics/jacobian-lens): in each text,
the derivative of each channel of the last stream, added up over the target positions, by the stream at each source
position; the mean over the source positions, then over the texts. A position sees no later ones, so the sum is over
current and later targets. Both sides leave out the first 16 positions, where attention sinks make streams like nowhere
else, and the last, which predicts nothing that the text has.

- `exact`: every channel in every text: as many backward passes as the stream has channels, for each text.
- `sampled`: in each text a random part of the channels, each channel equally often over all texts. The mean is over
  the texts that a channel was measured in. No row of J mixes with another, so what is noisy in one channel (those with
  outliers) stays there; random cotangents of all channels would spread it.

Rows of a batch are different texts, and each backward pass takes one channel of each. What is left out need not be
differentiated either: where a network goes on rightly from a cache (tried on the first text), the first positions run
ahead of the others, and the last does not run.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.engine.sites import Pass, Site
from lm_debugger.errors import CancelledError, LensError, NumericalError, UnsupportedModelError
from lm_debugger.fitting.state import IDS, FitState
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.lens import Estimator
from lm_debugger.work import Work

SKIPPED = 16  # positions at the beginning that are left out
PARTS = 12  # `sampled` takes this part of the channels in each text
TOKENS = {"cpu": 384}  # that run in one forward: their graph is in memory
TOKENS_ELSEWHERE = 8192
PULLED = {"cpu": 1 << 26}  # bytes of cotangents that are held at once
PULLED_ELSEWHERE = 1 << 31
SAME = 1e-3  # relative: derivatives that differ by rounding


class Jacobians(NamedTuple):
    """What a fit gives.

    Args:
        matrices: for each layer but the last J: (hidden, hidden), float32, CPU.
        agreement: for each the cosine of the two halves' matrices; empty where there is one text only.
    """

    matrices: dict[int, Tensor]
    agreement: tuple[float, ...]


class Batch(NamedTuple):
    """Texts that run together, and the channels of the last stream that are pulled in each: (pulls, texts)."""

    texts: list[int]
    channels: Tensor


def check_length(length: int) -> None:
    """Raise LensError if texts of so many tokens leave no position."""
    if length < SKIPPED + 2:
        raise LensError(
            f"Texts of {length} tokens leave nothing to measure: the first {SKIPPED} and the last are left out.",
            f"Use texts of {SKIPPED + 2} tokens or more.",
        )


def batches(texts: int, hidden: int, estimator: Estimator, *, rows: int, pulls: int, seed: int) -> list[Batch]:
    """What is to be run, in order. The two halves of the texts are those of even and of odd index.

    Args:
        texts: how many there are.
        rows: texts of a batch.
        pulls: channels of each text that are pulled after one forward.
    """
    channels = torch.arange(hidden).expand(texts, -1) if estimator == "exact" else _shares(texts, hidden, seed)
    found = []
    for first in range(0, texts, rows):
        members = list(range(first, min(first + rows, texts)))
        found += [Batch(members, part) for part in channels[members].T.split(pulls)]
    return found


def _shares(texts: int, hidden: int, seed: int) -> Tensor:
    """For each text the channels that are measured in it: (texts, channels). Each half of the texts has them all."""
    generator = torch.Generator().manual_seed(seed)
    fewest = max(1, texts // 2)
    share = min(hidden, max(-(-hidden // PARTS), -(-hidden // fewest)))
    found = torch.empty(texts, share, dtype=torch.long)
    for half in range(min(2, texts)):
        mine = range(half, texts, 2)
        turns = -(-len(mine) * share // hidden)
        order = torch.cat([torch.randperm(hidden, generator=generator) for _ in range(turns)])
        found[list(mine)] = order[: len(mine) * share].view(len(mine), share)
    return found


class _Sums:
    """Rows of J added up over texts, each half of the texts apart."""

    def __init__(self, layers: int, hidden: int) -> None:
        self.sums = [[torch.zeros(hidden, hidden) for _ in range(layers)] for _ in range(2)]
        self.counts = torch.zeros(2, hidden)

    def add(self, batch: Batch, row: int, layer: int, gradients: Tensor) -> None:
        """Add what one text's pulls gave at a layer: (pulls, hidden)."""
        self.sums[batch.texts[row] % 2][layer].index_add_(0, batch.channels[:, row], gradients)

    def count(self, batch: Batch) -> None:
        """Count a batch's pulls."""
        for row, text in enumerate(batch.texts):
            self.counts[text % 2].index_add_(0, batch.channels[:, row], torch.ones(len(batch.channels)))

    def matrix(self, layer: int) -> Tensor:
        """The mean of all texts."""
        whole = self.counts.sum(0).clamp_min(1)
        return (self.sums[0][layer] + self.sums[1][layer]) / whole[:, None]

    def agreement(self, layer: int) -> float:
        """The cosine of the halves' means."""
        one, other = (self.sums[half][layer] / self.counts[half].clamp_min(1)[:, None] for half in range(2))
        return float(torch.nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0))

    def are_of(self, plan: list[Batch]) -> bool:
        """Whether as much was counted as some batches have."""
        return int(self.counts.sum()) == sum(batch.channels.numel() for batch in plan)

    def arrays(self) -> dict[str, Tensor]:
        """All of it, by name."""
        named = {f"{half}.{layer}": each for half in range(2) for layer, each in enumerate(self.sums[half])}
        return {**named, "counts": self.counts}

    def take(self, arrays: dict[str, Tensor]) -> None:
        """Go on from what `arrays` gave."""
        self.counts = arrays["counts"]
        for half in range(2):
            self.sums[half] = [arrays[f"{half}.{layer}"] for layer in range(len(self.sums[half]))]


def fit(
    model: LoadedModel, ids: list[tuple[int, ...]], estimator: Estimator, seed: int, state: FitState, work: Work
) -> Jacobians:
    """Fit a Jacobian lens.

    Args:
        ids: the texts, all of one length.
        seed: of the choice of channels.
        state: what was done before, and where it is kept.

    Raises:
        LensError: if the texts are too short.
        UnsupportedModelError: if no gradients can be taken through the model.
        NumericalError: if they are not finite.
        CancelledError: if cancelled; what was done is kept.
    """
    length, hidden, layers = len(ids[0]), model.anatomy.hidden_size, model.layers - 1
    check_length(length)
    device = model.network.device.type
    ran = _ran(model, ids[0], work)
    rows = max(1, TOKENS.get(device, TOKENS_ELSEWHERE) // len(ran)) if model.anatomy.batch_first else 1
    size = min(rows, len(ids)) * len(ran) * hidden * model.network.dtype.itemsize
    pulls = max(1, PULLED.get(device, PULLED_ELSEWHERE) // size)
    plan = batches(len(ids), hidden, estimator, rows=rows, pulls=pulls, seed=seed)
    sums, done = _Sums(layers, hidden), 0
    if state.done:
        sums.take(state.arrays)
        done = state.done
        if not sums.are_of(plan[:done]):  # kept on another device, or by another version: batches were others
            sums, done = _Sums(layers, hidden), 0
    start = torch.tensor(ids)

    def so_far() -> dict[str, Tensor]:
        return {**sums.arrays(), IDS: start}

    whole = True
    try:
        for number, batch in enumerate(plan[done:], start=done):
            work("Fitting the Jacobian lens", number, len(plan))
            found = _pulled(model, [ids[text] for text in batch.texts], batch.channels, ran, work)
            whole = False
            for row, of_layers in enumerate(found):
                for layer, gradients in enumerate(of_layers):
                    sums.add(batch, row, layer, gradients)
            sums.count(batch)
            whole, done = True, number + 1
            state.offer(so_far, done)
    except BaseException:
        if whole:  # no batch is added in part
            state.keep(so_far(), done)
        raise
    matrices = {layer: sums.matrix(layer) for layer in range(layers)}
    agreement = tuple(sums.agreement(layer) for layer in range(layers)) if len(ids) > 1 else ()
    return Jacobians(matrices, agreement)


def _ran(model: LoadedModel, ids: tuple[int, ...], work: Work) -> range:
    """The positions that are differentiated: those that count, where that gives what all do."""
    channel, every = torch.zeros(1, 1, dtype=torch.long), range(len(ids))
    counted = every[SKIPPED:-1]
    expected = torch.stack(_pulled(model, [ids], channel, every, work)[0])
    try:
        found = torch.stack(_pulled(model, [ids], channel, counted, work)[0])
    except CancelledError:
        raise
    except Exception:  # noqa: BLE001  # a network that cannot go on from a cache fails as it likes
        return every
    close = (found - expected).norm(dim=-1) <= SAME * expected.norm(dim=-1)
    return counted if bool(close.all()) else every


def _pulled(
    model: LoadedModel, texts: list[tuple[int, ...]], channels: Tensor, ran: range, work: Work
) -> list[list[Tensor]]:
    """Of each text and layer the derivatives of channels of the last stream, (pulls, hidden): float32, CPU."""
    hidden = model.anatomy.hidden_size
    last = model.anatomy.layers[-1].after
    taps: list[Site] = [layer.after for layer in model.anatomy.layers[:-1]]
    cotangents = torch.zeros(*channels.shape, len(ran), hidden, dtype=model.network.dtype)
    positions = slice(SKIPPED - ran.start, len(texts[0]) - 1 - ran.start)
    pull, row = torch.meshgrid(torch.arange(len(channels)), torch.arange(len(texts)), indexing="ij")
    cotangents[pull, row, positions, channels] = 1.0
    try:
        captures = model.engine.observe(
            [Pass(ids[: ran.stop]) for ids in texts],
            taps,
            pull={last: cotangents},
            within=(positions.start, positions.stop),
            ahead=ran.start,
            work=work,
        )
    except RuntimeError as failure:  # torch raises it where no derivative can be taken
        raise UnsupportedModelError(f"No gradients can be taken ({str(failure).splitlines()[0]}).") from failure
    count = positions.stop - positions.start
    found = [[capture.gradient(site).float().cpu() / count for site in taps] for capture in captures]
    for layer in range(len(taps)):
        if not all(bool(of_layers[layer].isfinite().all()) for of_layers in found):
            raise NumericalError(f"The derivatives at layer {layer} are NaN or infinite.", "Check the weights.")
    return found
