"""One thread that does one piece of work after the other, and the bounded queue before it. Knows nothing of models.

Work that takes longer than the lane's limit is asked to stop, as it is when nobody wants its result. A thread cannot be
ended from outside: work that does not look at its event goes on, but whoever waits for it is told after a while.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Generic, TypeVar

from lm_debugger.errors import CancelledError, MemoryLimitError
from lm_debugger.server.failures import BusyError, StoppingError, TimeLimitError

_GRACE = 5.0  # seconds that work gets to notice that it is to stop, and to give what there is

T = TypeVar("T")
Work = Callable[[threading.Event], T]


class Job(Generic[T]):
    """A piece of work and its result.

    Attributes:
        future: the result, once there is one.
        cancel: set when nobody wants the result any more, or it takes too long; long work looks at it.
    """

    def __init__(self, work: Work[T], limited: bool = True) -> None:
        self.limited = limited
        self.future: Future[T] = Future()
        self.cancel = threading.Event()
        self._work = work
        self._began: float | None = None
        self._late = ""

    def run(self) -> None:
        """Do the work, unless it was given up."""
        if not self.future.set_running_or_notify_cancel():
            return
        self._began = time.monotonic()
        try:
            result = self._work(self.cancel)
        except BaseException as error:  # noqa: BLE001 (whoever waits for the result is told)
            told = self._too_late() if self._late and isinstance(error, CancelledError) else _told(error)
            with suppress(InvalidStateError):  # told already
                self.future.set_exception(told)
        else:
            with suppress(InvalidStateError):
                self.future.set_result(result)

    def watch(self, seconds: float) -> None:
        """Ask the work to stop if it has taken so many seconds; some seconds later stop waiting for it."""
        taken = 0.0 if self._began is None else time.monotonic() - self._began
        if taken < seconds:
            return
        self._late = f"{seconds:g}"
        self.cancel.set()
        if taken >= seconds + min(_GRACE, seconds):
            with suppress(InvalidStateError):
                self.future.set_exception(self._too_late())

    def _too_late(self) -> TimeLimitError:
        return TimeLimitError(
            f"This took longer than {self._late} seconds, which is this server's limit for one request.",
            "Ask for less, or start the server with a larger --time-limit.",
        )


class Lane:
    """The thread and its queue.

    Args:
        name: of the thread.
        limit: pieces of work that may wait.
        seconds: that one piece may take; 0 for no limit.
    """

    def __init__(self, name: str, limit: int, seconds: float = 0) -> None:
        self.limit = limit
        self._seconds = seconds
        self._ended = threading.Event()
        self._queue: deque[Job[object]] = deque()
        self._changed = threading.Condition()
        self._running: Job[object] | None = None
        self._closed = False
        # A daemon, because a forward cannot be interrupted: a program that ends must not wait for it.
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)
        self._watchman = threading.Thread(target=self._watch, name=f"{name}: time", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()
        if self._seconds:
            self._watchman.start()

    @property
    def alive(self) -> bool:
        """Whether the thread goes on, which after `close` it should not."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Pieces of work that wait."""
        return len(self._queue)

    def submit(self, work: Work[T], *, limited: bool = True) -> Job[T]:
        """Queue a piece of work, which keeps to the lane's time limit if it is limited.

        Raises:
            BusyError: if the queue is full.
            StoppingError: after `close`.
        """
        job = Job(work, limited)
        with self._changed:
            if self._closed:
                raise StoppingError("The server is stopping.", "Start it again.")
            if len(self._queue) >= self.limit:
                raise BusyError(f"{self.limit} requests wait for the model already.", "Try again in a moment.")
            self._queue.append(job)  # type: ignore[arg-type]  # its result is nobody's business here
            self._changed.notify()
        return job

    def give_up(self, job: Job[T]) -> None:
        """Nobody wants a job's result any more: forget it if it waits, ask it to stop if it runs."""
        job.cancel.set()
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)  # type: ignore[arg-type]
        job.future.cancel()

    def close(self, patience: float) -> None:
        """Take no more work, give up what there is, and wait at most so many seconds for the thread to end."""
        with self._changed:
            self._closed = True
            self._ended.set()
            given_up = [*self._queue] + ([self._running] if self._running else [])
            self._queue.clear()
            self._changed.notify()
        for job in given_up:
            self.give_up(job)
        if self._thread.is_alive():
            self._thread.join(patience)

    def _go(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if self._closed:
                    return
                self._running = self._queue.popleft()
            self._running.run()
            self._running = None

    def _watch(self) -> None:
        while not self._ended.wait(min(1.0, self._seconds / 4)):
            job = self._running
            if job is not None and job.limited:
                job.watch(self._seconds)


def _told(error: BaseException) -> BaseException:
    """An error as those who wait should see it."""
    out_of_memory = isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and (type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error))
    )
    if out_of_memory:
        return MemoryLimitError("The machine has not enough memory for this.", "Shorten the prompt, or ask for less.")
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return CancelledError("Stopped.")
    if not isinstance(error, Exception):
        # A library's panic, which nothing between here and the client would expect.
        made = RuntimeError(f"{type(error).__name__}: {error}")
        made.__cause__ = error
        return made
    return error
