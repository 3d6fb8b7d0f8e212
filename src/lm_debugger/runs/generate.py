"""Continues a prompt token by token, with edits in force at every step of cached generation.

The model's own `generate` runs the steps, so that the tokens are Hugging Face's. Sampling is done by adding seeded
Gumbel noise to the warped scores and taking the largest: exact sampling, and with and without edits the same noise, so
that two continuations differ only where the edits make them differ.
"""

import threading
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import (
    LogitsProcessor,
    StoppingCriteria,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from lm_debugger.engine.forward import rewriting
from lm_debugger.engine.generation import generate
from lm_debugger.errors import NumericalError, OptionError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.edit import Edit
from lm_debugger.records.generation import Continuation, GeneratedToken, Sampling
from lm_debugger.units.compile import Ranges, compile_edits

OnToken = Callable[[GeneratedToken], None]


def _processors(sampling: Sampling) -> list[LogitsProcessor]:
    """What warps the scores, noise last."""
    if sampling.temperature == 0:
        return []
    warpers: list[LogitsProcessor] = [TemperatureLogitsWarper(sampling.temperature)]
    if sampling.top_k is not None:
        warpers.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p is not None and sampling.top_p < 1:
        warpers.append(TopPLogitsWarper(sampling.top_p))
    return [*warpers, _Noise(sampling.seed)]


class _Noise(LogitsProcessor):
    """Adds Gumbel noise: the largest of score + noise is a sample of softmax(score)."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        uniform = torch.rand(scores.shape[-1], generator=self._generator, dtype=torch.float64)
        noise = -(-uniform.clamp_min(1e-300).log()).log()
        return scores + noise.to(scores)


class _Watch:
    """Sees every step: reads log-probabilities before warping, reports tokens, decides when to stop."""

    def __init__(
        self, model: LoadedModel, stop: Sequence[str], on_token: OnToken | None, cancel: threading.Event | None
    ) -> None:
        self._model = model
        self._stop = stop
        self._on_token = on_token
        self._cancel = cancel
        self._log_probabilities: Tensor | None = None
        self.tokens: list[GeneratedToken] = []
        self.finish = "length"

    def scored(self, scores: Tensor) -> None:
        """Before a token is chosen: scores (1, vocabulary)."""
        if not bool(scores.max().isfinite()):
            raise NumericalError("The model's logits are NaN or infinite.", "Weaken the edits, or check the weights.")
        self._log_probabilities = scores.float().log_softmax(-1)[0]

    def chosen(self, token: int) -> bool:
        """After a token was chosen; whether to stop."""
        assert self._log_probabilities is not None
        vocabulary = self._model.vocabulary
        found = GeneratedToken(id=token, text=vocabulary.text(token), logprob=float(self._log_probabilities[token]))
        self.tokens.append(found)
        if self._on_token is not None:
            self._on_token(found)
        if self._stop and self._cut() is not None:
            self.finish = "stop"
        if self._cancel is not None and self._cancel.is_set():
            self.finish = "cancelled"
        return self.finish != "length"

    @property
    def text(self) -> str:
        """The continuation, up to a stop string."""
        return self._model.vocabulary.decode([token.id for token in self.tokens])[: self._cut()]

    def _cut(self) -> int | None:
        """Where the first stop string begins, or None."""
        text = self._model.vocabulary.decode([token.id for token in self.tokens])
        return min((at for s in self._stop if (at := text.find(s)) >= 0), default=None)


class _Scored(LogitsProcessor):
    """Shows the watch each step's scores."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        self._watch.scored(scores)
        return scores


class _Chosen(StoppingCriteria):
    """Shows the watch each step's token."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch

    def __call__(self, input_ids: Tensor, scores: object, **_: object) -> Tensor:
        done = self._watch.chosen(int(input_ids[0, -1]))
        return torch.full((input_ids.shape[0],), done, device=input_ids.device)


def continue_prompt(
    model: LoadedModel,
    ids: Sequence[int],
    edits: Sequence[Edit],
    *,
    max_new_tokens: int,
    sampling: Sampling,
    ranges: Ranges,
    stop: Sequence[str] = (),
    on_token: OnToken | None = None,
    cancel: threading.Event | None = None,
) -> Continuation:
    """Continue token ids, with the edits in force.

    Args:
        max_new_tokens: most tokens to generate, 1 or more.
        stop: texts at which to stop; the continuation's text ends before them.
        on_token: called with every token as it comes.
        cancel: set it to stop; what was generated is returned.

    Raises:
        OptionError, PromptError, EditError, CalibrationError, NumericalError.
    """
    if max_new_tokens < 1:
        raise OptionError(f"max_new_tokens is {max_new_tokens}.", "It must be 1 or more.")
    if any(not text for text in stop):
        raise OptionError("A stop string is empty.", "Give the text to stop at.")
    length = len(ids) + max_new_tokens
    model.check_length(len(ids), max_new_tokens)
    plan = compile_edits([edits], model, prompt_length=len(ids), length=length, ranges=ranges) if edits else None
    watch = _Watch(model, stop, on_token, cancel)
    prompt = model.tensor([ids])
    with model.lock, torch.no_grad(), rewriting(model.network, model.anatomy, plan):
        generate(
            model.network,
            prompt,
            steps=max_new_tokens,
            processors=[_Scored(watch), *_processors(sampling)],
            criteria=[_Chosen(watch)],
        )
    return _continuation(model, watch)


def _continuation(model: LoadedModel, watch: _Watch) -> Continuation:
    ends = _ends(model)
    finish, text = watch.finish, watch.text
    if finish == "length" and watch.tokens and watch.tokens[-1].id in ends:
        finish = "end"
        text = model.vocabulary.decode([token.id for token in watch.tokens[:-1]])
    return Continuation(text=text, tokens=tuple(watch.tokens), finish=finish)


def _ends(model: LoadedModel) -> set[int]:
    ends = model.network.generation_config.eos_token_id
    return set(ends) if isinstance(ends, list) else {ends} - {None}
