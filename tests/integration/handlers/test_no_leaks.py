"""Secrets and personal data in inputs: in no log line, metric, error or answer, and not readable in the tables."""

import json
from collections.abc import Mapping

import pytest

from direct_debit.application.errors import DirectDebitError
from tests.fakes.leaks import find_leaks
from tests.fakes.queues import Message
from tests.fakes.weather import Fault, Weather
from tests.integration.handlers.house import House, Response, binding_body, payment_body
from tests.integration.handlers.test_events import read
from tools.make_events import AT

PHONE = "6281934567877"
PERSONAL = {
    "phone": PHONE,
    "customerName": "Canary Siti Rahma",
    "email": "canary@secret.example",
    "idCard": "3174CANARY990001",
    "address": "Jalan Canary 99",
    "dateOfBirth": "19900131",
}
OTPS = ("731946", "846137", "123456")
TASK_TOKEN = "AQCEAAAAKgAAAAMAAAAAAAAAAcanary"
DEVICE = "canarydevice4711"
ADDRESS = "203.0.113.177"
QUERY = "who=canary-in-the-query"
REASON = "canary Ibu Siti called"
NOTE = "canary-note-of-the-merchant"
REMARKS = "canary-remarks"


class Unforeseen(Weather):
    """DOKU's calls end in an error that nobody foresaw, whose text holds what was sent."""

    def __init__(self, text: str) -> None:
        self.text = text

    def draw(self, name: str) -> Fault:
        if name.startswith("doku."):
            raise RuntimeError(self.text)
        return Fault.NONE


