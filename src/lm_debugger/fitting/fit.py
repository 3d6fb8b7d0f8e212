"""Fits a lens from beginning to end: its texts, the work, its numbers with what is known of them."""

import hashlib

import torch

from lm_debugger.errors import LensError
from lm_debugger.fitting import jacobian, tuned
from lm_debugger.fitting.state import IDS, FitState, forget
from lm_debugger.fitting.texts import Texts, texts
from lm_debugger.lenses.lens import FittedLens
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.writing import SELF_GENERATED
from lm_debugger.records.lens import Fit, LensSummary
from lm_debugger.work import UNWATCHED, Work

# Texts and tokens of each, where nobody says how many. Longer texts cost a Jacobian lens more than they give it: of 64
# tokens instead of 40 it took twice as long and read worse (docs/lenses.md).
USUAL = {"tuned": (64, 65), "jacobian": (48, 40)}


def completed(options: Fit) -> Fit:
    """The options with what is usual filled in.

    Raises:
        LensError: if texts of so many tokens leave nothing to measure.
    """
    prompts, tokens = USUAL[options.kind]
    found = Fit(
        kind=options.kind,
        prompts=options.prompts or prompts,
        tokens=options.tokens or tokens,
        estimator=options.estimator,
        seed=options.seed,
    )
    if options.kind == "jacobian":
        jacobian.check_length(found.tokens or 0)
    return found


def fit(
    model: LoadedModel, options: Fit, name: str, text: tuple[str, str] | None = None, work: Work = UNWATCHED
) -> FittedLens:
    """Fit a lens. One that was stopped or killed goes on where it was, if nothing else was asked for since.

    Args:
        options: completed.
        name: of the lens.
        text: name and content of a text file; None to let the model write.

    Raises:
        LensError: if the texts are too short, or the model has one layer only.
        PromptError: if a text does not fit the model's context.
        UnsupportedModelError: if no gradients can be taken through the model.
        NumericalError: if something is not finite.
        CancelledError: if cancelled.
    """
    if model.layers < 2:
        raise LensError("The model has one layer, whose read-out is its own.", "Use the logit lens.")
    assert options.prompts is not None
    assert options.tokens is not None
    content = None if text is None else hashlib.sha256(text[1].encode(errors="surrogatepass")).hexdigest()
    state = FitState(model.fingerprint, name, {**options.model_dump(), "text": content})
    known = state.texts
    if known is not None:
        source = Texts(known, SELF_GENERATED if text is None else text[0])
    else:
        source = texts(model, text, count=options.prompts, length=options.tokens, seed=options.seed, work=work)
        state.keep({IDS: torch.tensor(source.ids)}, 0)
    about = LensSummary(
        name=name,
        kind=options.kind,
        fingerprint=model.fingerprint,
        model=model.name,
        layers=tuple(range(model.layers - 1)),
        hidden=model.anatomy.hidden_size,
        estimator="ridge" if options.kind == "tuned" else options.estimator,
        prompts=len(source.ids),
        tokens=options.tokens,
        text=source.source,
        seed=options.seed,
    )
    if options.kind == "tuned":
        by_ridge = tuned.fit(model, source.ids, state, work)
        about = about.model_copy(update={"agreement": by_ridge.agreement, "seconds": state.seconds})
        found = FittedLens(about, by_ridge.matrices, by_ridge.offsets)
    else:
        derived = jacobian.fit(model, source.ids, options.estimator, options.seed, state, work)
        about = about.model_copy(update={"agreement": derived.agreement, "seconds": state.seconds})
        found = FittedLens(about, derived.matrices)
    return found


def finished(model: LoadedModel, name: str) -> None:
    """Forget what was kept of a fit under way, once its lens is kept."""
    forget(model.fingerprint, name)
