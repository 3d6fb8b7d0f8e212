"""A debugging session as others see it: where it is, why it stopped there, its tree, its watches and breakpoints."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.edit import Edit
from lm_debugger.records.generation import Sampling
from lm_debugger.records.options import Options
from lm_debugger.records.token import Token, TokenScore
from lm_debugger.records.trace import HeadUpdate, SubUpdate
from lm_debugger.records.watch import WatchKind, WatchValue

PartName = Literal["attention", "ffn"]
StopKind = Literal["start", "step", "breakpoint", "token", "layer", "end", "limit", "cancelled", "moved", "edited"]


class Steering(Options):
    """How a session generates.

    Args:
        sampling: how tokens are chosen.
        max_new_tokens: most tokens that a branch may have.

    Raises:
        OptionError: if a number is out of its bounds.
    """

    sampling: Sampling = Sampling()
    max_new_tokens: int = Field(limits.SESSION_TOKENS, ge=1, le=limits.SESSION_TOKENS_MOST)


class NodeView(Record):
    """A position of the tree: the text up to a token.

    Args:
        id: names the run up to here by its content: prompt, seed, edits, tokens.
        parent: the position one token earlier; None for the prompt.
        position: of its token in the text; of the prompt's last token for the prompt.
        token: the token, None for the prompt.
        logprob: the token's log-probability where it was chosen or forced, None for the prompt.
        forced: whether the user put it there.
        interventions: the edits that were in force when it was predicted.
        finished: whether the model's text ends with it.
        name: the user's, or "".
    """

    id: str
    parent: str | None
    position: int
    token: Token | None
    logprob: float | None
    forced: bool
    interventions: tuple[str, ...]
    finished: bool
    name: str = ""


class Because(Record):
    """A part of a condition with its value: why it is true."""

    expression: str
    value: WatchValue


class Stop(Record):
    """Why a session is where it is.

    Args:
        kind: `start`, a `step`, a `breakpoint`, the `token` or `layer` that was run to, the text's `end`, the token
            `limit`, `cancelled`, `moved` (back, or to another position of the tree), `edited`.
        breakpoint: number of the breakpoint, or None.
        expression: its condition, or "".
        because: the condition's parts with their values.
    """

    kind: StopKind
    breakpoint: int | None = None
    expression: str = ""
    because: tuple[Because, ...] = ()


class BreakpointView(Record):
    """A condition to stop at.

    Args:
        number: from 1, never given twice in a session.
        expression: its canonical text.
        hits: how often it was true.
        once: whether it goes when it has stopped the session.
        warnings: what the user should know.
    """

    number: int
    expression: str
    hits: int = 0
    once: bool = False
    warnings: tuple[str, ...] = ()


class WatchView(Record):
    """A watch in a session.

    Args:
        value: where the session is; inside a step, of the lens there.
        values: of each token from the first generated one to here; None where it was not followed yet.
    """

    expression: str
    kind: WatchKind
    value: WatchValue
    values: tuple[WatchValue, ...] = ()
    warnings: tuple[str, ...] = ()


class PartSummary(Record):
    """What the model would say after a part of a layer."""

    layer: int
    part: PartName
    top: TokenScore


class PartView(Record):
    """A part of a layer that has run, at the last position.

    Args:
        norm: length of what it adds to the stream.
        heads: of the attention, those that write most.
        values: of the feed-forward, its dominant sub-updates.
        lens: what the model would say after it.
    """

    layer: int
    part: PartName
    norm: float
    heads: tuple[HeadUpdate, ...]
    values: tuple[SubUpdate, ...]
    lens: tuple[TokenScore, ...]


class FrameView(Record):
    """A step that was entered.

    Args:
        layers: of the model.
        reused: layers that were not computed again when the edits changed here.
        part: the part that has just run.
        course: the parts so far.
    """

    layers: int
    reused: int
    part: PartView
    course: tuple[PartSummary, ...]


class SessionView(Record):
    """A session that is paused.

    Args:
        id: of the session.
        title: the user's, or "".
        prompt: the prompt's tokens.
        prompt_text: the prompt as a user would write it: without the tokens that the tokenizer puts around a text.
        nodes: the tree: every position, parents before their children.
        at: id of the position where it is.
        interventions: the edits that are in force for what comes next.
        stop: why it is there.
        prediction: the most probable tokens where the last token was chosen; empty before anything has run.
        frame: the step that was entered, or None.
        sampling, max_new_tokens: how it generates.
        run_ids: the token ids of the text.
        run_interventions: the edits with the positions at which each was in force: with `run_ids` the run as a whole,
            for any other question about it.
        warnings: what the user should know.
    """

    id: str
    title: str
    prompt: tuple[Token, ...]
    prompt_text: str
    nodes: tuple[NodeView, ...]
    at: str
    interventions: tuple[str, ...]
    stop: Stop
    prediction: tuple[TokenScore, ...]
    watches: tuple[WatchView, ...]
    breakpoints: tuple[BreakpointView, ...]
    frame: FrameView | None
    sampling: Sampling
    max_new_tokens: int
    run_ids: tuple[int, ...]
    run_interventions: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def path(self) -> tuple[NodeView, ...]:
        """The positions from the prompt to where it is."""
        by_id = {node.id: node for node in self.nodes}
        found: list[NodeView] = []
        at: str | None = self.at
        while at is not None:
            found.append(by_id[at])
            at = by_id[at].parent
        return tuple(reversed(found))

    @property
    def text(self) -> str:
        """What was generated up to here, token by token."""
        return "".join(node.token.text for node in self.path if node.token is not None)


class SavedNode(Record):
    """A position of a tree as it is kept. See `NodeView`; `values` are those of the watches when it was made."""

    id: str
    parent: str | None
    depth: int
    token: int | None
    logprob: float | None
    forced: bool
    edits: tuple[Edit, ...]
    finished: bool
    name: str = ""
    values: dict[str, WatchValue] = Field(default_factory=dict)


class SavedSession(Record):
    """A session as it is kept: enough to run it again from the beginning, and to get the same.

    Args:
        fingerprint: of the model.
        ids: of the prompt.
        at: the position where it is.
        edits: those in force for what comes next.
        breakpoints: their numbers and conditions.
        next_number: that the next breakpoint will have.
        created, updated: UTC.
    """

    id: str
    fingerprint: str
    title: str
    ids: tuple[int, ...]
    sampling: Sampling
    max_new_tokens: int
    at: str
    edits: tuple[Edit, ...]
    stop: Stop
    watches: tuple[str, ...]
    breakpoints: tuple[BreakpointView, ...]
    next_number: int
    nodes: tuple[SavedNode, ...]
    created: datetime
    updated: datetime


class SessionSummary(Record):
    """A session in a list.

    Args:
        prompt: the beginning of its prompt.
        text: the end of what was generated where it is.
        tokens: generated there.
        branches: ends of the tree.
        awake: whether its cache is kept; otherwise its tokens run again when it goes on.
    """

    id: str
    title: str
    prompt: str
    text: str
    tokens: int
    branches: int
    stop: Stop
    awake: bool
    created: datetime
    updated: datetime


class LayerDifference(Record):
    """One layer of two runs, at the last position of each.

    Args:
        kl: KL(first ‖ second) of the lens after the layer, in nats.
        first, second: the most probable token after the layer.
        distance: length of the difference of the two streams, relative to the first's.
    """

    layer: int
    kl: float
    first: TokenScore
    second: TokenScore
    distance: float


class UnitDifference(Record):
    """A unit that is among the strongest of its layer in one of two runs.

    Args:
        value: such as `L12D345`.
        change: whether it `appears` in the second, `vanishes` there, or is in both with another coefficient.
        first, second: its coefficients.
        score: by how much what it adds differs: |difference of the coefficients| · norm.
        name: the user's name for it, or None.
        promotes: the tokens that the difference promotes.
    """

    value: str
    change: Literal["appears", "vanishes", "changes"]
    first: float
    second: float
    score: float
    name: str | None = None
    promotes: tuple[str, ...] = ()


class RunDifference(Record):
    """What differs between two positions of a tree.

    Args:
        first, second: ids of the positions.
        common: tokens of the text that both begin with.
        first_tokens, second_tokens: the rest of each.
        first_interventions, second_interventions: the edits of each, with their positions.
        kl: KL(first ‖ second) of the prediction after each, in nats.
        first_top, second_top: the most probable tokens after each.
        parts_at: the first layer after which different tokens lead, or None.
        layers: all layers.
        units: those that appear, vanish or change, the largest difference first.
    """

    first: str
    second: str
    common: int
    first_tokens: tuple[Token, ...]
    second_tokens: tuple[Token, ...]
    first_interventions: tuple[str, ...]
    second_interventions: tuple[str, ...]
    kl: float
    first_top: tuple[TokenScore, ...]
    second_top: tuple[TokenScore, ...]
    parts_at: int | None
    layers: tuple[LayerDifference, ...]
    units: tuple[UnitDifference, ...]
