"""Every rule, by breaking a good model in one place. `«` marks where the problem must be reported."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
MARK = "«"
Problems = Callable[..., list[str]]

NAMES = [
    ("person_days >= 5", "«person_day >= 5", "unknown name 'person_day'; did you mean 'person_days'?"),
    ("trend < 0", "«trent < 0", "unknown name 'trent'; did you mean 'trend'?"),
    (
        "metric: busy_people",
        "metric: «busy_peple",
        "unknown metric or column 'busy_peple'; did you mean 'busy_people'?",
    ),
    ("by: plan", "by: «plam", "unknown metric or column 'plam'; did you mean 'plan'?"),
    ("{attribute: plan, op", "{attribute: «pla, op", "unknown metric or column 'pla'; did you mean 'plan'?"),
    ("where: name =", "where: «nam =", "table events has no column 'nam'; did you mean 'name'?"),
    ("status = 'failed' or", "status = «failed or", "unknown name 'failed'; a text needs quotes: 'failed'"),
    ("trend < 0", "«indutsry < 0", "unknown name 'indutsry'; did you mean 'industry'?"),
    ("trend < 0", "«traits.vip = true", "what has no column needs a metric 'vip: {attribute: traits.vip}'"),
    ("trend < 0", "«traits = 'x'", "unknown name 'traits'"),
    ("trend < 0", "«quite", "unknown name 'quite'; did you mean 'quiet'?"),
    ("person_days >= 5", "«industry >= 5", "unknown name 'industry'"),
    ("trend < 0", "«health < 0", "a score is used as health_score, health_band or health_coverage"),
    ("trend < 0", "«person_days < 0", "'person_days' is a metric of persons; count or sum it with table"),
    ("person_days >= 5", "«mrr >= 5", "'mrr' is not a metric of persons"),
    ("metric: logins\n", "metric: «people\n", "unknown metric or column 'people'"),
]
FUNCTIONS = [
    ("trend < 0", "upper(«text(plan)) = 'X'", "text() works on rows of a table"),
    ("before(logins, 30)", "«before(before(logins, 3), 4)", "before() cannot be nested; add the days"),
    ("before(logins, 30)", "«before(logins + 1, 4)", "before() takes a name and a number of days"),
    ("before(logins, 30)", "«before(logins, 0)", "before() takes a whole number of days, 1 to 3660"),
    ("before(logins, 30)", "«before(logins, mrr)", "before() takes a whole number of days, 1 to 3660"),
    ("where: name = 'login'", "where: «before(value, 3) > 1", "before() works on values of customers only"),
    ("property('device')", "«property(name)", "property() takes a name in quotes"),
    ("trend < 0", '"«contains(plan, plan)"', "contains() takes a text in quotes as its second value"),
]
SETTINGS = [
    ("setting.many_days", "«setting.many_day", "unknown setting 'many_day'; did you mean 'many_days'?"),
    ("plan in (setting.paid_plans)", "plan = «setting.paid_plans", "setting.paid_plans is a list"),
    ("{events: 7}", "{«evnts: 7}", "unknown table 'evnts'; did you mean 'events'?"),
    ("{events: 7}", "{events: «0}", "must be at least 1"),
]
CIRCLES = [
    ("before(logins, 30)", "«trend", "circle: trend -> trend (trend at m/model.yaml:31)"),
    ("when: {left: Good, within_days: 30}", "when: {segment: «slipping}", "circle: slipping -> slipping"),
    ("  danger:\n", "  danger:\n    parent: «slipping\n", "circle: danger -> slipping -> danger"),
    ("when: {left: Good, within_days: 30}", "when: «segment = 'rest'", "circle: slipping -> slipping"),
    ("trend < 0", "«left_danger", "circle: left_danger -> left_danger (left_danger at m/model.yaml:83)"),
    (
        "when: {left: Good, within_days: 30}",
        "when: «left_danger",
        "circle: slipping -> left_danger -> slipping (slipping at m/model.yaml:74, left_danger at m/model.yaml:83)",
    ),
]
BANDS = [
    ("from: 60}", "from: «160}", "band 'Good': scores run from 0 to 100"),
    ("      - {name: Bad, from: 0}\n", "", "no band starts at 0"),
    ("name: Bad, from: 0", "name: Bad, from: «60", "band 'Bad' is never reached: 'Good' starts at 60, too"),
    ("name: Bad, from: 0", "name: Bad, from: «70", "bands go from high to low: 'Bad' (70) after 'Good' (60)"),
    ("name: Bad, from: 0", "name: Bad, from: «59.5", "never reached: scores are whole numbers, and 'Good' has 60"),
    ("name: Bad,", "name: «Good,", "duplicate band 'Good'"),
    ("name: Bad,", "name: «Not enough data,", "'Not enough data' is what a score without enough data is called"),
]
WEIGHTS = [
    (
        "    components:\n      usage:\n        weight: 60",
        "    «components:\n      usage:\n        weight: 50",
        "sum to 90",
    ),
    ("        weight: 40\n", "", "'money' needs a weight, as the other components have one"),
    (
        "metric: status\n            weight: 0.75",
        "metric: status\n            weight: 0.7",
        "of the measures sum to 0.95",
    ),
    ("first: {maximum: 70,", "first: {maximum: 71,", "the maxima of the components sum to 101"),
    ("first: {maximum: 70,", "first: {«weight: 1, maximum: 70,", "a weight says nothing in a score that is a sum"),
]
CURVES = [
    (
        "- {at_least: 5,",
        "- «{at_least: 25,",
        "this step is never reached: an earlier one takes every value at least 25",
    ),
    ("- {at_least: 5,", "- {at_most: 40, points: 1}\n              - «{above: 3,", "takes every value above 3"),
    ("points: 60}", "points: «600}", "600 points are more than the component's maximum of 100"),
    ("failed: 0}", "failed: «-1}", "-1 points: measures of a component that is a mean give 0 to 100"),
    ("limit: 40", "limit: «-40", "limit -40 is the wrong way"),
    ("limit: 40", "limit: «400", "limit 400 is more than the component's maximum of 100"),
    ("per_unit: {points: 10,", "per_unit: {points: «0,", "0 points for each unit never change anything"),
    (
        "linear: {points: 70, to: 20}",
        "linear: {points: 70, to: 20}, «else: 1",
        "'else' says nothing with the curve linear",
    ),
    ("maximum: 30\n", "maximum: 30\n        floor: «30\n", "floor 30 is not below the maximum of 30"),
    ("maximum: 30\n", "maximum: 30\n        start: «31\n", "start 31 is outside 0 to 30"),
    ("maximum: 30\n", "maximum: 30\n        override: [{when: vip, score: «31}]\n", "score 31 is outside 0 to 30"),
]
CURVES.append(
    (
        "{bonus: {when: vip, points: 30}}",
        "{metric: mrr, value: «true}",
        "up to 100 points, the component's maximum is 30",
    )
)
TYPES = [
    ("trend < 0", "«plan < 0", "'plan' is a text and 0 a number: they cannot be compared"),
    ("trend < 0", "«renewal < 0", "they cannot be compared; use days_since(), days_until() or days_between()"),
    ("trend < 0", "«vip < false", "'vip' is true or false and has no order"),
    ("trend < 0", "plan = «'por'", "'plan' is never 'por'; did you mean 'pro'?"),
    ("trend < 0", "segment = «'dager'", "'segment' is never 'dager'; did you mean 'danger'?"),
    ("trend < 0", "«logins", "is a number; a condition must be true or false"),
    ("trend < 0", "«mrr and vip", "'mrr' is a number; and takes a condition (true or false)"),
    ("trend < 0", "«mrr between 9 and 2", "between 9 and 2 is never true: low comes first"),
    ("trend < 0", "days_since(«mrr) > 3", "'mrr' is a number; days_since() takes a date"),
    ("trend < 0", "months_since(«mrr) > 3", "'mrr' is a number; months_since() takes a date"),
    ("value: [pro, max]", "value: «[pro, mx]", "'plan' is never 'mx'; did you mean 'max'?"),
    ("health_band = 'Bad'", "health_band = «'bad'", "'health_band' is never 'bad'; did you mean 'Bad'?"),
    ("expr: logins -", "expr: «plan -", "'plan' is a text; '-' takes numbers"),
    ("value: mrr * 12", "value: «plan", "is a text; 'value' takes a number"),
    ("vip, type: boolean", "vip, type: boolean, «values: [a]", "only a text has 'values'"),
    ("    expr: logins -", "    type: «text\n    expr: logins -", "'trend' is a number by its expression, not a text"),
    ("vip: {metric: vip,", "vip: {metric: «mrr,", "'mrr' is a number; the curve flag takes true or false"),
    ("metric: busy_people", "metric: «renewal", "the curve per_unit takes a number; days_since() of it is a number"),
    ("overdue: 30,", "«overdu: 30,", "'status' is never 'overdu'; did you mean 'overdue'?"),
    ("            lookup: {current: 100, overdue: 30,", "            «lookup: {current: 100,", "no entry for overdue"),
    ("by: plan", "by: «mrr", "'mrr' is a number; 'by' takes a text"),
]
TABLES = [
    ("attribute: mrr", "attribute: «mr", "customers has no column 'mr'; did you mean 'mrr'?"),
    (
        "    table: people_metrics",
        "    table: «people_metric",
        "unknown table 'people_metric'; did you mean 'people_me",
    ),
    (
        "    window: 30\n",
        "    window: 30\n    time: «occured_at\n",
        "no column 'occured_at'; did you mean 'occurred_at'?",
    ),
    ("person, table: events", "person, table: «invoices", "table invoices does not say which person a row is about"),
    (
        "    aggregate: count\n    where: person_days",
        "    «window: 3\n    aggregate: count\n    where: person_days",
        "a window",
    ),
    ("    where: name =", "    «never: account_age\n    where: name =", "'never' goes with aggregate days_since"),
    ("traits.vip,", "traits.vip, «window: 3,", "'window' goes with 'table', not with 'attribute'"),
]
SEGMENTS = [
    ("parent: danger", "parent: «dangr", "unknown segment 'dangr'; did you mean 'danger'?"),
    ("{segment: slipping}", "{segment: «sliping}", "unknown segment 'sliping'; did you mean 'slipping'?"),
    ("{left: Good,", "{left: «Goood,", "unknown segment or band 'Goood'; did you mean 'Good'?"),
    ("name: Any,", "name: Good,", "'Good' is a band of health and of points; the first is meant"),
    ("    when: {left: Good, within_days: 30}\n", "", "segment 'slipping' needs 'when', 'by' or 'catch_all: true'"),
    ("rest: {catch_all: true}", "rest: {catch_all: true, «when: vip}", "a catch-all takes everybody left"),
    ("  rest: {", "  other: {catch_all: true}\n  rest: {«", "dimension 'primary' has a catch-all already: 'other'"),
    (
        "  rest: {catch_all: true}",
        "  rest: {«catch_all: true}\n  late: {when: vip}",
        "the catch-all must be the last of dimension 'primary': 'late' is never reached",
    ),
    ("  rest: {catch_all: true}\n", "", "no segment is a catch-all"),
    (
        "  rest: {",
        "  one: {when: vip and mrr > 1}\n  two: {when: «{all: [vip, mrr > 1]}}\n  rest: {",
        "segment 'two' is never reached: 'one' has the same condition",
    ),
]
SIGNALS = [
    ("    value: mrr * 12\n", "    «value_period: month\n", "'value_period' needs 'value'"),
    ("    value: mrr * 12\n", "    respond_within_hours: «0\n", "must be more than 0"),
    (
        "  left_danger:\n",
        "  one: {when: trend < 0}\n  two: {when: «trend < 0}\n  left_danger:\n",
        "signal 'two' always comes together with 'one': the condition is the same",
    ),
]
PLACEHOLDERS = [
    ("{company}", "«{compny}", "unknown placeholder '{compny}'; did you mean 'company'?"),
    ("{silent_days} days.", "«{silent} days.", "unknown placeholder '{silent}'"),
    ("Only {value}", "Only «{valeu}", "unknown placeholder '{valeu}'; did you mean 'value'?"),
    ('title: "Call {company}', 'title: «"Call {company', "a brace { or } does not close"),
]
CLASHES = [
    ("  trend:", "  «segment: {given: true}\n  trend:", "the name 'segment' is given by the primary segment"),
    ("  trend:", "  «health_score: {given: true}\n  trend:", "the name 'health_score' is given by score 'health'"),
]
RULES = {
    "names": NAMES,
    "functions": FUNCTIONS,
    "settings": SETTINGS,
    "circles": CIRCLES,
    "bands": BANDS,
    "weights": WEIGHTS,
    "curves": CURVES,
    "types": TYPES,
    "tables": TABLES,
    "segments": SEGMENTS,
    "signals": SIGNALS,
    "placeholders": PLACEHOLDERS,
    "clashes": CLASHES,
}
CASES = [pytest.param(*case, id=f"{rule}-{i}") for rule, cases in RULES.items() for i, case in enumerate(cases)]


def test_the_good_model_has_no_problem(problems: Problems) -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(("old", "new", "message"), CASES)
def test_a_mistake_is_reported_with_its_place(problems: Problems, old: str, new: str, message: str) -> None:
    assert old in GOOD
    marked = GOOD.replace(old, new, 1)
    found = [p for p in problems(marked.replace(MARK, "")) if message in p]
    assert found, problems(marked.replace(MARK, ""))
    if MARK in marked:
        before = marked[: marked.index(MARK)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        assert found[0].startswith(f"m/model.yaml:{line}:{column}: ")


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (
            {"metric: logins, linear": "metric: trend, linear", "logins - before(logins, 30)": "points_score + 1"},
            "31:11: error: circle: trend -> points -> trend (trend at m/model.yaml:31, points at m/model.yaml:60)",
        ),
        (
            {
                "when: vip, points: 30": "when: {segment: slipping}, points: 30",
                "when: {left: Good, within_days: 30}": "when: points_score > 1",
            },
            "63:48: error: circle: points -> slipping -> points (points at m/model.yaml:63, slipping at"
            " m/model.yaml:74)",
        ),
    ],
)
def test_a_circle_is_found_through_scores_and_segments(problems: Problems, edits: dict[str, str], message: str) -> None:
    text = GOOD
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    assert f"m/model.yaml:{message}" in problems(text)


TWENTY = """
model: {name: bad, version: 1}
settings: {minimum_coverage: 2, values: {price: 3}}
metrics:
  status: {attribute: payment_statu, values: [current, failed]}
  logins: {table: events, aggregate: count, where: nme = 'login'}
  broken: {expr: logins +}
  other: {expr: broken + loggins}
  one: {expr: two}
  two: {expr: one}
  three: {table: evnts, aggregate: cont}
  four: {atribute: mrr}
