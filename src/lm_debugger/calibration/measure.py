"""Measures how each coefficient is distributed over text, so that `on` means "as strong as this vector ever gets".

1. The text: sequences that the model writes itself by sampling, or a text file of the user's.
2. Every coefficient of every token (but the first of a sequence) goes into exact tails (`tails`).
3. The 99.9 % quantile is `on`, the 0.1 % quantile `on-`. docs/method.md says why not the layer's maximum.

In a mixture of experts a coefficient is measured over the tokens routed to its expert. An expert that fewer than
`ENOUGH` tokens reached takes the median range of the layer's other experts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lm_debugger.calibration.tails import Tails
from lm_debugger.engine.sites import Capture, Pass, Site
from lm_debugger.errors import CalibrationError, OptionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.writing import SELF_GENERATED, sampled, starts_of_texts
from lm_debugger.records.calibration import CoefficientRange
from lm_debugger.records.names import Extent, UnitName
from lm_debugger.store import cache
from lm_debugger.units.unit import ValueGroup
from lm_debugger.work import UNWATCHED, Work

KIND, VERSION = "calibration", 2
LENGTH = 64  # tokens of a self-generated sequence
ROWS = 64  # sequences generated at once
PIECE = 256  # tokens of a text file run at once
FEWEST = 1000  # tokens below which a 99.9 % quantile means nothing
ENOUGH = 200  # tokens an expert must see for ranges of its own


@dataclass(frozen=True)
class Calibration:
    """The ranges of all coefficients of one model.

    Args:
        source: `self-generated` or the text's name.
        tokens: tokens measured.
        extents: for each layer how its vectors are numbered.
        arrays: for layer L and each kind of vector, by its letters: `L.D` (6, units), rows as in `Tails.summary`, and
            `L.D.tokens` (units,), tokens seen.
    """

    source: str
    tokens: int
    extents: tuple[tuple[Extent, ...], ...]
    arrays: Mapping[str, Tensor]

    def range(self, name: UnitName) -> CoefficientRange:
        """One vector's range. The name must exist."""
        extent = next(one for one in self.extents[name.layer] if one.letters == name.letters)
        index, key = extent.number(name), f"{name.layer}.{name.letters}"
        low, quantile_01, quantile_99, high, mean, deviation = self.arrays[key][:, index].tolist()
        return CoefficientRange(
            low=low, quantile_01=quantile_01, quantile_99=quantile_99, high=high, mean=mean, deviation=deviation,
            tokens=int(self.arrays[f"{key}.tokens"][index]),
        )  # fmt: skip

    def bounds(self, layer: int, letters: str) -> tuple[Tensor, Tensor]:
        """What `on-` and `on` mean for all vectors of a kind in a layer: (units,) each; NaN where nothing was seen."""
        ranges = self.arrays[f"{layer}.{letters}"]
        return ranges[0], ranges[3]


class _Collector:
    """Takes all coefficients into tails, but for the first of a text.

    The first token is an attention sink in most models, with coefficients like nowhere else.
    """

    def __init__(self, model: LoadedModel, expected: int) -> None:
        self._expected = expected
        self._device = model.network.device
        self._groups = [g for block in model.blocks for g in block.units if isinstance(g, ValueGroup)]
        self._tails: dict[tuple[int, int], Tails] = {}
        self.sites = tuple(dict.fromkeys(site for group in self._groups for site in group.coefficient_sites))

    def take(self, captures: Sequence[Capture], positions: slice) -> None:
        """Add what passes left at some of the positions that ran."""

        def taken(site: Site) -> Tensor:
            return torch.cat([capture[site][positions] for capture in captures])

        for number, group in enumerate(self._groups):
            for slot, coefficients in group.samples(taken):
                if len(coefficients):
                    self._of(number, slot, coefficients.shape[-1]).add(coefficients)

    def _of(self, group: int, slot: int, width: int) -> Tails:
        if (group, slot) not in self._tails:
            self._tails[group, slot] = Tails(width, self._expected, self._device)
        return self._tails[group, slot]

    def arrays(self) -> dict[str, Tensor]:
        """See `Calibration`."""
        parts: dict[str, list[tuple[Tensor, Tensor]]] = {}
        for number, group in enumerate(self._groups):
            width = group.extent.units // group.slots
            tails = [self._of(number, slot, width) for slot in range(group.slots)]
            tokens = torch.tensor([each.tokens for each in tails])
            ranges = _filled(torch.stack([each.summary() for each in tails], 1), tokens)
            entry = ranges.flatten(1), tokens.repeat_interleave(width)
            parts.setdefault(f"{group.layer}.{group.extent.letters}", []).append(entry)
        found: dict[str, Tensor] = {}
        for key, entries in parts.items():
            found[key] = torch.cat([ranges for ranges, _ in entries], -1).contiguous()
            found[f"{key}.tokens"] = torch.cat([tokens for _, tokens in entries])
        return found


