"""`/api/tokens`: how the model's tokenizer cuts a text."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from lm_debugger.errors import PromptError
from lm_debugger.records.service import Tokenization
from lm_debugger.server.services import Here, as_json

router = APIRouter(tags=["runs"])


@router.get("/tokens", response_model=Tokenization)
async def tokens(
    request: Request,
    here: Here,
    text: Annotated[str, Query(description="The text.", min_length=1)],
    special: Annotated[
        bool, Query(description="Add the special tokens that a prompt gets, such as one for its beginning.")
    ] = False,
) -> Response:
    """How a text is cut into tokens. For the id of a token to follow, ask for its text with its leading space."""
    limit = here.settings.limits.prompt_characters
    if len(text) > limit:
        raise PromptError(f"The text has {len(text)} characters, more than {limit}.", "Shorten it.")
    found = await here.worker.read(
        request,
        lambda debugger, _: debugger.model.vocabulary.tokens(debugger.model.vocabulary.encode(text, special=special)),
    )
    return as_json(Tokenization(text=text, tokens=found))
