"""Measures how each coefficient is distributed over text, so that `on` means "as strong as this vector ever gets".

1. The text: sequences that the model writes itself by sampling, or a text file of the user's.
2. Every coefficient of every token (but the first of a sequence) goes into exact tails (`tails`).
3. The 99.9 % quantile is `on`, the 0.1 % quantile `on-`. docs/method.md says why not the layer's maximum.

In a mixture of experts a coefficient is measured over the tokens routed to its expert. An expert that fewer than
`ENOUGH` tokens reached takes the median range of the layer's other experts.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import StoppingCriteria

from lm_debugger.calibration.tails import Tails
from lm_debugger.engine.forward import forward_options, streaming
from lm_debugger.engine.generation import generate
from lm_debugger.errors import CalibrationError, OptionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.progress import Progress, silent, stop_if_cancelled
from lm_debugger.records.calibration import CoefficientRange
from lm_debugger.records.names import ValueName
from lm_debugger.store import cache

KIND, VERSION = "calibration", 1
LENGTH = 64  # tokens of a self-generated sequence
PIECE = 256  # tokens of a text file run at once
FEWEST = 1000  # tokens below which a 99.9 % quantile means nothing
ENOUGH = 200  # tokens an expert must see for ranges of its own
SELF_GENERATED = "self-generated"


@dataclass(frozen=True)
class Calibration:
    """The ranges of all coefficients of one model.

    Args:
        source: `self-generated` or the text's name.
        tokens: tokens measured.
        arrays: for layer L `L.dense` (6, width) and `L.routed` (6, experts, width), rows as in `Tails.summary`, and
            `L.tokens` (experts,).
    """

    source: str
    tokens: int
    arrays: Mapping[str, Tensor]

    def range(self, name: ValueName) -> CoefficientRange:
        """One vector's range. The name must exist."""
        if name.expert is None:
            numbers = self.arrays[f"{name.layer}.dense"][:, name.dimension]
            tokens = self.tokens
        else:
            numbers = self.arrays[f"{name.layer}.routed"][:, name.expert, name.dimension]
            tokens = int(self.arrays[f"{name.layer}.tokens"][name.expert])
        low, quantile_01, quantile_99, high, mean, deviation = numbers.tolist()
        return CoefficientRange(
            low=low, quantile_01=quantile_01, quantile_99=quantile_99, high=high, mean=mean, deviation=deviation,
            tokens=tokens,
        )  # fmt: skip


class _Collector:
    """Takes all coefficients into tails."""

    def __init__(self, model: LoadedModel, expected: int) -> None:
        self._model = model
        self._expected = expected
        self._device = model.network.device
        self._dense: dict[tuple[int, int], Tails] = {}
        self._routed: dict[tuple[int, int], Tails] = {}

    def dense(self, layer: int, first: int, coefficients: Tensor) -> None:
        tails = self._dense.setdefault((layer, first), Tails(coefficients.shape[-1], self._expected, self._device))
        tails.add(coefficients)

    def routed(self, layer: int, index: Tensor, coefficients: Tensor) -> None:
        for expert in index.unique().tolist():
            tails = self._routed.setdefault(
                (layer, expert), Tails(coefficients.shape[-1], self._expected, self._device)
            )
            tails.add(coefficients[index == expert])

    def arrays(self) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for layer in range(self._model.layers):
            groups = [tails.summary() for (where, _), tails in sorted(self._dense.items()) if where == layer]
            if groups:
                found[f"{layer}.dense"] = torch.cat(groups, -1).contiguous()
            experts, width = self._model.experts(layer)
            if experts:
                empty = Tails(width, 1, self._device)
                tails_of = [self._routed.get((layer, expert), empty) for expert in range(experts)]
                tokens = torch.tensor([tails.tokens for tails in tails_of])
                found[f"{layer}.routed"] = _filled(torch.stack([t.summary() for t in tails_of], 1), tokens)
                found[f"{layer}.tokens"] = tokens
        return found


def _filled(ranges: Tensor, tokens: Tensor) -> Tensor:
    """Ranges (6, experts, width) with the median of the others for experts that saw too little."""
    poor = tokens < ENOUGH
    source = ranges[:, ~poor] if bool((~poor).any()) else ranges[:, tokens > 0]
    if source.shape[1]:
        ranges[:, poor] = source.flatten(1).nanmedian(-1).values[:, None, None].expand_as(ranges[:, poor])
    return ranges.contiguous()


