"""The commands about the secret, over functions that read it as on AWS and a DOKU that signs and verifies."""

import io
import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from direct_debit.adapters.credentials import Credentials, parse_credentials
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.vault import SealedField
from direct_debit.domain.payment import PaymentState
from doku_snap.keys import load_private_key
from doku_snap.transport import HttpAnswer, HttpRequest, Timeout
from tests.fakes.clock import FakeClock
from tests.fakes.journey import REF, Merchant
from tests.fakes.keyed_world import SECRET_KEY, KeyedWorld
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.world import vector_keys
from tests.unit.ops.terminal import Terminal
from tools.documents import read_blocks
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.operations import Operation
from tools.local_cloud.checkout import ROOT
from tools.new_keys import new_key, new_private_key, public_half
from tools.ops.public_doors import Verdict, ask_notification_door
from tools.ops.secret_content import KEYS, read_content
from tools.ops.system import System

if TYPE_CHECKING:
    from direct_debit.application.ports.fleet import B2BTokens

_KEYS = vector_keys()


@dataclass
class Office:
    """Where the operator sits, with DOKU's back office open beside."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    pairs: Iterator[str]
    world: KeyedWorld = field(default_factory=KeyedWorld)
    system: System = field(init=False)
    terminal: Terminal = field(init=False)

    def __post_init__(self) -> None:
        self.system = self.world.system()
        self.terminal = Terminal(self.capsys, lambda: self.system)

    @property
    def seen(self) -> list[str]:
        """All that was ever printed."""
        return self.terminal.seen

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command; returns its status and what it told."""
        return self.terminal.run(*arguments)

    def ask(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run a command for a program."""
        return self.terminal.ask(*arguments)

    def file(self, name: str, text: str) -> str:
        """A file as DOKU's back office gives it."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def onboard(self) -> None:
        """Fill the secret, and register what it says."""
        status, facts = self.ask(
            "onboard",
            "--client-id",
            self.world.client_id,
            "--secret-key",
            self.file("secret-key", SECRET_KEY + "\n"),
            "--doku-public-key",
            self.file("doku.pem", self.world.doku_public_key),
        )
        assert status == 0, facts
        self.world.register(merchant_public_key=facts["merchantPublicKey"])

    @property
    def secret(self) -> Credentials:
        """What is in use."""
        return parse_credentials(self.world.secrets.text())

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.world.clock.tick(seconds)


@pytest.fixture(scope="module")
def made() -> list[str]:
    """A few key pairs: making one takes a good part of a second."""
    return [new_private_key() for _ in range(3)]


@pytest.fixture
def pairs(made: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What the commands take for new pairs here, and the tests too."""
    drawn = cycle(made)
    for name in ("onboard", "rotate"):
        monkeypatch.setattr(f"tools.ops.{name}.new_private_key", lambda: next(drawn))
    return drawn


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str], pairs: Iterator[str]) -> Office:
    """A stack whose secret has no value."""
    return Office(tmp_path, capsys, pairs)


@pytest.fixture
def office(empty: Office) -> Office:
    """A stack whose secret was filled, an hour ago."""
    empty.onboard()
    empty.later(3600)
    return empty


# --- onboard ---------------------------------------------------------------------------------------------------------


def test_onboard_makes_every_key_and_an_order_goes_through(empty: Office) -> None:
    empty.onboard()
    secret = empty.secret
    assert (secret.client_id, secret.secret_key) == (empty.world.client_id, SECRET_KEY)
    keys = [secret.token_keys[secret.active_token_key], secret.phone_pepper, secret.issued_token_key]
    assert len(set(keys)) == 3
    merchant = Merchant(empty.world)
    merchant.link()
    assert merchant.pay_to_the_end().state is PaymentState.PAID
    assert not empty.world.refused


def test_onboard_tells_what_to_register(empty: Office) -> None:
    empty.onboard()
    status, told = empty.run("onboard")
    assert status == 0
    assert "https://merchant.example/v1/doku/authorization/v1/access-token/b2b" in told
    assert "https://merchant.example/v1/doku/v1.0/debit/notify" in told
    assert "https://merchant.example/v1/doku/v1.0/registration-account-binding/notify" in told
    assert "-----BEGIN PUBLIC KEY-----" in told
    assert "-----END PUBLIC KEY-----" in told


def test_onboard_leaves_a_secret_that_has_a_value(office: Office) -> None:
    before = office.world.secrets.text()
    status, told = office.run("onboard", "--client-id", "other", "--secret-key", "x", "--doku-public-key", "y")
    assert status == 1
    assert "has a value already" in told
    assert office.world.secrets.text() == before


def test_onboard_says_what_is_missing(empty: Office) -> None:
    for arguments in ([], ["--client-id", "x"], ["--client-id", "x", "--secret-key", "-"]):
        status, told = empty.run("onboard", *arguments)
        assert status == 1
        assert "--client-id, --secret-key FILE and --doku-public-key FILE" in told
    assert not empty.world.secrets.labels()


def test_onboard_refuses_our_own_half_as_dokus_key_and_a_file_that_is_not_there(empty: Office) -> None:
    wrong = empty.file("wrong.pem", "no key")
    key = empty.file("key", SECRET_KEY)
    status, told = empty.run("onboard", "--client-id", "x", "--secret-key", key, "--doku-public-key", wrong)
    assert status == 1
    assert "dokuPublicKey must be a PEM text" in told
    status, told = empty.run("onboard", "--client-id", "x", "--secret-key", key, "--doku-public-key", "nowhere.pem")
    assert status == 1
    assert "the file nowhere.pem can not be read" in told
    status, told = empty.run("onboard", "--client-id", "x", "--secret-key", "-", "--doku-public-key", "-")
    assert status == 1
    assert "only one of the two can come from standard input" in told
    assert not empty.world.secrets.labels()


def test_a_value_comes_from_standard_input(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("SK-from-a-pipe\n"))
    assert office.run("rotate", "secretKey", "--from", "-")[0] == 0
    assert office.secret.secret_key == "SK-from-a-pipe"


# --- rotate ----------------------------------------------------------------------------------------------------------


def test_each_key_is_replaced_alone_and_orders_go_on(office: Office) -> None:
    world = office.world
    merchant = Merchant(world)
    merchant.link()
    number = 0

    def order() -> PaymentState:
        nonlocal number
        number += 1
        return merchant.pay_to_the_end(f"{REF}-{number}").state

    assert order() is PaymentState.PAID
    for key in ("issuedTokenKey", "tokenKeys", "merchantPrivateKey", "secretKey", "dokuPublicKey"):
        office.later(3600)
        before = office.secret
        if key == "secretKey":
            world.register(secret_key="SK-2")
            assert office.run("rotate", key, "--from", office.file("sk", "SK-2"))[0] == 0
        elif key == "dokuPublicKey":
            private = next(office.pairs)
            public = public_half(_load(private))
            assert office.run("rotate", key, "--from", office.file("doku2.pem", public))[0] == 0
            world.sign_with(private)
        elif key == "merchantPrivateKey":
            status, facts = office.ask("rotate", key)
            assert (status, facts["rotated"]) == (3, False)
            world.register(merchant_public_key=facts["merchantPublicKey"])
            assert office.run("rotate", key)[0] == 0
        else:
            assert office.run("rotate", key)[0] == 0
        assert _changed(before, office.secret) == ({key, "activeTokenKey"} if key == "tokenKeys" else {key})
        office.later(61)
        assert order() is PaymentState.PAID
    assert not world.refused


def _load(private: str) -> RSAPrivateKey:
    return load_private_key(private)


def _changed(before: Credentials, after: Credentials) -> set[str]:
    names = {
        "clientId": "client_id",
        "secretKey": "secret_key",
        "merchantPrivateKey": "merchant_private_key",
        "dokuPublicKey": "doku_public_key",
        "tokenKeys": "token_keys",
        "activeTokenKey": "active_token_key",
        "phonePepper": "phone_pepper",
        "issuedTokenKey": "issued_token_key",
    }
    return {name for name, one in names.items() if getattr(before, one) != getattr(after, one)}


def test_a_new_data_key_leaves_the_old_ones_in(office: Office) -> None:
    first = office.secret
    sealed = office.world.process().vault.seal("token", SealedField.ACCESS_TOKEN, "owner")
    for _ in range(3):
        assert office.run("rotate", "tokenKeys")[0] == 0
        office.later(3600)
    secret = office.secret
    assert secret.active_token_key == "k20260302-3"
    assert secret.token_keys["k1"] == first.token_keys["k1"]
    assert len(secret.token_keys) == 4
    assert office.world.process().vault.unseal(sealed, SealedField.ACCESS_TOKEN, "owner") == "token"


def test_a_data_key_that_only_the_version_before_has_comes_along(office: Office) -> None:
    fields = json.loads(office.world.secrets.text())
    lost = {**fields, "tokenKeys": {"other": new_key()}, "activeTokenKey": "other"}
    office.world.secrets.put_secret_value(SecretString=json.dumps(lost))
    office.later(3600)
    status, facts = office.ask("rotate", "issuedTokenKey")
    assert (status, facts["dataKeysCarriedOver"]) == (0, ["k1"])
    assert set(office.secret.token_keys) == {"k1", "other"}


def test_one_id_for_two_data_keys_is_refused_before_one_is_lost(office: Office) -> None:
    fields = json.loads(office.world.secrets.text())
    office.world.secrets.put_secret_value(SecretString=json.dumps({**fields, "tokenKeys": {"k1": new_key()}}))
    office.later(3600)
    for command in ("rotate", "revoke"):
        status, told = office.run(command, "tokenKeys")
        assert status == 1
        assert "tokenKeys.k1 is one key in the version in use and another in the one before" in told


def test_two_rotations_keep_their_distance(office: Office) -> None:
    assert office.run("rotate", "issuedTokenKey")[0] == 0
    office.later(600)
    before = office.world.secrets.text()
    status, told = office.run("rotate", "tokenKeys")
    assert status == 1
    assert "issuedTokenKey was replaced 2026-03-02 10:00:00Z (10 min ago)" in told
    assert "rotate from 2026-03-02 10:20:00Z (in 10 min) on, or with --now" in told
    assert office.world.secrets.text() == before
    assert office.run("rotate", "issuedTokenKey", "--now")[0] == 0
    office.later(1200)
    assert office.run("rotate", "tokenKeys")[0] == 0
    assert office.run("rotate", "tokenKeys")[0] == 0  # the one before proves no call of DOKU's


def test_the_pepper_stays(office: Office) -> None:
    for command in ("rotate", "revoke"):
        status, told = office.run(command, "phonePepper")
        assert status == 1
        assert "phonePepper is never replaced" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["secretKey"], "secretKey is DOKU's to give"),
        (["dokuPublicKey"], "dokuPublicKey is DOKU's to give"),
        (["issuedTokenKey", "--from", "x"], "issuedTokenKey is made here"),
        (["tokenKeys", "--from", "x"], "tokenKeys is made here"),
        (["tokenKeys", "--anew"], "--anew is for merchantPrivateKey"),
    ],
)
def test_where_a_value_comes_from(office: Office, arguments: list[str], told: str) -> None:
    before = office.world.secrets.text()
    status, said = office.run("rotate", *arguments)
    assert status == 1
    assert told in said
    assert office.world.secrets.text() == before


def test_a_value_that_can_not_be_used_is_not_put(office: Office) -> None:
    before = office.world.secrets.labels()
    for key, text, told in (
        ("dokuPublicKey", _KEYS["dokuPrivateKeyPkcs8Pem"], "it is a private key; take its public half"),
        ("dokuPublicKey", public_half(_load(office.secret.merchant_private_key)), "is the public half of merchant"),
        ("secretKey", "  \n", "secretKey is empty"),
        ("merchantPrivateKey", _KEYS["dokuPublicKeyPem"], "it is a public key; it takes the private half"),
    ):
        status, said = office.run("rotate", key, "--from", office.file("value", text))
        assert status == 1
        assert told in said
    assert office.world.secrets.labels() == before


def test_the_value_in_use_is_no_rotation(office: Office) -> None:
    """Else the overlap would be taken from the rotation before, and the repeat of a command would do harm."""
    before = office.world.secrets.labels()
    status, told = office.run("rotate", "secretKey", "--from", office.file("sk", SECRET_KEY))
    assert status == 1
    assert "in use already" in told
    assert office.world.secrets.labels() == before


def test_a_pair_that_doku_does_not_know_is_not_put(office: Office) -> None:
    before = office.secret
    _, first = office.ask("rotate", "merchantPrivateKey")
    status, facts = office.ask("rotate", "merchantPrivateKey")
    assert (status, facts["rotated"]) == (3, False)
    assert facts["merchantPublicKey"] == first["merchantPublicKey"]
    assert office.secret == before
    _, other = office.ask("rotate", "merchantPrivateKey", "--anew")
    assert other["merchantPublicKey"] != first["merchantPublicKey"]
    office.world.register(merchant_public_key=other["merchantPublicKey"])
    assert office.run("rotate", "merchantPrivateKey")[0] == 0
    assert public_half(_load(office.secret.merchant_private_key)) == other["merchantPublicKey"]
    assert "AWSPENDING" not in office.world.secrets.labels()


@pytest.mark.parametrize("text", ["no JSON", "{}", '{"merchantPrivateKey": 1}'])
def test_what_somebody_else_keeps_aside_is_no_pair(office: Office, text: str) -> None:
    office.system.secret.put_pending(text)
    status, told = office.run("rotate", "merchantPrivateKey")
    assert status == 1
    assert "./ops rotate merchantPrivateKey --anew makes one" in told
    assert office.run("rotate", "merchantPrivateKey", "--anew")[0] == 3


def test_the_tokens_that_a_command_gets_are_shared_with_all_functions(office: Office) -> None:
    """DOKU may honour its newest only: one that the command kept would leave the functions with a dead one."""

    def shared() -> tuple[str, datetime]:
        token = office.world.process().b2b_tokens.read().token
        assert token is not None
        return token.signed_with, token.issued_at

    merchant = Merchant(office.world)
    merchant.link()
    old = office.system.ports.doku.key_id()
    office.later(120)
    _, facts = office.ask("rotate", "merchantPrivateKey")
    assert shared() == (old, office.world.clock.now())  # for the minutes in which no key may be taken
    office.world.register(merchant_public_key=facts["merchantPublicKey"])
    office.later(120)
    office.run("rotate", "merchantPrivateKey")
    signed_with, issued_at = shared()
    assert signed_with != old
    assert issued_at == office.world.clock.now()
    asked = [one.operation for one in office.world.simulator.requests].count(Operation.B2B_TOKEN)
    assert merchant.pay_to_the_end().state is PaymentState.PAID
    assert [one.operation for one in office.world.simulator.requests].count(Operation.B2B_TOKEN) == asked
    assert not office.world.refused


def test_when_doku_does_not_answer_the_pair_in_use_stays(office: Office) -> None:
    office.run("rotate", "merchantPrivateKey")
    before = office.world.secrets.text()
    office.world.simulator.add_dial(Dial("b2b_token", "drop", when="before"))
    status, told = office.run("rotate", "merchantPrivateKey")
    assert status == 1
    assert "whether it takes the new key is not known" in told
    assert office.world.secrets.text() == before


def test_somebody_elses_change_at_the_same_time_is_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = office.world.secrets
    put = secrets.put_secret_value

    def together(**given: object) -> Any:  # noqa: ANN401 - an answer of AWS
        put(SecretString=secrets.text())
        return put(**given)

    monkeypatch.setattr(secrets, "put_secret_value", together)
    status, told = office.run("rotate", "issuedTokenKey")
    assert status == 1
    assert "somebody else changed the secret at the same time" in told


# --- revoke ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["issuedTokenKey", "secretKey"])
def test_what_was_replaced_is_out_after_revoke(office: Office, key: str) -> None:
    world = office.world
    Merchant(world).link()  # every function has the secret in its memory
    for _ in range(world.environments):
        world.process().vault.fingerprint("x")
    given = []
    if key == "secretKey":
        world.register(secret_key="SK-2")
        given = ["--from", office.file("sk", "SK-2")]
    assert office.run("rotate", key, *given)[0] == 0
    began, stored = world.clock.now(), len(world.store.stream(TRANSACTIONS))
    status, facts = office.ask("revoke", key)
    assert (status, facts["revoked"], facts["tried"]) == (0, True, True)
    hears, refuses = facts["trials"]
    assert "the door hears the keys in use (answered 4005602" in hears
    assert f"a notification by the old {key} is refused (answered 401560" in refuses
    assert (world.clock.now() - began).total_seconds() == 60
    assert set(world.secrets.labels()) == {"AWSCURRENT"}
    assert len(world.store.stream(TRANSACTIONS)) == stored  # what was tried left nothing behind


def test_revoke_says_when_the_old_key_is_still_heard(office: Office) -> None:
    """Functions that have not read the secret anew: here no time passes, so that they do not."""
    world = office.world
    for _ in range(world.environments):
        world.process().vault.fingerprint("x")
    office.run("rotate", "issuedTokenKey")
    office.system = replace(office.system, outside=replace(office.system.outside, pause=lambda _: None))
    status, facts = office.ask("revoke", "issuedTokenKey")
    assert (status, facts["revoked"], facts["tried"]) == (1, False, True)
    assert "is still heard" in facts["trials"][1]
    office.later(60)
    status, facts = office.ask("revoke", "issuedTokenKey")  # what was ended before is tried again
    assert (status, facts["revoked"]) == (0, True)


def test_a_refusal_proves_nothing_where_the_keys_in_use_are_refused_too(office: Office) -> None:
    """Here because of this machine's clock: our own token would be one of the future."""
    office.run("rotate", "issuedTokenKey")
    wrong = FakeClock(office.world.clock.now() + timedelta(hours=1))
    office.system = replace(office.system, ports=replace(office.system.ports, clock=wrong))
    status, facts = office.ask("revoke", "issuedTokenKey")
    assert (status, facts["tried"]) == (3, False)
    assert "does not hear the keys in use either (answered 4015601)" in facts["trials"][0]


def test_an_answer_of_the_gateway_itself_is_none_about_the_keys(office: Office) -> None:
    class Gateway:
        """API Gateway, whose function does not answer."""

        def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:  # noqa: ARG002 - the port's shape
            return HttpAnswer(502, {}, b'{"message": "Internal server error"}')

    office.run("rotate", "issuedTokenKey")
    office.system = replace(office.system, outside=replace(office.system.outside, transport=Gateway()))
    status, facts = office.ask("revoke", "issuedTokenKey")
    assert (status, facts["tried"]) == (3, False)
    (told,) = facts["trials"]
    assert told.startswith("not tried: the door answered 502 without a responseCode")
    assert told.endswith("again in a minute")


def test_a_key_that_was_not_replaced_is_not_revoked(office: Office) -> None:
    before = office.world.secrets.labels()
    for key in ("issuedTokenKey", "secretKey", "merchantPrivateKey", "dokuPublicKey", "tokenKeys"):
        status, told = office.run("revoke", key)
        assert status == 1
        assert f"./ops rotate {key} --now first" in told
    assert office.world.secrets.labels() == before


def test_dokus_own_key_is_ended_and_nobody_says_that_it_was_tried(office: Office) -> None:
    private = next(office.pairs)
    office.run("rotate", "dokuPublicKey", "--from", office.file("d.pem", public_half(_load(private))))
    status, facts = office.ask("revoke", "dokuPublicKey")
    assert (status, facts["revoked"], facts["tried"]) == (3, True, False)
    assert "not tried: only DOKU's old private key could sign" in facts["trials"][0]
    assert set(office.world.secrets.labels()) == {"AWSCURRENT"}
    asked = office.world.simulator.notifications.build_token_request()  # DOKU signs with its old key still
    assert office.world.receive(asked.path, asked.headers, asked.body).status == 401
    office.world.sign_with(private)
    asked = office.world.simulator.notifications.build_token_request()
    assert office.world.receive(asked.path, asked.headers, asked.body).status == 200


def test_the_merchants_old_key_is_tried_at_doku(office: Office) -> None:
    world = office.world
    old = public_half(_load(office.secret.merchant_private_key))
    _, facts = office.ask("rotate", "merchantPrivateKey")
    world.register(merchant_public_key=facts["merchantPublicKey"])
    assert office.run("rotate", "merchantPrivateKey")[0] == 0
    status, tried = office.ask("revoke", "merchantPrivateKey")
    assert status == 0
    assert tried["trials"] == ["tried: DOKU refuses the old key, and takes the one in use"]
    world.register(merchant_public_key=old)
    status, tried = office.ask("revoke", "merchantPrivateKey")
    assert status == 1
    assert "DOKU still takes the old key" in tried["trials"][-1]


def test_the_overlap_of_another_keys_rotation_stays(office: Office) -> None:
    office.run("rotate", "issuedTokenKey")
    office.later(3600)
    office.world.register(secret_key="SK-2")
    office.run("rotate", "secretKey", "--from", office.file("sk", "SK-2"))
    status, facts = office.ask("revoke", "issuedTokenKey")
    assert (status, facts["revoked"]) == (0, True)
    assert "AWSPREVIOUS" in office.world.secrets.labels()


# --- the runbook -----------------------------------------------------------------------------------------------------


def test_the_runbook_ends_every_key_of_a_leaked_secret(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of docs/operations.md, "A key has leaked", in its order; DOKU's people do what is said beside them."""
    world, stolen = office.world, read_content(office.world.secrets.text())
    monkeypatch.chdir(office.folder)
    private = next(office.pairs)
    office.file("secret-key.txt", "SK-given-anew")
    office.file("doku.pem", public_half(_load(private)))
    merchant = Merchant(world)
    merchant.link()
    page = (ROOT / "docs/operations.md").read_text()
    (block,) = [one for one in read_blocks(page) if one.heading == "A key has leaked"]
    commands = [line.partition("#")[0].split()[1:] for line in block.shell.splitlines()]
    done = []
    for command in commands:
        if command[:2] == ["rotate", "secretKey"]:
            world.register(secret_key="SK-given-anew")
        status, facts = office.ask(*command)
        done.append((command[:2], status))
        if "merchantPublicKey" in facts:
            world.register(merchant_public_key=facts["merchantPublicKey"])
        if command[:2] == ["rotate", "dokuPublicKey"]:
            world.sign_with(private)
    wait_for_registration = (["rotate", "merchantPrivateKey"], 3)
    assert [one for one in done if one[1]] == [wait_for_registration, (["revoke", "dokuPublicKey"], 3)]
    assert len(done) == 13
    assert set(office.secret.token_keys) == {office.secret.active_token_key}
    now = read_content(world.secrets.text())
    same = [key for key in KEYS if now.value(key) == stolen.value(key)]
    assert same == ["noticeKeys", "phonePepper"]  # of the first, one secret has none
    for old in (stolen, now.changed(issuedTokenKey=stolen.fields["issuedTokenKey"])):
        assert ask_notification_door(office.system, now, old).verdict is Verdict.REFUSED
    assert merchant.pay_to_the_end().state is PaymentState.PAID


# --- doctor ----------------------------------------------------------------------------------------------------------


def findings(office: Office) -> tuple[int, dict[str, tuple[str, str | None]]]:
    status, facts = office.ask("doctor")
    return status, {one["check"]: (one["told"], one["remedy"]) for one in facts["findings"]}


def test_the_doctor_finds_nothing_wrong(office: Office) -> None:
    status, found = findings(office)
    assert status == 0
    assert {
        "secret",
        "dokuPublicKey",
        "token request",
        "clock",
        "this machine's clock",
        "token URL",
        "payment notification URL",
        "binding notification URL",
        "back office",
    } == set(found)
    assert [told for told, remedy in found.values() if remedy] == []
    assert "0 s apart" in found["clock"][0]
    assert "can not be seen from here" in found["back office"][0]
    assert office.world.store.stream(TRANSACTIONS) == []


def test_the_doctor_without_a_secret(empty: Office) -> None:
    assert findings(empty) == (3, {"secret": ("has no value", "./ops onboard")})


def broken(office: Office, **fields: object) -> None:
    known = json.loads(office.world.secrets.text())
    office.world.secrets.put_secret_value(SecretString=json.dumps({**known, **fields}))
    office.later(3600)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"secretKey": "blank "}, "secretKey begins or ends with a blank"),
        ({"dokuPublicKey": "-----BEGIN CERTIFICATE-----\nx"}, "it is a certificate; take its key"),
        ({"phonePepper": "short"}, "phonePepper must be 32 bytes in base64"),
    ],
)
def test_the_doctor_names_the_field_and_the_remedy(office: Office, fields: dict[str, object], told: str) -> None:
    broken(office, **fields)
    status, found = findings(office)
    assert status == 3
    assert told in found["secret"][0]
    assert not any(f'"{value}"' in office.seen[-1] for value in fields.values())


