"""What repeats in the template is said once; what is said of a kind is not taken for what is said of one thing."""

import json
import re
from collections import Counter
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
# A mapping or list of so many values is worth a name.
WORTH_A_NAME = 5

type Places = dict[object, list[int]]


def children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for name, value in node.value if name.value != APART]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def content(node: yaml.Node) -> object:
    """What a node says, wherever it says it."""
    if isinstance(node, yaml.MappingNode):
        return (node.tag, *((content(name), content(value)) for name, value in node.value))
    return (node.tag, node.value if isinstance(node, yaml.ScalarNode) else tuple(map(content, node.value)))


def note(node: yaml.Node, known: set[int], places: Places) -> int:
    """Note where a node says something in full; return how many values stand there, an anchor's others not counted."""
    if id(node) in known:
        return 0
    known.add(id(node))
    values = sum([note(child, known, places) for child in children(node)], int(isinstance(node, yaml.ScalarNode)))
    if values >= WORTH_A_NAME:
        places.setdefault(content(node), []).append(node.start_mark.line + 1)
    return values


def said_twice(text: str) -> list[list[int]]:
    """The lines, for each thing that is said in full at several."""
    places: Places = {}
    root = yaml.compose(text, yaml.SafeLoader)
    assert root is not None
    note(root, set(), places)
    return [lines for lines in places.values() if len(lines) > 1]


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
        (f"A:\n  a: {STATEMENT}\nB:\n  b: {STATEMENT}\n", [[2, 4]]),
        (f"A:\n  - &ShareToken {STATEMENT}\nB:\n  - *ShareToken\n", []),
        (f"A: &A {STATEMENT}\nB:\n  <<: *A\n  Sid: other\nC:\n  <<: *A\n  Sid: other\n", []),
        (f"{APART}: {STATEMENT}\nB: {STATEMENT}\n", []),
    ],
)
def test_what_is_said_in_full_at_two_places_is_found(text: str, found: list[list[int]]) -> None:
    assert said_twice(text) == found


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
