"""DOKU's doors: authentic calls are stored and answered, the rest gets contract 3.10's reply and changes nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from direct_debit.adapters.doku_inbound import InboundKeys
from direct_debit.application.ports.inbox import InboxState
from direct_debit.entrypoint import container
from doku_snap.keys import load_private_key
from tests.fakes.weather import Fault, Weather
from tests.integration.handlers.house import IN_USE, KEYS, House, encode, payment_body, verify_with
from tests.integration.handlers.test_events import read
from tools.make_events import AT, BINDING_NOTIFY_PATH, NOTIFY_PATH, vector_signer

NOTIFY = "receive_payment_notification"
# Whether it grants, accepts, refuses or fails; written out, so that a definition that changes is noticed.
ON_EVERY_ANSWER = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@pytest.fixture(autouse=True)
def _at_the_moment_of_the_events(house: House) -> None:
    house.world.clock.set(AT)


def event(name: str = NOTIFY) -> dict[str, Any]:
    """One of the event files."""
    found = read(name)
    assert isinstance(found, dict)
    return found


def notification(body: object, *, path: str = NOTIFY_PATH, raw: str | None = None) -> dict[str, Any]:
    """A signed notification with this body."""
    text = raw if raw is not None else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    headers = vector_signer().notification_headers(path, text.encode(), "169157654793277588402")
    return {**event(), "path": path, "headers": headers, "body": text}


def ask(house: House, call: dict[str, Any], name: str = NOTIFY) -> tuple[int, str]:
    """Status and response code of the reply."""
    result = house.invoke(name, call)
    assert result["headers"]["Content-Type"] == "application/json"
    assert result["headers"]["X-TIMESTAMP"].endswith("Z")
    assert {name: result["headers"].get(name) for name in ON_EVERY_ANSWER} == ON_EVERY_ANSWER
    code: str = json.loads(result["body"])["responseCode"]
    return result["statusCode"], code


def body_of(call: dict[str, Any]) -> dict[str, Any]:
    """The notification's JSON."""
    parsed: dict[str, Any] = json.loads(call["body"])
    return parsed


def test_authentic_is_stored_and_answered_again_and_again(house: House) -> None:
    for _ in range(3):
        assert ask(house, event()) == (200, "2005600")
    assert house.written == 1
    message = house.world.queues.waiting[0][2]
    item = house.ports.inbox.get(message.subject)
    assert item is not None
    assert item.state is InboxState.ACCEPTED
    assert item.fresh
    assert "INV202603020" not in item.body  # sealed


def test_a_binding_notification(house: House) -> None:
    assert ask(house, event("receive_binding_notification"), "receive_binding_notification") == (200, "2000700")
    message = house.world.queues.waiting[0][2]
    item = house.ports.inbox.get(message.subject)
    assert item is not None
    assert "2238" not in item.body  # the auth code is sealed


def test_a_stale_one_is_acknowledged_and_only_a_reason_to_ask(house: House) -> None:
    house.world.clock.tick(400)  # outside the window of 300 s, within the token's 900 s
    assert ask(house, event()) == (200, "2005600")
    item = house.ports.inbox.get(house.world.queues.waiting[0][2].subject)
    assert item is not None
    assert not item.fresh


def without(name: str) -> dict[str, Any]:
    """The event without a header."""
    call = event()
    return {**call, "headers": {key: value for key, value in call["headers"].items() if key != name}}


def altered(name: str, value: str) -> dict[str, Any]:
    """The event with another value of a header."""
    call = event()
    return {**call, "headers": {**call["headers"], name: value}}