scores:
  health:
    components:
      a: {weight: 0.5, measures: {m: {metric: loginz, flag: 5}}}
      b: {weight: 0.4, measures: {m: {metric: logins, steps: [{at_least: 5, points: 1}, {at_least: 7, points: 2}]}}}
    bands: [{name: Good, from: 60}, {name: Bad, from: 70}]
segments:
  first: {when: status = failed}
  second: {when: {all: [{segment: frist}, status = 'faild']}}
  third: {parent: fist, when: logins > setting.prise}
  rest: {catch_all: true, task: {play: x, title: "{compny}"}}
  late: {colour: red}
signals:
  s: {value: 1}
"""


def test_a_model_with_twenty_mistakes_reports_them_all_at_once(problems: Problems) -> None:
    found = [p.removeprefix("m/model.yaml:") for p in problems(TWENTY) if ": error: " in p]
    places = [tuple(map(int, p.split(":")[:2])) for p in found]
    assert places == sorted(places)
    expected = [
        "1:29: error: must be text; put it in quotes",
        "2:30: error: must be at most 1",
        "4:23: error: customers has no column 'payment_statu'",
        "5:52: error: table events has no column 'nme'; did you mean 'name'?",
        "6:25: error: not an expression",
        "7:26: error: unknown name 'loggins'; did you mean 'logins'?",
        "8:15: error: circle: one -> two -> one",
        "10:36: error: must be 'count'",
        "11:10: error: unknown key 'atribute'; did you mean 'attribute'?",
        "14:5: error: the weights of the components sum to 0.9",
        "15:47: error: unknown metric or column 'loginz'; did you mean 'logins'?",
        "16:89: error: this step is never reached",
        "17:5: error: no band starts at 0",
        "17:55: error: bands go from high to low",
        "19:26: error: unknown name 'failed'; a text needs quotes: 'failed'",
        "20:35: error: unknown segment 'frist'; did you mean 'first'?",
        "20:52: error: 'status' is never 'faild'; did you mean 'failed'?",
        "21:19: error: unknown segment 'fist'; did you mean 'first'?",
        "21:40: error: unknown setting 'prise'; did you mean 'price'?",
        "22:51: error: unknown placeholder '{compny}'; did you mean 'company'?",
        "23:10: error: unknown key 'colour'; did you mean 'color'?",
        "25:3: error: 'when' is missing",
    ]
    assert len(expected) >= 20
    missing = [e for e in expected if not any(f.startswith(e) for f in found)]
    assert missing == [], found
