"""What a watch gives in a moment: numbers, token texts, truths; None where something has no value."""

import math
from collections.abc import Callable

from lm_debugger.records.watch import WatchValue
from lm_debugger.watches.bind import Watch
from lm_debugger.watches.expression import (
    Call,
    Expression,
    Infix,
    Match,
    Number,
    Prefix,
    Text,
    TokenId,
    Unit,
)
from lm_debugger.watches.moment import Distribution, Moment


def evaluate(watch: Watch, moment: Moment) -> WatchValue:
    """What a watch gives."""
    return _Evaluation(watch, moment).of(watch.expression)


def reasons(watch: Watch, moment: Moment) -> tuple[tuple[str, WatchValue], ...]:
    """The calls and units in a watch with what each gives: why a condition is true."""
    evaluation = _Evaluation(watch, moment)
    found: dict[str, WatchValue] = {}
    due = [watch.expression]
    while due:
        match due.pop():
            case Unit() | Call() as part:
                found.setdefault(str(part), evaluation.of(part))
            case Infix(left=left, right=right):
                due += [right, left]
            case Prefix(inside=inside) | Match(inside=inside):
                due.append(inside)
            case _:
                pass
    return tuple(found.items())


class _Evaluation:
    """One watch in one moment. Recursion is bounded: an expression is `limits.WATCH_DEPTH` deep at most."""

    def __init__(self, watch: Watch, moment: Moment) -> None:
        self._watch = watch
        self._moment = moment

    def of(self, part: Expression) -> WatchValue:
        """The value of a part."""
        match part:
            case Number(value=number):
                return number
            case Text(value=text):
                return text
            case TokenId(value=token):
                return self._moment.model.vocabulary.text(token)
            case Unit(name=name):
                return _finite(self._moment.unit(name))
            case Call():
                return self._call(part)
            case Prefix(sign="-", inside=inside):
                negated = self._number(inside)
                return None if negated is None else -negated
            case Prefix(inside=inside):
                truth = self.of(inside)
                return None if truth is None else not truth
            case Infix(sign="and" | "or"):
                return self._joined(part)
            case Infix():
                return self._two(part)
            case Match(inside=inside, at=at):
                found = self.of(inside)
                if found is None:
                    return None
                return self._watch.patterns[at].search(str(found).encode("utf-8", "replace")) is not None

    def _number(self, part: Expression) -> float | None:
        found = self.of(part)
        return found if found is None else float(found)

    def _joined(self, part: Infix) -> WatchValue:
        """`and`, `or`: what has no value decides nothing."""
        decisive = part.sign == "or"
        left = self.of(part.left)
        if left is decisive:
            return left
        right = self.of(part.right)
        return right if right is decisive or left is not None else left

    def _two(self, part: Infix) -> WatchValue:
        if part.sign in ("==", "!="):
            same = self._same(part.left, part.right)
            return None if same is None else same is (part.sign == "==")
        left, right = self._number(part.left), self._number(part.right)
        if left is None or right is None:
            return None
        match part.sign:
            case "<":
                return left < right
            case "<=":
                return left <= right
            case ">":
                return left > right
            case ">=":
                return left >= right
            case "+":
                return _finite(left + right)
            case "-":
                return _finite(left - right)
            case "*":
                return _finite(left * right)
            case _:
                return None if right == 0 else _finite(left / right)

    def _same(self, left: Expression, right: Expression) -> bool | None:
        """Tokens are compared by number: two may have one text."""
        mine, theirs = self._token(left), self._token(right)
        if mine is not None and theirs is not None:
            return mine == theirs
        one, other = self.of(left), self.of(right)
        return None if one is None or other is None else one == other

    def _token(self, part: Expression) -> int | None:
        match part:
            case Text(at=at) | TokenId(at=at):
                return self._watch.tokens.get(at)
            case Call(function="top"):
                return self._distribution(part).top
            case Call(function="token"):
                return self._moment.token
            case _:
                return None

    def _distribution(self, part: Call) -> Distribution:
        return self._moment.base if part.base else self._moment.own

    def _call(self, part: Call) -> WatchValue:
        moment = self._moment
        match part.function:
            case "top" | "token":
                token = self._token(part)
                return None if token is None else moment.model.vocabulary.text(token)
            case "text":
                return moment.text
            case "entropy":
                return _finite(self._distribution(part).entropy)
            case "kl":
                return _finite(moment.base.divergence(moment.own))
            case "norm":
                assert part.word is not None  # the grammar asks for it
                return _finite(moment.norm(part.word))
            case "p" | "rank" | "logit":
                found = self._distribution(part)
                read = {"p": found.probability, "rank": found.rank, "logit": found.logit}[part.function]
                return _finite(read(self._watch.tokens[part.arguments[0].at]))
            case _:
                return self._arithmetic(part)

    def _arithmetic(self, part: Call) -> float | None:
        numbers = [self._number(argument) for argument in part.arguments]
        known = [number for number in numbers if number is not None]
        if len(known) < len(numbers):
            return None
        try:
            return _finite(_ARITHMETIC[part.function](known))
        except (ValueError, OverflowError):  # the logarithm of what is not positive, an exponential too large
            return None


_ARITHMETIC: dict[str, Callable[[list[float]], float]] = {
    "abs": lambda numbers: abs(numbers[0]),
    "log": lambda numbers: math.log(numbers[0]),
    "exp": lambda numbers: math.exp(numbers[0]),
    "min": min,
    "max": max,
}


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number
