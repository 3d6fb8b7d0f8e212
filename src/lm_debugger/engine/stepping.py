"""Continues texts step by step: the loop is ours; caches, processors and stopping rules are transformers'.

1. transformers' `generate` prepares everything and hands it over instead of looping (`custom_generate`).
2. A step runs what has not run yet, lets the processors change the scores, chooses, and asks the stopping rules.
3. Between two steps nothing is held: another forward may run, the cache waits.
"""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, Self, TypeVar, cast

import torch
from torch import Tensor, nn
from transformers import (
    EosTokenCriteria,
    GenerationConfig,
    GenerationMixin,
    LogitsProcessorList,
    PreTrainedModel,
    StoppingCriteriaList,
)

from lm_debugger.engine.engine import Choose, Command, Step, Warp
from lm_debugger.engine.partial import adopt, recording, skipping
from lm_debugger.engine.ports import Clock, Order
from lm_debugger.engine.sites import Capture, Pass, Site, Streams, Write
from lm_debugger.work import Work

R = TypeVar("R")

# Settings of sampling that a checkpoint may bring; how tokens are chosen is the caller's.
_SAMPLING = ("temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")


class Prepared(NamedTuple):
    """What transformers prepared: the prompt, its processors, its stopping rules, and the arguments of a forward."""

    ids: Tensor
    processors: LogitsProcessorList
    criteria: StoppingCriteriaList
    config: GenerationConfig
    arguments: dict[str, Any]


def prepare(network: PreTrainedModel, ids: Tensor, *, limit: int, endless: bool) -> Prepared:
    """Have transformers prepare a continuation of ids (batch, positions), with the model's own settings."""
    config = copy.deepcopy(network.generation_config)
    changes: dict[str, Any] = dict.fromkeys(_SAMPLING)
    changes |= {"do_sample": False, "num_beams": 1, "max_new_tokens": limit, "max_length": None}
    if config.pad_token_id is None:
        changes["pad_token_id"] = 0  # rows of equal length are never padded, but transformers asks
    config.update(**changes)

    def take(
        model: PreTrainedModel,
        input_ids: Tensor,
        logits_processor: LogitsProcessorList,
        stopping_criteria: StoppingCriteriaList,
        generation_config: GenerationConfig,
        **arguments: Any,
    ) -> Prepared:
        if endless:
            kept = [rule for rule in stopping_criteria if not isinstance(rule, EosTokenCriteria)]
            stopping_criteria = StoppingCriteriaList(kept)
        return Prepared(input_ids, logits_processor, stopping_criteria, generation_config, arguments)

    # Not the type's own `generate`, which a few override with one that knows no `custom_generate`.
    found = GenerationMixin.generate(
        cast(GenerationMixin, network),
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=config,
        custom_generate=take,
    )
    return cast(Prepared, found)


