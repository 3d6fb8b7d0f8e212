"""`/api/recipes`: named groups of edits that users keep, for all users of this server, and their files."""

import re
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lm_debugger.edits import recipe as files
from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.recipe import Recipe, SavedRecipe
from lm_debugger.server.failures import NotFoundError
from lm_debugger.server.inputs import Input, KeptText, Many, read_edits
from lm_debugger.server.services import Here, Services

router = APIRouter(tags=["recipes"])

Number = Annotated[int, Path(ge=1, lt=2**53)]


class RecipeInput(Input):
    """A group of edits to keep."""

    name: KeptText = Field(min_length=1, max_length=limits.NAME, examples=["negative sentiment"])
    note: KeptText = Field("", max_length=limits.NOTE)
    interventions: Many[str] = Field(min_length=1, examples=[["L12D345=on", "L28D1328=on*0.5@generated"]])


class RecipeText(Input):
    """A recipe's file."""

    text: KeptText = Field(description="What the file says.", examples=["# LM-Debugger recipe\n# name: …"])


class Recipes(Record):
    """The recipes kept of a model, newest first."""

    fingerprint: str
    recipes: tuple[SavedRecipe, ...]


@router.get("/recipes")
async def recipes(here: Here) -> Recipes:
    """The recipes kept of this model, newest first."""
    fingerprint = here.debugger.summary.fingerprint
    return Recipes(fingerprint=fingerprint, recipes=await run_in_threadpool(here.database.recipes, fingerprint))


@router.post("/recipes", status_code=201)
async def keep_recipe(here: Here, asked: RecipeInput) -> SavedRecipe:
    """Keep a group of edits. They are checked against the model."""
    recipe = await run_in_threadpool(_checked, here, _made(here, asked))
    return await run_in_threadpool(here.database.add_recipe, recipe)


@router.put("/recipes/{number}")
async def change_recipe(here: Here, number: Number, asked: RecipeInput) -> SavedRecipe:
    """Replace a recipe's name, note and edits."""
    recipe = await run_in_threadpool(_checked, here, _made(here, asked))
    found = await run_in_threadpool(
        lambda: here.database.change_recipe(
            recipe.fingerprint, number, name=recipe.name, note=recipe.note, interventions=recipe.interventions
        )
    )
    return _there(found, number)


@router.delete("/recipes/{number}", status_code=204)
async def forget_recipe(here: Here, number: Number) -> None:
    """Forget a recipe."""
    fingerprint = here.debugger.summary.fingerprint
    if not await run_in_threadpool(here.database.remove_recipe, fingerprint, number):
        _there(None, number)


@router.get("/recipes/{number}/file", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def recipe_file(here: Here, number: Number) -> Response:
    """A recipe as a file, for `lm-debugger trace --recipe`, `Debugger.recipe` and other servers of this model."""
    found = await run_in_threadpool(here.database.recipe, here.debugger.summary.fingerprint, number)
    recipe = await run_in_threadpool(here.debugger.pack_recipe, _there(found, number))
    # Nothing but letters that need no quoting: a name cannot end the header or choose a folder.
    plain = re.sub(r"[^a-z0-9]+", "-", recipe.name.lower()).strip("-")[:60] or f"recipe-{number}"
    disposition = f'attachment; filename="{plain}.recipe.txt"'
    return Response(files.write(recipe), media_type="text/plain", headers={"Content-Disposition": disposition})


@router.post("/recipes/import", status_code=201)
async def import_recipe(here: Here, asked: RecipeText) -> SavedRecipe:
    """Keep the recipe of a file. One that was made for another model is refused with 409."""
    here.worker.check_ready()

    def read() -> Recipe:
        recipe = _checked(here, files.read(asked.text, here.settings.limits.interventions))
        here.debugger.unpack_recipe(recipe)
        return recipe

    return await run_in_threadpool(here.database.add_recipe, await run_in_threadpool(read))


def _made(here: Services, asked: RecipeInput) -> Recipe:
    """The recipe of this model that a request describes."""
    summary = here.debugger.summary
    return Recipe(
        name=asked.name,
        fingerprint=summary.fingerprint,
        model=summary.name,
        note=asked.note,
        interventions=tuple(asked.interventions),
    )


def _checked(here: Services, recipe: Recipe) -> Recipe:
    """The recipe as it is kept, if it is this model's and within the limits."""
    edits = tuple(map(str, read_edits(recipe.interventions, here.settings.limits)))
    files.check(recipe, here.debugger.model)
    kept = recipe.model_copy(update={"name": recipe.name.strip(), "note": recipe.note.strip(), "interventions": edits})
    files.write(kept)  # what is kept can be written to a file
    return kept


def _there(recipe: SavedRecipe | None, number: int) -> SavedRecipe:
    if recipe is None:
        raise NotFoundError(f"There is no recipe {number} of this model.", "GET /api/recipes lists those there are.")
    return recipe
