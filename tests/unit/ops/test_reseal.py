"""`./ops reseal`, and the end of a data key that it prepares, beside live traffic and what functions remember."""

import json
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal, cast

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from direct_debit.adapters.dynamodb.binding_item import write_binding
from direct_debit.adapters.dynamodb.changes import Change
from direct_debit.adapters.dynamodb.client import Refused, Store
from direct_debit.adapters.dynamodb.conditions import Condition
from direct_debit.adapters.dynamodb.items import AttributeValue, Item, text
from direct_debit.adapters.dynamodb.keys import binding_key, customer_key, inbox_key, payment_key
from direct_debit.adapters.dynamodb.move_item import write_moves
from direct_debit.adapters.dynamodb.sealed_item import SEALED_FIELDS, kind_of, list_sealed
from direct_debit.adapters.vault import find_key_id
from direct_debit.application.ports.vault import SealedField, UnsealFailed
from direct_debit.domain.binding import Binding, BindingEvent, BindingState, remember_move
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.move import PATIENCE, Move
from direct_debit.domain.payment import PaymentState
from direct_debit.entrypoint.stream import consume
from tests.fakes.journey import Merchant
from tests.fakes.keyed_world import SECRET_KEY, KeyedWorld
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.fakes.streams import write_record
from tests.fakes.world import vector_keys
from tests.integration.handlers.sealed_records import put_records, put_shared_token, say
from tests.unit.ops.terminal import Terminal
from tools.new_keys import new_key
from tools.ops import system as system_module
from tools.ops.data_keys import LONGEST_RUN
from tools.ops.secret_content import read_content
from tools.ops.stack_secret import StackSecret
from tools.ops.system import System

_KEYS = vector_keys()
_NAMES = ("one", "two", "three")


@dataclass
class Desk:
    """Where the operator sits; the keys were made an hour ago."""

    capsys: pytest.CaptureFixture[str]
    layout: Literal["one", "three"] = "one"
    world: KeyedWorld = field(init=False)
    system: System = field(init=False)
    terminal: Terminal = field(init=False)

    def __post_init__(self) -> None:
        self.world = KeyedWorld(layout=self.layout)
        self.system = self.world.system()
        self.terminal = Terminal(self.capsys, lambda: self.system)
        self.secret.put(json.dumps(self._content()), after=None)
        self.later(3600)

    def _content(self) -> Mapping[str, object]:
        fields: dict[str, object] = {
            "clientId": self.world.client_id,
            "secretKey": SECRET_KEY,
            "merchantPrivateKey": _KEYS["merchantPrivateKeyPkcs8Pem"],
            "dokuPublicKey": _KEYS["dokuPublicKeyPem"],
            "issuedTokenKey": new_key(),
            "tokenKeys": {"k1": new_key()},
            "activeTokenKey": "k1",
            "phonePepper": new_key(),
        }
        notices = {"noticeKeys": {"n1": new_key()}, "activeNoticeKey": "n1", "noticePepper": new_key()}
        return fields | (notices if self.layout == "three" else {})

    @property
    def secret(self) -> StackSecret:
        return self.system.secret

    @property
    def fields(self) -> dict[str, Any]:
        """What is in use."""
        found: dict[str, Any] = json.loads(self.secret.read_current().text)
        return found

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions in use of each secret."""
        return {name: one.id for name, one in self.secret.read_current().held.items()}

    def later(self, seconds: float) -> None:
        self.world.clock.tick(seconds)

    @property
    def seen(self) -> list[str]:
        """All that was ever printed."""
        return self.terminal.seen

    def ask(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run a command for a program."""
        return self.terminal.ask(*arguments)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command for eyes."""
        return self.terminal.run(*arguments)

    def fill(self) -> None:
        """Put records in which every sealed field is filled, under the keys in use."""
        warm = self.world.environment()
        for name in _NAMES:
            put_records(self.world.store, warm.ports.vault, warm.door.vault, name)
        put_shared_token(self.system.store, warm.ports.vault)

    def items(self) -> list[tuple[str, Item]]:
        """All items with sealed texts."""
        found = [
            (table, cast("Item", item)) for table in (BINDINGS, TRANSACTIONS) for item in self.world.store.items(table)
        ]
        return [(table, item) for table, item in found if list_sealed(item)]

    def key_ids(self) -> Counter[str | None]:
        """Count the texts under each key."""
        return Counter(find_key_id(one.text) for _, item in self.items() for one in list_sealed(item))

    def all_open(self) -> bool:
        """Whether those who act on them open all texts, each at its place."""
        vault = self.world.process().vault
        return all(
            vault.unseal(one.text, one.field, one.owner) == say(one.field, one.owner)
            for _, item in self.items()
            for one in list_sealed(item)
        )

    def written(self) -> int:
        """Count the writes so far."""
        return sum(len(self.world.store.stream(table)) for table in (BINDINGS, TRANSACTIONS))

    def put(self, table: str, key: Item, **attributes: AttributeValue) -> None:
        """Let somebody with write access change an item."""
        item = self.system.store.get(table, key)
        assert item is not None
        self.world.store.put_item(TableName=table, Item={**item, **attributes})

    def get(self, table: str, key: Item) -> Item:
        item = self.system.store.get(table, key)
        assert item is not None
        return item

    def before_each_write(self, act: Callable[[], None]) -> None:
        """Let something happen between the operator's reading and writing."""
        desk = self

        class Hasty(Store):
            """The operator's store, with somebody else at work."""

            def update(self, table: str, key: Item, change: Change, condition: Condition) -> Item | Refused:
                act()
                return super().update(table, key, change, condition)

        self.system = replace(self.system, store=Hasty(desk.world.store, desk.world.clock, desk.world.ids))

    def when_pages_are_read(self, act: Callable[[], None]) -> None:
        """Let something happen once, before the first page is given."""
        read, waiting = self.system.pages, [act]

        def pages(table: str) -> Iterator[Sequence[Item]]:
            while waiting:
                waiting.pop()()
            yield from read(table)

        self.system = replace(self.system, pages=pages)


