"""Each step of a curve can be reached: no earlier one takes all of its values."""

from collections.abc import Iterable, Sequence

from keepwell.model.problems import Problem
from keepwell.model.score_definitions import Step
from keepwell.model.validation.context import Context
from keepwell.model.validation.measures import measures


def check(context: Context) -> Iterable[Problem]:
    """Steps after one that covers them."""
    for place in measures(context.model):
        steps = place.measure.steps or ()
        for index, step in enumerate(steps):
            if covered(step, steps[:index]):
                message = f"this step is never reached: an earlier one takes every value {bound_text(step)}"
                yield context.error((*place.path, "steps", index), message)


def bound_text(step: Step) -> str:
    """A step's bound in words."""
    for words in ("at_least", "above", "at_most", "below"):
        if getattr(step, words) is not None:
            return f"{words.replace('_', ' ')} {getattr(step, words):g}"
    return ""


def covered(step: Step, earlier: Sequence[Step]) -> bool:
    """Whether earlier steps together take all values of a step.

    A bound is a cut before (0) or after (1) its number; a rising step takes what is right of its cut.
    """
    rising = [_cut(s) for s in earlier if _rises(s)]
    falling = [_cut(s) for s in earlier if not _rises(s)]
    if rising and falling and min(rising) <= max(falling):
        return True
    if _rises(step):
        return bool(rising) and min(rising) <= _cut(step)
    return bool(falling) and max(falling) >= _cut(step)


def _rises(step: Step) -> bool:
    return step.at_least is not None or step.above is not None


def _cut(step: Step) -> tuple[float, int]:
    for bound, after in ((step.at_least, 0), (step.above, 1), (step.at_most, 1), (step.below, 0)):
        if bound is not None:
            return (bound, after)
    raise ValueError("a step has a bound")
