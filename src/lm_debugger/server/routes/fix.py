"""`/api/fix`: the smallest edits that make a wanted token the top one."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lm_debugger.records.fix import Fix, FixCase, Fixes, FixOptions, Forwards, MaxEdits
from lm_debugger.server.inputs import Input, Many, Position, RunInput, TokenId, check_at_most, check_tokens, read_edits
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.routes.why import Word, either
from lm_debugger.server.services import Here
from lm_debugger.server.settings import Limits

if TYPE_CHECKING:
    from lm_debugger.attribution.question import Word as Wanted
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class HowFar(Input):
    """What a fix may not do, and how far the search for it goes."""

    avoid: Many[Word] = Field(default_factory=list, description="Tokens none of which is to be the top one.")
    held: Many[str] | None = Field(
        None, description="Texts that should stay as they are; else texts that the model writes itself."
    )
    max_edits: MaxEdits = Field(5, description="The most edits that it may take.")
    budget: Forwards = Field(1500, description="Texts that may be run to find it.")
    side_effects: bool = Field(True, description="Measure what the edits do to other texts.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")

    @property
    def options(self) -> FixOptions:
        """As the debugger takes them."""
        return FixOptions(max_edits=self.max_edits, budget=self.budget, side_effects=self.side_effects)


class FixInput(RunInput, HowFar):
    """A run, a position, and what is to be the top token there."""

    position: Position = -1
    target: Word | None = Field(None, description="The token wanted, with its leading space.", examples=[" doctor"])
    target_id: TokenId | None = Field(None, description="Its id, instead of its text.")
    targets: Many[Word] = Field(default_factory=list, description="Several, of which any will do.")


@router.post("/fix", response_model=Fix, responses=described("The fix"))
async def fix(request: Request, here: Here, asked: FixInput) -> Response:
    """The smallest set of edits that makes a token the top one, with what it does to the prediction and elsewhere."""
    limits = here.settings.limits
    prompt, edits, _ = await asked.asked(limits)
    check_many(asked.targets, asked.avoid, asked.held, limits)
    single = either(asked.target, asked.target_id, "target")
    target: list[Wanted] = [*asked.targets] if single is None else [single, *asked.targets]

    def work(debugger: "Debugger", channel: Channel) -> Fix:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), limits)
        return debugger.fix(
            ids, target, avoid=asked.avoid, position=asked.position, interventions=edits, held=asked.held,
            options=asked.options, progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))


class CaseInput(Input):
    """A prompt and the token wanted after it."""

    prompt: str = Field(min_length=1)
    target: Word
    position: Position = -1


class FixAllInput(HowFar):
    """Several predictions that are to be fixed with one set of edits."""

    cases: Many[CaseInput] = Field(min_length=1, max_length=100)
    interventions: Many[str] = Field(default_factory=list, description="Edits in force.")


@router.post("/fix/all", response_model=Fixes, responses=described("The fixes"))
async def fix_all(request: Request, here: Here, asked: FixAllInput) -> Response:
    """Several predictions fixed with one set of edits."""
    limits = here.settings.limits
    edits = await run_in_threadpool(read_edits, asked.interventions, limits)
    check_many((), asked.avoid, asked.held, limits)
    for case in asked.cases:
        check_at_most("The length of a prompt", len(case.prompt), limits.prompt_characters)
    cases = [FixCase(prompt=case.prompt, target=case.target, position=case.position) for case in asked.cases]

    def work(debugger: "Debugger", channel: Channel) -> Fixes:
        for case in cases:
            check_tokens(len(debugger.model.vocabulary.encode(case.prompt)), limits)
        return debugger.fix_all(
            cases, avoid=asked.avoid, interventions=edits, held=asked.held,
            options=asked.options, progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))


def check_many(targets: "Many[str] | tuple[()]", avoid: "Many[str]", held: "Many[str] | None", limits: Limits) -> None:
    """Raise OptionError if there are too many words or texts, or one is too long."""
    check_at_most("The number of words", len(targets) + len(avoid), limits.results)
    texts = held or []
    check_at_most("The number of held texts", len(texts), limits.results)
    check_at_most("The length of the held texts", sum(map(len, texts)), limits.prompt_characters)