def cached(model: LoadedModel) -> Calibration | None:
    """The calibration kept for this model, or None."""
    entry = cache.read(KIND, model.fingerprint, VERSION)
    about = None if entry is None else entry.about(source=str, tokens=int)
    if entry is None or about is None or not entry.has(**_shapes(model)):
        return None
    return Calibration(about["source"], about["tokens"], entry.arrays)


def _shapes(model: LoadedModel) -> dict[str, tuple[int, ...]]:
    """The arrays of a calibration of this model; see `Calibration`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(model.layers):
        if model.dense_width(layer):
            shapes[f"{layer}.dense"] = (6, model.dense_width(layer))
        experts, width = model.experts(layer)
        if experts:
            shapes |= {f"{layer}.routed": (6, experts, width), f"{layer}.tokens": (experts,)}
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
    progress: Progress = silent,
    cancel: threading.Event | None = None,
) -> Calibration:
    """Measure all ranges and keep them in the cache.

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
    with model.lock:
        if text is None:
            measured = _over_own_text(model, collector, tokens, seed, progress, cancel)
        else:
            measured = _over_text(model, collector, text, tokens, progress, cancel)
    arrays = collector.arrays()
    if not all(bool(array.isfinite().all()) for name, array in arrays.items() if name.endswith("dense")):
        raise CalibrationError("Coefficients are NaN or infinite.", "Check the weights and the dtype.")
    source = SELF_GENERATED if text is None else text[0]
    about = json.dumps({"source": source, "tokens": measured})
    cache.write(KIND, model.fingerprint, VERSION, arrays, about)
    return Calibration(source, measured, arrays)


def _over_own_text(
    model: LoadedModel,
    collector: _Collector,
    tokens: int,
    seed: int,
    progress: Progress,
    cancel: threading.Event | None,
) -> int:
    """Sample many short sequences at once; the coefficients are taken while they are written."""
    rows = -(-tokens // LENGTH)
    starts = _starts(model, rows, seed)
    watch = _Steps(progress, cancel, LENGTH + 1)
    batches = [starts] if model.anatomy.batch_first else list(starts.split(1))
    devices = [model.network.device] if model.network.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), streaming(model.network, model.anatomy, collector):
        torch.manual_seed(seed)
        for batch in batches:
            generate(model.network, batch, steps=LENGTH + 1, sample=True, endless=True, criteria=[watch])
    return rows * LENGTH


def _starts(model: LoadedModel, rows: int, seed: int) -> Tensor:
    """First tokens (rows, 1): half the beginning-of-text token where there is one, the rest random ones."""
    generator = torch.Generator().manual_seed(seed)
    vocabulary = min(model.vocabulary.size, len(model.vocabulary.tokenizer))
    starts = torch.randint(0, vocabulary, (rows, 1), generator=generator)
    beginning = model.vocabulary.tokenizer.bos_token_id
    if beginning is not None:
        starts[: rows // 2] = beginning
    return starts.to(model.network.device)


class _Steps(StoppingCriteria):
    """Reports each step and stops when asked."""

    def __init__(self, progress: Progress, cancel: threading.Event | None, total: int) -> None:
        self._progress = progress
        self._cancel = cancel
        self._total = total

    def __call__(self, input_ids: Tensor, scores: object, **_: object) -> Tensor:
        stop_if_cancelled(self._cancel)
        self._progress("Measuring coefficients", input_ids.shape[1] - 1, self._total)
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def _over_text(
    model: LoadedModel,
    collector: _Collector,
    text: tuple[str, str],
    tokens: int,
    progress: Progress,
    cancel: threading.Event | None,
) -> int:
    name, content = text
    ids = model.vocabulary.encode(content)
    piece = min(PIECE, model.context or PIECE)
    pieces: Sequence[Sequence[int]] = [ids[i : i + piece] for i in range(0, len(ids), piece)]
    measured = 0
    with streaming(model.network, model.anatomy, collector):
        for part in pieces:
            stop_if_cancelled(cancel)
            if measured >= tokens or len(part) < 2:
                break
            model.network(input_ids=model.tensor([part]), **forward_options(model.network, all_logits=False))
            measured += len(part) - 1
            progress("Measuring coefficients", measured, min(tokens, len(ids)))
    if measured < FEWEST:
        raise CalibrationError(
            f"{name} has only {measured} tokens to measure.", f"Give a text of at least {FEWEST} tokens."
        )
    return measured
