"""The exceptions of the package: what went wrong, which value caused it, and the cure. Imports nothing.

Those that only a server raises are in `server.failures`, those of its database in `store.engine`.

Each error prints as one or two sentences that a user can act on. The command line shows `str(error)` and
exits with `exit_code`; a server answers with `code`.
"""


class LMDebuggerError(Exception):
    """Base of all errors raised on purpose.

    Args:
        what: what went wrong, naming the offending value.
        cure: what the user can do about it ("" when there is nothing to do).
    """

    code = "error"
    exit_code = 1

    def __init__(self, what: str, cure: str = "") -> None:
        super().__init__(what, cure)
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.what} {self.cure}".strip()


class ModelNotFoundError(LMDebuggerError):
    """The model reference names no hub id, folder, GGUF file or `demo` that can be read."""

    code = "model_not_found"


class ModelLoadError(LMDebuggerError):
    """The model was found but could not be loaded."""

    code = "model_load"


class UnsupportedModelError(LMDebuggerError):
    """The model's anatomy could not be found, or an invariant does not hold on it."""

    code = "unsupported_model"
    exit_code = 3


class PromptError(LMDebuggerError):
    """A prompt that cannot be run: empty, too long, or with a token id outside the vocabulary."""

    code = "bad_prompt"
    exit_code = 2


class EditError(LMDebuggerError):
    """An edit that cannot be read, that names something the model does not have, or that conflicts."""

    code = "bad_edit"
    exit_code = 2


class RecipeError(LMDebuggerError):
    """A recipe that cannot be read or written."""

    code = "bad_recipe"
    exit_code = 2


class WrongModelError(RecipeError):
    """A recipe that was made for another model."""

    code = "wrong_model"


class ValueNameError(LMDebuggerError):
    """A value vector name that cannot be read or that the model does not have."""

    code = "bad_value"
    exit_code = 2


class OptionError(LMDebuggerError):
    """An option outside its range (position, top-k, temperature, …)."""

    code = "bad_option"
    exit_code = 2


class WatchError(OptionError):
    """A watch that cannot be read, or that asks for what the model does not have.

    Args:
        what, cure: see `LMDebuggerError`.
        at: index of the character in the expression that is to blame.
    """

    code = "bad_watch"

    def __init__(self, what: str, cure: str = "", at: int = 0) -> None:
        super().__init__(what, cure)
        self.at = at


class NumericalError(LMDebuggerError):
    """The model computed NaN or infinity."""

    code = "not_finite"


class CalibrationError(LMDebuggerError):
    """The coefficient ranges could not be measured, or a vector has no range on the side asked for."""

    code = "calibration"


class CancelledError(LMDebuggerError):
    """The caller asked to stop."""

    code = "cancelled"
    exit_code = 130


class LensError(LMDebuggerError):
    """A lens that is not there, cannot be read, or does not belong to the model."""

    code = "bad_lens"
    exit_code = 2


class DirectionError(LMDebuggerError):
    """A direction that is not kept, cannot be read, or does not belong to the model."""

    code = "bad_direction"
    exit_code = 2


class NoClustersError(LMDebuggerError):
    """The model's value vectors have not been clustered yet."""

    code = "no_clusters"


class DownloadError(LMDebuggerError):
    """The demo model could not be fetched or does not match its checksum."""

    code = "download"


class MemoryLimitError(LMDebuggerError):
    """The run would keep more memory than its limit."""

    code = "memory_limit"


class ReentryError(LMDebuggerError):
    """The debugger was called from within a forward that it runs."""

    code = "reentry"


class StaleRunError(LMDebuggerError):
    """A run was made with weights that the model no longer has."""

    code = "stale_run"


class SessionNotFoundError(LMDebuggerError):
    """There is no such debugging session."""

    code = "no_session"
    exit_code = 2


class SessionBusyError(LMDebuggerError):
    """Two verbs of one session at once."""

    code = "session_busy"


class EngineError(LMDebuggerError):
    """An engine in another process failed."""

    code = "engine"
