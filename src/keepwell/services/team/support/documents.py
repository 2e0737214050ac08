"""The two documents of escalations, filled from data: Markdown, ready to paste into a tracker."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keepwell.services.published.tickets import Account
from keepwell.services.team.support.desk import Desk
from keepwell.services.team.support.patterns import (
    BUG,
    COMPETITOR,
    CRITICAL,
    ENTERPRISE,
    LATENCY,
    PATTERNS,
    PRODUCT,
    SECURE,
    Found,
)
from keepwell.services.team.support.quoting import error_lines, plain, quotes
from keepwell.services.team.support.rules import names_in_text
from keepwell.services.team.support.tickets import DeskTicket

SAMPLES: Final = 5
AT_RISK: Final = 40
"""From this churn risk on a customer is at risk; without such a score, from a health below 60."""
LOW_SCORE: Final = 60
_SEVERITY: Final = {"P0": "P0 (Critical)", "P1": "P1 (High)"}
_HEADS: Final = {
    BUG: "Bug Pattern Escalation",
    COMPETITOR: "Competitive Loss Escalation",
    ENTERPRISE: "Feature Request Escalation",
}


@dataclass(frozen=True)
class Known:
    """What a document is filled with."""

    desk: Desk
    now: datetime
    accounts: Mapping[str, Account]
    currency: str
    nps: Mapping[str, float]


def document_of(found: Found, known: Known) -> str:
    """The document for the team that has to hear of it."""
    filled = _Filled(found, known)
    lines = filled.product() if PATTERNS[found.pattern].team == PRODUCT else filled.engineering()
    return "\n".join(lines).rstrip() + "\n"


def figures_of(found: Found, known: Known) -> dict[str, object]:
    """The figures of an escalation, as pages and programs show them."""
    filled = _Filled(found, known)
    return {
        **found.figures,
        "why": found.why,
        "tickets": len(found.tickets),
        "customers": len(found.customers),
        "people": filled.people,
        "mrr": None if filled.mrr is None else round(filled.mrr, 2),
        "plans": dict(filled.plans),
        "at_risk": filled.at_risk,
    }


class _Filled:
    def __init__(self, found: Found, known: Known) -> None:
        self.found, self.known, self.desk = found, known, known.desk
        self.accounts = [known.accounts[name] for name in found.customers if name in known.accounts]

    @property
    def mrr(self) -> float | None:
        said = [one.mrr for one in self.accounts if one.mrr is not None]
        return sum(said) if said else None

    @property
    def people(self) -> int:
        return sum(one.people for one in self.accounts)

    @property
    def plans(self) -> list[tuple[str, int]]:
        counts = Counter(one.plan or "unknown plan" for one in self.accounts)
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))

    @property
    def at_risk(self) -> int:
        return sum(
            one.risk_score >= AT_RISK if one.risk_score is not None else one.score is not None and one.score < LOW_SCORE
            for one in self.accounts
        )

    def product(self) -> Iterator[str]:
        head = _HEADS.get(self.found.pattern, "Feature Request Escalation")
        yield f"# {head}: {plain(self.found.title)}"
        yield ""
        yield from self._submitted(f"**Priority**: {PATTERNS[self.found.pattern].priority}")
        yield "## Summary"
        yield ""
        yield self._summary()
        yield ""
        yield from self._evidence()
        yield from self._quotes()
        yield from self._competition()
        yield "## Recommended Action"
        yield ""
        yield self._recommended()
        yield ""
        yield "## Expected Impact"
        yield ""
        yield f"- **Retention**: Reduce churn risk for {self.at_risk} at-risk {self._word(self.at_risk)}"
        yield f"- **Upsell**: {self._upsell()}"
        yield f"- **NPS**: {self._nps()}"

    def engineering(self) -> Iterator[str]:
        severity = PATTERNS[self.found.pattern].priority
        yield f"# Engineering Escalation: {plain(self.found.title)}"
        yield ""
        yield from self._submitted(f"**Severity**: {_SEVERITY[severity]}")
        yield "## Issue Description"
        yield ""
        yield self._summary()
        for quote, one in quotes(self.found.tickets, 1):
            yield from ("", f"> {plain(quote)}", f"> — #{plain(one.ticket_id)}")
        yield from ("", "## Impact", "")
        count = len(self.found.customers)
        yield f"- **Affected {self.desk.customers_word.capitalize()}**: {count} {self._word(count)}"
        yield f"- **Affected Users**: {self.people} users"
        yield f"- **Revenue Impact**: {self._money()} MRR at risk"
        yield f"- **First Reported**: {self._first()}"
        yield from ("", "## Reproduction Steps", "")
        yield from self._steps()
        yield from ("", "## Error Messages / Screenshots", "")
        yield from self._errors()
        yield from ("", "## Workaround", "", "None is known to Customer Success. If there is one, add it here.", "")
        yield from ("## Sample Tickets", "")
        yield from self._samples()
        yield from ("", "## Urgency Justification", "", self._urgency())

    def _submitted(self, line: str) -> Iterator[str]:
        title = f" ({plain(self.desk.sender_title)})" if self.desk.sender_title else ""
        yield f"**Submitted by**: {plain(self.desk.sender)}{title}"
        yield f"**Date**: {self.known.now:%Y-%m-%d}"
        yield line
        yield ""

    def _summary(self) -> str:
        count = len(self.found.customers)
        said = f"{plain(self.found.why)}."
        if self.found.tickets:
            said += f" It comes from {count} {self._word(count)} with {self._money()} of MRR."
        return said

    def _evidence(self) -> Iterator[str]:
        count = len(self.found.customers)
        yield "## Customer Evidence"
        yield ""
        what = "Total Requests" if self.found.pattern not in (BUG, COMPETITOR) else "Total Tickets"
        tickets = len(self.found.tickets)
        times = "" if tickets == count else f" ({tickets} tickets)"
        yield f"- **{what}**: {count} {self._word(count)}{times} in last {self.desk.days} days"
        yield "- **Customer Segments**:"
        for plan, many in self.plans:
            yield f"  - {many} {plain(plan)} {'customer' if many == 1 else 'customers'}"
        yield f"- **Revenue at Risk**: {self._money()} MRR"
        yield f"- **Sample Tickets**: {', '.join(f'#{plain(one.ticket_id)}' for one in self._newest())}"
        yield ""

    def _quotes(self) -> Iterator[str]:
        yield "## Customer Quotes"
        yield ""
        naming = (self.found.subject,) if self.found.pattern == COMPETITOR else ()
        for quote, one in quotes(self.found.tickets, naming=naming):
            yield f'> "{plain(quote)}"'
            yield f"> — {plain(_first_name(one))}, {plain(one.row.plan or 'unknown plan')} customer"
            yield ""

    def _competition(self) -> Iterator[str]:
        yield "## Competitive Analysis"
        yield ""
        named: dict[str, list[str]] = {name: [] for name in self.desk.competitors}
        for one in self.found.tickets:
            for name in names_in_text(self.desk.competitors, one.subject, one.body):
                named[name].append(one.ticket_id)
        for name, tickets in named.items():
            sample = ", ".join(f"#{plain(ticket)}" for ticket in tickets[-3:])
            said = f"Named in {len(tickets)} of these tickets ({sample})" if tickets else "Not named in these tickets"
            yield f"- **{plain(name)}**: {said}"
        if not named:
            yield "No competitors are listed in the model's settings."
        yield ""

    def _recommended(self) -> str:
        count, money = len(self.found.customers), self._money()
        proposals = {
            BUG: f"Fix: {count} {self._word(count)} with {money} of MRR keep writing about it.",
            COMPETITOR: f"Compare and answer: decide what to build of what {plain(self.found.subject)} offers,"
            f" with {money} of MRR in view of it.",
            ENTERPRISE: f"Talk to these customers first, then build or partner; {money} of MRR asks for it.",
        }
        usual = f"Build, when its cost is small against {money} of MRR that asks for it; else partner."
        return f"{proposals.get(self.found.pattern, usual)} (Proposed from the figures: Build, Partner, or Decline.)"

    def _upsell(self) -> str:
        smaller = [(p, n) for p, n in self.plans if not any(e in p.lower() for e in self.desk.enterprise_plans)]
        if not smaller:
            return "All of these customers are on the largest plan already"
        said = " and ".join(f"{many} {plain(plan)}" for plan, many in smaller[:3])
        return f"Potential to upsell {said} customers"

    def _nps(self) -> str:
        scores = [self.known.nps[name] for name in self.found.customers if name in self.known.nps]
        if not scores:
            return "None of these customers has answered a survey yet"
        low = sum(score <= 6 for score in scores)
        return f"{low} of {len(scores)} of these customers who answered are detractors; they could answer better"

    def _steps(self) -> Iterator[str]:
        """As customers tell it: whoever works on it asks them for the rest."""
        if self.found.pattern == LATENCY:
            figures = self.found.figures
            yield f"1. Look at {plain(str(figures['metric']))}, measured {plain(str(figures['at']))}"
            yield f"2. Expected: about {figures['baseline']:g}; actual: {figures['value']:g}"
            return
        told = quotes(self.found.tickets, 3)
        for number, (quote, one) in enumerate(told, 1):
            yield f"{number}. As told in #{plain(one.ticket_id)}: {plain(quote)}"
        yield f"{len(told) + 1}. Expected: it works; actual: {plain(self.found.title)}"

    def _errors(self) -> Iterator[str]:
        found = error_lines(self.found.tickets)
        for line, one in found:
            yield f"- #{plain(one.ticket_id)}: {plain(line)}"
        if not found:
            yield "No ticket quotes an error message."

    def _samples(self) -> Iterator[str]:
        for one in self._newest():
            yield f"- #{plain(one.ticket_id)} (customer_id: {plain(one.row.customer_id)})"
        if not self.found.tickets:
            yield "No ticket is about it yet."

    def _urgency(self) -> str:
        count = len(self.found.customers)
        reasons = {
            CRITICAL: f"P0: the first answer is due after {self.desk.response_hours['P0']:g} h,"
            f" the solution after {self.desk.resolution_hours['P0']:g} h.",
            SECURE: "A possible breach or vulnerability does not wait: it may reach more than those who wrote.",
            LATENCY: f"It is above {self.desk.latency_ratio:g} times its baseline, which every user feels.",
        }
        usual = f"{count} {self._word(count)} are affected, and more write in."
        return f"{reasons.get(self.found.pattern, usual)} {self.at_risk} of them are at risk of leaving already."

    def _money(self) -> str:
        return "an unknown amount" if self.mrr is None else f"{self.mrr:,.0f} {self.known.currency}"

    def _first(self) -> str:
        first: Sequence[DeskTicket] = self.found.tickets[:1]
        if first:
            return f"{first[0].row.created_at:%Y-%m-%d %H:%M} UTC"
        return plain(str(self.found.figures.get("at", "unknown")))

    def _newest(self) -> Sequence[DeskTicket]:
        return self.found.tickets[-SAMPLES:][::-1]

    def _word(self, count: int) -> str:
        word = self.desk.customers_word
        return word.removesuffix("s") if count == 1 else word


def _first_name(one: DeskTicket) -> str:
    return one.row.person.split()[0] if one.row.person.strip() else one.row.company
