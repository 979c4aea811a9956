"""The pages of a customer's payments at the door: their marks, and what is refused."""

import json
from datetime import UTC, datetime, time, timedelta

import pytest

from direct_debit.application import pages
from direct_debit.application.days import FIRST_DAY
from direct_debit.application.errors import InvalidRequest
from direct_debit.application.pages import Latest
from direct_debit.application.ports.pages import PageMark
from direct_debit.domain.values import JAKARTA
from direct_debit.entrypoint.doors import Call
from direct_debit.entrypoint.events import ApiRequest
from direct_debit.entrypoint.listing import name_list, read_mark, write_mark
from direct_debit.entrypoint.operations.list_payments import ROUTE, operate
from direct_debit.entrypoint.parsing import read_command, read_request
from tests.fakes.clock import START
from tests.fakes.journey import Merchant
from tests.fakes.quiescence import come_to_rest
from tests.unit.application.support import linked, lose_notifications
from tools.doku_simulator.dials import Dial

_SAYS_WHICH = {"customerId", "day", "dokuReference", "unresolved"}


def request(**query: str) -> ApiRequest:
    return ApiRequest(
        request_id="r",
        path=ROUTE.path,
        headers={},
        path_parameters={},
        query=query,
        raw_body=None,
        query_pairs=tuple(query.items()),
    )


def ask(merchant: Merchant, **query: str) -> dict[str, object]:
    which = {} if _SAYS_WHICH & set(query) else {"customerId": "CUST-1"}
    return ask_only(merchant, **which, **query)


def ask_only(merchant: Merchant, **query: str) -> dict[str, object]:
    ports = merchant.world.process()
    given = read_request(ROUTE, request(**query), ports.settings)
    return operate(given, Call(ports, merchant.world.deadline())).view.to_json()


def test_all_pages_together_are_all_payments_each_once() -> None:
    merchant = linked()
    for number in range(5):
        merchant.pay(f"INV-{number}")
        merchant.world.clock.tick(60)
    found: list[object] = []
    page = ask(merchant, limit="2")
    while True:
        assert isinstance(page["payments"], list)
        found += [payment["partnerReferenceNo"] for payment in page["payments"]]
        if "next" not in page:
            break
        page = ask(merchant, limit="2", after=str(page["next"]))
    assert found == [f"INV-{number}" for number in reversed(range(5))]


def test_a_payment_in_a_list_shows_what_it_shows_by_itself_but_its_history() -> None:
    merchant = linked()
    merchant.pay("INV-1")
    (shown,) = json.loads(json.dumps(ask(merchant)["payments"]))
    assert (shown["state"], shown["remarks"]) == ("OTP_PENDING", "Order 1")
    assert "history" not in shown


def read_all(merchant: Merchant, **query: str) -> list[str]:
    page = ask_only(merchant, **query)
    found = references(page)
    while "next" in page:
        page = ask_only(merchant, **query, after=str(page["next"]))
        found += references(page)
    return found


def references(page: dict[str, object]) -> list[str]:
    assert isinstance(page["payments"], list)
    return [payment["partnerReferenceNo"] for payment in page["payments"]]


def test_a_day_is_jakartas() -> None:
    merchant = linked()
    clock = merchant.world.clock
    clock.set(datetime(2026, 3, 2, 16, 59, 59, tzinfo=UTC))
    merchant.pay("BEFORE-MIDNIGHT")
    clock.tick(1)
    merchant.pay("AT-MIDNIGHT")
    clock.tick(60)
    merchant.pay("LATER")
    assert references(ask(merchant, day="2026-03-02")) == ["BEFORE-MIDNIGHT"]
    assert references(ask(merchant, day="2026-03-03")) == ["LATER", "AT-MIDNIGHT"]
    clock.set(datetime(2026, 3, 3, 16, 55, tzinfo=UTC))
    assert references(ask(merchant, day="2026-03-04")) == []  # clocks may differ by five minutes
    clock.set(datetime(2026, 3, 3, 16, 54, 59, tzinfo=UTC))
    with pytest.raises(InvalidRequest, match=r"has not begun: in Jakarta .* it is 2026-03-03"):
        ask(merchant, day="2026-03-04")
    for day in ("0001-01-01", "1999-12-31"):
        assert references(ask(merchant, day=day)) == []


def test_a_days_pages_together_are_all_of_it_each_once() -> None:
    merchant = linked()
    merchant.world.clock.set(datetime(2026, 3, 2, 18, tzinfo=UTC))
    for number in range(9):
        merchant.pay(f"INV-{number}")
        merchant.world.clock.tick(0.001)
    found: list[str] = []
    page = ask(merchant, day="2026-03-03", limit="2")
    while True:
        found += references(page)
        if "next" not in page:
            break
        page = ask(merchant, day="2026-03-03", limit="2", after=str(page["next"]))
    assert found == [f"INV-{number}" for number in reversed(range(9))]


