"""LM-Debugger: see how a language model builds a prediction, change the vectors that decide it, watch the difference.

    import lm_debugger

    dbg = lm_debugger.load("demo")
    trace = dbg.trace("It was the first time that two", interventions=["L12D345=off"])
    print(trace.view(position=-1).output[0].text)

Public names are loaded on first use, so that importing the package costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lm_debugger.debugger.open import examine as examine
    from lm_debugger.debugger.open import load as load
    from lm_debugger.debugger.open import open_weights as open_weights
    from lm_debugger.debugger.session import Debugger as Debugger
    from lm_debugger.debugger.trace import Trace as Trace
    from lm_debugger.edits.grammar import parse as parse_edit
    from lm_debugger.errors import LMDebuggerError as LMDebuggerError
    from lm_debugger.records.edit import Edit as Edit
    from lm_debugger.records.names import ValueName as ValueName

__version__ = "0.1.0"

_HOMES = {
    "Debugger": ("lm_debugger.debugger.session", "Debugger"),
    "Edit": ("lm_debugger.records.edit", "Edit"),
    "LMDebuggerError": ("lm_debugger.errors", "LMDebuggerError"),
    "Trace": ("lm_debugger.debugger.trace", "Trace"),
    "ValueName": ("lm_debugger.records.names", "ValueName"),
    "examine": ("lm_debugger.debugger.open", "examine"),
    "load": ("lm_debugger.debugger.open", "load"),
    "open_weights": ("lm_debugger.debugger.open", "open_weights"),
    "parse_edit": ("lm_debugger.edits.grammar", "parse"),
}

__all__ = [
    "Debugger", "Edit", "LMDebuggerError", "Trace", "ValueName", "__version__", "examine", "load", "open_weights",
    "parse_edit",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'lm_debugger' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    found: object = getattr(importlib.import_module(module), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