def test_the_doctor_tries_the_numbers_of_the_key_which_the_functions_leave_to_its_first_use(office: Office) -> None:
    numbers = _load(office.secret.merchant_private_key).private_numbers()
    torn = RSAPrivateNumbers(
        p=numbers.p,
        q=numbers.q,
        d=numbers.d,
        dmp1=numbers.dmp1 - 2,
        dmq1=numbers.dmq1,
        iqmp=numbers.iqmp,
        public_numbers=numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)
    pem = torn.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    broken(office, merchantPrivateKey=pem)
    status, found = findings(office)
    assert status == 3
    assert "merchantPrivateKey is not an unencrypted RSA private key" in found["secret"][0]


def test_the_doctor_sees_our_own_half(office: Office) -> None:
    broken(office, dokuPublicKey=public_half(_load(office.secret.merchant_private_key)))
    status, found = findings(office)
    assert status == 3
    assert "is the public half of merchantPrivateKey" in found["secret"][0]


def test_the_doctor_sees_a_key_that_doku_does_not_know(office: Office) -> None:
    broken(office, merchantPrivateKey=next(office.pairs))
    status, found = findings(office)
    assert status == 3
    told, remedy = found["token request"]
    assert "DOKU refused it (4017300)" in told
    assert remedy is not None
    assert "compare clientId and the public key" in remedy