FORGERIES: dict[str, tuple[dict[str, Any], int, str]] = {
    "no token": (without("Authorization"), 401, "4015603"),
    "another token": (altered("Authorization", "Bearer abc.def.ghi"), 401, "4015601"),
    "no bearer": (altered("Authorization", "abc"), 401, "4015601"),
    "no signature": (without("X-SIGNATURE"), 401, "4015600"),
    "another signature": (altered("X-SIGNATURE", "A" * 88), 401, "4015600"),
    "another body": ({**event(), "body": event()["body"].replace("10000.00", "10000.01")}, 401, "4015600"),
    "another path": ({**event(), "path": "/doku/v1.0/debit/notify2"}, 401, "4015600"),
    "another time": (altered("X-TIMESTAMP", "2026-03-02T09:00:01Z"), 401, "4015600"),
    "no time": (without("X-TIMESTAMP"), 400, "4005602"),
    "time with a blank": (altered("X-TIMESTAMP", "2026-03-02T09:00:00 Z"), 400, "4005601"),
    "time written otherwise than signed": (altered("X-TIMESTAMP", "2026-03-02T09:00:00.000Z"), 401, "4015600"),
    "another partner": (altered("X-PARTNER-ID", "BRN-0000"), 401, "4015600"),
    "no external id": (without("X-EXTERNAL-ID"), 400, "4005602"),
    "external id with accents": (altered("X-EXTERNAL-ID", "é"), 400, "4005601"),
    "external id too long": (altered("X-EXTERNAL-ID", "1" * 37), 400, "4005601"),
    "broken base64": ({**event(), "body": "%", "isBase64Encoded": True}, 400, "4005600"),
    "too large": ({**event(), "body": "x" * 70_000}, 400, "4005600"),
}


class Rotation:
    """Keys as a function keeps them, which are newer in the secret: `doubt` has them read again, if it may."""

    def __init__(self, kept: InboundKeys, newer: InboundKeys, *, may_read: bool = True) -> None:
        self.keys = kept
        self.newer = newer
        self.may_read = may_read
        self.doubts = 0

    def doubt(self) -> bool:
        self.doubts += 1
        if self.may_read:
            self.keys = self.newer
        return self.may_read


def ask_with(rotation: Rotation, house: House, call: dict[str, Any], name: str = NOTIFY) -> tuple[int, str]:
    """Status and response code of a function that keeps those keys."""
    inbound = verify_with(lambda _: rotation.keys, house.world.clock, doubt_keys=rotation.doubt)
    with container.install(replace(house.services, inbound=inbound)):
        return ask(house, call, name)


FITTING = IN_USE
OLDER = {
    "the secret key": replace(FITTING, secret_keys=["an older one"]),
    "the key of issued tokens": replace(FITTING, issued_token_keys=[b"o" * 32]),
}


@pytest.mark.parametrize("older", OLDER)
def test_a_notification_that_fits_newer_keys_than_ours_is_accepted(house: House, older: str) -> None:
    """Another function knows the newer version of the secret, or DOKU signs with it already (a rotation)."""
    rotation = Rotation(OLDER[older], FITTING)
    assert ask_with(rotation, house, event()) == (200, "2005600")
    assert ask_with(rotation, house, event()) == (200, "2005600")
    assert rotation.doubts == 1
    assert house.written == 1


@pytest.mark.parametrize("older", OLDER)
def test_the_keys_are_read_again_only_as_often_as_they_may(house: House, older: str) -> None:
    rotation = Rotation(OLDER[older], FITTING, may_read=False)
    assert ask_with(rotation, house, event())[0] == 401
    assert rotation.doubts == 1
    assert house.written == 0


@pytest.mark.parametrize("older", OLDER)
def test_the_keys_before_are_looked_up_for_a_call_that_needs_them_only(house: House, older: str) -> None:
    asked: list[bool] = []

    def read(keys: InboundKeys, *, previous: bool) -> InboundKeys:
        asked.append(previous)
        now = OLDER[older]
        if not previous:
            return keys
        return replace(
            now,
            secret_keys=[*now.secret_keys, *FITTING.secret_keys],
            issued_token_keys=[*now.issued_token_keys, *FITTING.issued_token_keys],
            are_in_use=False,
        )

    def ask_keeping(current: InboundKeys) -> tuple[int, str]:
        inbound = verify_with(lambda previous: read(current, previous=previous), house.world.clock)
        with container.install(replace(house.services, inbound=inbound)):
            return ask(house, event())

    assert ask_keeping(FITTING) == (200, "2005600")
    assert asked == [False]
    assert ask_keeping(OLDER[older]) == (200, "2005600")
    assert asked == [False, False, True]


