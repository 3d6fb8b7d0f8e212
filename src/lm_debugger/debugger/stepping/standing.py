"""Where a session stands: a position of its tree or a frame, with the edits, watches and breakpoints in force.

What the parts of `Session` share. One verb runs at a time; a session that is stopped holds no lock, no hooks and no
thread, only its caches.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch

from lm_debugger.debugger.stepping.breakpoints import Breakpoints
from lm_debugger.debugger.stepping.course import Course
from lm_debugger.debugger.stepping.frame import Frame
from lm_debugger.debugger.stepping.tree import Edits, Node, Tree, root_of
from lm_debugger.debugger.stepping.walk import Walk
from lm_debugger.debugger.trace import Trace
from lm_debugger.engine.engine import Step
from lm_debugger.engine.guard import exact, ordinary
from lm_debugger.engine.sites import Site
from lm_debugger.errors import OptionError, SessionBusyError
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.readouts.view import top_tokens
from lm_debugger.records.edit import Edit
from lm_debugger.records.fix import Fix, FixOptions
from lm_debugger.records.generation import Sampling
from lm_debugger.records.session import BreakpointView, NodeView, SessionView, Stop, WatchView
from lm_debugger.records.token import Token, TokenScore
from lm_debugger.runs.spec import RunSpec
from lm_debugger.units.compile import compile_edits
from lm_debugger.watches.bind import Watch, bind
from lm_debugger.watches.evaluate import evaluate
from lm_debugger.watches.follow import moment_of, taps_of
from lm_debugger.watches.moment import Distribution, Moment
from lm_debugger.watches.twin import Twin
from lm_debugger.work import Work

TOP = 10  # tokens of a prediction
WAIT = 0.5  # seconds that a verb waits for another of the same session

OnStep = Callable[[NodeView], None]


class Host(Protocol):
    """The debugger that a session belongs to."""

    @property
    def model(self) -> LoadedModel:
        """The loaded model."""

    @property
    def reading(self) -> Reading:
        """What value vectors promote."""

    def settle(self, edits: Sequence[str | Edit], work: Work) -> Edits:
        """Edits with what `on` means."""

    def trace_run(self, spec: RunSpec, work: Work) -> Trace:
        """A run that is kept, or is run."""

    def fix(
        self,
        prompt: Sequence[int],
        target: str,
        *,
        interventions: Sequence[str | Edit],
        options: FixOptions,
        cancel: threading.Event | None = None,
    ) -> Fix:
        """See `Debugger`."""


class Standing:
    """A part of `Session`: what its verbs change and read.

    Args:
        host: the debugger.
        prompt: token ids.
        edits: in force from the beginning.
        max_new_tokens: most tokens of a branch.

    Attributes:
        id: of the session; "" until it is kept somewhere.
        title: the user's.
    """

    def __init__(
        self, host: Host, prompt: Sequence[int], edits: Edits = (), *, sampling: Sampling, max_new_tokens: int
    ) -> None:
        self._host = host
        self._model = host.model
        self._model.check_length(len(prompt), max_new_tokens)
        self.id = ""
        self.title = ""
        self.max_new_tokens = max_new_tokens
        self.sampling = sampling
        self.tree = Tree(root_of(self._model.fingerprint, prompt, sampling))
        self._walk = Walk(self._model, self.tree, prompt, sampling, max_new_tokens)
        self._at = self.tree.root
        self._edits: Edits = ()
        self._frame: Frame | None = None
        self._stop = Stop(kind="start")
        self._watches: dict[str, Watch] = {}
        self.breakpoints = Breakpoints(self._model)
        self._twin = Twin(self._model, self._walk.most, self._walk.work)
        self._turn = threading.Lock()
        self._check_edits(edits)
        self._edits = edits

    def __repr__(self) -> str:
        return f"Session({self._model.name}, {self._at.depth} tokens, {len(self.tree)} positions)"

    @property
    def prompt(self) -> tuple[int, ...]:
        """The prompt's token ids."""
        return self._walk.prompt

    @property
    def fingerprint(self) -> str:
        """Of the model."""
        return self._model.fingerprint

    @property
    def at(self) -> Node:
        """The position where it is."""
        return self._at

    @property
    def edits(self) -> Edits:
        """The edits in force for what comes next."""
        return self._edits

    @property
    def stop(self) -> Stop:
        """Why it is where it is."""
        return self._stop

    @property
    def frame(self) -> Frame | None:
        """The step that was entered, or None."""
        return self._frame

    @property
    def text(self) -> str:
        """What was generated up to here."""
        return self._model.vocabulary.decode(self._course().ids[len(self.prompt) :])

    @property
    def run(self) -> RunSpec:
        """The text up to here as a run, its last token included, with the edits of each position."""
        return self._course().spec()

    @property
    def awake(self) -> bool:
        """Whether anything is kept of where it is: otherwise its tokens run again when it goes on."""
        return self._frame is not None or self._at.parent is None or self._at.step in self._walk.held

    def sleep(self) -> None:
        """Give the caches back. What comes next runs the tokens again, and gives the same."""
        with self._alone():
            self._walk.held.clear()
            self._frame = None
            self._twin = Twin(self._model, self._walk.most, self._walk.work)

    @exact
    @torch.no_grad()
    def view(self) -> SessionView:
        """The session as a record. Nothing is run for it: a watch that was not recorded has no value."""
        vocabulary, course = self._model.vocabulary, self._course()
        spec = course.spec()
        path = self.tree.path(self._at)[1:]
        return SessionView(
            id=self.id,
            title=self.title,
            prompt=vocabulary.tokens(self.prompt),
            prompt_text=vocabulary.written(self.prompt),
            nodes=tuple(self._node_view(node) for node in self.tree),
            at=self._at.id,
            interventions=tuple(map(str, self._edits)),
            stop=self._stop,
            prediction=self._prediction(),
            watches=tuple(self._watch_view(watch, path) for watch in self._watches.values()),
            breakpoints=self.breakpoints.views,
            frame=None if self._frame is None else self._frame.view(),
            sampling=self.sampling,
            max_new_tokens=self.max_new_tokens,
            run_ids=spec.ids,
            run_interventions=tuple(map(str, spec.edits)),
        )

    def restore(
        self,
        at: str,
        edits: Edits,
        stop: Stop,
        watches: Sequence[str],
        breakpoints: Sequence[BreakpointView],
        next_number: int,
    ) -> None:
        """Be where a session was that was kept, whose tree this has. Runs nothing.

        Raises:
            OptionError: if there is no such position.
            WatchError: if a watch or breakpoint is not one of this model.
        """
        with self._verb(None):
            self._at, self._edits, self._stop = self.tree.find(at), edits, stop
            bound = [bind(watch, self._model) for watch in watches]
            self._watches = {str(watch): watch for watch in bound}
            self.breakpoints.restore(breakpoints, next_number)

    # inside

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=WAIT):
            raise SessionBusyError("Another verb of this session is under way.", "Wait for it, or cancel it.")
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _verb(self, cancel: threading.Event | None) -> Iterator[None]:
        """One verb at a time; the model must be what it was."""
        with self._alone():
            self._walk.check()
            self._walk.switch.now = cancel
            try:
                with ordinary():
                    yield
            finally:
                self._walk.switch.now = None

    def _course(self) -> Course:
        return self._walk.course(self._at, self._edits)

    def _check_edits(self, edits: Edits) -> None:
        compile_edits(edits, self._model, prompt_length=len(self.prompt), length=self._walk.most)

    def _check_open(self) -> None:
        """Raise unless another token may come."""
        if self._at.finished:
            raise OptionError("The text has ended here.", "Go back, or force another token.")
        if self._at.depth >= self.max_new_tokens:
            raise OptionError(
                f"This branch has its {self.max_new_tokens} tokens.", "Go back, or begin another session."
            )

    def _taps(self) -> tuple[Site, ...]:
        return taps_of([*self._watches.values(), *self.breakpoints.conditions])

    def _of_step(self, node: Node, step: Step, followed: Sequence[Watch]) -> Moment:
        """The moment in which a position's token was chosen."""
        course = Course(self.prompt, self.tree.path(node), ())
        parent = Course(self.prompt, self.tree.path(node)[:-1], node.edits)
        based = parent.edited and any(watch.based for watch in followed)
        base = self._twin.logits(parent.ids) if based else None
        assert node.token is not None
        text = self._model.vocabulary.decode(course.ids[len(self.prompt) :])
        return moment_of(self._model, step, base, node.token, text)

    @exact
    @torch.no_grad()
    def _moment(self, watches: Sequence[Watch]) -> Moment:
        """The moment where the session is."""
        if self._frame is not None:
            return self._frame_moment(self._frame, any(watch.based for watch in watches))
        return self._of_step(self._at, self._walk.last(self._at, taps_of(watches)), watches)

    def _frame_moment(self, frame: Frame, based: bool) -> Moment:
        streams = frame.streams(frame.place.layer)
        stream = streams.before if frame.place.part == "attention" else streams.after
        own = Distribution(self._model.readout.logits(stream)[0])
        base = own
        if based and self._course().edited:
            plain = self._host.trace_run(self._course().spec().base, self._walk.work).layer(frame.place.layer, -1)
            there = plain.before if frame.place.part == "attention" else plain.after
            base = Distribution(self._model.readout.logits(there)[0])
        return Moment(self._model, own, base, frame.streams, stage=frame.stage, text=self.text)

    @property
    def _predicting(self) -> int:
        """The position of the text that predicted the last token."""
        if self._at.parent is None:
            raise OptionError("No token has been chosen yet.", "Take a step first.")
        return len(self.prompt) + self._at.depth - 2

    def _trace(self, node: Node | None = None) -> Trace:
        """The text up to a position, without what comes next."""
        node = self._at if node is None else node
        edits = self._edits if node is self._at else node.edits
        return self._host.trace_run(self._walk.course(node, edits).spec(), self._walk.work)

    def _prediction(self) -> tuple[TokenScore, ...]:
        held = self._walk.held.get(self._at.step) if self._at.parent is not None else None
        if held is None:
            return ()
        logits = held.last.logits[:, : self._model.readout.vocabulary]
        return top_tokens(self._model, logits, TOP)[0]

    def _node_view(self, node: Node) -> NodeView:
        position = len(self.prompt) - 1 + node.depth
        text = self._model.vocabulary.text
        token = None if node.token is None else Token(position=position, id=node.token, text=text(node.token))
        return NodeView(
            id=node.id,
            parent=node.parent,
            position=position,
            token=token,
            logprob=node.logprob,
            forced=node.forced,
            interventions=tuple(map(str, node.edits)),
            finished=node.finished,
            name=self.tree.name_of(node),
        )

    def _watch_view(self, watch: Watch, path: Sequence[Node]) -> WatchView:
        values = tuple(node.values.get(str(watch)) for node in path)
        value = values[-1] if values else None
        if self._frame is not None and not watch.based:
            value = evaluate(watch, self._frame_moment(self._frame, based=False))
        return WatchView(expression=str(watch), kind=watch.kind, value=value, values=values, warnings=watch.warnings)


def at_least_one(count: int) -> None:
    """Raises OptionError for a count below 1."""
    if count < 1:
        raise OptionError(f"The count is {count}.", "It must be 1 or more.")
