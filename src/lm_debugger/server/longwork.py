"""Work that takes long, answered in one piece or as a stream of server-sent events. Knows nothing of the work.

The events of a stream: `progress` and what the work itself tells (such as `token`), then one `result` or `error`.
A client that goes away takes the work along.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError as GivenUp
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lm_debugger.errors import CancelledError
from lm_debugger.records.base import Record
from lm_debugger.records.service import ErrorBody, ProgressEvent
from lm_debugger.server.failures import detail
from lm_debugger.server.lane import Job
from lm_debugger.server.services import Services, as_json
from lm_debugger.server.worker import ModelWorker
from lm_debugger.work import Progress

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

_PING_SECONDS = 10  # a proxy may close a connection on which nothing moves

Tell = Callable[[str, Record], None]


@dataclass(frozen=True)
class Channel:
    """How work talks to the client that waits for it.

    Args:
        tell: send an event and its data.
        progress: report how far the work is; raises CancelledError when it was given up.
        cancel: set when it was given up.
    """

    tell: Tell
    progress: Progress
    cancel: threading.Event


LongWork = Callable[["Debugger", Channel], Record]


def described(result: str, *events: str) -> dict[int | str, dict[str, object]]:
    """The OpenAPI description of an answer in one piece or as a stream, for a route's `responses`."""
    told = (*events, "progress", "result", "error")
    event = {
        "type": "object",
        "properties": {
            "event": {"type": "string", "enum": list(told)},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "required": ["event", "data"],
    }
    text = f"{result}; or, if asked for, a stream of events ({', '.join(told)}), the last of them `result` or `error`."
    return {200: {"description": text, "content": {"text/event-stream": {"schema": event}}}}


def wants_stream(request: Request) -> bool:
    """Whether the client asks for server-sent events."""
    return "text/event-stream" in request.headers.get("accept", "")


async def answer(
    request: Request, services: Services, work: LongWork, *, stream: bool, forward: bool = True
) -> Response:
    """Do the work and answer with its result, or with a stream of its events.

    Args:
        forward: whether the work runs the model; otherwise it does not wait for those that do.
    """
    worker = services.worker
    if not stream:

        def quiet(debugger: "Debugger", cancel: threading.Event) -> Record:
            return work(debugger, Channel(_say_nothing, worker.reporting(cancel), cancel))

        return as_json(await (worker.forward if forward else worker.read)(request, quiet))

    loop = asyncio.get_running_loop()
    events: asyncio.Queue[tuple[str, Record] | None] = asyncio.Queue()

    def tell(event: str, data: Record) -> None:
        loop.call_soon_threadsafe(events.put_nowait, (event, data))

    def loud(debugger: "Debugger", cancel: threading.Event) -> Record:
        def listener(step: str, done: int, total: int) -> None:
            tell("progress", ProgressEvent(step=step, done=done, total=total))

        return work(debugger, Channel(tell, worker.reporting(cancel, listener), cancel))

    # Submitted before the response begins, so that a full queue is still answered with its own status.
    job = (worker.submit_forward if forward else worker.submit_read)(loud)
    job.future.add_done_callback(lambda _: loop.call_soon_threadsafe(events.put_nowait, None))
    return StreamingResponse(
        _events(worker, job, events), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _events(
    worker: ModelWorker, job: Job[Record], events: "asyncio.Queue[tuple[str, Record] | None]"
) -> AsyncIterator[bytes]:
    try:
        while True:
            try:
                event = await asyncio.wait_for(events.get(), _PING_SECONDS)
            except TimeoutError:
                yield KEEPALIVE_COMMENT
                continue
            if event is None:
                break
            yield _event(*event)
        try:
            yield _event("result", job.future.result())
        except GivenUp:
            yield _event("error", ErrorBody(error=detail(CancelledError("Stopped."))))
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError | GeneratorExit | KeyboardInterrupt | SystemExit):
                raise
            yield _event("error", ErrorBody(error=detail(error)))
    finally:
        worker.give_up(job)


def _event(name: str, data: Record) -> bytes:
    return format_sse_event(event=name, data_str=data.model_dump_json())


def _say_nothing(_event: str, _data: Record) -> None:
    """Nobody listens."""
