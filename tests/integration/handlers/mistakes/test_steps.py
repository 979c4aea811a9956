"""Steps in a wrong order, too often, or for another state: what the answer says of the way on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from tests.integration.handlers.house import House, Response, binding_body, payment_body
from tests.integration.handlers.mistakes.mistake import ONE_READING, REF, STATUS, idr
from tools.doku_simulator.dials import Dial

RIGHT, WRONG = {"otp": "123456"}, {"otp": "000000"}
NOT_KEPT = "(successUrl, failedUrl, deviceId or ipAddress differs)"  # a fingerprint is all that is kept of these


# --- how far somebody is ---------------------------------------------------------------------------------------------


def pending(house: House) -> str:
    """A link whose customer has not been at the bank."""
    binding_id: str = house.call("bind_account", binding_body()).json["bindingId"]
    return binding_id


def linked(house: House) -> str:
    """A linked account."""
    return house.link()


def paying(house: House) -> str:
    """A payment that waits for its code."""
    binding_id = house.link()
    assert house.call("make_payment", payment_body(binding_id)).status == 201
    return binding_id


def verified(house: House) -> str:
    """A payment whose code was taken."""
    binding_id = paying(house)
    assert house.call("verify_payment_otp", RIGHT, path=REF).status == 200
    return binding_id


def paid(house: House) -> str:
    """A payment that is paid."""
    binding_id = verified(house)
    house.world.run_for(60)
    return binding_id


def failed(house: House) -> str:
    """A payment whose code was wrong too often."""
    binding_id = paying(house)
    for _ in range(3):
        house.call("verify_payment_otp", WRONG, path=REF)
    return binding_id


def refunding(house: House) -> str:
    """A payment whose refund was asked for."""
    binding_id = paid(house)
    body = {"partnerRefundNo": "RFD1", "reason": "Damaged"}
    assert house.call("refund_payment", body, path=REF).status == 202
    return binding_id


def unlinking(house: House) -> str:
    """An unlinking that waits for its code."""
    binding_id = house.link()
    assert house.call("unbind_account", path={"id": binding_id}).status == 202
    return binding_id


def unlinked(house: House) -> str:
    """An account that was unlinked."""
    binding_id = unlinking(house)
    assert house.call("confirm_unbinding", RIGHT, path={"id": binding_id}).status == 200
    return binding_id


# --- what somebody does then -----------------------------------------------------------------------------------------

type Step = Callable[[House, str], Response]


def call(name: str, body: object = None, path: Mapping[str, str] | None = REF) -> Step:
    """A call about the payment."""
    return lambda house, _: house.call(name, body, path=path)


def call_refused(name: str, case: str, body: object = None) -> Step:
    """A call about the link which DOKU answers with this code."""

    def step(house: House, binding_id: str) -> Response:
        operation = {"get_balance": "balance", "unbind_account": "unbinding"}[name]
        house.world.simulator.dials.add(Dial(operation, "code", when="before", code=case))
        return house.call(name, body, path={"id": binding_id})

    return step


def link(**change: object) -> Step:
    """A request to link."""
    return lambda house, _: house.call("bind_account", binding_body(**change))


def call_link(name: str, body: object = None) -> Step:
    """A call about the link."""
    return lambda house, binding_id: house.call(name, body, path={"id": binding_id})


def pay(headers: Mapping[str, str] | None = None, **change: object) -> Step:
    """A payment with this link."""
    return lambda house, binding_id: house.call("make_payment", payment_body(binding_id, **change), headers=headers)


@dataclass(frozen=True)
class Case:
    """Where somebody is, what they do, which problem they meet, and the words of the way on."""

    did: str
    state: Callable[[House], str]
    step: Step
    slug: str
    says: tuple[str, ...]


ANEW = "link the account again with POST /bindings and use the new bindingId"
CASES = [
    Case(
        "links an account of somebody else",
        linked,
        link(customerId="CUST-2", phone="6281100000077"),
        "conflict",
        ("it has to be unlinked there first (DELETE /bindings/{id})", "or this customer links another account"),
    ),
    Case(
        "links a second account",
        linked,
        link(phone="6281100000078"),
        "conflict",
        ("has another link (binding ", "unlink that first, with DELETE /bindings/{id}"),
    ),
    Case(
        "asks for the balance of an account that the bank has closed",
        linked,
        call_refused("get_balance", "40318"),
        "customer-action-required",
        ("responseCode says why", "let the customer ask CIMB"),
    ),
    Case(
        "asks for a balance that DOKU does not tell",
        linked,
        call_refused("get_balance", "40301"),
        "rejected",
        ("responseCode says why", "the same again is refused again"),
    ),
    Case(
        "unlinks what DOKU does not let go",
        linked,
        call_refused("unbind_account", "40301"),
        "rejected",
        ("responseCode says why", "the account stays linked, and the same again begins anew"),
    ),
    Case(
        "pays before linking is done",
        pending,
        pay(),
        "conflict",
        ("PENDING, not ACTIVE", "send the browser to redirectUrl", "nothing was sent"),
    ),
    Case(
        "asks for the balance before linking is done",
        pending,
        call_link("get_balance"),
        "conflict",
        ("send the browser to redirectUrl",),
    ),
    Case(
        "sends a code for a link that is pending",
        pending,
        call_link("confirm_unbinding", RIGHT),
        "conflict",
        ("no code is awaited", "PENDING"),
    ),
    Case(
        "confirms without DELETE",
        linked,
        call_link("confirm_unbinding", RIGHT),
        "conflict",
        ("no code is awaited", "DELETE /bindings/{id} asks for one"),
    ),
    Case(
        "sends a code before paying",
        linked,
        call("verify_payment_otp", RIGHT),
        "not-found",
        ("send the partnerReferenceNo with which it was made",),
    ),
    Case(
        "refunds before paying",
        linked,
        call("refund_payment"),
        "not-found",
        ("send the partnerReferenceNo with which it was made",),
    ),
    Case(
        "pays by the customer's id",
        linked,
        pay(bindingId="CUST-1"),
        "not-found",
        ("GET /bindings?customerId=... lists them",),
    ),
    Case(
        "another amount for a reference",
        paying,
        pay(amount=idr("20000.00")),
        "conflict",
        ("(amount differs)", "use a new one, or repeat the request as it was", "nothing was sent"),
    ),
    Case("other remarks for a reference", paying, pay(remarks="Order 4712"), "conflict", ("(remarks differs)",)),
    Case(
        "amount and metadata for a reference",
        paying,
        pay(amount=idr("1.00"), metadata={"cart": "2"}),
        "conflict",
        ("(amount, metadata differs)",),
    ),
    Case(
        "another page for a reference",
        paying,
        pay(successUrl="https://shop.example/other"),
        "conflict",
        (NOT_KEPT,),
    ),
    Case("another device for a reference", paying, pay(deviceId="b1"), "conflict", (NOT_KEPT,)),
    Case(
        "another link for a reference",
        paying,
        lambda house, _: house.call("make_payment", payment_body("0" * 32)),
        "conflict",
        ("(bindingId differs)",),
    ),
    Case(
        "a payment in small letters",
        paying,
        call("get_payment", path={"ref": "inv000000001"}),
        "not-found",
        ("capital and small letters as they were",),
    ),
    Case(
        "refunds what waits for its code",
        paying,
        call("refund_payment"),
        "conflict",
        ("OTP_PENDING", "send this again when it is"),
    ),
    Case(
        "reads a refund that nobody asked for",
        paying,
        call("get_refund"),
        "not-found",
        ("POST /payments/{ref}/refund asks for one",),
    ),
    Case(
        "unlinks while a payment is open",
        paying,
        call_link("unbind_account"),
        "conflict",
        ("INV000000001", "unlink when they are"),
    ),
    Case("a wrong code", paying, call("verify_payment_otp", WRONG), "otp-wrong", ("ask the customer for it again",)),
    Case(
        "the code of 999999",
        paying,
        call("verify_payment_otp", {"otp": "999999"}),
        "otp-expired",
        ("a new one needs a new reference",),
    ),
    Case(
        "a refund before it is paid",
        verified,
        call("refund_payment"),
        "conflict",
        ("PROCESSING", "send this again when it is"),
    ),
    Case(
        "a code for what has failed",
        failed,
        call("verify_payment_otp", RIGHT),
        "conflict",
        ("FAILED", "start a new one with a new reference"),
    ),
    Case(
        "a refund of what has failed",
        failed,
        call("refund_payment"),
        "conflict",
        ("FAILED", "there is nothing to give back"),
    ),
    Case(
        "a second refund",
        refunding,
        call("refund_payment", {"partnerRefundNo": "RFD2"}),
        "conflict",
        ("partnerRefundNo RFD1", "there is only one", "GET /payments/{ref}/refund shows it"),
    ),
    Case(
        "another reason for the refund",
        refunding,
        call("refund_payment", {"partnerRefundNo": "RFD1", "reason": "x"}),
        "conflict",
        ("another reason", "repeat it as it was"),
    ),
    Case("unlinks while a refund is open", refunding, call_link("unbind_account"), "conflict", ("INV000000001",)),
    Case(
        "reads a payment by its refund",
        refunding,
        call("get_payment", path={"ref": "RFD1"}),
        "not-found",
        ("send the partnerReferenceNo",),
    ),
    Case(
        "pays while unlinking",
        unlinking,
        pay(),
        "conflict",
        ("UNBIND_OTP_PENDING", "finish that, or wait until it has expired"),
    ),
    Case(
        "a wrong code of the unlinking",
        unlinking,
        call_link("confirm_unbinding", WRONG),
        "otp-wrong",
        ("ask the customer for it again",),
    ),
    Case(
        "the code 999999 of the unlinking",
        unlinking,
        call_link("confirm_unbinding", {"otp": "999999"}),
        "otp-expired",
        ("the account stays linked, and DELETE /bindings/{id} begins anew",),
    ),
    Case(
        "the balance while unlinking",
        unlinking,
        call_link("get_balance"),
        "conflict",
        ("the account is being unlinked",),
    ),
    Case("pays with what was unlinked", unlinked, pay(), "conflict", ("UNBOUND", ANEW)),
    Case("the balance of what was unlinked", unlinked, call_link("get_balance"), "conflict", ("UNBOUND", ANEW)),
]
REFUSED_BY_THE_BANK = 422


def count_moves(house: House) -> tuple[int, int]:
    """How many debits there are, and how many refunds that nobody has asked for yet."""
    kinds = [entry.kind for entry in house.world.simulator.bank.ledger]
    return kinds.count("debit"), max(0, kinds.count("refund") - 1)


@pytest.mark.parametrize("case", [pytest.param(one, id=one.did) for one in CASES])
def test_a_step_that_does_not_fit_is_explained(house: House, case: Case) -> None:
    binding_id = case.state(house)
    before = count_moves(house)
    response = case.step(house, binding_id)
    problem = response.json
    slug = str(problem["type"]).rsplit("/", 1)[-1]
    assert (response.status, slug) == (STATUS.get(case.slug, REFUSED_BY_THE_BANK), case.slug), response.text
    assert [words for words in case.says if words not in problem["detail"]] == [], problem["detail"]
    assert len(problem["detail"]) <= ONE_READING
    house.world.run_for(60)
    assert count_moves(house) == before


# --- what looks like a mistake, and is none --------------------------------------------------------------------------

REPEATS: list[tuple[str, Callable[[House], str], Step, str]] = [
    ("links again", linked, lambda house, _: house.call("bind_account", binding_body()), "ACTIVE"),
    ("pays again", paying, pay(), "OTP_PENDING"),
    ("sends the code again", verified, call("verify_payment_otp", RIGHT), "PROCESSING"),
    ("sends another code afterwards", verified, call("verify_payment_otp", WRONG), "PROCESSING"),
    ("sends the code again when it is paid", paid, call("verify_payment_otp", RIGHT), "PAID"),
    ("unlinks again", unlinked, call_link("unbind_account"), "UNBOUND"),
    ("confirms the unlinking again", unlinked, call_link("confirm_unbinding", RIGHT), "UNBOUND"),
]


@pytest.mark.parametrize(("state", "step", "then"), [one[1:] for one in REPEATS], ids=[one[0] for one in REPEATS])
def test_a_repeat_is_answered_with_what_there_is(
    house: House, state: Callable[[House], str], step: Step, then: str
) -> None:
    binding_id = state(house)
    sent = house.sent
    response = step(house, binding_id)
    assert (response.status, response.json["state"]) == (200, then), response.text
    assert response.headers["Idempotency-Replayed"] == "true"
    assert house.sent == sent


def test_a_key_that_names_another_payment(house: House) -> None:
    binding_id = house.link()
    key = {"Idempotency-Key": "basket-7"}
    assert pay(key)(house, binding_id).status == 201
    response = pay(key, partnerReferenceNo="INV000000002")(house, binding_id)
    assert response.status == 409
    for words in ("names the payment INV000000001", "to pay another time send a new key", "nothing was sent"):
        assert words in response.json["detail"]