@pytest.mark.parametrize("which", [{"customerId": "CUST-1"}, {"day": "2026-03-02"}])
def test_a_state_is_found_among_others(which: dict[str, str]) -> None:
    merchant = linked()
    merchant.world.clock.set(datetime(2026, 3, 2, 8, tzinfo=UTC))
    for number in range(6):
        merchant.pay(f"INV-{number}")
        merchant.world.clock.tick(1)
    for paid in ("INV-1", "INV-4"):
        merchant.enter_otp(ref=paid)
    merchant.world.clock.tick(2)
    merchant.world.pump()
    assert references(ask(merchant, state="PAID", **which)) == ["INV-4", "INV-1"]
    first = ask(merchant, state="PAID", limit="1", **which)
    assert references(first) == ["INV-4"]
    second = ask(merchant, state="PAID", limit="1", after=str(first["next"]), **which)
    assert references(second) == ["INV-1"]
    rest = ask(merchant, state="PAID", after=str(second["next"]), **which)
    assert (references(rest), "next" in rest) == ([], False)
    assert references(ask(merchant, state="REFUNDED", **which)) == []


def test_a_state_alone_is_found_on_all_days_newest_first() -> None:
    merchant = linked()
    clock = merchant.world.clock
    asked = datetime(2026, 3, 29, 17, tzinfo=UTC)  # Jakarta's midnight
    paid = ["LATER", "AT-MIDNIGHT", "BEFORE-MIDNIGHT", "OLD"]
    for ref, days in (
        ("OLD", 20),
        ("AT-MIDNIGHT", 7),
        ("BEFORE-MIDNIGHT", 7),
        ("EARLIER", 3),
        ("LATER", 3),
        ("NOW", 0),
    ):
        at = asked - timedelta(days=days) - timedelta(microseconds=ref == "BEFORE-MIDNIGHT")
        clock.set(at if ref not in ("LATER", "NOW") else at + timedelta(hours=1))
        merchant.pay(ref)
        if ref in paid:
            merchant.enter_otp(ref=ref)
    clock.tick(2)
    merchant.world.pump()
    assert references(ask_only(merchant, state="PAID")) == paid
    assert read_all(merchant, state="PAID", limit="1") == paid
    assert read_all(merchant, state="PAID", limit="3") == paid
    assert references(ask_only(merchant, state="OTP_PENDING")) == ["NOW"]
    assert references(ask_only(merchant, state="REFUNDED")) == []


def test_a_state_alone_ends_at_the_first_day() -> None:
    """Of an idle shop: a request looks at fifty days at most, and the last page of all is one without `next`."""
    merchant = linked()
    merchant.world.clock.set(datetime.combine(FIRST_DAY, time(), JAKARTA).astimezone(UTC))
    merchant.pay("FIRST")
    merchant.world.clock.set(START + timedelta(days=365))
    page = ask_only(merchant, state="OTP_PENDING")
    assert page["payments"] == []
    asked = 1
    while not page["payments"]:
        page = ask_only(merchant, state="OTP_PENDING", after=str(page["next"]))
        asked += 1
    assert references(page) == ["FIRST"]
    assert "next" not in page
    assert asked == 9  # 426 days
    early = write_mark(PageMark(datetime(1, 1, 1, 12, tzinfo=UTC), "r"), name_list(ROUTE.name, Latest()))
    late = write_mark(PageMark(datetime.max.replace(tzinfo=UTC), "r"), name_list(ROUTE.name, Latest()))
    assert ask_only(merchant, state="OTP_PENDING", after=early) == {"payments": []}
    assert ask_only(merchant, state="OTP_PENDING", after=late)["next"] is not None


def test_what_is_rare_comes_in_pages_that_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_AT_ONCE", 2)
    monkeypatch.setattr(pages, "_LOOKED_AT_MOST", 4)
    merchant = linked()
    for number in range(7):
        merchant.pay(f"INV-{number}")
        merchant.world.clock.tick(1)
    merchant.enter_otp(ref="INV-0")
    merchant.world.clock.tick(2)
    merchant.world.pump()
    first = ask(merchant, state="PAID")
    assert (references(first), "next" in first) == ([], True)
    assert references(ask(merchant, state="PAID", after=str(first["next"]))) == ["INV-0"]


def test_dokus_reference_names_a_payment() -> None:
    merchant = linked()
    merchant.pay("INV-1")
    merchant.pay("INV-2")
    named = merchant.payment("INV-2").doku_reference
    assert named is not None
    assert references(ask(merchant, dokuReference=named)) == ["INV-2"]
    assert references(ask(merchant, dokuReference="unknown")) == []