def test_a_token_request_that_fits_newer_keys_than_ours_is_granted(house: House) -> None:
    other = load_private_key(KEYS["merchantPrivateKeyPkcs8Pem"]).public_key()
    pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    rotation = Rotation(replace(FITTING, doku_public_keys=[pem]), FITTING)
    assert ask_with(rotation, house, event("issue_token"), "issue_token")[0] == 200


def test_a_bad_field_casts_no_doubt_on_the_keys(house: House) -> None:
    rotation = Rotation(FITTING, FITTING)
    assert ask_with(rotation, house, without("X-TIMESTAMP"))[0] == 400
    assert rotation.doubts == 0


@pytest.mark.parametrize("name", FORGERIES)
def test_a_call_that_is_not_authentic(house: House, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    call, status, code = FORGERIES[name]
    assert ask(house, call) == (status, code)
    assert house.written == 0
    assert house.world.queues.waiting == []
    assert '"NotificationRefused"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"originalPartnerReferenceNo": None}, "4005602"),
        ({"originalPartnerReferenceNo": "\ud800"}, "4005601"),
        ({"additionalInfo": {"custIdMerchant": "\ud800"}}, "4005601"),
        ({"originalReferenceNo": "\ud800"}, "4005601"),
        ({"latestTransactionStatus": "0"}, "4005601"),
        ({"amount": None}, "4005602"),
        ({"amount": {"value": "ten", "currency": "IDR"}}, "4005601"),
        ({"amount": {"currency": "IDR"}}, "4005602"),
    ],
)
def test_an_authentic_call_with_a_bad_field(house: House, changes: dict[str, object], code: str) -> None:
    raw = json.dumps({**body_of(event()), **changes})  # escaped: a lone surrogate is no UTF-8
    assert ask(house, notification(None, raw=raw)) == (400, code)
    assert house.written == 0


@pytest.mark.parametrize("raw", ["", "not JSON", "[]", "{"])
def test_an_authentic_call_that_is_no_json_object(house: House, raw: str) -> None:
    assert ask(house, notification(None, raw=raw)) == (400, "4005600")


def test_the_bytes_count_not_their_wrapping(house: House) -> None:
    spaced = json.dumps(body_of(event()), indent=2)
    compact = notification(body_of(event()))
    assert ask(house, {**compact, "body": spaced}) == (200, "2005600")  # the same content, minified (contract 4.5)
    wrapped = {**compact, "body": encode(compact["body"]), "isBase64Encoded": True}
    assert ask(house, wrapped) == (200, "2005600")
    lower = {**compact, "headers": {key.lower(): value for key, value in compact["headers"].items()}}
    assert ask(house, lower) == (200, "2005600")


def test_unknown_fields_are_welcome(house: House) -> None:
    assert ask(house, notification({**body_of(event()), "newField": {"deep": [1]}})) == (200, "2005600")


@pytest.mark.parametrize("missing", [{"originalExternalId": ""}, {"originalExternalId": None}])
def test_an_authentic_call_without_what_nobody_needs(house: House, missing: dict[str, object]) -> None:
    assert ask(house, notification({**body_of(event()), **missing})) == (200, "2005600")


