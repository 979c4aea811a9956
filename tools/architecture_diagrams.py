"""Draw the parts and one request's way: `python -m tools.architecture_diagrams` writes the pictures into
docs/architecture.md, `--check` compares. What stands outside the marked places is written by hand and kept.

The parts come from template.yaml (who is called by what, and who has the right to put what where), the states from the
payment's transition table.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from direct_debit.domain.payment import PAYMENT_TRANSITIONS, PaymentEvent, PaymentSituation
from tools.deploy.template import Json, Node, functions, member, node, parameter_definitions, read_template
from tools.marked_places import fill

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
TEMPLATE = ROOT / "template.yaml"

# Who calls which routes: those of DOKU's have its prefix, those without IAM are a browser's.
_CALLERS = {
    "Merchant": ("Merchant's backend", "signed, or with an access token"),
    "Browser": ("Customer's browser", "without a signature"),
    "DOKU": ("DOKU", "token request, notifications"),
}
# The rights by which something is handed over.
_HANDS_OVER = frozenset({"sqs:SendMessage", "events:PutEvents"})
_SHAPES = {"Queue": '[/"{}"/]', "EventBus": '{{{{"{}"}}}}', "Table": '[("{}")]', "StateMachine": '[["{}"]]'}


def draw_parts(template: Node) -> str:
    """The functions by who calls them, and what they hand over to whom, as Markdown."""
    parts = functions(template)
    drawn_in = {name: f"{_caller(event)}Calls" for name, body in parts.items() for event in _events(body, "Api")}
    lines = ["```mermaid", "flowchart LR"]
    for caller, (title, says) in _CALLERS.items():
        called = "<br>".join(_snake(name) for name, group in drawn_in.items() if group == f"{caller}Calls")
        lines.append(f'    {caller}(["{title}"]) -- {says} --> {caller}Calls["{called}"]')
    lines += [f'    {name}["{_snake(name)}"]' for name in parts if name not in drawn_in]
    shapes = {name: _SHAPES[kind].format(_title(name)) for name, kind in _kinds(template).items() if kind in _SHAPES}
    arrows = [arrow for name, body in parts.items() for arrow in _sources(name, body)]
    arrows += [
        f"    {drawn_in.get(name, name)} --> {target}"
        for name, body in parts.items()
        for target in _targets(template, name, body)
        if target in shapes
    ]
    arrows += _rules(template)
    arrows += [f"    {name} --> MerchantCalls" for name, kind in _kinds(template).items() if kind == "StateMachine"]
    arrows += [f"    {name} -- access tokens --> MerchantCalls" for name in _authorisers(template)]
    text = "\n".join(arrows)
    lines += [f"    {name}{shape}" for name, shape in shapes.items() if f" {name} " in text or f" {name}\n" in text]
    return "\n".join([*lines, *dict.fromkeys(arrows), "```"])


def _kinds(template: Node) -> dict[str, str]:
    """The last word of each resource's type, by its logical id."""
    every = member(template, "Resources").items()
    return {name: str(node(body).get("Type")).rpartition("::")[2] for name, body in every}


def _events(properties: Node, *kinds: str) -> list[Node]:
    return [member(event, "Properties") for event in _values(properties, "Events") if node(event).get("Type") in kinds]


def _values(value: Json, name: str) -> list[Json]:
    return list(member(value, name).values())


def _caller(event: Node) -> str:
    if str(event.get("Path")).startswith("/doku/"):
        return "DOKU"
    return "Browser" if member(event, "Auth").get("Authorizer") == "NONE" else "Merchant"


def _sources(name: str, properties: Node) -> Iterator[str]:
    """Arrows from what calls a worker."""
    for event in _events(properties, "SQS"):
        yield from (f"    {queue} --> {name}" for queue in _resources(event.get("Queue")))
    for event in _events(properties, "DynamoDB"):
        tables = [table for table in _resources(event.get("Stream")) if not table.startswith("Restored")]
        yield from (f"    {table} -- stream --> {name}" for table in tables)
    for event in _events(properties, "Schedule", "ScheduleV2"):
        yield f'    {name}Clock(("{event.get("Schedule")}")) --> {name}'


def _targets(template: Node, name: str, properties: Node) -> Iterator[str]:
    """What a function may put a message or an event into."""
    for statement in _statements(template, name, properties):
        if _HANDS_OVER.intersection(map(str, _list(statement.get("Action")))):
            yield from _resources(statement.get("Resource"))


