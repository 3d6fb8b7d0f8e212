"""A calibration as a document: what was measured, and over what."""

from lm_debugger.records.calibration import CalibrationSummary
from lm_debugger.show.document import Document, Span, Tone, line, muted


def calibration(summary: CalibrationSummary) -> Document:
    """What was measured."""
    source = "text that the model generated" if summary.source == "self-generated" else summary.source
    how = "already in the cache" if summary.cached else f"in {summary.seconds:.1f} s"
    return (
        line(
            Span("✓ ", Tone.POSITIVE, strong=True),
            f"{summary.value_vectors:,} coefficient ranges over {summary.tokens:,} tokens",
        ),
        muted(f"from {source}, {how}"),
    )