@pytest.mark.parametrize("signed", ["", "?source=a%20b&n=1&n=2"])
@pytest.mark.parametrize("single", [False, True])
def test_a_signature_counts_with_the_query_and_without_it(house: House, signed: str, single: bool) -> None:
    query = {"source": ["a b"], "n": ["1", "2"]}
    call = notification(body_of(event()), path=NOTIFY_PATH + signed) | {
        "path": NOTIFY_PATH,
        "queryStringParameters": {name: values[-1] for name, values in query.items()},
        "multiValueQueryStringParameters": None if single else query,
    }
    # An event that has each name once can not say what was asked for; the path alone still counts.
    assert ask(house, call) == ((401, "4015600") if single and signed else (200, "2005600"))


@pytest.mark.parametrize("query", [{"a": ["\ud800"]}, {"a": "b"}, {"a": [None, 1]}, ["a"], "a=b", {}])
def test_an_odd_query_does_no_harm(house: House, query: object) -> None:
    assert ask(house, event() | {"multiValueQueryStringParameters": query}) == (200, "2005600")


def test_the_form_of_the_body_that_was_signed_is_logged_where_it_is_another(house: House) -> None:
    compact = notification(body_of(event()))
    assert ask(house, compact) == (200, "2005600")
    assert "another form" not in house.log.getvalue()
    assert ask(house, {**compact, "body": json.dumps(body_of(event()), indent=2)}) == (200, "2005600")
    lines = [json.loads(line) for line in house.log.getvalue().splitlines()]
    assert [line["reason"] for line in lines if "another form" in line["message"]] == ["minified"]


class StoreDown(Weather):
    """The tables do not answer."""

    def draw(self, name: str) -> Fault:
        return Fault.FAIL if name.startswith("store.") else Fault.NONE


def test_our_own_outage_makes_doku_come_again(house: House) -> None:
    house.world.weather = StoreDown()
    assert ask(house, event()) == (500, "5005600")
    call = event("receive_binding_notification")
    assert ask(house, call, "receive_binding_notification") == (500, "5000700")
    house.world.weather = Weather()
    assert ask(house, event()) == (200, "2005600")


def test_a_binding_notification_signed_for_the_payment_path_is_refused(house: House) -> None:
    call = event("receive_binding_notification")
    assert ask(house, {**call, "path": NOTIFY_PATH}, "receive_binding_notification") == (401, "4010700")
    assert ask(house, {**event(), "path": BINDING_NOTIFY_PATH}) == (401, "4015600")


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_a_token_carries_a_notification_and_ends(house: House) -> None:
    result = house.invoke("issue_token", event("issue_token"))
    assert result["headers"]["X-CLIENT-KEY"] == vector_signer().client_id
    assert ON_EVERY_ANSWER.items() <= result["headers"].items()
    house.world.clock.tick(901)
    assert ask(house, event()) == (401, "4015601")


