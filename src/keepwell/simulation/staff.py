"""The people who work at the customers: who they are and when they were there."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from keepwell.simulation.arrays import NEVER, Bools, Columns, Floats, Ints, customer_ids, ids, words
from keepwell.simulation.course import Course
from keepwell.simulation.words import TITLES, domain_of, person_name

ROLES: Final = ("admin", "champion", "decision_maker", "billing", "exec_sponsor", "user")
ADMIN, CHAMPION, DECISION_MAKER, BILLING, SPONSOR, USER = range(6)
MOST: Final = 60
ARRIVES_AT: Final = 60


@dataclass(frozen=True, eq=False)
class Staff:
    """People sorted by customer; the first one of each customer is its admin and never leaves."""

    first: Ints
    count: Ints
    who: Ints
    role: Ints
    position: Ints
    joined: Ints
    left: Ints
    number: Ints

    def someone(self, who: Ints, day: Ints, draw: Floats) -> Ints:
        """A row of `Staff` for each customer and day: mostly the first ones, never somebody who is not there."""
        row = self.first[who] + np.floor(self.count[who] * draw**2.2).astype(np.int64)
        here = (self.joined[row] <= day) & (day < self.left[row])
        return np.where(here, row, self.first[who])

    def with_role(self, who: Ints, day: Ints, role: int) -> Ints:
        """The person in a role, or the admin where nobody fills it on that day."""
        row = self.first[who] + np.minimum(role, self.count[who] - 1)
        fits = (self.role[row] == role) & (self.joined[row] <= day) & (day < self.left[row])
        return np.where(fits, row, self.first[who])


def hire(course: Course, rng: np.random.Generator, offset: int) -> Staff:
    """Everybody at these customers, and the successors of champions who left."""
    people = course.people
    count = np.clip(np.rint(people.seats * rng.uniform(0.6, 1.0, len(people))), 1, MOST).astype(np.int64)
    gone = np.where(count > CHAMPION, course.shocks.champion_left, NEVER)
    successor = (gone < course.time.days - 45) & (gone < course.exited) & (gone >= people.start)
    total = count + successor
    who = np.repeat(np.arange(len(people)), total)
    first = np.cumsum(total) - total
    position = np.arange(len(who)) - first[who]
    follows = (position == count[who]) & successor[who]
    role = np.where(follows, CHAMPION, np.minimum(position, USER))
    joined = _joined(course, rng, who, position)
    return Staff(
        first=first,
        count=total,
        who=who,
        role=_realistic(role, people.plan[who]),
        position=position,
        joined=np.where(follows, gone[who] + rng.integers(15, 45, len(who)), joined),
        left=np.where((role == CHAMPION) & ~follows, gone[who], NEVER),
        number=np.arange(len(who)) + offset + 1,
    )


def _joined(course: Course, rng: np.random.Generator, who: Ints, position: Ints) -> Ints:
    """The admin is there from the start, the others come in the first weeks and some much later."""
    start = course.people.start[who]
    late = rng.random(len(who)) < 0.15
    wait = np.where(late, rng.integers(0, 400, len(who)), rng.integers(0, 21, len(who)))
    return np.where(position == 0, start, start + wait)


def _realistic(role: Ints, plan: Ints) -> Ints:
    """Executive sponsors exist at enterprise customers only."""
    return np.where((role == SPONSOR) & (plan < 2), USER, role)


def people_rows(course: Course, staff: Staff, names: list[str], last_seen: NDArray[Any]) -> Columns:
    """people.csv for everybody who had arrived by the end of the window."""
    at = course.time.moment(staff.joined, ARRIVES_AT)
    here = np.flatnonzero(~np.isnat(at) & (staff.joined < course.exited[staff.who]))
    who, role = staff.who[here], staff.role[here]
    told = [person_name(n, p) for n, p in zip(course.people.number[who], staff.position[here], strict=True)]
    domains = [domain_of(names[w]) for w in who.tolist()]
    mails = [f"{a}.{b}@{domain}".lower() for (a, b), domain in zip(told, domains, strict=True)]
    key = ids("p-%06d", staff.number[here])
    return {
        "person_id": key,
        "customer_id": customer_ids(course.people.number[who]),
        "email": np.array(mails, dtype=object),
        "name": np.array([f"{a} {b}" for a, b in told], dtype=object),
        "title": _titles(role, staff.position[here] + who),
        "role": words(ROLES, role),
        "is_executive": np.isin(role, (DECISION_MAKER, SPONSOR)),
        "is_seat": _seats(course, staff)[here],
        "seat_status": np.where(np.isnat(last_seen[here]), "invited", "active").astype(object),
        "product_user_id": ids("u-%06d", staff.number[here]),
        "first_seen_at": at[here],
        "last_seen_at": last_seen[here],
        "unsubscribed": staff.number[here] % 41 == 0,
        "left_company_at": course.time.moment(
            np.where(staff.left[here] < course.exited[who], staff.left[here], NEVER), ARRIVES_AT
        ),
    }


def _seats(course: Course, staff: Staff) -> Bools:
    return np.asarray(staff.position < course.people.seats[staff.who])


def _titles(role: Ints, salt: Ints) -> NDArray[Any]:
    choices = [TITLES[name] for name in ROLES]
    chosen = [choices[r][s % len(choices[r])] for r, s in zip(role.tolist(), salt.tolist(), strict=True)]
    return np.array(chosen, dtype=object)
