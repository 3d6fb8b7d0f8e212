"""The lenses of one model, found by name or in a file, each with the model seen through it. What was used stays."""

import os
from pathlib import Path

from lm_debugger.errors import LensError
from lm_debugger.lenses import files, kept
from lm_debugger.lenses.lens import LOGIT_LENS, FittedLens, Lens
from lm_debugger.lenses.reading import Reading
from lm_debugger.lenses.source import ValueSource
from lm_debugger.records.lens import LOGIT, LensSummary, check_lens_name

Named = str | os.PathLike[str] | Lens
"""A lens: its name, the path of a file, or itself."""

HELD = 4  # lenses in memory beside the logit lens


class LensBook:
    """The lenses of one model.

    Args:
        source: the model, or its weights.
        whole: whether its fingerprint covers all weights, as those that lenses are fitted with do. Weights that stay on
            disk have another kind.

    Attributes:
        plain: the model through the logit lens.
        default: the lens where none is named.
    """

    def __init__(self, source: ValueSource, *, whole: bool = True) -> None:
        self._source = source
        self._whole = whole
        self.plain = Reading(source)
        self.default: Named = LOGIT
        self._held: dict[str, Reading] = {}

    def reading(self, lens: Named | None = None) -> Reading:
        """The model through a lens; through the default one if none is named.

        Raises:
            LensError: if there is no such lens, or it is not this model's.
        """
        found = self.default if lens is None else lens
        if isinstance(found, str | os.PathLike):
            found = self.lens(found)
        if found is LOGIT_LENS:
            return self.plain
        # A lens that was fitted again has another key; one in a file may have the numbers of one that is kept.
        key = f"{found.name} {found.key}"
        reading = self._held.pop(key, None) or Reading(self._source, found)
        self._held[key] = reading
        while len(self._held) > HELD:
            self._held.pop(next(iter(self._held)))
        return reading

    def held(self, name: str | None) -> Reading | None:
        """The model through a lens that is in memory already (None: the default one), or None. Reads no file."""
        if (self.default if name is None else name) == LOGIT:
            return self.plain
        return next((each for each in self._held.values() if each.name == name), None)

    def lens(self, name: str | os.PathLike[str]) -> Lens:
        """A lens by its name or from its file.

        Raises:
            LensError: if there is none, or it is not this model's.
        """
        if name == LOGIT:
            return LOGIT_LENS
        if not isinstance(name, str) or files.is_file(name):
            return self.of_file(Path(name))
        about = next((one for one in self.known() if one.name == name), None)
        if about is not None:
            held = self._held.get(f"{name} {about.key}")
            if held is not None:
                return held.lens
        found = None if about is None else kept.read(self._source.fingerprint, check_lens_name(name))
        if found is None:
            raise LensError(
                f"There is no lens {name!r} of this model.", _cure(name, [one.name for one in self.known()])
            )
        return found

    def of_file(self, path: Path) -> FittedLens:
        """The lens in a file, if it is this model's by its shape, and by its fingerprint where it says one.

        Raises:
            LensError: if the file cannot be read, or holds no lens of this model.
        """
        found = files.read(path, self._source.readout.hidden, self._source.layers)
        theirs = found.about.fingerprint
        if self._whole and theirs and theirs != self._source.fingerprint:
            model = f"{found.about.model} ({theirs})" if found.about.model else theirs
            raise LensError(
                f"{path} is a lens of the model {model}, not of this one ({self._source.fingerprint}).",
                "A lens means nothing on other weights: fit one with `lm-debugger lens fit`.",
            )
        return found

    def known(self) -> list[LensSummary]:
        """What is known of the lenses that are kept for this model."""
        return kept.listing(self._source.fingerprint)


def _cure(name: str, known: list[str]) -> str:
    if name in ("jacobian", "tuned"):
        return f"Fit it: lm-debugger lens fit --kind {name}."
    return f"Use one of: {', '.join([LOGIT, *sorted(known)])}; or the path of a lens file."
