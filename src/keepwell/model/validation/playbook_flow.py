"""Every step of a playbook can be reached, it always comes to an end, and what costs money is approved first."""

from collections.abc import Iterable, Iterator, Mapping

from keepwell.model.playbook_definitions import Playbook
from keepwell.model.playbook_parts import step_names, takes_time, ways
from keepwell.model.problems import Problem
from keepwell.model.step_definitions import END, ApprovalStep, OfferStep, StartStep
from keepwell.model.validation.context import Context
from keepwell.model.yaml_source import KeyPath

Flow = Mapping[str, tuple[str, ...]]


def check(context: Context) -> Iterable[Problem]:
    """Unreachable steps, loops without an end or without waiting, unapproved offers, days of no goal, circles."""
    for name, playbook in context.model.playbooks.items():
        names, path = step_names(playbook), ("playbooks", name, "steps")
        flow = {step: tuple(way.to for way in ways(playbook, i)) for i, step in enumerate(names)}
        if len(flow) == len(names) and all(to in flow or to == END for way in flow.values() for to in way):
            yield from _flow(context, playbook, flow, path)
        if playbook.goal is None and "goal_days" in playbook.model_fields_set:
            message = "days without a goal; say with 'goal' what has to hold within them"
            yield context.error(("playbooks", name, "goal_days"), message, key=True)
    yield from _starts(context)


def _flow(context: Context, playbook: Playbook, flow: Flow, path: KeyPath) -> Iterator[Problem]:
    names = tuple(flow)
    reached = _from(flow, names[0])
    for index, name in enumerate(names):
        if name not in reached:
            yield context.error((*path, index), f"step '{name}' is never reached")
    stuck = [name for name in names if name in reached and END not in _from(flow, name)]
    if stuck:
        message = f"never ends: from '{stuck[0]}' no way leads to the end"
        yield context.error((*path, names.index(stuck[0])), message)
    yield from _rushing(context, playbook, flow, path)
    yield from _unapproved(context, playbook, flow, path)


def _rushing(context: Context, playbook: Playbook, flow: Flow, path: KeyPath) -> Iterator[Problem]:
    """A circle of steps none of which lets time pass would go round at once, again and again."""
    at_once = {name for name, step in zip(flow, playbook.steps, strict=True) if not takes_time(step)}
    quick = {name: tuple(to for to in flow[name] if to in at_once) for name in at_once}
    for index, name in enumerate(flow):
        if name in quick and any(name in _from(quick, to) for to in quick[name]):
            yield context.error((*path, index), f"step '{name}' comes round again without waiting: an endless loop")
            return


def _unapproved(context: Context, playbook: Playbook, flow: Flow, path: KeyPath) -> Iterator[Problem]:
    names = tuple(flow)
    asked = {name for name, step in zip(names, playbook.steps, strict=True) if isinstance(step, ApprovalStep)}
    free = {name: () if name in asked else ways_on for name, ways_on in flow.items()}
    reached = _from(free, names[0])
    for index, (name, step) in enumerate(zip(names, playbook.steps, strict=True)):
        if isinstance(step, OfferStep) and name in reached:
            message = "an offer can be made without anybody's approval; put an 'approval' step before it"
            yield context.warning((*path, index, "offer"), message, key=True)


def _from(flow: Flow, start: str) -> set[str]:
    """Everything that can be reached, `start` included."""
    reached, waiting = {start}, [start]
    while waiting:
        for following in flow.get(waiting.pop(), ()):
            if following not in reached:
                reached.add(following)
                waiting.append(following)
    return reached


def _starts(context: Context) -> Iterator[Problem]:
    """Playbooks that start each other in a circle; each circle is reported once."""
    steps = {
        (name, step.start): ("playbooks", name, "steps", index, "start")
        for name, playbook in context.model.playbooks.items()
        for index, step in enumerate(playbook.steps)
        if isinstance(step, StartStep)
    }
    flow = {name: tuple(b for a, b in steps if a == name) for name in context.model.playbooks}
    reported: set[str] = set()
    for (name, started), path in steps.items():
        if name not in reported and name in _from(flow, started):
            circle = {name} | {one for one in _from(flow, started) if name in _from(flow, one)}
            reported |= circle
            others = " and ".join(sorted(circle - {name}))
            yield context.error(path, f"'{name}' starts itself" + (f" by way of {others}" if others else ""))