def _filled(ranges: Tensor, tokens: Tensor) -> Tensor:
    """Ranges (6, slots, width) with the median of the others for slots that saw too little."""
    poor = tokens < ENOUGH
    if len(tokens) > 1 and bool(poor.any()):
        source = ranges[:, ~poor] if bool((~poor).any()) else ranges[:, tokens > 0]
        if source.shape[1]:
            ranges[:, poor] = source.flatten(1).nanmedian(-1).values[:, None, None].expand_as(ranges[:, poor])
    return ranges


def cached(model: LoadedModel) -> Calibration | None:
    """The calibration kept for this model, or None."""
    entry = cache.read(KIND, model.fingerprint, VERSION)
    about = None if entry is None else entry.about(source=str, tokens=int)
    if entry is None or about is None or not entry.has(**_shapes(model)):
        return None
    return Calibration(about["source"], about["tokens"], _extents(model), entry.arrays)


def keep(model: LoadedModel, found: Calibration) -> None:
    """Keep a calibration in the cache, in the place of an earlier one."""
    about = json.dumps({"source": found.source, "tokens": found.tokens})
    cache.write(KIND, model.fingerprint, VERSION, dict(found.arrays), about)


def _extents(model: LoadedModel) -> tuple[tuple[Extent, ...], ...]:
    return tuple(model.vectors(layer) for layer in range(model.layers))


def _shapes(model: LoadedModel) -> dict[str, tuple[int, ...]]:
    """The arrays of a calibration of this model; see `Calibration`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, extents in enumerate(_extents(model)):
        for extent in extents:
            key = f"{layer}.{extent.letters}"
            shapes |= {key: (6, extent.units), f"{key}.tokens": (extent.units,)}
    return shapes


def check_tokens(tokens: int) -> None:
    """Raise OptionError if so few tokens have no 99.9 % quantile."""
    if tokens < FEWEST:
        raise OptionError(f"tokens is {tokens}.", f"A 99.9 % quantile needs at least {FEWEST}.")


def calibrate(
    model: LoadedModel,
    text: tuple[str, str] | None = None,
    *,
    tokens: int = 4096,
    seed: int = 0,
    work: Work = UNWATCHED,
) -> Calibration:
    """Measure all ranges.

    Args:
        text: name and content of a text to measure over; None to let the model write one.
        tokens: how many tokens to measure (at most; a text may be shorter).
        seed: of the sampling.

    Raises:
        OptionError: if tokens is below 1,000.
        CalibrationError: if the text is too short, or the coefficients are not finite.
        CancelledError: if cancelled.
    """
    check_tokens(tokens)
    collector = _Collector(model, tokens + max(LENGTH, PIECE))
    if text is None:
        measured = _over_own_text(model, collector, tokens, seed, work)
    else:
        measured = _over_text(model, collector, text, tokens, work)
    arrays = collector.arrays()
    if not all(bool(array.isfinite().all()) for name, array in arrays.items() if name.endswith(".D")):
        raise CalibrationError("Coefficients are NaN or infinite.", "Check the weights and the dtype.")
    return Calibration(SELF_GENERATED if text is None else text[0], measured, _extents(model), arrays)


def _over_own_text(model: LoadedModel, collector: _Collector, tokens: int, seed: int, work: Work) -> int:
    """Sample many short sequences at once; the coefficients are taken while they are written."""
    rows = -(-tokens // LENGTH)
    starts = starts_of_texts(model, rows, seed)
    batches = starts.split(ROWS if model.anatomy.batch_first else 1)
    devices = [model.network.device] if model.network.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        for number, batch in enumerate(batches):
            passes = [Pass((start,)) for start in batch.tolist()]
            steps = model.engine.steps(passes, sampled, collector.sites, limit=LENGTH + 1, endless=True, work=work)
            for step in steps:
                if step.number:  # the first step runs the first token
                    collector.take(step.captures, slice(-1, None))
                work("Measuring coefficients", number * (LENGTH + 1) + step.number + 1, len(batches) * (LENGTH + 1))
    return rows * LENGTH


def _over_text(model: LoadedModel, collector: _Collector, text: tuple[str, str], tokens: int, work: Work) -> int:
    name, content = text
    ids = model.vocabulary.encode(content)
    piece = min(PIECE, model.context or PIECE)
    measured = 0
    for first in range(0, len(ids), piece):
        part = tuple(ids[first : first + piece])
        if measured >= tokens or len(part) < 2:
            break
        collector.take(model.engine.observe([Pass(part)], collector.sites, work=work), slice(1, None))
        measured += len(part) - 1
        work("Measuring coefficients", measured, min(tokens, len(ids)))
    if measured < FEWEST:
        raise CalibrationError(
            f"{name} has only {measured} tokens to measure.", f"Give a text of at least {FEWEST} tokens."
        )
    return measured