@pytest.fixture(params=["one", "three"])
def desk(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A stack of either layout, with records in which everything is filled."""
    found = Desk(capsys, request.param)
    found.fill()
    return found


@pytest.fixture
def single(capsys: pytest.CaptureFixture[str]) -> Desk:
    """A stack with one secret and nothing in its tables."""
    return Desk(capsys)


def rotate(desk: Desk, since: float = 3600) -> None:
    """Replace what seals, so many seconds ago."""
    for key in ("tokenKeys", *(["noticeKeys"] if desk.layout == "three" else [])):
        assert desk.run("rotate", key)[0] == 0
    desk.later(since)


# --- a whole table ---------------------------------------------------------------------------------------------------


def test_every_field_of_every_kind_is_sealed_anew_and_the_old_keys_go(desk: Desk) -> None:
    texts = sum(desk.key_ids().values())
    assert texts == 3 * (10 + 3 + 1) + 1
    rotate(desk)
    status, facts = desk.ask("reseal")
    assert (status, facts["sealedAnew"], facts["alreadyNew"], facts["left"]) == (0, texts, 0, 0)
    active = {desk.fields["activeTokenKey"], *([desk.fields["activeNoticeKey"]] if desk.layout == "three" else [])}
    assert set(desk.key_ids()) == active
    assert desk.all_open()
    for ring in ("tokenKeys", *(["noticeKeys"] if desk.layout == "three" else [])):
        status, facts = desk.ask("revoke", ring)
        assert (status, facts["revoked"], facts["tried"], len(facts["removed"])) == (0, True, True, 1), facts
        assert "no text opens that is sealed with" in facts["trials"][0]
        assert len(desk.fields[ring]) == 1
    assert desk.secret.read_previous() is None
    assert desk.all_open()


def test_nothing_that_an_old_key_has_sealed_opens_once_it_is_gone(desk: Desk) -> None:
    leaked = desk.world.process().vault.seal("token", SealedField.ACCESS_TOKEN, "b")
    rotate(desk)
    desk.ask("reseal")
    assert desk.world.process().vault.unseal(leaked, SealedField.ACCESS_TOKEN, "b") == "token"
    assert desk.ask("revoke", "tokenKeys")[0] == 0
    with pytest.raises(UnsealFailed):
        desk.world.process().vault.unseal(leaked, SealedField.ACCESS_TOKEN, "b")


def test_what_is_done_is_not_done_twice(desk: Desk) -> None:
    rotate(desk)
    desk.ask("reseal")
    before = desk.written()
    status, facts = desk.ask("reseal")
    assert (status, facts["sealedAnew"], facts["alreadyNew"]) == (0, 0, sum(desk.key_ids().values()))
    assert desk.written() == before


def test_a_run_that_died_is_ended_by_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_module, "PAGE", 2)
    rotate(desk)
    texts = sum(desk.key_ids().values())
    whole = desk.system
    writes = iter(range(4))

    def breaks() -> None:
        if next(writes, None) is None:
            raise ConnectionError

    desk.before_each_write(breaks)
    with pytest.raises(ConnectionError):
        desk.ask("reseal")
    desk.system = whole
    status, facts = desk.ask("reseal")
    assert status == 0
    assert 0 < facts["alreadyNew"] < texts
    assert facts["sealedAnew"] + facts["alreadyNew"] == texts


def test_one_write_for_each_record_and_nothing_else_of_it_changes(desk: Desk) -> None:
    rotate(desk)
    before = {(table, str(item["pk"])): item for table, item in desk.items()}
    written = desk.written()
    desk.ask("reseal")
    assert desk.written() - written == len(before)
    for table, item in desk.items():
        sealed = SEALED_FIELDS[kind_of(item)]
        other = before[table, str(item["pk"])]
        assert {name for name in item if item[name] != other.get(name)} <= set(sealed)
        assert item.keys() == other.keys()


def test_pages_are_read_one_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_module, "PAGE", 3)
    sizes: list[int] = []
    read = desk.system.pages

    def pages(table: str) -> Iterator[Sequence[Item]]:
        for page in read(table):
            sizes.append(len(page))
            yield page

    desk.system = replace(desk.system, pages=pages)
    rotate(desk)
    status, facts = desk.ask("reseal")
    assert status == 0
    assert max(sizes) == 3
    assert facts["read"] == {
        "bindings": len(list(desk.world.store.items(BINDINGS))),
        "transactions": len(list(desk.world.store.items(TRANSACTIONS))),
    }
    assert sum(sizes) == sum(facts["read"].values())


def test_progress_goes_to_standard_error_and_no_output_has_content(desk: Desk) -> None:
    rotate(desk)
    desk.put(BINDINGS, binding_key("one"), authCode=text("2.k1.broken.x"))
    status, told = desk.run("reseal")
    assert status == 3
    assert "bindings: 4 items read, " in told
    assert "BINDING#one  authCode  the text is not this owner's, or was altered" in told
    assert desk.run("revoke", "tokenKeys")[0] in (0, 3)
    for shown in desk.seen:
        assert "canary" not in shown
        assert "customer-" not in shown
        assert not any(one.text in shown for _, item in desk.items() for one in list_sealed(item))


# --- what earlier releases wrote -------------------------------------------------------------------------------------


def test_texts_of_earlier_forms_are_sealed_anew(single: Desk) -> None:
    single.fill()
    key = read_content(single.secret.read_current().text).credentials.token_keys["k1"]

    def earlier(said: str) -> str:
        sealed = AESGCM(key).encrypt(b"n" * 12, said.encode(), b"one")
        return ".".join(["k1", *(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (b"n" * 12, sealed))])

    link = {"accessToken": SealedField.ACCESS_TOKEN, "redirectUrl": SealedField.LINK_PAGE}
    once_clear = {"successUrl": SealedField.SUCCESS_PAGE, "taskToken": SealedField.LINK_TASK}
    single.put(
        BINDINGS,
        binding_key("one"),
        **{name: text(earlier(say(of, "one"))) for name, of in link.items()},
        **{name: text(say(of, "one")) for name, of in once_clear.items()},
    )
    single.put(TRANSACTIONS, payment_key("one"), webRedirectUrl=text(say(SealedField.PAYMENT_PAGE, "one")))
    status, facts = single.ask("reseal")
    assert (status, facts["sealedAnew"]) == (0, 5)
    assert set(single.key_ids()) == {"k1"}
    assert single.all_open()


# --- beside live traffic ---------------------------------------------------------------------------------------------


def test_what_somebody_else_has_put_meanwhile_stays(single: Desk) -> None:
    single.fill()
    rotate(single)
    newer = single.world.process().vault.seal("newer", SealedField.ACCESS_TOKEN, "one")
    waiting = [0]

    def relink() -> None:
        while waiting:
            waiting.pop()
            single.put(BINDINGS, binding_key("one"), accessToken=text(newer))

    single.before_each_write(relink)
    status, facts = single.ask("reseal")
    assert (status, facts["goneMeanwhile"], facts["left"]) == (0, 1, 0)
    assert single.get(BINDINGS, binding_key("one"))["accessToken"] == text(newer)
    assert set(single.key_ids()) == {single.fields["activeTokenKey"]}


def test_a_record_that_ended_meanwhile_gets_nothing_back(single: Desk) -> None:
    single.fill()
    rotate(single)
    waiting = [0]

    def settle() -> None:
        while waiting:
            waiting.pop()
            for name in _NAMES:
                single.put(TRANSACTIONS, inbox_key(name), body=text(""))
                single.put(BINDINGS, binding_key(name), earlierPages={"M": {}}, taskToken=text(""))

    single.before_each_write(settle)
    status, facts = single.ask("reseal")
    assert (status, facts["goneMeanwhile"]) == (0, 9)  # the notifications were not read yet
    assert all(single.get(TRANSACTIONS, inbox_key(name))["body"] == text("") for name in _NAMES)
    assert all(single.get(BINDINGS, binding_key(name))["taskToken"] == text("") for name in _NAMES)


def test_a_record_that_moved_meanwhile_is_read_again(single: Desk) -> None:
    """Its version counts too: what it is may have changed, and with it whether it has news."""
    single.fill()
    rotate(single)
    waiting = [0]
    evidence = Evidence(EvidenceSource.ANSWER, single.world.clock.now())

    def proceed() -> None:
        while waiting:
            waiting.pop()
            binding = single.system.ports.bindings.get("one")
            assert binding is not None
            moved = binding.moved(BindingEvent.PROVED, evidence)
            assert moved is not None
            saved = replace(moved, task_token=binding.task_token)
            single.put(BINDINGS, binding_key("one"), **write_binding(remember_move(binding, saved)))

    single.before_each_write(proceed)
    status, facts = single.ask("reseal")
    assert status == 3
    told = {(one["record"], one["reason"]) for one in facts["records"]}
    assert told == {("BINDING#one", "it is being written, or its news told: again in a minute")}
    assert "k1" in {find_key_id(one.text) for one in list_sealed(single.get(BINDINGS, binding_key("one")))}
    assert "k1" not in {find_key_id(one.text) for one in list_sealed(single.get(BINDINGS, binding_key("two")))}


def test_a_record_that_never_rests_is_left_and_told(single: Desk) -> None:
    single.fill()
    rotate(single)

    def touch() -> None:
        item = single.get(TRANSACTIONS, payment_key("one"))
        single.put(TRANSACTIONS, payment_key("one"), version={"N": str(int(item["version"]["N"]) + 1)})

    single.before_each_write(touch)
    status, facts = single.ask("reseal")
    assert status == 3
    assert {one["record"] for one in facts["records"]} == {"PAYMENT#one"}
    assert facts["left"] == 3


@pytest.mark.parametrize("layout", ["one", "three"])
def test_in_the_middle_of_a_journey_nothing_is_told_and_the_journey_goes_on(
    capsys: pytest.CaptureFixture[str], layout: Literal["one", "three"]
) -> None:
    desk = Desk(capsys, layout)
    world = desk.world
    first = Merchant(world)
    first.link()
    first.pay()
    waiting = Merchant(world, customer="CUST-2", phone="6281100000099")
    waiting.bind(task_token="AQC-wait")
    waiting.walk_through_pages()
    world.pump()
    rotate(desk, since=121)
    told, times = len(world.events.published), _times(desk)
    assert "k1" in desk.key_ids()
    assert desk.ask("reseal")[0] == 0
    world.stream()
    assert len(world.events.published) == told
    assert _times(desk) == times
    assert "k1" not in desk.key_ids()
    assert desk.ask("revoke", "tokenKeys")[0] == 0
    first.enter_otp()
    world.clock.tick(2)
    world.pump()
    assert first.payment().state is PaymentState.PAID
    waiting.come_back(waiting.walk_through_pages())
    world.clock.tick(2)
    world.pump()
    assert waiting.binding().state is BindingState.ACTIVE
    assert [token for token, _ in world.workflows.completed] == ["AQC-wait"]
    ids = [event.id for event in world.events.published]
    assert len(ids) == len(set(ids))
    assert not world.refused


def _times(desk: Desk) -> list[tuple[object, ...]]:
    names = ("version", "writeId", "state", "updatedAt", "dueAt", "ownDueAt", "dueShard", "untold", "tellBy")
    return [
        tuple(item.get(name) for name in names)
        for table in (BINDINGS, TRANSACTIONS)
        for item in desk.world.store.items(table)
    ]


def link_whose_news_wait(desk: Desk) -> Binding:
    """A link that has become ACTIVE and tells it next, sealed with the key before."""
    merchant = Merchant(desk.world)
    merchant.bind()
    page = merchant.walk_through_pages()
    rotate(desk)
    merchant.come_back(page)
    return merchant.binding()


def test_a_link_whose_news_wait_is_sealed_anew_when_they_are_told(single: Desk) -> None:
    """Each write of it would have them told once more."""
    world = single.world
    binding = link_whose_news_wait(single)
    assert (binding.state, bool(binding.untold)) == (BindingState.ACTIVE, True)
    assert find_key_id(binding.success_url) == "k1"
    status, facts = single.ask("reseal")
    assert status == 3
    assert {one["reason"] for one in facts["records"]} == {"it is being written, or its news told: again in a minute"}
    assert {one["record"] for one in facts["records"]} == {f"BINDING#{binding.id}"}
    world.pump()
    assert single.ask("reseal")[0] == 0
    world.pump()
    names = [event.name for event in world.events.published]
    assert names.count("binding.activated") == 1


def test_a_payment_at_rest_whose_news_wait_is_left_too(single: Desk) -> None:
    single.fill()
    news = write_moves([Move(version=2, at=single.world.clock.now(), state="PAID", source="status")])
    at_rest = {"state": text("PAID"), "refundState": text("REFUNDED"), "untold": news}
    single.put(TRANSACTIONS, payment_key("one"), **at_rest)
    single.put(TRANSACTIONS, payment_key("two"), untold=news)  # an open one has them until it is at rest
    rotate(single)
    status, facts = single.ask("reseal")
    assert (status, {one["record"] for one in facts["records"]}) == (3, {"PAYMENT#one"})


def test_a_link_whose_news_are_told_during_the_walk_is_sealed_at_its_end(single: Desk) -> None:
    world = single.world
    link_whose_news_wait(single)
    pause = single.system.outside.pause

    def breathe(seconds: float) -> None:
        pause(seconds)
        world.stream()

    single.system = replace(single.system, outside=replace(single.system.outside, pause=breathe))
    assert single.ask("reseal")[0] == 0
    assert set(single.key_ids()) == {single.fields["activeTokenKey"]}
    world.pump()
    assert [event.name for event in world.events.published].count("binding.activated") == 1


def test_a_stream_that_lags_behind_the_end_of_a_key_stands_still_for_nobody(single: Desk) -> None:
    """Its images have the task token of before; what needs it is put aside, and all that follows is told."""
    world = single.world
    merchant = Merchant(world)
    merchant.bind(task_token="AQC-wait")
    page = merchant.walk_through_pages()
    rotate(single, since=121)
    merchant.come_back(page)
    changes = [one for one in world.store.stream(BINDINGS) if one.keys["sk"] == {"S": "BINDING"}]
    world.clock.tick(PATIENCE.total_seconds() + 1)
    world.work()
    world.tick()  # the sweep tells what the stream has not
    assert [token for token, _ in world.workflows.completed] == ["AQC-wait"]
    assert single.ask("reseal")[0] == 0
    assert single.ask("revoke", "tokenKeys")[0] == 0
    aside: list[Exception] = []

    def put_aside(_record: Mapping[str, object], error: Exception) -> bool:
        aside.append(error)
        return True

    def tell(given: Sequence[Mapping[str, object]]) -> object:
        return consume(given, world.process(), has_time=lambda: True, put_aside=put_aside)

    assert tell([write_record(BINDINGS, one) for one in changes]) is None
    assert {type(error) for error in aside} == {UnsealFailed}
    put = len(aside)
    now = world.clock.now().timestamp()  # of a moment ago: its key may be newer than what the function knows
    assert tell([write_record(BINDINGS, one, created_at=now) for one in changes]) is not None
    assert len(aside) == put


# --- what can not be sealed anew -------------------------------------------------------------------------------------


def test_what_does_not_open_is_listed_and_the_rest_is_done(single: Desk) -> None:
    single.fill()
    moved = single.get(BINDINGS, binding_key("two"))["accessToken"]
    single.put(BINDINGS, binding_key("one"), accessToken=moved)
    single.put(TRANSACTIONS, inbox_key("two"), body=text("2.gone.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA"))
    rotate(single)
    status, facts = single.ask("reseal")
    assert status == 3
    assert [tuple(one.values()) for one in facts["records"]] == [
        ("BINDING#one", "binding", "accessToken", "the text is not this owner's, or was altered"),
        ("INBOX#two", "inbox", "body", "the key of this text is not in the secret"),
    ]
    assert facts["left"] == 2
    keys = single.key_ids()
    assert (keys["k1"], keys["gone"]) == (1, 1)
    status, facts = single.ask("revoke", "tokenKeys")
    assert (status, facts["revoked"], facts["doNotOpen"]) == (3, True, 1)
    assert facts["records"] == ["BINDING#one accessToken"]
    assert set(single.fields["tokenKeys"]) == {single.fields["activeTokenKey"]}


def test_a_record_of_a_newer_release_is_left(single: Desk) -> None:
    single.fill()
    single.put(BINDINGS, binding_key("one"), state=text("OF_TOMORROW"))
    rotate(single)
    status, facts = single.ask("reseal")
    assert status == 3
    assert [(one["record"], one["reason"]) for one in facts["records"]] == [
        ("BINDING#one", "this release can not read it: state is none that this code knows")
    ]
    assert single.ask("revoke", "tokenKeys")[1]["revoked"] is False


def test_a_record_that_can_not_be_read_keeps_the_key(single: Desk) -> None:
    single.put(BINDINGS, _some_claim(single), kind=text("binding"), accessToken={"N": "1"})
    rotate(single)
    status, facts = single.ask("reseal")
    assert (status, facts["records"][0]["reason"]) == (
        3,
        "this release can not read it: accessToken is missing or no string",
    )
    status, facts = single.ask("revoke", "tokenKeys")
    assert (status, facts["revoked"]) == (3, False)


def _some_claim(desk: Desk) -> Item:
    """Return the key of an item that bears a customer's id."""
    key = customer_key("canary-customer")
    desk.world.store.put_item(TableName=BINDINGS, Item={**key, "kind": text("customer"), "bindingId": text("one")})
    return key


def test_an_item_that_is_no_record_is_named_without_its_customer(single: Desk) -> None:
    sealed = single.world.process().vault.seal("x", SealedField.ACCESS_TOKEN, "one")
    single.put(BINDINGS, _some_claim(single), laterField=text(sealed))
    rotate(single)
    assert single.ask("reseal")[1]["records"][0]["record"] == "CUSTOMER"
    assert single.ask("revoke", "tokenKeys")[1]["records"] == ["CUSTOMER laterField"]
    assert not any("canary" in shown for shown in single.seen)


def test_a_sealed_text_where_this_release_knows_of_none_keeps_the_key(single: Desk) -> None:
    single.fill()
    sealed = single.world.process().vault.seal("x", SealedField.ACCESS_TOKEN, "one")
    single.put(BINDINGS, binding_key("one"), laterField=text(sealed))
    rotate(single)
    status, facts = single.ask("reseal")
    assert (status, [one["attribute"] for one in facts["records"]]) == (3, ["laterField"])
    status, facts = single.ask("revoke", "tokenKeys")
    assert (status, facts["revoked"], facts["records"]) == (3, False, ["BINDING#one laterField"])
    assert "k1" in single.fields["tokenKeys"]


def test_the_secret_that_changes_during_a_walk_ends_it(single: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_module, "PAGE", 2)
    single.fill()
    rotate(single)
    begun = single.fields["activeTokenKey"]
    read = single.system.pages

    def pages(table: str) -> Iterator[Sequence[Item]]:
        for number, page in enumerate(read(table)):
            if number == 1 and table == BINDINGS:
                single.secret.put(
                    json.dumps(
                        {
                            **single.fields,
                            "tokenKeys": {**single.fields["tokenKeys"], "newest": new_key()},
                            "activeTokenKey": "newest",
                        }
                    ),
                    after=single.secret.read_current(),
                )
            yield page

    single.system = replace(single.system, pages=pages)
    status, facts = single.ask("reseal")
    assert (status, facts["complete"]) == (3, False)
    assert single.key_ids()["k1"] > 0
    single.system = replace(single.system, pages=read)
    assert single.ask("reseal")[0] == 0
    assert set(single.key_ids()) == {"newest"}
    assert begun in single.fields["tokenKeys"]


# --- when a walk may begin -------------------------------------------------------------------------------------------


def test_a_walk_begins_when_nobody_seals_or_writes_with_the_key_before(single: Desk) -> None:
    """Functions go on with it for a minute (decision 0058), and one that has begun may write for another one."""
    single.fill()
    assert single.run("rotate", "tokenKeys")[0] == 0
    rotated = single.world.clock.now()
    begun: list[timedelta] = []
    single.when_pages_are_read(lambda: begun.append(single.world.clock.now() - rotated))
    assert single.ask("reseal")[0] == 0
    assert begun == [timedelta(seconds=120)]
    assert single.ask("reseal")[0] == 0
    assert single.world.clock.now() - rotated == timedelta(seconds=120)  # which it was


def test_what_a_function_wrote_late_is_found_before_the_key_goes(single: Desk) -> None:
    """One that read before `reseal`, and puts what it had read somewhere else, as a page that is set aside."""
    single.fill()
    old = single.get(BINDINGS, binding_key("one"))["authCode"]
    rotate(single)
    assert single.ask("reseal")[0] == 0
    pause, waiting = single.system.outside.pause, [0]

    def late(seconds: float) -> None:
        pause(seconds)
        while waiting:
            waiting.pop()
            single.put(BINDINGS, binding_key("one"), earlierPages={"M": {"9": old}})

    single.system = replace(single.system, outside=replace(single.system.outside, pause=late))
    before = single.versions
    status, facts = single.ask("revoke", "tokenKeys")
    assert (status, facts["revoked"], facts["sealedWithIt"]) == (3, False, 1)
    assert facts["records"] == ["BINDING#one earlierPages"]
    assert single.versions == before
    assert single.ask("reseal")[0] == 0
    assert single.ask("revoke", "tokenKeys")[0] == 0
    assert timedelta(seconds=60) == LONGEST_RUN


# --- revoke ----------------------------------------------------------------------------------------------------------


def test_a_key_that_something_is_sealed_with_stays(desk: Desk) -> None:
    rotate(desk)
    before = desk.versions
    status, told = desk.run("revoke", "tokenKeys")
    assert status == 3
    assert "nothing was changed: " in told
    assert "./ops reseal, then again" in told
    status, facts = desk.ask("revoke", "tokenKeys")
    assert (status, facts["revoked"], facts["tried"], facts["removed"]) == (3, False, False, [])
    if desk.layout == "three":
        assert desk.ask("revoke", "noticeKeys")[1]["records"] == [f"INBOX#{name} body" for name in sorted(_NAMES)]
    assert desk.versions == before
    assert desk.all_open()


def test_a_key_that_only_the_version_before_has_goes_with_it_when_nothing_needs_it(single: Desk) -> None:
    lost = {**single.fields, "tokenKeys": {"new": new_key()}, "activeTokenKey": "new"}
    single.fill()
    single.secret.put(json.dumps(lost), after=single.secret.read_current())
    single.later(3600)
    status, facts = single.ask("revoke", "tokenKeys")
    assert (status, facts["revoked"]) == (3, False)
    assert single.secret.read_previous() is not None  # functions open with it still
    assert single.ask("reseal")[0] == 0
    current = single.versions
    assert single.ask("revoke", "tokenKeys")[0] == 0
    assert single.secret.read_previous() is None
    assert single.versions == current
    assert single.all_open()


def test_revoking_again_says_that_it_is_done(single: Desk) -> None:
    rotate(single)
    assert single.ask("revoke", "tokenKeys")[0] == 0
    status, facts = single.ask("revoke", "tokenKeys")
    assert (status, facts["revoked"], facts["tried"], facts["removed"]) == (0, True, True, [])


def test_the_overlap_of_a_key_that_was_just_replaced_is_not_ended(single: Desk) -> None:
    rotate(single)
    assert single.run("rotate", "issuedTokenKey")[0] == 0
    status, told = single.run("revoke", "tokenKeys")
    assert status == 1
    assert "issuedTokenKey was replaced" in told
    assert "or revoke that key first" in told
    assert single.run("revoke", "issuedTokenKey")[0] == 0
    assert single.run("revoke", "tokenKeys")[0] == 0


def test_a_secret_that_changes_during_the_walk_is_not_written_over(single: Desk) -> None:
    rotate(single)
    other = json.dumps({**single.fields, "issuedTokenKey": new_key()})

    def change() -> None:
        single.secret.put(other, after=single.secret.read_current())

    single.when_pages_are_read(change)
    status, told = single.run("revoke", "tokenKeys")
    assert (status, "somebody changed the secret during the walk: again" in told) == (1, True)
    assert "k1" in single.fields["tokenKeys"]
    assert single.secret.read_current().text == other


def test_it_is_said_when_functions_open_texts_of_the_old_key_all_the_same(single: Desk) -> None:
    """Somebody puts the old key back while the last functions read the secret anew."""
    rotate(single)
    pause, before = single.system.outside.pause, json.dumps(single.fields)

    def meddle(seconds: float) -> None:
        pause(seconds)
        if "k1" not in single.fields["tokenKeys"]:
            single.secret.put(before, after=single.secret.read_current())

    single.system = replace(single.system, outside=replace(single.system.outside, pause=meddle))
    status, facts = single.ask("revoke", "tokenKeys")
    assert (status, facts["revoked"], facts["tried"]) == (1, False, True)
    assert facts["trials"] == ["tried: a text of k1 still opens: again"]


def test_it_is_said_when_no_function_remembers_the_old_key_any_more(single: Desk) -> None:
    sealed = single.world.process().vault.seal("x", SealedField.ACCESS_TOKEN, "one")

    def open_everywhere() -> None:
        for _ in range(single.world.environments):
            single.world.process().vault.unseal(sealed, SealedField.ACCESS_TOKEN, "one")

    rotate(single)
    single.when_pages_are_read(open_everywhere)
    assert single.ask("revoke", "tokenKeys")[0] == 0
    for _ in range(single.world.environments):
        with pytest.raises(UnsealFailed):
            single.world.process().vault.unseal(sealed, SealedField.ACCESS_TOKEN, "one")
