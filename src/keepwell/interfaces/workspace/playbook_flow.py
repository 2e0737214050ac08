"""A playbook as a drawing: boxes one below the other, straight arrows to the next, lanes beside them for all others.

Everything is placed here, so that the page needs no script; whoever cannot see it reads the same in the table of steps.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import shorten, wrap
from typing import Final

from keepwell.interfaces.workspace.playbook_steps import Exit, StepShown
from keepwell.model.step_definitions import END

BOX: Final = 300
GAP: Final = 34
LANE: Final = 14
EDGE: Final = 10
_PAD: Final = 12
_LINE: Final = 17
_SMALL: Final = 15
_TITLE_CHARS: Final = 34
_ROUND_CHARS: Final = 29
"""Of the start and the end, whose words stand beside their icon."""
_SMALL_CHARS: Final = 42
_HEAD_CHARS: Final = 40
"""Of a step's kind and its timing on one line, beside the icon."""
_TITLE_LINES: Final = 3
_EXIT_LINES: Final = 3
_WAITS: Final = frozenset({"wait", "wait_until", "wait_for"})
_ROUND: Final = 22


@dataclass(frozen=True)
class Text:
    """A line of text at its place."""

    x: float
    y: float
    text: str
    style: str = ""


@dataclass(frozen=True)
class Box:
    """A step, the start or the end; `style` says its kind, and `state` where a run stands with it."""

    name: str
    style: str
    icon: str
    x: float
    y: float
    width: float
    height: float
    round: float
    outline: str
    texts: tuple[Text, ...]
    state: str = ""

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def icon_at(self) -> tuple[float, float]:
        """Where its icon stands."""
        return self.x + _PAD, self.y + 9


@dataclass(frozen=True)
class Arrow:
    """A way from one box to another; `back` for one that goes round."""

    path: str
    back: bool = False


@dataclass(frozen=True)
class Flow:
    """The whole drawing."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    texts: tuple[Text, ...]
    loops: bool


@dataclass
class _Jump:
    """All ways that lead to one box from further away, on one side: they share a lane."""

    target: int
    back: bool
    starts: list[tuple[int, float]] = field(default_factory=list)
    lane: int = 0


def flow_of(steps: Sequence[StepShown], trigger: str, states: Mapping[str, str] | None = None) -> Flow:
    """Draw the steps; `states` says of some of them how a run stands (`done`, `now`)."""
    jumps = list(_jumps(steps))
    left = _lanes([jump for jump in jumps if jump.back])
    right = _lanes([jump for jump in jumps if not jump.back])
    x = EDGE + (left * LANE + GAP / 2 if left else 0)
    boxes = list(_boxes(steps, trigger, x, states or {}))
    for jump in jumps:
        jump.starts = [(source, _exit_y(boxes[source], line)) for source, line in jump.starts]
    width = x + BOX + (right * LANE + GAP / 2 if right else 0) + EDGE
    return Flow(
        width=width,
        height=boxes[-1].y + boxes[-1].height + EDGE,
        boxes=tuple(boxes),
        arrows=(*_straight(steps, boxes), *(Arrow(_lane_path(boxes, jump), jump.back) for jump in jumps)),
        texts=tuple(_labels(steps, boxes)),
        loops=any(jump.back for jump in jumps),
    )


def _asides(step: StepShown) -> list[Exit]:
    """The ways that do not go to the next box: each has a line of its own in the box, from which it leaves."""
    return [one for one in step.exits if one.number != step.number + 1]


def _jumps(steps: Sequence[StepShown]) -> Iterator[_Jump]:
    found: dict[tuple[int, bool], _Jump] = {}
    for step in steps:
        for line, one in enumerate(_asides(step)):
            target = one.number
            back = target <= step.number
            jump = found.setdefault((target, back), _Jump(target, back))
            jump.starts.append((step.number, float(line)))
    yield from found.values()


def _lanes(jumps: list[_Jump]) -> int:
    """Give ways that run beside each other lanes of their own, the short ones inside; how many there are."""
    taken: list[list[tuple[int, int]]] = []
    for jump in sorted(jumps, key=_length):
        first, last = _span(jump)
        for number, lane in enumerate(taken):
            if all(last < begin or first > end for begin, end in lane):
                jump.lane = number
                lane.append((first, last))
                break
        else:
            jump.lane = len(taken)
            taken.append([(first, last)])
    return len(taken)


def _span(jump: _Jump) -> tuple[int, int]:
    numbers = [jump.target, *(source for source, _ in jump.starts)]
    return min(numbers), max(numbers)


def _length(jump: _Jump) -> int:
    first, last = _span(jump)
    return last - first


def _boxes(steps: Sequence[StepShown], trigger: str, x: float, states: Mapping[str, str]) -> Iterator[Box]:
    start = _round_box("start", "player-play", trigger, x, EDGE)
    yield start
    y = start.y + start.height + GAP
    for step in steps:
        box = _box(step, _asides(step), x, y, states.get(step.name, ""))
        yield box
        y = box.y + box.height + GAP
    yield _round_box(END, "flag", "End", x, y)


def _round_box(name: str, icon: str, text: str, x: float, y: float) -> Box:
    lines = _wrapped(text, _ROUND_CHARS, _TITLE_LINES)
    height = 2 * _PAD + _LINE * len(lines)
    texts = tuple(Text(x + _PAD + 24, y + _PAD + 13 + _LINE * n, line, "title") for n, line in enumerate(lines))
    return Box(name, "round", icon, x, y, BOX, height, min(_ROUND, height / 2), "", texts)


def _box(step: StepShown, asides: Sequence[Exit], x: float, y: float, state: str) -> Box:
    texts, at = [Text(x + _PAD + 22, y + 22, step.kind_words, "kind")], y + 22.0
    timing = " · ".join(part for part in (step.when, step.within) if part)
    if timing:
        at += _SMALL + 1 if len(step.kind_words) + len(timing) > _HEAD_CHARS else 0
        texts.append(Text(x + BOX - _PAD, at, timing, "timing"))
    for line in _wrapped(step.heading, _TITLE_CHARS, _TITLE_LINES):
        at += _LINE + (3 if len(texts) < 3 and texts[-1].style != "title" else 0)
        texts.append(Text(x + _PAD, at, line, "title"))
    for line in _wrapped(f"Only if {step.only_if}" if step.only_if else "", _SMALL_CHARS, 2):
        at += _SMALL + 1
        texts.append(Text(x + _PAD, at, line, "only"))
    for one in asides:
        *before, last = _wrapped(_aside_words(one), _SMALL_CHARS, _EXIT_LINES)
        for line in before:
            at += _SMALL + 2
            texts.append(Text(x + _PAD, at, line, "only"))
        at += _SMALL + (0 if before else 4)
        texts.append(Text(x + _PAD, at, last, "exit"))
    height = at - y + _PAD
    return Box(
        name=step.name,
        style=step.kind,
        icon=step.icon,
        x=x,
        y=y,
        width=BOX,
        height=height,
        round=_ROUND if step.kind in _WAITS else 4,
        outline=_cut(x, y, height) if step.kind == "branch" else "",
        texts=tuple(texts),
        state=state,
    )


def _aside_words(one: Exit) -> str:
    where = "to the end" if one.to == END else f"to {one.number}"
    return f"{one.label}: {where}" if one.label else f"Then {where}"


def _cut(x: float, y: float, height: float) -> str:
    """A branch has its corners cut, so that it is told by its shape."""
    c = 11
    right, bottom = x + BOX, y + height
    points = (
        (x + c, y), (right - c, y), (right, y + c), (right, bottom - c), (right - c, bottom), (x + c, bottom),
        (x, bottom - c), (x, y + c),
    )  # fmt: skip
    return " ".join(f"{px:g},{py:g}" for px, py in points)


def _wrapped(text: str, chars: int, most: int) -> list[str]:
    lines = wrap(text, chars) if text else []
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], shorten(" ".join(lines[most - 1 :]), chars, placeholder=" …")]


def _exit_y(box: Box, line: float) -> float:
    """The height at which the way of a box's nth exit line leaves."""
    exits = [text for text in box.texts if text.style == "exit"]
    return exits[int(line)].y - 4