def test_unresolved_payments_are_listed_and_settled_ones_are_not() -> None:
    merchant = linked()
    merchant.pay("WAITS")
    merchant.world.clock.tick(1)
    merchant.world.simulator.dials.add(Dial("payment", "drop", "after"))
    merchant.pay("UNKNOWN")
    merchant.pay("PAID")
    merchant.enter_otp(ref="PAID")
    merchant.world.clock.tick(2)
    merchant.world.pump()
    assert merchant.payment("PAID").state == "PAID"
    assert sorted(references(ask(merchant, unresolved="true"))) == ["UNKNOWN", "WAITS"]
    assert references(ask(merchant, unresolved="true", state="UNKNOWN")) == ["UNKNOWN"]
    one = ask(merchant, unresolved="true", limit="1")
    other = ask(merchant, unresolved="true", limit="1", after=str(one["next"]))
    assert sorted(references(one) + references(other)) == ["UNKNOWN", "WAITS"]


@pytest.mark.long
def test_what_waits_for_a_person_is_unresolved() -> None:
    merchant = linked()
    merchant.pay("EXHAUSTED", "10504.00")  # debited, and the answer is lost
    lose_notifications(merchant.world)
    merchant.world.simulator.dials.add(Dial("*", "drop", count=10_000))
    come_to_rest(merchant.world, 2 * 86_400)
    assert merchant.payment("EXHAUSTED").state == "NEEDS_REVIEW"
    assert references(ask(merchant, unresolved="true")) == ["EXHAUSTED"]


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ({"limit": "2"}, "customerId", "Say which payments"),
        ({"customerId": "C1", "day": "2026-03-02"}, "day", "not several"),
        ({"day": "2026-03-02", "unresolved": "true"}, "unresolved", "not several"),
        ({"dokuReference": "X", "day": "2026-03-02"}, "dokuReference", "without day"),
        ({"dokuReference": "X", "after": write_mark(PageMark(START, "r"), "of")}, "dokuReference", "without after"),
        ({"dokuReference": "X", "state": "PAID"}, "dokuReference", "alone"),
        ({"day": "02.03.2026"}, "day", "YYYY-MM-DD"),
        ({"day": "2026-13-01"}, "day", "YYYY-MM-DD"),
        ({"day": "2026-03-02", "state": "PAYED"}, "state", "PAID"),
        ({"unresolved": "yes"}, "unresolved", "true"),
    ],
)
def test_a_question_that_is_none_says_what_to_ask(query: dict[str, str], field: str, words: str) -> None:
    merchant = linked()
    ports = merchant.world.process()
    with pytest.raises(InvalidRequest) as refused:
        operate(read_request(ROUTE, request(**query), ports.settings), Call(ports, merchant.world.deadline()))
    assert refused.value.field == field
    assert words in str(refused.value)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "two", "1.5", "\u0663"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_request(ROUTE, request(customerId="C1", limit=limit), linked().world.settings)
    assert refused.value.field == "limit"


@pytest.mark.parametrize("after", ["", "x", "%%%", "MjAyNg", "fA", write_mark(PageMark(START, "r"), "of")[:-4]])
def test_a_mark_that_is_none_is_refused(after: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_request(ROUTE, request(customerId="C1", after=after), linked().world.settings)
    assert refused.value.field == "after"


def test_a_mark_is_read_as_it_was_written() -> None:
    for mark in (PageMark(START, "INV-1"), PageMark(START, ""), PageMark(START + timedelta(microseconds=1), "a.b_c-d")):
        assert read_mark(write_mark(mark, "of")) == (mark, "of")


def test_a_page_of_another_list_is_refused_and_one_of_another_state_is_not() -> None:
    merchant = linked()
    for number in range(3):
        merchant.pay(f"INV-{number}")
        merchant.world.clock.tick(1)
    after = str(ask(merchant, limit="1")["next"])
    assert references(ask(merchant, limit="1", after=after)) == ["INV-1"]
    assert references(ask(merchant, after=after, state="PAID")) == []
    for other in ({"customerId": "CUST-2"}, {"day": "2026-03-02"}, {"unresolved": "true"}):
        with pytest.raises(InvalidRequest, match="of another list"):
            ask(merchant, after=after, **other)


@pytest.mark.parametrize("name", ["customerId", "day", "after", "state", "dokuReference", "unresolved"])
def test_a_plain_commands_number_where_a_text_belongs_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_command(ROUTE, {"customerId": "C1", name: 7}, linked().world.settings)
    assert refused.value.field == name


def test_a_plain_command_gives_a_number() -> None:
    settings = linked().world.settings
    assert read_command(ROUTE, {"customerId": "C1", "limit": 7}, settings).limit == 7
    assert read_command(ROUTE, {"customerId": "C1"}, settings).limit == 20


@pytest.mark.parametrize(
    "command", [{"day": 20260302}, {"customerId": "C1", "after": 5}, {"customerId": "C1", "day": []}]
)
def test_a_plain_command_of_the_wrong_kind_is_refused_by_name(command: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_command(ROUTE, command, linked().world.settings)
    assert refused.value.field == list(command)[-1]