@pytest.mark.parametrize(("seconds", "expected"), [(50.0, 0), (90.0, 3), (-90.0, 3)])
def test_the_doctor_compares_clocks(office: Office, seconds: float, expected: int) -> None:
    office.world.simulator.shift_clock(seconds)
    status, found = findings(office)
    assert status == expected
    assert f"{abs(seconds):.0f} s apart" in found["clock"][0]
    assert (found["clock"][1] is not None) == (expected == 3)


def test_the_doctor_sees_a_wrong_clock_of_this_machine(office: Office) -> None:
    wrong = FakeClock(office.world.clock.now() - timedelta(minutes=10))
    office.system = replace(office.system, ports=replace(office.system.ports, clock=wrong))
    status, found = findings(office)
    assert status == 3
    assert found["this machine's clock"] == (
        "it is 600 s from AWS's",
        "set it right: what is tried from here is refused otherwise",
    )


def test_the_doctor_tells_the_store_from_doku(office: Office) -> None:
    class Away:
        def read(self) -> None:
            raise StoreUnavailable("the store answered AccessDeniedException")

    away = cast("B2BTokens", Away())
    office.system = replace(office.system, ports=replace(office.system.ports, b2b_tokens=away))
    status, found = findings(office)
    assert status == 3
    assert found["token request"][0] == "DOKU was not asked: the store answered AccessDeniedException"