class Runner(Protocol):
    """What runs the network, one forward at a time."""

    network: PreTrainedModel

    @property
    def mutates(self) -> bool:
        """Whether some module changes a stream in place."""

    def module(self, path: str) -> nn.Module:
        """A module by its path."""

    def tensor(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """Token ids of equal length on the network's device."""

    def order(self, taps: Sequence[Site], writes: Sequence[Sequence[Write]], clock: Clock) -> Order:
        """What a forward is to keep and change."""

    def under(self, order: Order, forward: Callable[[], R]) -> R:
        """Run the network, as ordered."""


class LocalSteps:
    """See `engine.Steps`."""

    def __init__(
        self,
        engine: Runner,
        passes: Sequence[Pass],
        choose: Choose,
        taps: Sequence[Site],
        *,
        limit: int,
        endless: bool,
        warps: Sequence[Warp],
        work: Work,
    ) -> None:
        self._engine = engine
        self._choose = choose
        self.taps = tuple(taps)
        self._warps = tuple(warps)
        self._work = work
        with torch.no_grad():
            self._prepared = prepare(
                engine.network, engine.tensor([one.ids for one in passes]), limit=limit, endless=endless
            )
        self._ids = self._prepared.ids
        self._arguments = self._prepared.arguments
        self._writes = tuple(one.writes for one in passes)
        self._order = engine.order(self.taps, self._writes, Clock(len(passes), work))
        self._pending = self._ids.shape[1]  # tokens that have not run yet
        self._outputs: Any = None  # what the last forward left for the next
        self._unfinished = torch.ones(len(passes), dtype=torch.bool, device=self._ids.device)
        self._number = 0
        self._kept: dict[Site, Tensor] = {}  # the same of the taps
        self._recorded: dict[str, Any] = {}  # what modules gave in the last step, if that was asked for

    @property
    def can_reuse(self) -> bool:
        """See `Steps`."""
        return not self._engine.mutates

    @property
    def ids(self) -> Tensor:
        """The token ids so far: (batch, positions)."""
        return self._ids

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Step:
        return self.send(None)

    @torch.no_grad()
    def send(self, command: Command | None) -> Step:
        """See `Steps`."""
        if command is not None:
            self._obey(command)
        if not bool(self._unfinished.any()):
            raise StopIteration
        self._work.go_on()
        again = None if command is None else command.again
        outputs = self._engine.under(self._order, partial(self._partly, command))
        # A copy, because the logits of a long prompt would otherwise be held as a whole.
        logits = outputs.logits[:, -1].to(copy=True, dtype=torch.float32, device=self._ids.device)
        del outputs
        scores: Tensor = self._prepared.processors(cast(Any, self._ids), cast(Any, logits))
        for warp in self._warps:
            scores = warp(self._ids, scores)
        tokens = self._choose(scores).to(self._ids)
        if not bool(self._unfinished.all()):
            tokens = torch.where(self._unfinished, tokens, self._prepared.config.pad_token_id or 0)
        self._ids = torch.cat([self._ids, tokens[:, None]], -1)
        self._pending = 1
        self._unfinished = self._unfinished & ~self._prepared.criteria(self._ids, None)
        found = dict(self._order.kept)
        if command is not None and isinstance(again, LocalSteps):
            adopt(self._outputs, again._outputs, len(command.unchanged))
            found = {**again._kept, **found}
            self._recorded = {**again._recorded, **self._recorded}
        self._kept = found if self._recorded else {}
        kept = Streams(found, {})
        captures = tuple(Capture(kept, row) for row in range(len(tokens))) if self.taps else ()
        self._order.kept.clear()
        step = Step(self._number, tokens, logits, captures, not bool(self._unfinished.any()))
        self._number += 1
        return step

    def _partly(self, command: Command | None) -> Any:
        """One forward, some of whose modules are recorded or do not run."""
        self._recorded = {}
        forward: Callable[[], Any] = self._run
        if command is not None and isinstance(command.again, LocalSteps):
            known = command.again._recorded
            given = {self._engine.module(path): known[path] for path in command.unchanged}
            forward = partial(skipping, given, forward)
        if command is not None and command.record:
            modules = {path: self._engine.module(path) for path in command.record}
            forward = partial(recording, modules, self._recorded, forward)
        return forward()

    def _obey(self, command: Command) -> None:
        if command.tokens is not None:
            if self._number == 0:
                raise ValueError("no token was chosen yet")
            forced = torch.tensor(command.tokens, device=self._ids.device).expand(len(self._ids), -1)
            self._ids = torch.cat([self._ids[:, : -self._pending], forced], -1)
            self._pending = len(command.tokens)
            self._unfinished = ~self._prepared.criteria(self._ids, None)
        if command.writes is None and command.taps is None:
            return
        self._writes = self._writes if command.writes is None else command.writes
        self.taps = self.taps if command.taps is None else command.taps
        self._order = self._engine.order(self.taps, self._writes, self._order.clock)

    def _run(self) -> Any:
        """One forward of what has not run yet; without a cache, of everything."""
        network: Any = self._engine.network  # as a GenerationMixin
        first = self._number == 0
        arguments = self._arguments
        if not first:
            # What transformers keeps between steps (cache, mask, positions) grows by what is run next.
            arguments = network._update_model_kwargs_for_generation(
                self._outputs,
                arguments,
                is_encoder_decoder=network.config.is_encoder_decoder,
                num_new_tokens=self._pending,
            )
            self._arguments = arguments
        cached = bool(arguments.get("use_cache"))
        inputs = network.prepare_inputs_for_generation(
            self._ids,
            next_sequence_length=self._pending if cached and not first else None,
            is_first_iteration=first,
            **arguments,
        )
        clock = self._order.clock
        ran = inputs.get("input_ids")
        clock.length = self._ids.shape[1] if ran is None else ran.shape[1]
        clock.start = max(0, self._ids.shape[1] - clock.length)  # some models add a token that stands for the next
        outputs = network(**inputs, return_dict=True)
        # Everything but the logits, which may be large: some types keep their state beside the cache.
        self._outputs = type(outputs)(**{name: value for name, value in outputs.items() if name != "logits"})
        return outputs

    def fork(self) -> Self:
        """See `Steps`."""
        twin = copy.copy(self)
        # Processors and stopping rules may remember what they saw; the cache must not be shared.
        twin._prepared = self._prepared._replace(
            processors=copy.deepcopy(self._prepared.processors), criteria=copy.deepcopy(self._prepared.criteria)
        )
        twin._arguments, twin._outputs = copy.deepcopy((self._arguments, self._outputs))  # they share the cache
        twin._order = self._engine.order(self.taps, self._writes, Clock(self._order.clock.batch, self._work))
        twin._choose, twin._warps = copy.deepcopy((self._choose, self._warps))
        return twin
