"""What requests are made of, shared by the routes: prompts and edits, checked against the limits. No model here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from lm_debugger.edits.grammar import parse_all
from lm_debugger.errors import OptionError, PromptError
from lm_debugger.server.services import Services
from lm_debugger.server.settings import Limits
from lm_debugger.server.shelf import RunKey

if TYPE_CHECKING:
    import threading

    from lm_debugger.debugger.session import Debugger
    from lm_debugger.debugger.trace import Trace
    from lm_debugger.progress import Progress

INTEGER = 2**31 - 1  # larger numbers mean nothing anywhere in the API

TokenId = Annotated[int, Field(ge=0, le=INTEGER)]
Place = Annotated[int, Field(ge=-INTEGER, le=INTEGER, description="A position; negative ones count from the end.")]


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("the character U+0000 cannot be kept")
    return text


KeptText = Annotated[str, AfterValidator(_without_nul)]


class Input(BaseModel):
    """A request's body: unknown fields are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class RunInput(Input):
    """A prompt (a text, or token ids) and the edits in force."""

    prompt: str | None = Field(None, description="A text.", examples=["It was the first time that two"])
    ids: list[TokenId] | None = Field(None, description="Token ids, instead of a text.")
    interventions: list[str] = Field(
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

    def edits(self, limits: Limits) -> tuple[str, ...]:
        """The edits in their canonical text.

        Raises:
            OptionError: if there are too many.
            EditError: if one is not an edit.
        """
        return canonical_edits(self.interventions, limits)

    def key(self, limits: Limits) -> RunKey:
        """The run that is asked for."""
        return RunKey(self.text_or_ids(limits), self.edits(limits))


def canonical_edits(texts: Sequence[str], limits: Limits) -> tuple[str, ...]:
    """Edits in their canonical text.

    Raises:
        OptionError: if there are too many.
        EditError: if one is not an edit.
    """
    if len(texts) > limits.interventions:
        raise OptionError(f"{len(texts)} edits are more than {limits.interventions}.", "Send fewer at once.")
    return tuple(str(edit) for edit in parse_all(texts))


def check_tokens(count: int, limits: Limits) -> None:
    """Raise PromptError if a prompt has too many tokens."""
    if count > limits.prompt_tokens:
        raise PromptError(f"The prompt has {count} tokens, more than {limits.prompt_tokens}.", "Shorten it.")


def check_at_most(name: str, value: int, limit: int) -> None:
    """Raise OptionError if a number is over its limit."""
    if value > limit:
        raise OptionError(f"{name} is {value}.", f"It must be at most {limit} on this server.")


async def run(asked: RunInput, services: Services, request: Any) -> "Trace":
    """The run that is asked for: the one that is kept, else a new one."""
    kept, key = find(asked, services)
    if kept is not None:
        return kept
    worker = services.worker

    def go(debugger: "Debugger", cancel: "threading.Event") -> "Trace":
        return make(key, services, debugger, worker.reporting(cancel))

    return await worker.forward(request, go)


def find(asked: RunInput, services: Services) -> "tuple[Trace | None, RunKey]":
    """The run that is asked for, if it is kept. A model that is not there is told before anything else."""
    services.worker.check_ready()
    key = asked.key(services.settings.limits)
    return services.worker.shelf.find(key), key


def make(key: RunKey, services: Services, debugger: "Debugger", progress: "Progress") -> "Trace":
    """Make a run, and keep it. For work that may run the model."""
    limits = services.settings.limits
    check_tokens(len(ids := debugger.model.vocabulary.encode(key.prompt)), limits)
    found = debugger.trace(ids, key.interventions, progress=progress, memory_limit=limits.trace_bytes)
    services.worker.shelf.put(key, found)
    return found