def test_a_whole_life_leaves_no_trace_of_them(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    sent: list[str] = []
    push = house.world.queues.push

    def note(message: Message, *rest: float) -> None:
        sent.append(str(message))
        push(message, *rest)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(house.world.queues, "push", note)

    def call(
        name: str,
        body: object = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Response:
        response = house.call(name, body, path=path, query=query)
        shown.append(json.dumps(response.raw))
        return response

    pages = {"successUrl": f"https://shop.example/a?{QUERY}", "failedUrl": f"https://shop.example/b?{QUERY}"}
    device = {"deviceId": DEVICE, "ipAddress": ADDRESS}
    linked = call("bind_account", binding_body(**PERSONAL, **pages, **device, metadata={"note": NOTE}))
    redirect_url = linked.json["redirectUrl"]
    auth_code = redirect_url.rsplit("/", 1)[1]
    house.world.simulator.customer.complete(auth_code)
    house.world.run_for(120)
    binding = {"id": linked.json["bindingId"]}
    ref = {"ref": "INV000000001"}
    call("get_binding", path=binding)
    call("list_bindings", query={"customerId": "CUST-1"})
    call("get_balance", path=binding)
    call("make_payment", payment_body(binding["id"], **pages, **device, remarks=REMARKS, metadata={"note": NOTE}))
    for otp in OTPS:
        call("verify_payment_otp", {"otp": otp}, path=ref)
    house.world.run_for(300)
    call("get_payment", path=ref)
    call("refund_payment", {"reason": REASON}, path=ref)
    house.world.run_for(300)
    call("get_refund", path=ref)
    tokens = tokens_of_the_simulator(house)
    call("unbind_account", path=binding)
    for otp in OTPS:
        call("confirm_unbinding", {"otp": otp}, path=binding)
    assert house.call("get_binding", path=binding).json["state"] == "UNBOUND"

    assert len(tokens) > 1
    canaries = [*PERSONAL.values(), *OTPS, *tokens, DEVICE, ADDRESS, QUERY, REASON]
    printed = capsys.readouterr()
    told = {
        "log": house.log.getvalue(),
        "output": printed.out + printed.err,
        "events": json.dumps([event.to_json() for event in house.world.events.published], default=str),
        "messages": str(sent),
    }
    assert all(told.values())
    # The merchant's own texts are echoed to it, stored in the clear, and told to nobody else.
    assert find_leaks([*canaries, auth_code, NOTE, REMARKS], told) == []
    assert find_leaks(canaries, {str(number): text for number, text in enumerate(shown)}) == []
    # The page's address ends in the auth code: the one answer that has to carry it is the one that sends there.
    assert [auth_code in text for text in shown].count(True) == 1
    stored = str([record.new for table in ("Bindings", "Transactions") for record in house.world.store.stream(table)])
    assert find_leaks([*canaries, auth_code], {"tables": stored}) == []


def test_refusals_do_not_repeat_what_was_sent(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    wrong: list[tuple[str, dict[str, object]]] = [
        ("bind_account", binding_body(**{**PERSONAL, "phone": PHONE + "00000"})),
        ("bind_account", binding_body(**{**PERSONAL, "email": "canary-no-at"})),
        ("bind_account", {**binding_body(**PERSONAL), "colour": "canary"}),
        ("bind_account", {**binding_body(**PERSONAL), "successUrl": "ftp://canary"}),
        ("verify_payment_otp", {"otp": "731946731946", "partnerReferenceNo": "INV1"}),
        ("confirm_unbinding", {"otp": "canary", "bindingId": "b"}),
        ("confirm_unbinding", {"otp": ["731946"], "bindingId": "b"}),
    ]
    for name, command in wrong:
        body = {key: value for key, value in command.items() if key not in ("partnerReferenceNo", "bindingId")}
        response = house.call(name, body, path={"ref": "INV1", "id": "b"})
        assert response.status == 422
        with pytest.raises(DirectDebitError) as caught:
            house.invoke(name, command)
        texts = [response.text, str(caught.value), repr(caught.value), house.log.getvalue(), capsys.readouterr().out]
        for value in ("canary", "Canary", "731946", PHONE, "3174"):
            assert not any(value in text for text in texts), (name, value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


@pytest.mark.parametrize("door", ["api", "command"])
def test_an_unforeseen_error_hides_its_text(house: House, door: str, capsys: pytest.CaptureFixture[str]) -> None:
    house.world.weather = Unforeseen(f"{PHONE} {OTPS[0]}")
    if door == "api":
        response = house.call("bind_account", binding_body(phone=PHONE))
        assert (response.status, response.json["type"]) == (500, "/problems/internal-error")
        text = response.text
    else:
        with pytest.raises(Exception, match="A fault of this service") as caught:
            house.invoke("bind_account", binding_body(phone=PHONE))
        assert type(caught.value).__name__ == "InternalError"
        text = str(caught.value)
    everything = text + house.log.getvalue() + capsys.readouterr().out
    assert PHONE not in everything
    assert OTPS[0] not in everything
    assert "RuntimeError" in house.log.getvalue()


def test_the_task_token_is_stored_sealed_or_not_shown(house: House) -> None:
    result = house.invoke("bind_account", binding_body(taskToken=TASK_TOKEN))
    assert TASK_TOKEN not in json.dumps(result)
    assert TASK_TOKEN not in house.log.getvalue()
    shown = house.call("get_binding", path={"id": result["bindingId"]})
    assert TASK_TOKEN not in shown.text
    stored = str([record.new for record in house.world.store.stream("Bindings")])
    assert find_leaks([TASK_TOKEN], {"table": stored}) == []


def test_what_workflows_are_answered_leads_to_nobody(house: House) -> None:
    """A history keeps each answer, for 90 days."""
    answers: list[object] = []

    def ask(name: str, **command: object) -> None:
        answers.append(house.invoke(name, command))

    pages = {"successUrl": f"https://shop.example/a?{QUERY}", "failedUrl": f"https://shop.example/b?{QUERY}"}
    linked = house.call("bind_account", binding_body(**PERSONAL, **pages, metadata={"note": NOTE})).json
    auth_code = linked["redirectUrl"].rsplit("/", 1)[1]
    binding = linked["bindingId"]
    ask("get_binding", bindingId=binding, brief=True)
    ask("list_bindings", customerId="CUST-1", brief=True)
    answers.append(house.invoke("bind_account", binding_body(**PERSONAL, **pages, taskToken=TASK_TOKEN)))
    house.world.simulator.customer.complete(auth_code)
    house.world.run_for(120)
    amount = {"value": "10000.00", "currency": "IDR"}
    ask("get_balance", bindingId=binding, covers=amount, brief=True)
    order = payment_body(binding, **pages, remarks=REMARKS, metadata={"note": NOTE}, taskToken=TASK_TOKEN)
    answers.append(house.invoke("make_payment", order))
    house.call("verify_payment_otp", {"otp": OTPS[-1]}, path={"ref": "INV000000001"})
    house.world.run_for(300)
    ask("get_payment", partnerReferenceNo="INV000000001", refresh=True, brief=True)
    ask("refund_payment", partnerReferenceNo="INV000000001", reason=REASON, brief=True)
    ask("get_refund", partnerReferenceNo="INV000000001", brief=True)
    answers += [output for _, output in house.world.workflows.completed]
    assert len(house.world.workflows.completed) == 2
    canaries = [*PERSONAL.values(), auth_code, QUERY, REASON, NOTE, REMARKS, TASK_TOKEN, "CUST-1"]
    balances = [line["amount"]["value"] for line in house.invoke("get_balance", {"bindingId": binding})["balances"]]
    told = {str(number): json.dumps(answer) for number, answer in enumerate(answers)}
    assert len(told) == 10
    assert find_leaks([*canaries, *balances, *tokens_of_the_simulator(house)], told) == []


def test_doku_s_calls_leave_no_trace(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.world.clock.set(AT)
    for name in ("receive_payment_notification", "receive_binding_notification"):
        event = read(name)
        assert isinstance(event, dict)
        token = event["headers"]["Authorization"].removeprefix("Bearer ")
        result = house.invoke(name, event)
        printed = capsys.readouterr().out + house.log.getvalue() + json.dumps(result)
        assert token not in printed
        assert event["headers"]["X-SIGNATURE"] not in printed
        assert "2238" + "0" * 36 not in printed


def test_no_line_of_an_earlier_invocation_is_mixed_in(house: House) -> None:
    house.call("get_payment", path={"ref": "INV000000001"})
    house.call("list_bindings", query={"customerId": "CUST-1"})
    lines = [json.loads(line) for line in house.log.getvalue().splitlines()]
    assert [(line["operation"], line["message"], line["status"]) for line in lines] == [
        ("get_payment", "answered", 404),
        ("list_bindings", "answered", 200),
    ]
    assert "problem" not in lines[1]
    assert all(line["requestId"] == "request-1" for line in lines)


def tokens_of_the_simulator(house: House) -> list[str]:
    """Every token of DOKU that lives."""
    world = house.world.simulator.world
    return [*world.b2b_tokens, *world.access_tokens, *world.refresh_tokens]