def test_the_doctor_sees_doors_that_do_not_answer(office: Office) -> None:
    environment = office.system.environment
    office.system = replace(
        office.system,
        environment=replace(
            environment, settings=replace(environment.settings, public_base_url="https://gone.example/v1")
        ),
    )
    office.world.unreachable.add("https://gone.example")
    status, found = findings(office)
    assert status == 3
    for name in ("token URL", "payment notification URL", "binding notification URL"):
        told, remedy = found[name]
        assert "does not answer (ConnectionNotMade)" in told
        assert remedy is not None
        assert "https://gone.example/v1" in remedy


def test_the_doctor_sees_a_data_key_that_is_about_to_be_lost(office: Office) -> None:
    broken(office, tokenKeys={"new": new_key()}, activeTokenKey="new")
    status, found = findings(office)
    assert status == 3
    assert "only it has the data keys k1" in found["version before"][0]
    assert office.run("rotate", "tokenKeys")[0] == 0
    status, found = findings(office)
    assert status == 0


def test_the_doctor_tells_of_an_overlap_and_of_a_pair_that_waits(office: Office) -> None:
    office.run("rotate", "issuedTokenKey")
    office.later(3600)
    office.run("rotate", "merchantPrivateKey")
    status, found = findings(office)
    assert status == 0
    assert "differs in issuedTokenKey; is heard until 2026-03-03 10:00:00Z" in found["version before"][0]
    assert "a new pair is kept aside" in found["rotation"][0]
    office.later(2 * 86_400)
    status, found = findings(office)
    assert status == 3
    assert "is not heard any more" in found["version before"][0]
    assert found["rotation"][1] is not None


