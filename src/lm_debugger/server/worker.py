"""The model's worker: loads it, then runs every forward on one thread, one after the other.

Read-outs of runs that are kept go to a second thread, so that they do not wait behind a long generation. Of the model
they use weights, the final norm and the unembedding: nothing that a forward on the other thread has hooks on. But some
weights are found by calling their module once, which must not happen during a forward, so one read-out of everything is
made before any other work; should it fail, there is no second thread. Whoever waits for a result and goes away takes
the work along.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar

from starlette.requests import Request

from lm_debugger import __version__
from lm_debugger.errors import CancelledError, LMDebuggerError, ModelLoadError, OptionError
from lm_debugger.records.service import Health, ProgressEvent, QueueState
from lm_debugger.server.failures import LoadingError, detail, log
from lm_debugger.server.lane import Job, Lane
from lm_debugger.work import Progress, Work

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

T = TypeVar("T")
Opener = Callable[[Progress], "Debugger"]
ForModel = Callable[["Debugger", threading.Event], T]

_IDLE = ProgressEvent(step="", done=0, total=0)
_PATIENCE = 5.0  # seconds that a server that stops gives to the work going on


class ModelWorker:
    """One model and those who wait for it.

    Args:
        opener: loads the model; called once, on the worker's thread.
        limit: requests that may wait.
        seconds: that the work of one may take; 0 for no limit.
        other: loads the model that the first can be bisected with, if there is one; called once, after the first.
    """

    def __init__(self, opener: Opener, limit: int, seconds: float = 0, other: Opener | None = None) -> None:
        self._opener = opener
        self._other_opener = other
        self._forwards = Lane("lm-debugger forwards", limit, seconds)
        self._readouts = Lane("lm-debugger read-outs", limit, seconds)
        self._debugger: Debugger | None = None
        self._failure: Exception | None = None
        self._other: Debugger | None = None
        self._other_failure: Exception | None = None
        self._progress: dict[int, ProgressEvent] = {}  # by the thread that works
        self._apart = False  # whether read-outs may run beside forwards

    def start(self) -> None:
        """Begin to load the model."""
        self._forwards.submit(self._load, limited=False)
        self._forwards.start()
        self._readouts.start()

    def give_up_all(self) -> None:
        """Take no more work, and give up what there is: those who wait are told at once."""
        self._readouts.close(0)
        self._forwards.close(0)

    def stop(self) -> None:
        """Give up everything, and wait a while for the work going on to notice."""
        self._readouts.close(_PATIENCE)
        self._forwards.close(_PATIENCE)

    @property
    def alive(self) -> bool:
        """Whether something still works, which after `stop` it should not."""
        return self._readouts.alive or self._forwards.alive

    @property
    def debugger(self) -> "Debugger":
        """The model under the debugger.

        Raises:
            LoadingError: if it is not there yet; what kept it from loading, if something did.
        """
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        if self._debugger is None:
            raise LoadingError("The model is still loading.", "Try again in a moment; GET /api/health tells how far.")
        return self._debugger

    @property
    def has_other(self) -> bool:
        """Whether there is another model to bisect with."""
        return self._other is not None

    @property
    def other(self) -> "Debugger":
        """The other model under the debugger, for work that runs the model.

        Raises:
            LoadingError: as `debugger`.
            OptionError: if the server was started without one, or its shape is another.
            LMDebuggerError: what else kept it from loading.
        """
        self.check_ready()
        if self._other_failure is not None:
            raise self._other_failure.with_traceback(None)
        if self._other is None:
            raise OptionError("This server has no other model.", "Start it with --other MODEL.")
        return self._other

    def check_ready(self) -> None:
        """Raise what `debugger` raises, if the model is not there."""
        _ = self.debugger

    @property
    def health(self) -> Health:
        """The state of things."""
        status: Literal["loading", "ready", "failed"] = "ready" if self._debugger else "loading"
        waiting = QueueState(waiting=self._forwards.waiting + self._readouts.waiting, limit=self._forwards.limit)
        error = None
        if self._failure is not None:
            status, error = "failed", detail(self._failure)
        now = next(iter(list(self._progress.values())), _IDLE)
        return Health(
            status=status,
            step=now.step,
            done=now.done,
            total=now.total,
            queue=waiting,
            version=__version__,
            error=error,
            warnings=() if self._other_failure is None else (detail(self._other_failure),),
        )

    def submit_forward(self, work: ForModel[T]) -> Job[T]:
        """Queue work that runs the model.

        Raises:
            LoadingError, BusyError, StoppingError.
        """
        return self._submit(self._forwards, work)

    def submit_read(self, work: ForModel[T]) -> Job[T]:
        """Queue work that runs no forward.

        Raises:
            LoadingError, BusyError, StoppingError.
        """
        return self._submit(self._reading, work)

    def _submit(self, lane: Lane, work: ForModel[T]) -> Job[T]:
        debugger = self.debugger

        def go(cancel: threading.Event) -> T:
            try:
                return work(debugger, cancel)
            finally:
                self._idle()

        return lane.submit(go)

    def _idle(self) -> None:
        """This thread has nothing to do: its last step is no news any more."""
        self._progress.pop(threading.get_ident(), None)

    def give_up(self, job: Job[T]) -> None:
        """See `Lane.give_up`."""
        self._forwards.give_up(job)
        self._readouts.give_up(job)

    async def forward(self, request: Request, work: ForModel[T]) -> T:
        """Do work that runs the model, unless the client goes away."""
        return await _result(request, self._forwards, self.submit_forward(work))

    async def read(self, request: Request, work: ForModel[T]) -> T:
        """Do work that runs no forward, unless the client goes away."""
        return await _result(request, self._reading, self.submit_read(work))

    @property
    def _reading(self) -> Lane:
        return self._readouts if self._apart else self._forwards

    def reporting(self, cancel: threading.Event, listener: Progress | None = None) -> Progress:
        """Progress that shows in the health, goes to a listener, and ends work that was given up."""

        def report(step: str, done: int, total: int) -> None:
            Work(cancel=cancel).go_on()
            self._progress[threading.get_ident()] = ProgressEvent(step=step, done=done, total=total)
            if listener is not None:
                listener(step, done, total)

        return report

    def _load(self, cancel: threading.Event) -> None:
        self._progress[threading.get_ident()] = ProgressEvent(step="Starting", done=0, total=0)
        try:
            debugger = self._opener(self.reporting(cancel))
            self._apart = _read_everything_once(debugger)
            if self._other_opener is not None:
                self._load_other(self._other_opener, debugger, cancel)
            self._debugger = debugger
        except BaseException as error:  # noqa: BLE001 (a library's panic too: told to every client)
            self._failure = error if isinstance(error, LMDebuggerError) else _unexpected(error)
        finally:
            self._idle()

    def _load_other(self, opener: Opener, debugger: "Debugger", cancel: threading.Event) -> None:
        """Load the other model, or keep what is wrong with it: the first is served without it."""
        from lm_debugger.debugger.bisecting import check_alike

        try:
            other = opener(self.reporting(cancel))
            check_alike(debugger, other)
            self._other = other
        except CancelledError:
            raise  # the server stops
        except BaseException as error:  # noqa: BLE001 (as above)
            failure = error if isinstance(error, LMDebuggerError) else _unexpected(error)
            failure.what = f"There is no other model to compare with. {failure.what}"
            log.warning("%s", failure)
            self._other_failure = failure


def _read_everything_once(debugger: "Debugger") -> bool:
    """Read one token's run out, which touches the weights of every layer; whether that worked."""
    try:
        debugger.trace([0]).view(top_k=1)
    except LMDebuggerError:
        return False  # requests will be told the same
    return True


def _unexpected(error: BaseException) -> LMDebuggerError:
    found = detail(error)  # logs it
    return ModelLoadError(f"The model could not be loaded: {type(error).__name__}: {error}", found.cure)


async def _result(request: Request, lane: Lane, job: Job[T]) -> T:
    """A job's result; the job is given up if the client leaves first."""
    result = asyncio.wrap_future(job.future)
    gone = asyncio.create_task(left(request))
    gone.add_done_callback(lambda _: result.cancel())
    try:
        return await result
    except asyncio.CancelledError:
        if not gone.done() or gone.cancelled():
            raise  # the server itself gave this request up
        raise CancelledError("The client went away.") from None
    finally:
        gone.cancel()
        lane.give_up(job)


async def left(request: Request) -> None:
    """Wait until the client goes away. The request's body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
