"""What an engine is: the only thing that runs a network. It knows token ids, sites and writes; no text, no anatomy.

Two verbs. `observe` runs whole texts and keeps what was asked for; `steps` continues texts token by token and can be
paused, forked, and fed other writes or another token. An engine may hold the network itself (`local`) or talk to one
elsewhere (`remote`); whoever uses it cannot tell the difference.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

from torch import Tensor

from lm_debugger.engine.sites import Capture, Pass, Site, Write
from lm_debugger.work import UNWATCHED, Work

Choose = Callable[[Tensor], Tensor]
"""Picks each row's next token (batch,) from its scores (batch, vocabulary)."""

Warp = Callable[[Tensor, Tensor], Tensor]
"""Changes scores: from token ids (batch, positions) and scores (batch, vocabulary) to scores."""


class Step(NamedTuple):
    """One step of a continuation: what ran, and what was chosen to come next.

    Args:
        number: of the step, from 0, which runs the prompt.
        tokens: the tokens chosen (batch,); they run with the next step.
        logits: the model's own logits for them (batch, vocabulary), float32.
        captures: for each row what it left at the taps, for the positions that ran.
        finished: whether the model's stopping rules end here.
    """

    number: int
    tokens: Tensor
    logits: Tensor
    captures: tuple[Capture, ...]
    finished: bool


@dataclass(frozen=True)
class Command:
    """What is to be different from the next step on.

    Args:
        tokens: instead of the tokens just chosen, these run, in all rows: one or several.
        writes: instead of the writes in force, for each row.
        taps: instead of the sites that were kept so far.
        record: modules whose outputs are kept until the step after, to be reused.
        again: a continuation that took this very step with others writes, and recorded it. Then
        unchanged: are the modules that do not run: they give what they gave there, and what they left in the cache.
    """

    tokens: tuple[int, ...] | None = None
    writes: tuple[tuple[Write, ...], ...] | None = None
    taps: tuple[Site, ...] | None = None
    record: tuple[str, ...] = ()
    again: "Steps | None" = None
    unchanged: tuple[str, ...] = ()


class Steps(Protocol):
    """A continuation under way. Between two steps it holds no lock, no hooks and no thread: others go on."""

    def __iter__(self) -> Iterator[Step]: ...

    def __next__(self) -> Step:
        """The next step."""

    def send(self, command: Command | None) -> Step:
        """The next step, after a command.

        Raises:
            StopIteration: after the last step.
        """

    @property
    def can_reuse(self) -> bool:
        """Whether a command may say `record` and `again`."""

    def fork(self) -> Self:
        """An independent continuation from here: what one does, the other does not see."""


@dataclass(frozen=True, eq=False)
class Resume:
    """Where a forward may begin: what lies below need not run, because what leaves it is known.

    Args:
        below: paths of the layers that are left out, in order: all up to where the forward begins.
        stream: what leaves the last of them: (positions, hidden) for all passes alike, or (passes, positions, hidden).
        items: of the tuple that a layer gives, whose first one is the stream; 0 where it gives the stream itself.
    """

    below: tuple[str, ...]
    stream: Tensor
    items: int = 0


class Engine(Protocol):
    """Runs one network."""

    def weights(self) -> Hashable:
        """The state of the weights: equal while nothing has changed them."""

    def state(self) -> Hashable:
        """What runs depend on beside their passes: equal while the network computes the same."""

    def observe(
        self,
        passes: Sequence[Pass],
        taps: Sequence[Site],
        *,
        pull: Mapping[Site, Tensor] | None = None,
        within: tuple[int, int] | None = None,
        ahead: int = 0,
        resume: Resume | None = None,
        work: Work = UNWATCHED,
    ) -> list[Capture]:
        """Run whole texts once, without a cache. Passes of one length share a forward; none is padded.

        Args:
            passes: what to run. With `pull` they must be of one length.
            taps: sites to keep.
            pull: cotangents at sites, (cotangents, batch, positions, channels): the captures then also hold, for each
                tap, the gradient of their product with what passes there (one backward pass a cotangent).
            within: positions start ≤ position < stop over which the gradients are added up, in float32: many cotangents
                at many taps would fill the memory otherwise.
            ahead: first positions that run before the others, without gradients, in a forward whose cache the others go
                on from. Captures, cotangents and `within` then begin after them. Whether a network can is to be tried.
            resume: where to begin; an engine may run everything instead. The passes must be of one length, and no tap
                or write may lie below.
            work: may stop it between two modules.

        Returns:
            For each pass what it left at the taps.

        Raises:
            CancelledError, ReentryError.
        """

    def steps(
        self,
        passes: Sequence[Pass],
        choose: Choose,
        taps: Sequence[Site] = (),
        *,
        limit: int,
        endless: bool = False,
        warps: Sequence[Warp] = (),
        work: Work = UNWATCHED,
    ) -> Steps:
        """Continue texts of one length, with the model's own cache, processors and stopping rules.

        Args:
            passes: the prompts with the writes in force.
            choose: picks the next tokens.
            taps: sites to keep in each step.
            limit: most tokens to choose.
            endless: go on after an end-of-text token.
            warps: change the scores after the model's own processors, in this order.
            work: may stop it.

        Raises:
            CancelledError, ReentryError.
        """