def test_for_reading_each_fault_has_its_remedy_below(office: Office) -> None:
    broken(office, phonePepper="short")
    status, told = office.run("doctor")
    assert status == 3
    first, second = told.splitlines()
    assert first.startswith("WRONG  secret: ")
    assert second.strip().startswith("put a version in which this is mended")


# --- nothing of it is shown ------------------------------------------------------------------------------------------


def test_no_output_has_anything_of_the_secret(office: Office) -> None:
    world = office.world
    texts = [world.secrets.text()]

    def run(*arguments: str) -> None:
        office.run(*arguments)
        office.ask(*arguments)
        texts.extend(world.secrets.text(label) for label in world.secrets.labels())
        office.later(3600)

    run("doctor")
    for key in ("issuedTokenKey", "tokenKeys", "merchantPrivateKey", "secretKey", "dokuPublicKey"):
        given = []
        if key == "secretKey":
            given = ["--from", office.file("sk", "SK-the-next-one")]
        if key == "dokuPublicKey":
            given = ["--from", office.file("d.pem", public_half(_load(next(office.pairs))))]
        run("rotate", key, *given)
        run("revoke", key)
    run("onboard")
    broken(office, merchantPrivateKey="-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----")
    run("doctor")
    run("rotate", "issuedTokenKey")
    told = "".join(office.seen)
    assert told.count("\n") > 50
    for hidden in _hidden(texts):
        assert hidden not in told


def _hidden(texts: list[str]) -> set[str]:
    found = {"CANARY"}
    for text in texts:
        fields: dict[str, Any] = json.loads(text)
        for name in ("secretKey", "phonePepper", "issuedTokenKey"):
            found |= _forms(fields.get(name))
        for key in fields.get("tokenKeys", {}).values():
            found |= _forms(key)
        found |= {line for line in fields["merchantPrivateKey"].splitlines() if not line.startswith("-")}
    return found


def _forms(value: str | None) -> set[str]:
    if value is None:
        return set()
    try:
        return {value, b64decode(value, validate=True).hex()}
    except ValueError:
        return {value}
