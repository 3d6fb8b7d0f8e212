"""Continues a prompt token by token, with edits in force at every step of cached generation.

The loop is the engine's; the model's own cache, processors and stopping rules make the tokens Hugging Face's. Sampling
is done by adding seeded Gumbel noise to the warped scores and taking the largest: exact sampling, and with and without
edits the same noise, so that two continuations differ only where the edits make them differ.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from lm_debugger.engine.engine import Step, Steps, Warp
from lm_debugger.engine.sites import Pass, Site
from lm_debugger.errors import CancelledError, NumericalError, OptionError
from lm_debugger.model.loaded import LoadedModel, end_of_text
from lm_debugger.records.generation import Continuation, GeneratedToken, Sampling
from lm_debugger.runs.spec import RunSpec
from lm_debugger.units.compile import compile_edits
from lm_debugger.work import UNWATCHED, Work

OnToken = Callable[[GeneratedToken], None]


class Watcher(Protocol):
    """Sees every step of a continuation."""

    @property
    def taps(self) -> tuple[Site, ...]:
        """What has to be kept of each step."""

    def see(self, step: Step, generated: Sequence[int], text: str) -> None:
        """Take note of a step; the last of the generated tokens is the one that it chose."""


def warps_of(sampling: Sampling) -> list[Warp]:
    """What warps the scores, noise last."""
    if sampling.temperature == 0:
        return []
    warpers: list[Warp] = [TemperatureLogitsWarper(sampling.temperature)]
    if sampling.top_k is not None:
        warpers.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p is not None and sampling.top_p < 1:
        warpers.append(TopPLogitsWarper(sampling.top_p))
    return [*warpers, _Noise(sampling.seed)]


class _Noise:
    """Adds Gumbel noise: the largest of score + noise is a sample of softmax(score)."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def __deepcopy__(self, _: object) -> "_Noise":
        twin = _Noise(0)
        twin._generator.set_state(self._generator.get_state())
        return twin

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        uniform = torch.rand(scores.shape[-1], generator=self._generator, dtype=torch.float64)
        noise = -(-uniform.clamp_min(1e-300).log()).log()
        return scores + noise.to(scores)


@dataclass(frozen=True)
class Stops:
    """When a continuation ends, beside the model's own rules.

    Args:
        limit: most tokens to generate, 1 or more.
        texts: texts at which to stop; the continuation's text ends before them.

    Raises:
        OptionError: if the limit is below 1 or a text is empty.
    """

    limit: int = 20
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise OptionError(f"max_new_tokens is {self.limit}.", "It must be 1 or more.")
        if any(not text for text in self.texts):
            raise OptionError("A stop string is empty.", "Give the text to stop at.")


def continuation(
    model: LoadedModel, spec: RunSpec, sampling: Sampling, stops: Stops, work: Work, taps: Sequence[Site] = ()
) -> Steps:
    """A continuation of a prompt, to be gone through step by step. `on` in the spec's edits is settled.

    Args:
        taps: what to keep of each step.

    Raises:
        PromptError: if prompt and continuation do not fit the model's context.
        EditError: if an edit cannot be applied.
    """
    length = len(spec.ids) + stops.limit
    model.check_length(len(spec.ids), stops.limit)
    writes = compile_edits(spec.edits, model, prompt_length=spec.prompt_length, length=length)
    return model.engine.steps(
        [Pass(spec.ids, writes)], greedy, taps, limit=stops.limit, warps=warps_of(sampling), work=work
    )


def greedy(scores: Tensor) -> Tensor:
    """The token with the largest score."""
    return scores.argmax(-1)


def continue_prompt(
    model: LoadedModel,
    spec: RunSpec,
    *,
    sampling: Sampling,
    stops: Stops,
    on_token: OnToken | None = None,
    watcher: Watcher | None = None,
    work: Work = UNWATCHED,
) -> Continuation:
    """Continue a prompt, with its edits in force.

    Args:
        on_token: called with every token as it comes; nothing of the model is held meanwhile.
        watcher: sees every step.
        work: when it is cancelled, what was generated is returned.

    Raises:
        OptionError, PromptError, EditError, NumericalError.
    """
    tokens: list[GeneratedToken] = []
    finish = "length"
    try:
        for step in continuation(model, spec, sampling, stops, work, () if watcher is None else watcher.taps):
            tokens.append(chosen(model, step))
            text = _text(model, tokens)
            if watcher is not None:
                watcher.see(step, [token.id for token in tokens], text)
            if on_token is not None:
                on_token(tokens[-1])
            if _cut(text, stops.texts) is not None:
                finish = "stop"
            if work.cancelled:
                finish = "cancelled"
            if finish != "length":
                break
    except CancelledError:
        finish = "cancelled"
    if finish == "length" and tokens and tokens[-1].id in end_of_text(model):
        return Continuation(text=_text(model, tokens[:-1]), tokens=tuple(tokens), finish="end")
    text = _text(model, tokens)
    return Continuation(text=text[: _cut(text, stops.texts)], tokens=tuple(tokens), finish=finish)


def chosen(model: LoadedModel, step: Step) -> GeneratedToken:
    """What a step chose, with its log-probability before any warping.

    Raises:
        NumericalError: if the model computes NaN or infinity.
    """
    logits = step.logits[0]
    if not bool(logits.max().isfinite()):
        raise NumericalError("The model's logits are NaN or infinite.", "Weaken the edits, or check the weights.")
    token = int(step.tokens[0])
    logprob = float(logits[token] - logits.logsumexp(-1))
    return GeneratedToken(id=token, text=model.vocabulary.text(token), logprob=logprob)


def _text(model: LoadedModel, tokens: Sequence[GeneratedToken]) -> str:
    return model.vocabulary.decode([token.id for token in tokens])


def _cut(text: str, stops: Sequence[str]) -> int | None:
    """Where the first stop string begins, or None."""
    return min((at for stop in stops if (at := text.find(stop)) >= 0), default=None)
