"""What is followed from one run to another: which position stands for which, and the lead of one token over another."""

from lm_debugger.attribution.align import align
from lm_debugger.attribution.question import Question, Word, ask, score
from lm_debugger.records.patch import Between
from lm_debugger.runs.kept import KeptRun


class Comparison:
    """Two runs and a question about their difference.

    Args:
        run, other: this run, and the one whose activations take the place of its own.
        target, against: the tokens; without both, this run's top token against the other one's.
        position: of this run.

    Attributes:
        question: with its tokens and position settled.
        pairs: positions of this run, up to the question's, that have one in the other run, and that one.
    """

    def __init__(self, run: KeptRun, other: KeptRun, target: Word | None, against: Word | None, position: int) -> None:
        self._run, self._other = run, other
        self._alignment = align(run.ids, other.ids)
        self.question = self._asked(target, against, position)
        self.pairs = [
            (at, there)
            for at, there in enumerate(self._alignment.positions[: self.question.position + 1])
            if there is not None
        ]

    def _asked(self, target: Word | None, against: Word | None, position: int) -> Question:
        place = self._run.position(position)
        there = self._alignment.positions[place]
        if target is None and against is None and there is not None:
            best, rival = int(self._run.logits(place).argmax()), int(self._other.logits(there).argmax())
            if best != rival:
                return Question(place, best, rival)
        return ask(self._run, target, against, position)

    def told(self, difference: float) -> Between:
        """The comparison as a record.

        Args:
            difference: of this run, as it was measured beside what was patched.
        """
        run, question = self._run, self.question
        logits = run.logits(question.position)
        return Between(
            tokens=run.tokens,
            other=self._other.tokens,
            aligned=self._alignment.positions,
            alignment=self._alignment.how,
            position=question.position,
            target=score(run, logits, question.target),
            against=None if question.against is None else score(run, logits, question.against),
            difference=difference,
            other_difference=self._elsewhere(),
            interventions=tuple(map(str, run.interventions)),
            warnings=question.warnings,
        )

    def _elsewhere(self) -> float | None:
        """The difference in the other run, or None where no position there stands for the question's."""
        there = self._alignment.positions[self.question.position]
        if there is None:
            return None
        stream = self._other.last_residual[there][None]
        return float(self.question.difference(self._other.model.readout.uncapped(stream))[0])