@pytest.mark.parametrize(
    ("header", "value", "reply"),
    [
        ("X-SIGNATURE", "A" * 344, (401, "4017300")),
        ("X-SIGNATURE", "", (400, "4007302")),
        ("X-CLIENT-KEY", "BRN-0000", (401, "4017300")),
        ("X-CLIENT-KEY", "", (400, "4007302")),
        ("X-TIMESTAMP", "2026-03-02T09:00:01Z", (401, "4017300")),
        ("X-TIMESTAMP", "yesterday", (400, "4007301")),
    ],
)
def test_a_token_request_that_is_not_authentic(
    house: House, header: str, value: str, reply: tuple[int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    call = event("issue_token")
    assert ask(house, {**call, "headers": {**call["headers"], header: value}}, "issue_token") == reply
    assert '"TokenRequestRefused"' in capsys.readouterr().out


@pytest.mark.parametrize(("name", "header"), [("issue_token", "X-SIGNATURE"), (NOTIFY, "X-SIGNATURE")])
def test_who_is_refused_is_told_by_the_address_and_who_is_heard_is_not(house: House, name: str, header: str) -> None:
    call = event(name)
    assert call["requestContext"]["identity"]["sourceIp"] == "203.0.113.7"
    assert ask(house, call, name)[0] == 200
    assert "203.0.113.7" not in house.log.getvalue()
    assert ask(house, {**call, "headers": {**call["headers"], header: "A" * 88}}, name)[0] == 401
    lines = [json.loads(line) for line in house.log.getvalue().splitlines()]
    (refused,) = [line for line in lines if line["message"].endswith("refused")]
    assert refused["sourceAddress"] == "203.0.113.7"


@pytest.mark.parametrize("address", [None, "", 7, "Siti Aminah", "203.0.113.7, 10.0.0.1", "1" * 46])
def test_what_is_no_address_is_not_told(house: House, address: object) -> None:
    call = event()
    context = {**call["requestContext"], "identity": {"sourceIp": address}}
    ask(house, {**call, "requestContext": context, "headers": {**call["headers"], "X-SIGNATURE": "A"}})
    assert "sourceAddress" not in house.log.getvalue()
    assert "notification refused" in house.log.getvalue()


def test_what_is_granted_or_our_own_fault_is_not_counted_as_refused(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert house.invoke("issue_token", event("issue_token"))["statusCode"] == 200

    def no_keys() -> None:
        raise KeyError

    monkeypatch.setattr(house.services.inbound, "_keys", no_keys)
    assert ask(house, event("issue_token"), "issue_token") == (500, "5007300")
    assert "TokenRequestRefused" not in capsys.readouterr().out


def test_a_token_request_outside_the_window(house: House) -> None:
    house.world.clock.tick(301)
    assert ask(house, event("issue_token"), "issue_token") == (401, "4017300")


def test_a_secret_that_can_not_be_read_is_our_outage(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_keys() -> None:
        raise KeyError("a text that nobody vetted")

    monkeypatch.setattr(house.services.inbound, "_keys", no_keys)
    assert ask(house, event("issue_token"), "issue_token") == (500, "5007300")
    assert ask(house, event()) == (500, "5005600")
    assert "nobody vetted" not in house.log.getvalue()


def processing(house: House, ref: str = "INV000000001", customer: str = "CUST-1") -> dict[str, Any]:
    """A payment whose code was accepted; the body of the notification that it succeeded."""
    body = payment_body(house.link(customer))
    house.call("make_payment", {**body, "partnerReferenceNo": ref})
    house.call("verify_payment_otp", {"otp": "123456"}, path={"ref": ref})
    payment = house.ports.payments.get(ref)
    assert payment is not None
    house.world.clock.set(AT)
    return {
        **body_of(event()),
        "originalPartnerReferenceNo": ref,
        "originalExternalId": payment.external_id,
        "additionalInfo": {"custIdMerchant": customer},
    }


def test_a_notification_makes_a_payment_paid(house: House) -> None:
    paid = processing(house)
    assert ask(house, notification(paid)) == (200, "2005600")
    house.world.work()
    assert house.call("get_payment", path={"ref": "INV000000001"}).json["state"] == "PAID"


@pytest.mark.parametrize("value", ["10000.00", "10000", "10000.0"])
def test_a_notification_whose_texts_are_numbers_makes_a_payment_paid(house: House, value: str) -> None:
    paid = processing(house, ref="424242424242", customer="77")
    raw = json.dumps(paid).replace('"10000.00"', value).replace('"424242424242"', "424242424242").replace('"77"', "77")
    assert raw.count('"') == json.dumps(paid).count('"') - 6
    assert ask(house, notification(None, raw=raw)) == (200, "2005600")
    house.world.work()
    assert house.call("get_payment", path={"ref": "424242424242"}).json["state"] == "PAID"


def test_a_numeric_customer_of_somebody_else_is_a_mismatch(house: House) -> None:
    paid = processing(house)
    assert ask(house, notification({**paid, "additionalInfo": {"custIdMerchant": 78}})) == (200, "2005600")
    item_id = house.world.queues.waiting[0][2].subject
    house.world.work()
    item = house.ports.inbox.get(item_id)
    assert item is not None
    assert (item.state, item.reason) == (InboxState.QUARANTINED, "customer_mismatch")
