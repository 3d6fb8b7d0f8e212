"""`/api/sessions`: debugging sessions. Each verb answers with the session as it then is; no lane is held in between."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field, model_validator
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.generation import Seed, Temperature, TopK, TopP
from lm_debugger.records.naming import with_names
from lm_debugger.records.session import NodeView, RunDifference, SessionSummary, SessionView
from lm_debugger.records.trace import TraceView
from lm_debugger.records.watch import WatchPath, WatchValue
from lm_debugger.server.inputs import Input, KeptText, Many, RunInput, TokenId, check_at_most, check_tokens, read_edits
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here, Services, as_json
from lm_debugger.store.engine import DatabaseError

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger
    from lm_debugger.debugger.stepping.session import Session

router = APIRouter(tags=["sessions"])

Name = Annotated[str, Path(max_length=64, description="The session's id.")]
Place = Annotated[str, Field(min_length=1, max_length=limits.NAME, description="A position's id, or its name.")]
Expression = Annotated[KeptText, Field(max_length=limits.WATCH, examples=['p(" Paris")'])]
Condition = Annotated[
    KeptText, Field(max_length=limits.WATCH, examples=['p(" she") > 10%', '" he"', "/she|he/", "differs"])
]
Count = Annotated[int, Field(ge=1, le=limits.SESSION_TOKENS_MOST)]


class SessionInput(RunInput):
    """A prompt, edits, how to generate, and what to watch and stop at."""

    max_new_tokens: int = Field(limits.SESSION_TOKENS, ge=1, description="Most tokens of a branch.")
    temperature: Temperature = Field(0.0, description="0 takes the most probable token each time.")
    top_k: TopK | None = None
    top_p: TopP | None = None
    seed: Seed = 0
    chat: bool = Field(False, description="Put the prompt through the model's chat template.")
    watches: Many[Expression] = Field(default_factory=list, max_length=limits.WATCHES)
    breakpoints: Many[Condition] = Field(default_factory=list, max_length=limits.BREAKPOINTS)
    title: KeptText = Field("", max_length=limits.TITLE)


class StepInput(Input):
    """How to step: `over` a token (in a step, a layer), `into` it (in it, a part), `out` of it, or run `to` a place."""

    how: Literal["over", "into", "out", "to"] = "over"
    count: Count = Field(1, description="How often, for over and into.")
    layer: int | None = Field(None, ge=0, description="Run to this layer.")
    position: int | None = Field(None, ge=0, description="Run to this position of the text.")
    token: str | None = Field(None, min_length=1, max_length=200, description="Run until this token is chosen.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")

    @model_validator(mode="after")
    def _one_place(self) -> "StepInput":
        places = [place for place in (self.layer, self.position, self.token) if place is not None]
        if len(places) != (1 if self.how == "to" else 0):
            raise ValueError("give one of layer, position and token with how=to, and none otherwise")
        return self


class StreamInput(Input):
    """Nothing but how to be answered."""

    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


class BackInput(Input):
    """How many steps to undo."""

    count: Count = 1


class GotoInput(Input):
    """Where to go."""

    node: Place


class EditsInput(Input):
    """The edits that are in force from now on, instead of those so far."""

    interventions: Many[str] = Field(default_factory=list)


class ForceInput(Input):
    """A token to have instead of the last one."""

    token: str | None = Field(None, min_length=1, max_length=limits.NAME * 10, description="Its text, or several.")
    token_id: TokenId | None = Field(None, description="Its id, instead.")

    @model_validator(mode="after")
    def _one_token(self) -> "ForceInput":
        if (self.token is None) == (self.token_id is None):
            raise ValueError("give either token or token_id")
        return self


class WatchesInput(Input):
    """The expressions to follow, instead of those so far."""

    watches: Many[Expression] = Field(default_factory=list, max_length=limits.WATCHES)


class BreakpointsInput(Input):
    """The conditions to stop at, instead of those so far; one that stays keeps its number."""

    breakpoints: Many[Condition] = Field(default_factory=list, max_length=limits.BREAKPOINTS)


class EvaluateInput(Input):
    """Expressions to evaluate where the session is."""

    expressions: Many[Expression] = Field(min_length=1, max_length=limits.WATCHES)
    layers: bool = Field(False, description="After every layer, instead of where the session is.")


class NameInput(Input):
    """What to call a position, or the session; "" takes the name away."""

    name: KeptText = Field("", max_length=limits.NAME)


class DifferenceInput(Input):
    """Two positions."""

    first: Place
    second: Place
    top_k: int = Field(20, ge=1, description="How many units to list.")


class TraceInput(Input):
    """A position of the tree, and where to read its text."""

    node: Place | None = Field(None, description="The position; the one where the session is if left out.")
    position: int = Field(-1, ge=-(2**31), le=2**31, description="Of the text; negative ones count from the end.")
    top_k: int = Field(10, ge=1)


class Sessions(Record):
    """The sessions of this model, last used first."""

    fingerprint: str
    sessions: tuple[SessionSummary, ...]


class Values(Record):
    """What expressions give.

    Args:
        values: where the session is.
        paths: through the layers, if that was asked for.
    """

    values: tuple[WatchValue, ...]
    paths: tuple[WatchPath, ...] = ()


Verb = Callable[["Session", threading.Event], SessionView]


@router.get("/sessions")
async def sessions(here: Here) -> Sessions:
    """The sessions of this model, last used first."""
    host = here.debugger
    found = await run_in_threadpool(here.sessions.list, host)
    return Sessions(fingerprint=host.summary.fingerprint, sessions=found)


@router.post("/sessions", status_code=201)
async def begin_session(request: Request, here: Here, asked: SessionInput) -> SessionView:
    """Begin a session. Nothing runs yet, unless an edit such as `L12D345=on` has ranges measured first."""
    most = here.settings.limits
    prompt, edits, _ = await asked.asked(most)
    check_at_most("max_new_tokens", asked.max_new_tokens, most.new_tokens)

    def work(debugger: "Debugger", cancel: threading.Event) -> SessionView:
        check_tokens(len(debugger.model.vocabulary.encode(prompt)), most)
        session = debugger.debug(
            prompt, edits, watches=asked.watches, breakpoints=asked.breakpoints, max_new_tokens=asked.max_new_tokens,
            temperature=asked.temperature, top_k=asked.top_k, top_p=asked.top_p, seed=asked.seed, chat=asked.chat,
            progress=here.worker.reporting(cancel), cancel=cancel,
        )  # fmt: skip
        here.sessions.begin(session, asked.title.strip())
        return _kept(here, session)

    here.worker.check_ready()
    return await here.worker.forward(request, work)


@router.get("/sessions/{name}")
async def session(here: Here, name: Name) -> SessionView:
    """A session as it is. One that is not in memory is read from the database; its tokens run again when it goes on."""
    session = await _find(here, name)
    return with_names(await run_in_threadpool(session.view), await here.names())


@router.put("/sessions/{name}")
async def retitle_session(here: Here, name: Name, asked: NameInput) -> SessionView:
    """Give a session another title."""
    session = await _find(here, name)
    session.title = asked.name.strip()
    return await run_in_threadpool(_kept, here, session)


@router.delete("/sessions/{name}", status_code=204)
async def forget_session(here: Here, name: Name) -> None:
    """Forget a session and its tree."""
    await run_in_threadpool(here.sessions.remove, here.debugger, name)


@router.post("/sessions/{name}/step", response_model=SessionView, responses=described("The session", "token"))
async def session_step(request: Request, here: Here, name: Name, asked: StepInput) -> Response:
    """Take a step, or run to a layer, a position or a token."""

    def verb(session: "Session", channel: Channel) -> SessionView:
        cancel, told = channel.cancel, _telling(channel)
        match asked.how:
            case "over":
                return session.over(asked.count, on_step=told, cancel=cancel)
            case "into":
                return session.into(asked.count, cancel=cancel)
            case "out":
                return session.out(on_step=told, cancel=cancel)
            case "to" if asked.layer is not None:
                return session.run_to_layer(asked.layer, cancel=cancel)
            case _:
                wanted = asked.token if asked.position is None else asked.position
                assert wanted is not None  # validated
                return session.run_to_token(wanted, on_step=told, cancel=cancel)

    return await _run(request, here, name, verb, stream=asked.stream)


@router.post("/sessions/{name}/continue", response_model=SessionView, responses=described("The session", "token"))
async def session_continue(request: Request, here: Here, name: Name, asked: StreamInput) -> Response:
    """Run until a breakpoint is true, the text ends, or the branch has its most tokens. Who goes away pauses it."""

    def verb(session: "Session", channel: Channel) -> SessionView:
        return session.continue_(on_step=_telling(channel), cancel=channel.cancel)

    return await _run(request, here, name, verb, stream=asked.stream)


@router.post("/sessions/{name}/back")
async def session_back(here: Here, name: Name, asked: BackInput) -> SessionView:
    """Undo steps: nothing runs, nothing is lost."""
    return await _move(here, name, lambda session: session.back(asked.count))


@router.post("/sessions/{name}/goto")
async def session_goto(here: Here, name: Name, asked: GotoInput) -> SessionView:
    """Go to any position of the tree."""
    return await _move(here, name, lambda session: session.goto(asked.node))


@router.put("/sessions/{name}/edits", response_model=SessionView)
async def session_edits(request: Request, here: Here, name: Name, asked: EditsInput) -> Response:
    """Have other edits in force from what runs next on; in a step, layers from the first edited one on run again."""
    edits = await run_in_threadpool(read_edits, asked.interventions, here.settings.limits)
    return await _run(request, here, name, lambda session, channel: session.edit(edits, cancel=channel.cancel))


@router.post("/sessions/{name}/token", response_model=SessionView)
async def session_token(request: Request, here: Here, name: Name, asked: ForceInput) -> Response:
    """Have another token than the last one that was chosen."""
    wanted = asked.token if asked.token_id is None else asked.token_id
    assert wanted is not None  # validated
    return await _run(request, here, name, lambda session, _: session.force(wanted))


@router.put("/sessions/{name}/watches")
async def session_watches(here: Here, name: Name, asked: WatchesInput) -> SessionView:
    """Follow these expressions from now on."""
    return await _move(here, name, lambda session: session.watch_all(asked.watches))


@router.put("/sessions/{name}/breakpoints")
async def session_breakpoints(here: Here, name: Name, asked: BreakpointsInput) -> SessionView:
    """Stop where one of these is true."""
    return await _move(here, name, lambda session: session.stop_at_all(asked.breakpoints))


@router.post("/sessions/{name}/evaluate", response_model=Values)
async def session_evaluate(request: Request, here: Here, name: Name, asked: EvaluateInput) -> Response:
    """What expressions give where the session is, or after every layer."""
    session = await _find(here, name)

    def work(_: "Debugger", cancel: threading.Event) -> Values:
        if asked.layers:
            paths = session.through(asked.expressions, cancel=cancel)
            return Values(values=tuple(path.value for path in paths), paths=paths)
        return Values(values=tuple(session.evaluate(each, cancel=cancel) for each in asked.expressions))

    return as_json(await here.worker.forward(request, work))


@router.post("/sessions/{name}/trace", response_model=TraceView)
async def session_trace(request: Request, here: Here, name: Name, asked: TraceInput) -> Response:
    """The text of a position as a run with all its read-outs, each edit where it was in force."""
    check_at_most("top_k", asked.top_k, here.settings.limits.top_k)
    session, names = await _find(here, name), await here.names()

    def work(_: "Debugger", cancel: threading.Event) -> TraceView:
        return with_names(session.trace(asked.node, cancel=cancel).view(asked.position, asked.top_k), names)

    return as_json(await here.worker.forward(request, work))


@router.post("/sessions/{name}/difference", response_model=RunDifference)
async def session_difference(request: Request, here: Here, name: Name, asked: DifferenceInput) -> Response:
    """What differs between two positions: tokens, layers, units that appear, vanish or change."""
    check_at_most("top_k", asked.top_k, here.settings.limits.results)
    session, names = await _find(here, name), await here.names()

    def work(_: "Debugger", cancel: threading.Event) -> RunDifference:
        return with_names(session.difference(asked.first, asked.second, top_k=asked.top_k, cancel=cancel), names)

    return as_json(await here.worker.forward(request, work))


@router.put("/sessions/{name}/nodes/{node}")
async def session_name_node(
    here: Here, name: Name, node: Annotated[str, Path(max_length=limits.NAME)], asked: NameInput
) -> SessionView:
    """Call a position something; "" takes the name away."""
    return await _move(here, name, lambda session: session.name(asked.name, node))


@router.delete("/sessions/{name}/nodes/{node}")
async def session_delete_node(
    here: Here, name: Name, node: Annotated[str, Path(max_length=limits.NAME)]
) -> SessionView:
    """Forget a position and what came from it; the answer is the session as it is then."""
    return await _move(here, name, lambda session: session.delete(node))


async def _find(here: Services, name: str) -> "Session":
    host = here.debugger
    return await run_in_threadpool(here.sessions.find, host, name)


async def _move(here: Services, name: str, verb: Callable[["Session"], SessionView]) -> SessionView:
    """A verb that runs nothing."""
    session = await _find(here, name)

    def work() -> SessionView:
        verb(session)
        return _kept(here, session)

    return with_names(await run_in_threadpool(work), await here.names())


async def _run(
    request: Request,
    here: Services,
    name: str,
    verb: Callable[["Session", Channel], SessionView],
    *,
    stream: bool = False,
) -> Response:
    """A verb that runs the model; the session is kept as it is then, also if who asked has gone."""
    session, names = await _find(here, name), await here.names()

    def work(_: "Debugger", channel: Channel) -> SessionView:
        verb(session, channel)
        return with_names(_kept(here, session), names)

    return await answer(request, here, work, stream=stream or wants_stream(request))


def _telling(channel: Channel) -> Callable[[NodeView], None]:
    def told(node: NodeView) -> None:
        channel.tell("token", node)

    return told


def _kept(here: Services, session: "Session") -> SessionView:
    """The session as it is, written to the database; one that does not answer is only missed after a restart."""
    view = session.view()
    try:
        here.sessions.keep(session)
    except DatabaseError as error:
        warning = f"The session is not kept: {error.what}"
        return view.model_copy(update={"warnings": (*view.warnings, warning)})
    return view
