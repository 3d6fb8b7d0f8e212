"""What requests are made of, shared by the routes: prompts and edits, checked against the limits. No model here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from starlette.concurrency import run_in_threadpool

from lm_debugger.edits.grammar import parse_all
from lm_debugger.errors import OptionError, PromptError
from lm_debugger.records import limits
from lm_debugger.records.edit import Edit
from lm_debugger.records.lens import LensName
from lm_debugger.server.services import Services
from lm_debugger.server.settings import Limits

if TYPE_CHECKING:
    import threading

    from lm_debugger.debugger.session import Debugger
    from lm_debugger.debugger.trace import Trace
    from lm_debugger.work import Progress

INTEGER = 2**31 - 1  # larger numbers mean nothing anywhere in the API

TokenId = Annotated[int, Field(ge=0, le=INTEGER)]
Position = Annotated[int, Field(ge=-INTEGER, le=INTEGER, description="A position; negative ones count from the end.")]


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("the character U+0000 cannot be kept")
    return text


KeptText = Annotated[str, AfterValidator(_without_nul)]


T = TypeVar("T")
# A list that is refused at its first wrong item: to tell all of a million takes seconds.
Many = Annotated[list[T], Field(fail_fast=True)]


Expression = Annotated[str, Field(max_length=limits.WATCH)]
Watches = Annotated[
    list[Expression],
    Field(fail_fast=True, description="Expressions to follow.", examples=[['p(" Paris")', "entropy()", "L12D345"]]),
]


class Input(BaseModel):
    """A request's body: unknown fields are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _one_unknown_field(cls, given: Any) -> Any:
        """Leave one unknown field to be refused; a hundred thousand would each be."""
        known = cls.model_fields
        if not isinstance(given, dict) or len(given) <= len(known):
            return given
        unknown = next(key for key in given if key not in known)
        return {key: given[key] for key in (*known, unknown) if key in given}


class RunInput(Input):
    """A prompt (a text, or token ids) and the edits in force."""

    prompt: str | None = Field(None, description="A text.", examples=["It was the first time that two"])
    ids: Many[TokenId] | None = Field(None, description="Token ids, instead of a text.")
    interventions: Many[str] = Field(
        default_factory=list, description="Edits in force.", examples=[["L12D345=off", "L9D7*=2@last"]]
    )

    @model_validator(mode="after")
    def _one_prompt(self) -> "RunInput":
        if (self.prompt is None) == (self.ids is None):
            raise ValueError("give either prompt or ids")
        return self

    def text_or_ids(self, limits: Limits) -> str | tuple[int, ...]:
        """What was given.

        Raises:
            PromptError: if it is over a limit.
        """
        if self.prompt is None:
            assert self.ids is not None  # validated
            check_tokens(len(self.ids), limits)
            return tuple(self.ids)
        if len(self.prompt) > limits.prompt_characters:
            raise PromptError(
                f"The prompt has {len(self.prompt)} characters, more than {limits.prompt_characters}.", "Shorten it."
            )
        return self.prompt

    async def asked(self, limits: Limits) -> "Asked":
        """The run that is asked for. Edits are read beside the event loop: everybody else waits for what is done on it.

        Raises:
            PromptError, OptionError: if something is over a limit.
            EditError: if one of the edits is not an edit.
        """
        prompt = self.text_or_ids(limits)
        edits = await run_in_threadpool(read_edits, self.interventions, limits) if self.interventions else ()
        return Asked(prompt, edits, self.lens if isinstance(self, SeenInput) else None)


class SeenInput(RunInput):
    """A run, and the lens that it is read through. Files are not named over HTTP."""

    lens: LensName | None = Field(
        None, description="`logit`, or a lens that is kept; the server's own if left out.", examples=["jacobian"]
    )


class Asked(NamedTuple):
    """A run as a client asks for it: a text or token ids, edits, and perhaps a lens."""

    prompt: str | tuple[int, ...]
    edits: tuple[Edit, ...]
    lens: str | None = None


def read_edits(texts: Sequence[str], limits: Limits) -> tuple[Edit, ...]:
    """Edits from their text.

    Raises:
        OptionError: if there are too many.
        EditError: if one is not an edit.
    """
    if len(texts) > limits.interventions:
        raise OptionError(f"{len(texts)} edits are more than {limits.interventions}.", "Send fewer at once.")
    return parse_all(texts)


def check_tokens(count: int, limits: Limits) -> None:
    """Raise PromptError if a prompt has too many tokens."""
    if count > limits.prompt_tokens:
        raise PromptError(f"The prompt has {count} tokens, more than {limits.prompt_tokens}.", "Shorten it.")


def check_at_most(name: str, value: int, limit: int) -> None:
    """Raise OptionError if a number is over its limit."""
    if value > limit:
        raise OptionError(f"{name} is {value}.", f"It must be at most {limit} on this server.")


async def run(body: RunInput, services: Services, request: Any) -> "Trace":
    """The run that is asked for: the one that is kept, else a new one."""
    kept, asked = await find(body, services)
    if kept is not None:
        return kept
    worker = services.worker

    def go(debugger: "Debugger", cancel: "threading.Event") -> "Trace":
        return make(asked, services, debugger, worker.reporting(cancel), cancel)

    return await worker.forward(request, go)


async def find(body: RunInput, services: Services) -> "tuple[Trace | None, Asked]":
    """The run that is asked for, if it is kept. A model that is not there is told before anything else."""
    services.worker.check_ready()
    asked = await body.asked(services.settings.limits)
    return await run_in_threadpool(services.debugger.find, asked.prompt, asked.edits, asked.lens), asked


def make(
    asked: Asked, services: Services, debugger: "Debugger", progress: "Progress", cancel: "threading.Event"
) -> "Trace":
    """Make a run. For work that may run the model."""
    limits = services.settings.limits
    check_tokens(len(ids := debugger.model.vocabulary.encode(asked.prompt)), limits)
    return debugger.trace(
        ids, asked.edits, lens=asked.lens, progress=progress, cancel=cancel, memory_limit=limits.trace_bytes
    )
