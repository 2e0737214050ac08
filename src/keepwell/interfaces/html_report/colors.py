"""Which colour class a group has in charts: the model's own colours, or a neutral ramp where it gives none."""

from collections.abc import Mapping, Sequence

from keepwell.reporting.portfolio import Share

RAMP = 6


def color_classes(shares: Sequence[Share]) -> Mapping[str, str]:
    """The CSS class of every group by its name.

    Groups that share a colour get shades of it, so that neighbours in a chart stay apart.
    """
    gray = sum(share.color == "gray" for share in shares)
    if gray * 2 > len(shares):
        return {share.name: f"ramp{1 + i % RAMP}" for i, share in enumerate(shares)}
    classes, seen = {}, dict.fromkeys((share.color for share in shares), 0)
    for share in shares:
        seen[share.color] += 1
        classes[share.name] = share.color if seen[share.color] == 1 else f"{share.color} shade"
    return classes
