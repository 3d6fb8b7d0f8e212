"""Writes docs/supported-models.md: every causal language model type of transformers, examined. `make support`.

Each type is made tiny with random weights from its configuration class and examined like any other model, so the table
says what the proof says. It is about architectures: a checkpoint is proved again when it is loaded.
"""

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import transformers
from rich.console import Console
from rich.progress import track

from lm_debugger.proof.report import examine_network
from lm_debugger.records.examination import REQUIRED, Examination
from tests import zoo

TABLE = Path(__file__).parent.parent / "docs" / "supported-models.md"


@dataclass(frozen=True)
class Row:
    """One type's outcome: a report, or why there is no model to examine."""

    model_type: str
    report: Examination | None
    unavailable: str = ""

    @property
    def supported(self) -> bool:
        """Whether every invariant that a model needs holds."""
        return self.report is not None and self.report.supported

    def line(self) -> str:
        """The row in Markdown."""
        if self.report is None:
            return f"| {self.model_type} | – | – | could not be made here: {_cell(self.unavailable)} | |"
        if not self.report.supported:
            return f"| {self.model_type} | no | – | {_cell(' '.join(self.report.failures))} | |"
        formulas = sorted({formula.split("= ", 1)[1] for formula in self.report.formula})
        required = [check for check in self.report.checks if check.passed or check.invariant in REQUIRED]
        worst = max(check.error / check.tolerance for check in required)
        shown = "<br>".join(f"`{_cell(formula)}`" for formula in formulas)
        return f"| {self.model_type} | yes | {self._heads()} | {shown} | {worst:.0e} |"

    @property
    def with_heads(self) -> bool:
        """Whether every invariant holds, I5 included, and some layer has heads."""
        return self.supported and self.report is not None and self.report.heads > 0

    def _heads(self) -> str:
        """What I5 says, and which layers have no heads."""
        assert self.report is not None
        without = "<br>".join(_cell(why) for why in self.report.headless)
        return f"yes<br>not {without}" if self.with_heads and without else "yes" if self.with_heads else without


def rows() -> list[Row]:
    """Examine every type."""
    found = []
    for model_type in track(zoo.TYPES, "Examining", console=Console(stderr=True)):
        try:
            network = zoo.make(model_type)
        except zoo.Unavailable as reason:
            found.append(Row(model_type, None, str(reason)))
            continue
        report, _ = examine_network(network, name=model_type, fingerprint="")
        found.append(Row(model_type, report))
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:300]


def main() -> None:
    """Examine all types and write the table."""
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    found = rows()
    supported = sum(row.supported for row in found)
    version = ".".join(transformers.__version__.split(".")[:2])
    with_heads = sum(row.with_heads for row in found)
    text = f"""# Supported architectures

**{supported} of the {len(found)} causal language model types of transformers {version} pass I1 to I4 and can be
debugged. {with_heads} of them have attention heads that pass I5; the others are debugged without heads.** This table is
made by `make support`, which builds each type tiny with random weights and examines it as `lm-debugger examine`
examines any model. No list decides what is supported: your own checkpoint, and any architecture not here, is proved in
the same way when it is loaded.

`resid_pre` is the residual stream that enters a layer; modules are named by their path in the layer; `γ⊙` is a factor
by channel, `g(token)·` a gate. The last column is the largest error of all checks as a fraction of its tolerance.

| type | I1 to I4 | I5 | residual stream after the layer, or why not | error / tolerance |
| --- | --- | --- | --- | --- |
"""
    TABLE.write_text(text + "\n".join(row.line() for row in found) + "\n", encoding="utf-8")
    sys.stdout.write(
        f"{supported} of {len(found)} types are supported, {with_heads} with heads; {TABLE.name} written.\n"
    )


if __name__ == "__main__":
    main()
