"""The verbs on coefficients' ranges: measured over a text, kept in the cache, asked for. What `on` means."""

import os
import threading
import time

from lm_debugger.calibration import measure as calibration
from lm_debugger.debugger.textfile import named_text
from lm_debugger.debugger.verb import verb
from lm_debugger.debugger.weights import Weights
from lm_debugger.edits.validate import check_name
from lm_debugger.errors import EditError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.writing import SELF_GENERATED
from lm_debugger.records.calibration import CalibrationSummary, CoefficientRange
from lm_debugger.records.names import UnitName, ValueName
from lm_debugger.work import Progress, Work

TOKENS = 4096  # measured where nobody says how many


class Calibrating(Weights):
    """A part of `Debugger`: value vectors of a model that runs, and how far each one's coefficient goes."""

    _model: LoadedModel
    _calibration: calibration.Calibration | None

    @verb
    def calibrate(
        self,
        text: str | os.PathLike[str] | None = None,
        *,
        tokens: int = TOKENS,
        seed: int = 0,
        force: bool = False,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> CalibrationSummary:
        """Measure the range of every coefficient: what `on` and `on-` mean. Kept in the cache.

        Args:
            text: path of a text file to measure over; None lets the model write the text itself.
            tokens: how many tokens to measure.
            seed: of the model's own text.
            force: measure again although a calibration is known. Without it a known one is used, unless it is over
                the model's own text and over fewer tokens than asked for.

        Raises:
            OptionError, CalibrationError, CancelledError.
        """
        start = time.perf_counter()
        calibration.check_tokens(tokens)
        known = None if force or text is not None else self._known_calibration()
        if known is None or (known.source == SELF_GENERATED and known.tokens < tokens):
            source = None if text is None else named_text(text)
            known = self._measure(source, tokens, seed, self._work(progress, cancel))
            cached, seconds = False, time.perf_counter() - start
        else:
            cached, seconds = True, 0.0
        return CalibrationSummary(
            fingerprint=self._model.fingerprint,
            source=known.source,
            tokens=known.tokens,
            value_vectors=self._model.anatomy.value_vectors,
            seconds=seconds,
            cached=cached,
        )

    def _measure(self, source: tuple[str, str] | None, tokens: int, seed: int, work: Work) -> calibration.Calibration:
        model = self._model
        before = model.engine.state()
        known = calibration.calibrate(model, source, tokens=tokens, seed=seed, work=work)
        if model.engine.state() == before:  # else it is of weights that are gone
            calibration.keep(model, known)
        self._calibration = known
        return known

    def _known_calibration(self) -> calibration.Calibration | None:
        model = self._model
        if self._calibration is None:
            self._calibration = calibration.cached(model)
        return self._calibration

    def _known_range(self, name: UnitName) -> CoefficientRange | None:
        known = self._known_calibration()
        return known.range(name) if known else None

    @verb
    def coefficient_range(self, name: ValueName, progress: Progress | None = None) -> CoefficientRange:
        """A vector's range; calibrates first if that has not been done."""
        return self._range(name, self._work(progress, None))

    def _range(self, name: UnitName, work: Work) -> CoefficientRange:
        check_name(name, self._model)
        if name.letters not in {extent.letters for extent in self._model.vectors(name.layer)}:
            raise EditError(f"{name} has no range: it has no coefficient.", f"Write {name}=off or {name}*=0.5.")
        return self._ranges(work).range(name)

    def _ranges(self, work: Work) -> calibration.Calibration:
        return self._known_calibration() or self._measure(None, TOKENS, 0, work)
