"""`/api/tokens`: how the model's tokenizer cuts a text."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.errors import PromptError
from lm_debugger.records.service import Tokenization
from lm_debugger.server.inputs import Input
from lm_debugger.server.services import Here, Services, as_json

router = APIRouter(tags=["runs"])

_SPECIAL = "Add the special tokens that a prompt gets, such as one for its beginning."


class TokensInput(Input):
    """A text to cut."""

    text: str = Field(min_length=1, description="The text.")
    special: bool = Field(False, description=_SPECIAL)


@router.get("/tokens", response_model=Tokenization)
async def tokens(
    request: Request,
    here: Here,
    text: Annotated[str, Query(description="The text.", min_length=1)],
    special: Annotated[bool, Query(description=_SPECIAL)] = False,
) -> Response:
    """How a text is cut into tokens. For the id of a token to follow, ask for its text with its leading space."""
    return await _cut(request, here, text, special)


@router.post("/tokens", response_model=Tokenization)
async def tokenize(request: Request, here: Here, asked: TokensInput) -> Response:
    """The same for a text of any length: an address holds only some thousand characters."""
    return await _cut(request, here, asked.text, asked.special)


async def _cut(request: Request, here: Services, text: str, special: bool) -> Response:
    limit = here.settings.limits.prompt_characters
    if len(text) > limit:
        raise PromptError(f"The text has {len(text)} characters, more than {limit}.", "Shorten it.")
    found = await here.worker.read(
        request,
        lambda debugger, _: debugger.model.vocabulary.tokens(debugger.model.vocabulary.encode(text, special=special)),
    )
    return as_json(Tokenization(text=text, tokens=found))