def _authorisers(template: Node) -> list[str]:
    """The functions that say what an access token opens."""
    asked = member(template, "Resources", "Api", "Properties", "Auth", "Authorizers").values()
    return [name.partition(".")[0] for one in asked for name in _resources(node(one).get("FunctionArn"))]


def _rules(template: Node) -> Iterator[str]:
    """Arrows from an event bus to where its rules lead."""
    for name, kind in _kinds(template).items():
        rule = member(template, "Resources", name, "Properties")
        if kind == "Rule":
            targets = [one for target in _list(rule.get("Targets")) for one in _resources(node(target).get("Arn"))]
            yield from (f"    {bus} --> {target}" for bus in _resources(rule.get("EventBusName")) for target in targets)


def _statements(template: Node, name: str, properties: Node) -> Iterator[Node]:
    """What a function may do: by its own policies, or by those of its role."""
    role = member(template, "Resources", f"{name}Role", "Properties")
    for policy in [*_list(properties.get("Policies")), *_list(role.get("Policies"))]:
        document = member(policy, "PolicyDocument") or node(policy)
        yield from (node(statement) for statement in _list(document.get("Statement")))


def _resources(value: Json) -> list[str]:
    """The logical ids that a value refers to."""
    if isinstance(value, list):
        return [name for one in value for name in _resources(one)]
    names: list[str] = []
    for key, inner in node(value).items():
        if key == "Fn::GetAtt":
            names.append(str(inner[0]) if isinstance(inner, list) else str(inner).partition(".")[0])
        elif key == "Ref":
            names.append(str(inner))
        elif key != "Condition":
            names += _resources(inner)
    return names


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _title(name: str) -> str:
    return _snake(name).replace("_", " ").capitalize()


def draw_request(template: Node) -> str:
    """What becomes of one payment's request, as Markdown."""

    def after(event: PaymentEvent) -> str:
        following = PAYMENT_TRANSITIONS.decide(PaymentSituation.REQUESTED, event)
        if following is None:
            raise ValueError(f"a payment that is REQUESTED has no move for {event}")
        return following

    schedule = str(node(parameter_definitions(template)["InquiryScheduleSeconds"]).get("Default"))
    first, requested = schedule.partition(",")[0], PAYMENT_TRANSITIONS.initial
    asked, refused, lost = map(after, (PaymentEvent.OTP_REQUIRED, PaymentEvent.DECLINED, PaymentEvent.OUTCOME_LOST))
    return "\n".join(
        [
            "```mermaid",
            "sequenceDiagram",
            "    participant M as Merchant",
            "    participant F as make_payment",
            "    participant T as Tables",
            "    participant D as DOKU",
            "    M->>F: POST /payments",
            f"    F->>T: payment is new AND binding is ACTIVE (one transaction): {requested}, due in {first} s",
            "    F->>D: signed request, everything in it from the record",
            "    alt 4035413",
            "        D-->>F: OTP sent",
            f"        F->>T: unchanged since read: {asked}",
            f"        F-->>M: 201 {asked}",
            "    else refused",
            "        D-->>F: 403xx14",
            f"        F->>T: {refused}(declined)",
            f"        F-->>M: 201 {refused}",
            "    else no answer, 5xx, unreadable, unlisted",
            f"        F->>T: {lost}, inquiry queued for second {first}",
            f"        F-->>M: 202 {lost}",
            "    else the function dies",
            f"        Note over T: {requested} and due: the sweep asks DOKU",
            "    end",
            "```",
        ]
    )


def fill_page(page: str) -> str:
    """The page with every picture drawn anew. Raises ValueError when one has no place."""
    template = read_template(TEMPLATE)
    pictures: Mapping[str, str] = {"parts": draw_parts(template), "one_request": draw_request(template)}
    return fill(page, pictures)


def main(arguments: Iterable[str]) -> int:
    """Write the page, or with `--check` say whether it is up to date (exit status 1 when not)."""
    page = PAGE.read_text()
    filled = fill_page(page)
    if "--check" in arguments:
        if page == filled:
            return 0
        print(f"{PAGE} differs from template.yaml or the states: run `make diagrams`", file=sys.stderr)
        return 1
    PAGE.write_text(filled)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
