"""The verbs on lenses: what `Debugger` adds to reading through one."""

import os
import threading
from abc import ABC, abstractmethod
from pathlib import Path

from lm_debugger.debugger.textfile import named_text
from lm_debugger.debugger.verb import verb
from lm_debugger.errors import LensError
from lm_debugger.fitting.belongs import belongs
from lm_debugger.fitting.compare import POSITIONS, PUSHES, compare
from lm_debugger.fitting.fit import completed, finished, fit
from lm_debugger.lenses import files, kept
from lm_debugger.lenses.book import LensBook, Named
from lm_debugger.lenses.lens import FittedLens, Lens
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.lens import (
    Compared,
    Estimator,
    Fit,
    FitSummary,
    Fittable,
    LensCheck,
    LensComparison,
    LensListing,
    LensSummary,
    check_lens_name,
)
from lm_debugger.work import Progress, Work

_COMPARED: tuple[Fittable, ...] = ("tuned", "jacobian")
_POOR = 0.5  # agreement of halves below which a lens is told to be noisy


class Lensing(ABC):
    """A part of `Debugger`: fits, compares and exchanges lenses."""

    _model: LoadedModel
    _lenses: LensBook

    @abstractmethod
    def refresh(self) -> None:
        """See `Debugger`."""

    @abstractmethod
    def _work(self, progress: Progress | None, cancel: threading.Event | None) -> Work:
        """See `Debugger`."""

    @verb
    def fit_lens(
        self,
        kind: Fittable,
        *,
        name: str | None = None,
        text: str | os.PathLike[str] | None = None,
        prompts: int | None = None,
        tokens: int | None = None,
        estimator: Estimator = "sampled",
        seed: int = 0,
        force: bool = False,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> FitSummary:
        """Fit a lens and keep it for this model, in the place of an earlier one of its name.

        A fit that was stopped or killed goes on where it was, if it is asked for again as it was.

        Args:
            kind: `tuned` or `jacobian`.
            name: under which it is kept; its kind if left out.
            text: path of a text file to fit on; None lets the model write the text itself.
            prompts: how many texts; None for what is usual.
            tokens: of each text; None for what is usual.
            estimator: of the Jacobian lens: `sampled`, or `exact`, which takes many times as long.
            seed: of the model's own text, and of what is sampled.
            force: fit again although a lens is kept that was fitted so.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            OptionError, LensError, PromptError, UnsupportedModelError, NumericalError, CancelledError.
        """
        options = completed(Fit(kind=kind, prompts=prompts, tokens=tokens, estimator=estimator, seed=seed))
        name = check_lens_name(name or kind)
        source = None if text is None else named_text(text)
        known = None if force or source is not None else self._fitted_so(name, options)
        if known is not None:
            return FitSummary(lens=known, cached=True, warnings=_poor(known))
        model = self._model
        before = model.engine.state()
        found = fit(model, options, name, source, self._work(progress, cancel))
        if model.engine.state() == before:  # else it is of weights that are gone
            kept.write(found, model.fingerprint)
            finished(model, name)
        return FitSummary(lens=found.about, cached=False, warnings=_poor(found.about))

    def _fitted_so(self, name: str, options: Fit) -> LensSummary | None:
        """What is known of the lens of this name, if it was fitted with these options on the model's own text."""
        for about in self._lenses.known():
            estimator = "ridge" if options.kind == "tuned" else options.estimator
            same = (about.kind, about.prompts, about.tokens, about.estimator, about.seed, about.text)
            asked = (options.kind, options.prompts, options.tokens, estimator, options.seed, "self-generated")
            if about.name == name and same == asked:
                return about
        return None

    @verb
    def lenses(self) -> LensListing:
        """The lenses that are kept for this model, the last used first."""
        return LensListing(lenses=tuple(self._lenses.known()))

    @verb
    def lens(self, name: Named) -> Lens:
        """A lens by its name or the path of its file.

        Raises:
            LensError: if there is none, or it is not this model's.
        """
        return self._lenses.reading(name).lens

    @verb
    def check_lens(
        self,
        path: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> LensCheck:
        """Whether a lens file is this model's: by its shape, its fingerprint, and what it predicts of small pushes.

        Raises:
            LensError: if it cannot be read, or its shape or fingerprint is another model's.
            CancelledError: if cancelled.
        """
        return belongs(self._model, self._lenses.of_file(Path(path)), self._work(progress, cancel))

    @verb
    def add_lens(
        self,
        path: str | os.PathLike[str],
        name: str,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> LensCheck:
        """Keep the lens of a file for this model, under a name, if it is the model's.

        Raises:
            LensError: if it is not.
            OptionError: if no lens can have that name.
            CancelledError: if cancelled.
        """
        check_lens_name(name)
        found = self._lenses.of_file(Path(path))
        told = belongs(self._model, found, self._work(progress, cancel))
        if not told.belongs:
            raise LensError(f"{path} is no lens of this model. {told.reason}", "Give a lens that was fitted on it.")
        about = found.about.model_copy(update={"name": name})
        kept.write(FittedLens(about, found.matrices, found.offsets), self._model.fingerprint)
        return told.model_copy(update={"lens": about})

    @verb
    def export_lens(self, name: str, path: str | os.PathLike[str]) -> LensSummary:
        """Write a lens to a file: `.pt` as the Jacobian lens's reference implementation has it, or `.safetensors`.

        Raises:
            LensError: if there is no such lens, or the file cannot be written.
        """
        found = self._lenses.reading(name).lens
        if not isinstance(found, FittedLens):
            raise LensError("The logit lens has nothing to write.", "Name a lens that was fitted.")
        files.write(found, Path(path))
        return found.about

    @verb
    def compare_lenses(
        self,
        *,
        text: str | os.PathLike[str] | None = None,
        tokens: int = POSITIONS,
        pushes: int = PUSHES,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> LensComparison:
        """How well the logit, tuned and Jacobian lens read each layer, on text that they were not fitted on.

        Args:
            text: path of a text file; None lets the model write, with another seed than for fits.
            tokens: positions to read, 1 to 100,000.
            pushes: of each layer's stream, by which the lenses' predictions of causes are tried; 0 for none.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            OptionError, LensError, PromptError, CancelledError.
        """
        options = Compared(tokens=tokens, pushes=pushes)
        source = None if text is None else named_text(text)
        names = {about.name: about for about in self._lenses.known()}
        readings: dict[str, Reading] = {kind: self._lenses.reading(kind) for kind in _COMPARED if kind in names}
        found = compare(
            self._model, readings, text=source, positions=options.tokens, pushes=options.pushes,
            work=self._work(progress, cancel),
        )  # fmt: skip
        warnings = [
            f"The {kind} lens is not fitted: lm-debugger lens fit --kind {kind}."
            for kind in _COMPARED
            if kind not in names
        ]
        warnings += [
            f"The {kind} lens was fitted on a file named {found.text} too."
            for kind in readings
            if source is not None and names[kind].text == found.text
        ]
        return found.model_copy(update={"warnings": tuple(warnings)})


def _poor(about: LensSummary) -> tuple[str, ...]:
    """What the user should know of a lens's agreement."""
    poor = [layer for layer, cosine in zip(about.layers, about.agreement, strict=False) if cosine < _POOR]
    if about.kind != "jacobian" or not poor:
        return ()
    most = f"Up to layer {poor[-1]} the two halves of the texts agree with a cosine below {_POOR:g}"
    return (f"{most}: more --prompts make the lens less noisy there.",)