def _straight(steps: Sequence[StepShown], boxes: Sequence[Box]) -> Iterator[Arrow]:
    for number, box in enumerate(boxes[:-1]):
        if number == 0 or _onwards(steps[number - 1]):
            below = boxes[number + 1]
            yield Arrow(f"M{box.middle:g} {box.y + box.height:g}V{below.y - 2:g}")


def _onwards(step: StepShown) -> list[Exit]:
    return [one for one in step.exits if one.number == step.number + 1]


def _labels(steps: Sequence[StepShown], boxes: Sequence[Box]) -> Iterator[Text]:
    """What stands beside the arrows to the next box."""
    for step in steps:
        box = boxes[step.number]
        label = " / ".join(one.label for one in _onwards(step) if one.label)
        if label:
            middle = box.y + box.height + GAP / 2 + 3
            yield Text(box.middle + 8, middle, shorten(label, 28, placeholder=" …"), "label")


def _lane_path(boxes: Sequence[Box], jump: _Jump) -> str:
    """From the lines of the boxes to the lane, along it, and into the box that it leads to."""
    target = boxes[jump.target]
    to_y = target.y + min(18, target.height / 2)
    side = -1 if jump.back else 1
    edge = target.x if jump.back else target.x + target.width
    lane = edge + side * (GAP / 2 + jump.lane * LANE)
    return " ".join(_parts(((y for _, y in jump.starts)), edge, lane, to_y, side))


def _parts(starts: Iterable[float], edge: float, lane: float, to_y: float, side: int) -> Iterator[str]:
    r = 5
    for y in starts:
        turn = r if to_y > y else -r
        yield (
            f"M{edge:g} {y:g}H{lane - side * r:g}Q{lane:g} {y:g} {lane:g} {y + turn:g}"
            f"V{to_y - turn:g}Q{lane:g} {to_y:g} {lane - side * r:g} {to_y:g}H{edge + side * 2:g}"
        )
