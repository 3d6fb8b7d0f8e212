"""A debugging session on one prompt: step, break, watch, travel, edit and go on. What `Debugger.debug` returns.

A session stands at a position of its tree, between two tokens, or in a frame between two parts of a step. A verb runs
what it has to and stops again; a session that is stopped holds no lock, no hooks and no thread, only its caches.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch

from lm_debugger.debugger.stepping.breakpoints import Breakpoints
from lm_debugger.debugger.stepping.course import Course
from lm_debugger.debugger.stepping.difference import difference
from lm_debugger.debugger.stepping.frame import Frame
from lm_debugger.debugger.stepping.held import Held
from lm_debugger.debugger.stepping.reenter import entered, entered_again
from lm_debugger.debugger.stepping.tree import Edits, Node, Tree, child_of, root_of
from lm_debugger.debugger.stepping.walk import Walk
from lm_debugger.debugger.trace import Trace
from lm_debugger.edits.grammar import parse_all
from lm_debugger.engine.engine import Step
from lm_debugger.engine.guard import exact, ordinary
from lm_debugger.engine.sites import Site
from lm_debugger.errors import CancelledError, OptionError, SessionBusyError
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.readouts.view import top_tokens
from lm_debugger.records import limits
from lm_debugger.records.edit import Edit, read_edited
from lm_debugger.records.fix import Fix, FixOptions
from lm_debugger.records.generation import Sampling
from lm_debugger.records.names import UnitName
from lm_debugger.records.session import (
    Because,
    BreakpointView,
    NodeView,
    RunDifference,
    SessionView,
    Stop,
    StopKind,
    WatchView,
)
from lm_debugger.records.token import Token, TokenScore
from lm_debugger.records.watch import WatchPath, WatchValue
from lm_debugger.records.why import Why
from lm_debugger.runs.spec import RunSpec
from lm_debugger.units.compile import compile_edits
from lm_debugger.watches.bind import Watch, bind
from lm_debugger.watches.evaluate import evaluate, reasons
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


class Session:
    """See the module. Methods return the session's view after them, unless they say otherwise.

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

    # where it is

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

    # stepping

    def over(
        self, count: int = 1, *, on_step: OnStep | None = None, cancel: threading.Event | None = None
    ) -> SessionView:
        """Run one token and choose the next; in a frame, run one layer.

        Args:
            count: how often.
            on_step: called with each new position.
            cancel: set it to stop.

        Raises:
            OptionError: if the text has ended, or count is below 1.
        """
        _at_least_one(count)
        with self._verb(cancel):
            for _ in range(count):
                if self._frame is not None:
                    self._over_layer()
                    continue
                self._step(on_step, "step", keep=True)
                if self._stop.kind != "step":
                    break
            return self.view()

    def into(self, count: int = 1, *, cancel: threading.Event | None = None) -> SessionView:
        """Enter the step that comes next, at its first part; in a frame, run one part. Past the last part it is done.

        Raises:
            OptionError: if the text has ended, or count is below 1.
        """
        _at_least_one(count)
        with self._verb(cancel):
            for _ in range(count):
                if self._frame is None:
                    self._enter()
                    continue
                following = self._frame.after(self._frame.place)
                if following is None:
                    self._leave(None)
                    break
                self._frame.place = following
                self._stop = Stop(kind="layer")
            return self.view()

    def out(self, *, on_step: OnStep | None = None, cancel: threading.Event | None = None) -> SessionView:
        """In a frame, run the rest of the step; between two tokens, all the rest, as `continue_`."""
        if self._frame is None:
            return self.continue_(on_step=on_step, cancel=cancel)
        with self._verb(cancel):
            self._leave(on_step)
            return self.view()

    def run_to_layer(self, layer: int, *, cancel: threading.Event | None = None) -> SessionView:
        """Run the step that comes next until a layer's first part; in a frame, on to that layer.

        Raises:
            OptionError: if there is no such layer, or it has run already.
        """
        with self._verb(cancel):
            if not 0 <= layer < self._model.layers:
                raise OptionError(f"Layer {layer} does not exist.", f"Choose one from 0 to {self._model.layers - 1}.")
            if self._frame is not None and self._frame.place.layer >= layer:
                raise OptionError(f"Layer {layer} has run already.", "Go back first, or run to a later one.")
            if self._frame is None:
                self._enter()
            assert self._frame is not None
            self._frame.place = self._frame.at_layer(layer)
            self._stop = Stop(kind="layer")
            return self.view()

    def run_to_token(
        self, wanted: int | str, *, on_step: OnStep | None = None, cancel: threading.Event | None = None
    ) -> SessionView:
        """Run until a position of the text is reached, or a token is chosen.

        Args:
            wanted: a position counted from the beginning of the text, or a token's text.

        Raises:
            OptionError: if the position has been passed, or nothing can be run.
            WatchError: if the text is no single token.
        """
        if isinstance(wanted, int):
            here = len(self.prompt) + self._at.depth - 1
            if wanted <= here:
                raise OptionError(f"Position {wanted} has been passed.", f"Run to one from {here + 1} on, or go back.")
            return self._go(on_step, cancel, lambda node, _: len(self.prompt) + node.depth - 1 >= wanted)
        token = self.breakpoints.of_token(wanted)
        return self._go(on_step, cancel, lambda _, moment: evaluate(token, moment) is True)

    def continue_(self, *, on_step: OnStep | None = None, cancel: threading.Event | None = None) -> SessionView:
        """Run until a breakpoint is true, the text ends, or the branch has its most tokens.

        Raises:
            OptionError: if the text has ended already.
        """
        return self._go(on_step, cancel, None)

    # travelling

    def back(self, count: int = 1) -> SessionView:
        """Undo steps: the position so many tokens earlier; in a frame, so many parts, and then out of it.

        The edits are those of the step that is undone. Nothing is run, nothing is lost.

        Raises:
            OptionError: if there is nothing before.
        """
        _at_least_one(count)
        with self._verb(None):
            for _ in range(count):
                if self._frame is not None:
                    earlier = self._frame.earlier(self._frame.place)
                    if earlier is None:
                        self._frame = None
                    else:
                        self._frame.place = earlier
                    continue
                if self._at.parent is None:
                    raise OptionError("This is the prompt: there is nothing before it.", "Go on with a step.")
                self._edits, self._at = self._at.edits, self.tree[self._at.parent]
            self._stop = Stop(kind="moved")
            return self.view()

    def goto(self, wanted: str) -> SessionView:
        """Go to a position of the tree, by its id, the beginning of its id, or its name.

        Raises:
            OptionError: if there is none, or several.
        """
        with self._verb(None):
            node = self.tree.find(wanted)
            self._frame = None
            if node.id != self._at.id:
                self._edits = node.edits if node.parent is not None else self._edits
            self._at = node
            self._stop = Stop(kind="moved")
            return self.view()

    def name(self, name: str, wanted: str | None = None) -> SessionView:
        """Call a position something (None: the one where it is); "" takes the name away.

        Raises:
            OptionError: if there is no such position, the name is too long, or another has it.
        """
        name = name.strip()
        if len(name) > limits.NAME or "\n" in name or "\x00" in name:
            raise OptionError(f"A name has at most {limits.NAME} characters and one line.", "Choose a shorter one.")
        with self._verb(None):
            self.tree.name(self._at if wanted is None else self.tree.find(wanted), name)
            return self.view()

    def delete(self, wanted: str) -> SessionView:
        """Forget a position and what came from it. Where the session is there, it goes to the position before.

        Raises:
            OptionError: if there is no such position, or it is the prompt.
        """
        with self._verb(None):
            node = self.tree.find(wanted)
            gone = self.tree.delete(node)
            for each in gone:
                if not any(other.step == each.step for other in self.tree):
                    self._walk.held.drop(each.step)
            if any(each.id == self._at.id for each in gone):
                self._frame = None
                self._edits, self._at = node.edits, self.tree[node.parent or ""]
                self._stop = Stop(kind="moved")
            return self.view()

    # editing

    def edit(self, edits: Sequence[str | Edit], *, cancel: threading.Event | None = None) -> SessionView:
        """Have these edits in force from what runs next on, instead of those so far. What has run stays.

        In a frame the step runs again from the first layer whose edits differ; what lies below is not computed again.

        Raises:
            EditError: if one cannot be read or applied, or two meet.
        """
        with self._verb(cancel):
            found = self._host.settle(edits, self._walk.work)
            self._check_edits(found)
            self._have(found)
            return self.view()

    def set(self, *edits: str | Edit, cancel: threading.Event | None = None) -> SessionView:
        """Have edits in force beside those that are; one of the same unit at the same positions takes its place."""
        read = parse_all(edits)
        units = {(edit.value, edit.scope) for edit in read}
        return self.edit([*(e for e in self._edits if (e.value, e.scope) not in units), *read], cancel=cancel)

    def unset(self, *units: str | UnitName, cancel: threading.Event | None = None) -> SessionView:
        """Take the edits of units back; of all without any.

        Raises:
            ValueNameError: if a text names no unit and no direction.
            OptionError: if a unit is not edited.
        """
        names = {str(read_edited(unit) if isinstance(unit, str) else unit) for unit in units}
        kept = [edit for edit in self._edits if str(edit.value) not in names] if names else []
        edited = {str(edit.value) for edit in self._edits}
        if names - edited:
            missing = min(names - edited)
            raise OptionError(f"{missing} is not edited here.", f"Edited are {', '.join(sorted(edited)) or 'none'}.")
        return self.edit(kept, cancel=cancel)

    def force(self, wanted: str | int) -> SessionView:
        """Have another token than the last one that was chosen. Of a text of several tokens each is forced in turn.

        Args:
            wanted: the text with its leading space, or a token's id.

        Raises:
            OptionError: if nothing was chosen yet, or the text cannot be written with the model's tokens.
        """
        with self._verb(None):
            ids = self._ids_of(wanted)
            if self._at.parent is None:
                raise OptionError("No token has been chosen yet.", "Take a step first; the prompt is as it was given.")
            self._frame = None
            if self._at.depth - 1 + len(ids) > self.max_new_tokens:
                raise OptionError(
                    f"A branch has at most {self.max_new_tokens} tokens.", "Go back, or begin another session."
                )
            self._replace(self._at, ids[0])
            for token in ids[1:]:
                node, _ = self._walk.next(self._at, self._edits, self._taps(), keep=True)
                self._replace(node, token)
            self._stop = Stop(kind="edited")
            return self.view()

    # watching

    def watch(self, expression: str) -> SessionView:
        """Follow an expression at every step from now on.

        Raises:
            WatchError: if it cannot be read, or names what the model does not have.
            OptionError: if there are too many.
        """
        with self._verb(None):
            found = bind(expression, self._model)
            if str(found) not in self._watches and len(self._watches) >= limits.WATCHES:
                raise OptionError(f"{limits.WATCHES} watches are followed already.", "Remove one first.")
            self._watches[str(found)] = found
            return self.view()

    def unwatch(self, expression: str) -> SessionView:
        """Follow an expression no more.

        Raises:
            OptionError: if it is not followed.
        """
        with self._verb(None):
            known = expression if expression in self._watches else str(bind(expression, self._model))
            if self._watches.pop(known, None) is None:
                raise OptionError(f"{known} is not watched.", f"Watched are {', '.join(self._watches) or 'none'}.")
            return self.view()

    def watch_all(self, expressions: Sequence[str]) -> SessionView:
        """Follow exactly these expressions; what is wrong with one leaves all as they were.

        Raises:
            WatchError, OptionError: as `watch`.
        """
        with self._verb(None):
            bound = [bind(expression, self._model) for expression in expressions]
            found = {str(watch): watch for watch in bound}
            if len(found) > limits.WATCHES:
                raise OptionError(f"{len(found)} watches are more than {limits.WATCHES}.", "Follow fewer.")
            self._watches = found
            return self.view()

    @property
    def watches(self) -> tuple[str, ...]:
        """The expressions that are followed."""
        return tuple(self._watches)

    def stop_at(self, condition: str) -> BreakpointView:
        r"""Stop where a condition is true: a watch with a comparison, `" token"`, `/pattern/`, or `differs`.

        Raises:
            WatchError: if it cannot be read, is no condition, or names what the model does not have.
            OptionError: if there are too many.
        """
        with self._verb(None):
            return self.breakpoints.add(condition)

    def stop_at_all(self, conditions: Sequence[str]) -> SessionView:
        """Stop at exactly these conditions; those that stay keep their numbers, and what is wrong with one leaves all.

        Raises:
            WatchError, OptionError: as `stop_at`.
        """
        with self._verb(None):
            self.breakpoints.replace(conditions)
            return self.view()

    def clear(self, number: int | None = None) -> None:
        """Remove a breakpoint, or all.

        Raises:
            OptionError: if there is none of this number.
        """
        with self._verb(None):
            self.breakpoints.remove(number)

    def evaluate(self, expression: str, *, cancel: threading.Event | None = None) -> WatchValue:
        """What an expression gives where the session is: of the prediction that the last token was chosen from, or in a
        frame of the lens after the part that has just run.

        Raises:
            WatchError: if it cannot be read, or names what the model does not have.
            OptionError: if nothing has run yet.
        """
        with self._verb(cancel):
            found = bind(expression, self._model)
            if self._frame is None and self._at.parent is None:
                raise OptionError("Nothing has run yet.", "Take a step first.")
            return evaluate(found, self._moment([found]))

    def through(self, expressions: Sequence[str], *, cancel: threading.Event | None = None) -> tuple[WatchPath, ...]:
        """What expressions give before and after every layer, where the last token was predicted."""
        with self._verb(cancel):
            bound = [bind(expression, self._model) for expression in expressions]
            return self._trace().watch(bound, self._predicting)

    # asking

    def trace(self, wanted: str | None = None, *, cancel: threading.Event | None = None) -> Trace:
        """The text up to a position (None: where it is) as a run with all its read-outs, edits included."""
        with self._verb(cancel):
            return self._trace(None if wanted is None else self.tree.find(wanted))

    def why(
        self,
        target: str | int | None = None,
        against: str | int | None = None,
        *,
        top_k: int = 10,
        cancel: threading.Event | None = None,
    ) -> Why:
        """Who wrote the last token that was chosen, or another one there. Arguments as for `Debugger.why`."""
        from lm_debugger.attribution import why as answering
        from lm_debugger.attribution.choose import Wanted

        with self._verb(cancel):
            chosen_token = self._at.token
            wanted = Wanted(top_k)
            return answering.why(
                self._trace(), chosen_token if target is None else target, against,
                self._predicting, wanted=wanted, ablated=answering.Ablated(), work=self._walk.work,
            )  # fmt: skip

    def fix(self, target: str, *, max_edits: int = 5, cancel: threading.Event | None = None) -> Fix:
        """The fewest edits with which a wanted token would have been chosen here. Nothing is changed.

        Raises:
            OptionError: if no token has been chosen yet, or edits have changed on the way.
        """
        if self._at.parent is None:
            raise OptionError("No token has been chosen yet.", "Take a step first.")
        before = Course(self.prompt, self.tree.path(self.tree[self._at.parent]), self._at.edits)
        with self._verb(cancel):
            options = FixOptions(max_edits=max_edits)
            edits = before.spec().edits
            return self._host.fix(before.ids, target, interventions=edits, options=options, cancel=cancel)

    def difference(
        self, first: str, second: str, *, top_k: int = 20, cancel: threading.Event | None = None
    ) -> RunDifference:
        """What differs between two positions: tokens, layers, units that appear, vanish or change.

        Raises:
            OptionError: if a position does not exist, or top_k is below 1.
        """
        _at_least_one(top_k)
        with self._verb(cancel):
            one, other = self.tree.find(first), self.tree.find(second)
            return difference(one.id, other.id, self._trace(one), self._trace(other), top_k)

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

    def _go(
        self,
        on_step: OnStep | None,
        cancel: threading.Event | None,
        until: Callable[[Node, Moment], bool] | None,
    ) -> SessionView:
        with self._verb(cancel):
            self._check_open()
            first = True
            try:
                while True:
                    moment = self._leave(on_step) if self._frame else self._step(on_step, "step", keep=first)
                    first = self._at.depth % 16 == 0  # on a long way some are kept, to come back to
                    if until is not None and self._stop.kind == "step" and until(self._at, moment):
                        self._stop = Stop(kind="token")
                    if self._stop.kind != "step":
                        break
                    self._walk.work.go_on()
            except CancelledError:
                self._frame = None
                self._stop = Stop(kind="cancelled")
            return self.view()

    def _step(self, on_step: OnStep | None, kind: StopKind, *, keep: bool) -> Moment:
        """One token. The position, the watches' values and the reason to stop there are then known."""
        self._check_open()
        node, held = self._walk.next(self._at, self._edits, self._taps(), keep=keep)
        return self._arrive(node, held, on_step, kind)

    def _arrive(self, node: Node, held: Held, on_step: OnStep | None, kind: StopKind) -> Moment:
        """Be at a new position."""
        followed = [*self._watches.values(), *self.breakpoints.conditions]
        self._at = node
        moment = self._of_step(node, held.last, followed)
        values = {str(watch): evaluate(watch, moment) for watch in self._watches.values()}
        self._at = self.tree.add(_with_values(node, values))
        met = self.breakpoints.met(moment)
        if met is not None:
            breakpoint_, watch = met
            because = tuple(Because(expression=part, value=value) for part, value in reasons(watch, moment))
            self._stop = Stop(
                kind="breakpoint", breakpoint=breakpoint_.number, expression=breakpoint_.expression, because=because
            )
        elif node.finished:
            reached = node.depth >= self.max_new_tokens
            self._stop = Stop(kind="limit" if reached else "end")
        elif node.depth >= self.max_new_tokens:
            self._stop = Stop(kind="limit")
        else:
            self._stop = Stop(kind=kind)
        if on_step is not None:
            on_step(self._node_view(self._at))
        return moment

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

    def _enter(self) -> None:
        self._check_open()
        self._frame = entered(self._walk, self._at, self._edits, self._host.reading)
        self._stop = Stop(kind="layer")

    def _over_layer(self) -> None:
        """Run the rest of the layer and the next one's first part; after the last layer the step is done."""
        frame = self._frame
        assert frame is not None
        following = next((place for place in frame.places if place.layer > frame.place.layer), None)
        if following is None:
            self._leave(None)
            return
        frame.place = following
        self._stop = Stop(kind="layer")

    def _leave(self, on_step: OnStep | None) -> Moment:
        """Let the step that was entered end: its token is chosen."""
        frame = self._frame
        assert frame is not None
        self._frame = None
        node, held = self._walk.commit(frame.node, frame.edits, frame.held)
        return self._arrive(node, held, on_step, "step")

    def _have(self, edits: Edits) -> None:
        if self._frame is not None and edits != self._edits:
            self._frame = entered_again(self._walk, self._frame, edits, self._host.reading)
        self._edits = edits
        self._stop = Stop(kind="edited")

    def _replace(self, node: Node, token: int) -> None:
        """Be at the position that another token leads to."""
        if token == node.token:
            self._at = node
            return
        followed = list(self._watches.values())
        step = self._walk.last(node, taps_of(followed))
        logits = step.logits[0]
        logprob = float(logits[token] - logits.logsumexp(-1)) if token < len(logits) else None
        parent = self.tree[node.parent or ""]
        forced = child_of(parent, node.edits, token, forced=True, logprob=logprob, finished=False)
        self.tree.add(forced)
        moment = self._of_step(forced, step, followed)
        self._at = self.tree.add(_with_values(forced, {str(watch): evaluate(watch, moment) for watch in followed}))

    def _ids_of(self, wanted: str | int) -> list[int]:
        vocabulary = self._model.vocabulary
        if isinstance(wanted, int):
            return vocabulary.encode([wanted])
        if not wanted:
            raise OptionError("The token to force is an empty text.", "Write one, such as ' he'.")
        exact_token = self.breakpoints.token_of(wanted)
        return [exact_token] if exact_token is not None else vocabulary.encode(wanted, special=False)

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


def _at_least_one(count: int) -> None:
    if count < 1:
        raise OptionError(f"The count is {count}.", "It must be 1 or more.")


def _with_values(node: Node, values: dict[str, WatchValue]) -> Node:
    return Node(**{**vars(node), "values": values})
