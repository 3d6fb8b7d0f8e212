"""The users' names of vectors for read-outs, which do not wait long for the database. Knows no model and no route."""

import asyncio
import logging

from starlette.concurrency import run_in_threadpool

from lm_debugger.store.database import Database
from lm_debugger.store.engine import DatabaseError

PATIENCE = 1.0  # seconds

log = logging.getLogger("lm_debugger.server")


class Names:
    """The names as the database has them; where it does not answer soon, as it last had them.

    A read-out without the newest name is worth more than one that waits for another process to let the database go.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, dict[str, str]] = {}
        self._late: asyncio.Task[dict[str, str]] | None = None  # an answer that is still awaited

    async def of(self, fingerprint: str) -> dict[str, str]:
        """The names of a model's vectors, by vector."""
        if self._late is not None and not self._late.done():
            return self._known.get(fingerprint, {})
        asked = asyncio.ensure_future(run_in_threadpool(self._database.names, fingerprint))
        try:
            done, _ = await asyncio.wait({asked}, timeout=PATIENCE)
        finally:
            asked.add_done_callback(_look)  # whoever asked may have left
        if not done:
            self._late = asked
        else:
            try:
                self._known[fingerprint] = asked.result()
            except DatabaseError as error:
                log.warning("Shown without new names: %s", error)
        return self._known.get(fingerprint, {})


def _look(task: "asyncio.Task[dict[str, str]]") -> None:
    """Take an error that nobody waits for any more, so that asyncio does not complain."""
    if not task.cancelled():
        task.exception()
