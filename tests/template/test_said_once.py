"""What repeats in the template is said once; what is said of a kind is not taken for what is said of one thing."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.template.translation import TEMPLATE, resources
from tools.deploy.template import member, read_template

# What the template of 2026-11-22 deployed, by section; it had 1,866 lines for it.
FIRST_DEPLOYMENT: dict[str, list[str]] = json.loads(Path(__file__).with_name("first-deployment.json").read_text())
# What of it is there no more: a log group for each function (decision 0040), a rule and a parameter.
GONE = re.compile(r"\w+Logs|OnlyLocalIsOpen|OtpLifetimeSeconds")
# The boundary bounds what roles say: it takes nothing from them, nor they from it.
APART = "FunctionBoundary"
# A mapping or list of so many values is worth a name; a statement is of any length.
WORTH_A_NAME = 5
REMEDY = "give the first one a name (&Name) and write *Name for the others, or <<: *Name and what is different"

type Places = dict[object, list[int]]


def line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def members(node: yaml.Node) -> dict[str, yaml.Node]:
    return {name.value: value for name, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for name, value in node.value if name.value != APART]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def content(node: yaml.Node, *without: str) -> object:
    """What a node says, wherever and in whatever order it says it."""
    if isinstance(node, yaml.MappingNode):
        return frozenset((name, content(value)) for name, value in members(node).items() if name not in without)
    return (node.tag, node.value if isinstance(node, yaml.ScalarNode) else tuple(map(content, node.value)))


def is_statement(node: yaml.Node) -> bool:
    return {"Effect", "Action"} <= members(node).keys()


def note(node: yaml.Node, known: set[int], places: Places) -> int:
    """Note where a node says something in full; return how many values stand there.

    What an anchor says elsewhere is one value, and none in a list: what a role may do is listed by names.
    """
    known.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        return 1
    values = sum(
        [
            note(child, known, places) if id(child) not in known else int(isinstance(node, yaml.MappingNode))
            for child in children(node)
        ]
    )
    if is_statement(node):
        places.setdefault(content(node, "Sid"), []).append(line(node))
    elif values >= WORTH_A_NAME:
        places.setdefault(content(node), []).append(line(node))
    return values


def read(text: str) -> yaml.Node:
    root = yaml.compose(text, yaml.SafeLoader)
    assert root is not None
    return root


def said_twice(text: str) -> list[str]:
    """What is said in full at several places."""
    places: Places = {}
    note(read(text), set(), places)
    return [
        f"template.yaml:{' and '.join(map(str, lines))} say the same: {REMEDY}"
        for lines in places.values()
        if len(lines) > 1
    ]


def walk(node: yaml.Node, known: set[int]) -> Iterator[yaml.Node]:
    if id(node) not in known:
        known.add(id(node))
        yield node
        for child in children(node):
            yield from walk(child, known)


def said_against(text: str) -> list[str]:
    """Members that a mapping has twice: the last one counts, and cfn-lint looks for none beside `<<:`."""
    names = (
        (line(node), Counter(name.value for name, _ in node.value))
        for node in walk(read(text), set())
        if isinstance(node, yaml.MappingNode)
    )
    return [
        f"template.yaml:{at}: {name} stands there {count} times: take all but one out"
        for at, counted in names
        for name, count in counted.items()
        if count > 1
    ]


def lines_of(text: str, names: dict[str, list[str]]) -> int:
    """How many lines these names take in their sections, each with the comments and blank lines before it."""
    section, name, count, waiting = "", "", 0, 0
    for line in text.splitlines():
        if re.match(r"^(  )?(#|$)", line):
            waiting += 1
            continue
        if begin := re.match(r"^([A-Za-z]+):", line):
            section, name = begin[1], ""
        elif begin := re.match(r"^  ([A-Za-z][A-Za-z0-9:]*):", line):
            name = begin[1]
        if not name or section not in names or name in names[section]:
            count += waiting + 1
        waiting = 0
    return count + waiting


def test_nothing_that_is_worth_a_name_is_said_twice() -> None:
    assert said_twice(TEMPLATE.read_text()) == []


STATEMENT = "{Sid: ShareToken, Effect: Allow, Action: [a, b], Resource: c}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"A:\n  a: {STATEMENT}\nB:\n  b: {STATEMENT}\n", ["2 and 4"]),
        (f"A:\n  a: {STATEMENT}\nB:\n  b: {STATEMENT.replace('ShareToken', 'UseToken')}\n", ["2 and 4"]),
        (f"A: {STATEMENT}\nB: {{Effect: Allow, Resource: c, Action: [a, b], Sid: ShareToken}}\n", ["1 and 2"]),
        (
            "R: &R x\nA: {Effect: Allow, Action: a, Resource: *R}\nB: {Effect: Allow, Action: a, Resource: *R}\n",
            ["2 and 3"],
        ),
        ("A: {a: 1, b: 2, c: 3, d: 4, e: 5}\nB: {a: 1, b: 2, c: 3, d: 4, e: 5}\n", ["1 and 2"]),
        ("A: {a: 1, b: 2, c: 3, d: 4}\nB: {a: 1, b: 2, c: 3, d: 4}\n", []),
        (f"A:\n  - &ShareToken {STATEMENT}\nB:\n  - *ShareToken\n", []),
        (f"A: &A {STATEMENT}\nB:\n  <<: *A\n  Sid: other\nC:\n  <<: *A\n  Sid: other\n", []),
        (f"{APART}: {STATEMENT}\nB: {STATEMENT}\n", []),
    ],
)
def test_what_is_said_in_full_at_two_places_is_found(text: str, found: list[str]) -> None:
    assert said_twice(text) == [f"template.yaml:{lines} say the same: {REMEDY}" for lines in found]


def test_no_mapping_says_one_thing_twice() -> None:
    assert said_against(TEMPLATE.read_text()) == []


def test_what_a_mapping_says_twice_is_found_beside_a_merge_too() -> None:
    text = "A: &A {Threshold: 1}\nB:\n  <<: *A\n  Threshold: 2\n  Threshold: 3\n"
    assert said_against(text) == ["template.yaml:3: Threshold stands there 2 times: take all but one out"]


def test_the_boundary_of_the_functions_takes_nothing_from_anybody_and_gives_nothing() -> None:
    resources_written = members(members(read(TEMPLATE.read_text()))["Resources"])
    boundary = set(map(id, walk(resources_written.pop(APART), set())))
    known: set[int] = set()
    others = {id(node) for resource in resources_written.values() for node in walk(resource, known)}
    assert not boundary & others, f"template.yaml, {APART}: write out what it says, or what others take from it"


# What each alarm says itself, so that its kind changes nothing of it: an alarm of a kind of its own, or of another's.
SAYS_ITSELF = {
    "Alarm": {"AlarmDescription", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "Threshold"},
    "CountedByUs": {"AlarmDescription", "MetricName", "Period", "Threshold"},
    "": {"AlarmDescription", "Dimensions", "Period", "Threshold"},
}


def alarms_written() -> dict[str, str]:
    text = TEMPLATE.read_text()
    found = re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm\n((?:    .*\n)+)", text, re.MULTILINE)
    return dict(found)


def test_an_alarm_says_its_threshold_and_whatever_else_is_its_own() -> None:
    alarms = alarms_written()
    assert alarms.keys() == resources("AWS::CloudWatch::Alarm").keys()
    full, faults = [], []
    for name, body in alarms.items():
        kind = re.search(r"^      <<: \*(\w+)$", body, re.MULTILINE)
        if kind is None:
            full.append(name)
            continue
        own = set(re.findall(r"^      (\w+):", body, re.MULTILINE))
        missing = sorted(SAYS_ITSELF.get(kind[1], SAYS_ITSELF[""]) - own)
        faults += [f"template.yaml, {name}: write {', '.join(missing)}: it may not be {kind[1]}'s"] if missing else []
    assert faults == []
    assert len(full) == 1, f"template.yaml, {', '.join(full[1:])}: begin with <<: *Alarm, and write what is different"


def test_what_has_a_name_is_named_again() -> None:
    text = "\n".join(line for line in TEMPLATE.read_text().splitlines() if not line.lstrip().startswith("#"))
    named = re.findall(r"(?<=[ \[{])&([A-Z]\w+)", text)
    assert [name for name in named if not re.search(rf"\*{name}\b", text)] == []
    assert [name for name, count in Counter(named).items() if count > 1] == []


def test_an_alarm_that_is_like_another_says_what_it_watches_and_what_it_means() -> None:
    alarms = list(resources("AWS::CloudWatch::Alarm").values())
    descriptions = Counter(alarm["AlarmDescription"] for alarm in alarms)
    watched = Counter(
        json.dumps([alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"], alarm["ComparisonOperator"]])
        for alarm in alarms
    )
    assert [text for text, count in (descriptions + watched).items() if count > 1] == []


def test_a_queue_that_is_like_another_has_a_dead_letter_queue_of_its_own() -> None:
    queues = resources("AWS::SQS::Queue").values()
    dead = [
        queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] for queue in queues if "RedrivePolicy" in queue
    ]
    assert len(set(dead)) == len(dead) == 4


def test_the_first_deployment_takes_fewer_lines_than_it_took() -> None:
    """With all that its resources have got since: rights by kinds of items, the gateway's answers."""
    text = TEMPLATE.read_text()
    there = {
        section: [name for name in names if not GONE.fullmatch(name)] for section, names in FIRST_DEPLOYMENT.items()
    }
    for section, names in there.items():
        assert [name for name in names if not re.search(rf"^  {name}:", text, re.MULTILINE)] == [], section
    assert 1_000 < lines_of(text, there) < 1_900


def test_what_is_read_is_no_longer_shared(tmp_path: Path) -> None:
    """Or whoever changes one thing that he has read would change what is like it."""
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  A: &A {Properties: &P {Name: a, Value: !Ref B}}\n  B: *A\n  C: {<<: *A, Type: c}\n"
    )
    found = member(read_template(template), "Resources")
    a, b, c = (member(found, name, "Properties") for name in "ABC")
    assert a == b == c == {"Name": "a", "Value": {"Ref": "B"}}
    assert len({id(a), id(b), id(c)}) == 3
