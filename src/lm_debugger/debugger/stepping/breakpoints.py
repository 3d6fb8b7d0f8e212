"""The conditions that a session stops at."""

from collections.abc import Iterable, Sequence

from lm_debugger.errors import OptionError, WatchError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records import limits
from lm_debugger.records.session import BreakpointView
from lm_debugger.watches.bind import Watch, bind_condition
from lm_debugger.watches.evaluate import evaluate
from lm_debugger.watches.expression import Text
from lm_debugger.watches.moment import Moment


class Breakpoints:
    """Numbered conditions; a number is never given twice."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._conditions: dict[int, tuple[Watch, int]] = {}
        self._once: set[int] = set()
        self.next_number = 1

    def __len__(self) -> int:
        return len(self._conditions)

    @property
    def views(self) -> tuple[BreakpointView, ...]:
        """All of them."""
        return tuple(self._view(number) for number in self._conditions)

    @property
    def conditions(self) -> tuple[Watch, ...]:
        """What has to be evaluated at every step."""
        return tuple(watch for watch, _ in self._conditions.values())

    def add(self, condition: str, *, once: bool = False) -> BreakpointView:
        """Have one more; the one that says the same already, if there is one, which then stays if either is to stay.

        Args:
            condition: its text.
            once: whether it goes when it has been met.

        Raises:
            WatchError: if it is no condition.
            OptionError: if there are too many.
        """
        watch = bind_condition(condition, self._model)
        for number, (known, _) in self._conditions.items():
            if str(known) == str(watch):
                if not once:
                    self._once.discard(number)
                return self._view(number)
        if len(self._conditions) >= limits.BREAKPOINTS:
            raise OptionError(f"There are {limits.BREAKPOINTS} breakpoints already.", "Remove one first.")
        self._conditions[self.next_number] = watch, 0
        if once:
            self._once.add(self.next_number)
        self.next_number += 1
        return self._view(self.next_number - 1)

    def replace(self, conditions: Sequence[str]) -> None:
        """Have exactly these; one that is there already keeps its number and its hits.

        Raises:
            WatchError: if one is no condition; then all stay as they were.
            OptionError: if there are too many.
        """
        wanted = {str(watch): watch for watch in (bind_condition(each, self._model) for each in conditions)}
        if len(wanted) > limits.BREAKPOINTS:
            raise OptionError(f"{len(wanted)} breakpoints are more than {limits.BREAKPOINTS}.", "Have fewer.")
        stay = {number: each for number, each in self._conditions.items() if str(each[0]) in wanted}
        known = {str(watch) for watch, _ in stay.values()}
        for text, watch in wanted.items():
            if text not in known:
                stay[self.next_number] = watch, 0
                self.next_number += 1
        self._conditions = stay
        self._once &= stay.keys()

    def restore(self, kept: Iterable[BreakpointView], next_number: int) -> None:
        """Have those that were kept, with their numbers."""
        kept = tuple(kept)
        self._once = {each.number for each in kept if each.once}
        self._conditions = {each.number: (bind_condition(each.expression, self._model), each.hits) for each in kept}
        self.next_number = max([next_number, *(number + 1 for number in self._conditions)])

    def remove(self, number: int | None) -> None:
        """Remove one, or all.

        Raises:
            OptionError: if there is none of this number.
        """
        if number is None:
            self._conditions.clear()
        elif self._conditions.pop(number, None) is None:
            raise OptionError(
                f"There is no breakpoint {number}.", f"There are {', '.join(map(str, self._conditions)) or 'none'}."
            )
        self._once &= self._conditions.keys()

    def met(self, moment: Moment) -> tuple[BreakpointView, Watch] | None:
        """The first whose condition is true, which goes if it was for once; all that are true count it."""
        found: int | None = None
        for number, (watch, hits) in list(self._conditions.items()):
            if evaluate(watch, moment) is True:
                self._conditions[number] = watch, hits + 1
                found = number if found is None else found
        if found is None:
            return None
        first = self._view(found), self._conditions[found][0]
        if first[0].once:
            self.remove(found)
        return first

    def of_token(self, text: str) -> Watch:
        """The condition that a token is chosen.

        Raises:
            WatchError: if the text is no single token.
        """
        return bind_condition(str(Text(text, 0)), self._model)

    def token_of(self, text: str) -> int | None:
        """The single token that writes a text, or None."""
        try:
            return next(iter(self.of_token(text).tokens.values()))
        except WatchError:
            return None

    def _view(self, number: int) -> BreakpointView:
        watch, hits = self._conditions[number]
        return BreakpointView(
            number=number, expression=str(watch), hits=hits, once=number in self._once, warnings=watch.warnings
        )
