"""Playbooks and messages are checked like the rest of a model. `«` marks where the problem must be reported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from keepwell.model.loader import LoadedModel, content_hash, load_model
from keepwell.model.problems import DefinitionError
from keepwell.model.timelines import timeline
from keepwell.warehouse.columns import TABLE_COLUMNS

HERE = Path(__file__).parent
GOOD = (HERE / "good.yaml").read_text(encoding="utf-8")
PLAYBOOK = (HERE / "playbook.yaml").read_text(encoding="utf-8")
MARK = "«"
Load = Callable[..., LoadedModel]
Problems = Callable[..., list[str]]

TRIGGERS = [
    ("{signal: quiet}", "{signal: «quite}", "unknown signal 'quite'; did you mean 'quiet'?"),
    ("{signal: quiet}", "{segment_entered: «dangr}", "unknown segment 'dangr'; did you mean 'danger'?"),
    ("{signal: quiet}", "{score: «helth, below: 20}", "unknown score 'helth'; did you mean 'health'?"),
    ("{signal: quiet}", "«{score: health}", "needs exactly one of below, reaches"),
    ("{signal: quiet}", "{date: «mrr, days_before: 90}", "'mrr' is a number; 'date' takes a date"),
    ("{signal: quiet}", "«{signl: quiet}", "a trigger has one of signal, segment_entered"),
    ("{signal: quiet}", "{signal: quiet, «blow: 3}", "unknown key 'blow'"),
    ("{signal: quiet}", "{manual: «false}", "must be True"),
]
NAMES = [
    ("mrr > 100", "«mr > 100", "unknown name 'mr'"),
    ("mrr > 100", "«mrr + 100", "'mrr + 100' is a number"),
    ("segment: danger", "segment: «dangre", "unknown segment 'dangre'; did you mean 'danger'?"),
    ("email: hello", "email: «hallo", "no message 'hallo' (messages/hallo.md); did you mean 'hello'?"),
    ("email: hello", "in_app: «hello", "message 'hello' is written for email, not for in_app"),
    ("refused: call", "refused: «cal", "unknown step 'cal'; did you mean 'call'?"),
    ("go: call", "go: «cll", "unknown step 'cll'; did you mean 'call'?"),
    ("name: which", "name: «ask", "duplicate step 'ask'"),
    ("name: which", "name: «end", "'end' is what ends a playbook"),
    ("[reply, signal_off]", "[reply, «segment_left]", "'segment_left' needs a trigger with 'segment_entered'"),
    ("[reply, signal_off]", "[«replay]", "did you mean 'reply'?"),
    (
        "goal: health_score >= 80",
        "goal: «before(health_score, 3) > 1",
        "a playbook sees one moment; make this a signal",
    ),
    ("goal: health_score >= 80", "«goal_days: 30", "days without a goal; say with 'goal'"),
    ("goal: health_score >= 80", "goal: health_score >= 80\n    goal_days: «0", "must be at least 1"),
    ("about {mrr}", "about «{mr}", "unknown placeholder '{mr}'; did you mean 'mrr'?"),
    ("- email: hello", "- «emial: hello", "a step has one of email, in_app, task"),
    ("wait: 2 days", "wait: «2 dys", "is no length of time; write 30min, 4h"),
    ("- email: hello", "- start: «sve\n      - email: hello", "unknown playbook 'sve'; did you mean 'save'?"),
    ("- email: hello", "- start: «save\n      - email: hello", "'save' starts itself"),
]
MESSAGES = [
    ("person.first_name", "«persn.first_name", "unknown field 'persn.first_name'; did you mean 'person'?"),
    (
        "person.first_name",
        "«person.frst_name",
        "unknown field of person 'person.frst_name'; did you mean 'first_name'?",
    ),
    ("customer.mrr", "«customer.mr", "unknown field of the customer 'customer.mr'; did you mean 'mrr'?"),
    ("setting.many_days", "«setting.many_day", "unknown setting 'setting.many_day'; did you mean 'many_days'?"),
    ("| default:", "| «defalt:", "unknown filter 'defalt'; did you mean 'default'?"),
    ('days"', "days {% «include 'x' %}\"", "tag 'include' may not be used"),
    ("customer.mrr }}", "customer.mrr ", "not a good template"),
    ("  hello:", "  hello: {subject: Hi, text: a}\n  «other:", "no step sends this message"),
]


def place(text: str) -> tuple[int, int]:
    index = text.index(MARK)
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


@pytest.mark.parametrize(("old", "new", "message"), [*TRIGGERS, *NAMES, *MESSAGES])
def test_a_mistake_is_found_at_its_place(problems: Problems, old: str, new: str, message: str) -> None:
    assert PLAYBOOK.count(old) == 1
    broken = PLAYBOOK.replace(old, new)
    found = problems(GOOD, plays=broken.replace(MARK, ""))
    about = [line for line in found if message in line]
    assert about, found
    if MARK in broken and "no step sends" not in message and "not a good" not in message:
        line, column = place(broken)
        assert any(text.startswith(f"m/plays.yaml:{line}:{column}: ") for text in about), (line, column, about)


def test_the_good_one_is_good(problems: Problems) -> None:
    known = set(problems(GOOD))
    assert [line for line in problems(GOOD, plays=PLAYBOOK) if line not in known] == []


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{end: a}, {wait: 1d}]", "step 'step_2' is never reached"),
        ("[{name: a, wait: 1d, then: a}]", "never ends: from 'a' no way leads to the end"),
        (
            "[{name: a, assign: owner}, {branch: [{when: quiet, go: a}]}]",
            "step 'a' comes round again without waiting: an endless loop",
        ),
        (
            "[{name: a, wait_until: quiet, at_most: 1d}, {branch: [{when: quiet, go: a}]}]",
            "step 'a' comes round again without waiting",
        ),
        ("[{offer: {kind: custom, title: x}, message: hi}]", "without anybody's approval"),
        ("[{offer: {kind: pause, title: x}, message: hi}]", "an offer of kind pause needs 'months'"),
        ("[{offer: {kind: pause, months: 4, title: x}, message: hi}]", "a pause is at most 3 months"),
        ("[{start: b}]", "'a' starts itself by way of b"),
    ],
)
def test_the_flow_is_checked(problems: Problems, steps: str, message: str) -> None:
    plays = f"""
    playbooks:
      a: {{trigger: {{manual: true}}, steps: {steps}}}
      b: {{trigger: {{manual: true}}, steps: [{{start: a}}]}}
    messages: {{hi: {{subject: s, text: t}}}}
    """
    assert [line for line in problems(GOOD, plays=plays) if message in line]


def test_a_loop_that_waits_and_has_a_way_out_is_fine(problems: Problems) -> None:
    plays = """
    playbooks:
      a:
        trigger: {manual: true}
        steps: [{name: a, task: Look}, {wait: 7d}, {branch: [{when: quiet, go: a}]}]
    """
    assert not [line for line in problems(GOOD, plays=plays) if "plays.yaml" in line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "messages").mkdir()
    (tmp_path / "model.yaml").write_text(GOOD)
    plays = PLAYBOOK[: PLAYBOOK.index("messages:")]
    (tmp_path / "plays.yaml").write_text(plays)
    return tmp_path


def test_a_message_is_a_file_with_front_matter(folder: Path) -> None:
    text = (
        "---\nsubject: Hi {{ person.first_name }}\nbutton: Book\nlink: '{{ link.calendar }}'\n---\n\nDear *you*,\n\nbye"
    )
    (folder / "messages" / "hello.md").write_text(text)
    found = load_model(folder, tables=TABLE_COLUMNS).model.messages["hello"]
    assert (found.subject, found.text) == ("Hi {{ person.first_name }}", "Dear *you*,\n\nbye")
    assert found.button == "Book"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("---\nsubject: a\n---\n\nHi\n{{ persn.name }}\n", "6:4", "unknown field 'persn.name'"),
        ("---\nsubject: a {{ x }}\n---\nHi\n", "2:15", "unknown field 'x'"),
        ("---\nsubjet: a\n---\nHi\n", "2:1", "unknown key 'subjet'; did you mean 'subject'?"),
        ("---\nsubject: [\n---\nHi\n", "3:1", "not valid YAML"),
        ("Hi\n", "1:1", "a message begins with a line ---"),
        ("---\nsubject: a\nbutton: b\n---\nHi\n", "1:1", "a button needs both"),
    ],
)
def test_mistakes_in_a_file_have_their_place(folder: Path, text: str, place: str, message: str) -> None:
    (folder / "messages" / "hello.md").write_text(text)
    with pytest.raises(DefinitionError) as error:
        load_model(folder, shown="m", tables=TABLE_COLUMNS)
    about = [str(p) for p in error.value.problems if message in p.message]
    assert about, error.value.problems
    assert about[0].startswith(f"m/messages/hello.md:{place}: "), about


def test_playbooks_do_not_change_the_hash_of_what_is_computed(load: Load) -> None:
    without, having = load(GOOD), load(GOOD, plays=PLAYBOOK)
    assert without.hash == having.hash == content_hash(without.model)
    assert content_hash(having.model) != having.hash
    other = load(GOOD, plays=PLAYBOOK.replace("2 days", "3 days"))
    assert content_hash(other.model) != content_hash(having.model)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30min", "30 minutes"),
        ("within 1 h", "1 hour"),
        ("3d", "3 days"),
        ("1 week", "1 week"),
        ("4 business hours", "4 business hours"),
        ("1 business day", "1 business day"),
        ("next business day", "next business day"),
    ],
)
def test_lengths_of_time_are_read(text: str, words: str) -> None:
    assert timeline(text).words == words
