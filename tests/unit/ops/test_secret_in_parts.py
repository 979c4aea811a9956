"""The commands about the secret where each part has one of its own, and on the way from one layout to the other."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from direct_debit.adapters.credentials import Credentials
from direct_debit.application.ports.vault import SealedField, UnsealFailed
from direct_debit.domain.payment import PaymentState
from doku_snap.keys import load_private_key
from tests.fakes.journey import REF, Merchant
from tests.fakes.keyed_world import SECRET_KEY, KeyedWorld
from tests.fakes.secrets_manager import FakeSecretsManager
from tests.unit.ops.terminal import Terminal
from tools.documents import read_blocks
from tools.local_cloud.checkout import ROOT
from tools.new_keys import new_key, new_private_key, public_half
from tools.ops.public_doors import Verdict, ask_notification_door
from tools.ops.secret_content import KEYS, read_content
from tools.ops.system import System
from tools.secret_fields import FIELDS, NOTICES


@dataclass
class Office:
    """Where the operator of three secrets sits."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    world: KeyedWorld = field(default_factory=lambda: KeyedWorld(layout="three"))

    @property
    def system(self) -> System:
        """The deployed system, found anew by each command."""
        return self.world.system()

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command; returns its status and what it told."""
        return Terminal(self.capsys, lambda: self.system).run(*arguments)

    def ask(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run a command for a program."""
        return Terminal(self.capsys, lambda: self.system).ask(*arguments)

    def file(self, name: str, text: str) -> str:
        """A file as DOKU's back office gives it."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def onboard(self) -> tuple[int, dict[str, Any]]:
        """Fill the secrets, and register what is said."""
        keys = ["--secret-key", self.file("key", SECRET_KEY), "--doku-public-key"]
        given = ["--client-id", self.world.client_id, *keys, self.file("doku.pem", self.world.doku_public_key)]
        status, facts = self.ask("onboard", *given)
        if "merchantPublicKey" in facts:
            self.world.register(merchant_public_key=facts["merchantPublicKey"])
        return status, facts

    def fields(self, part: str, label: str = "AWSCURRENT") -> dict[str, Any]:
        """What a part's secret holds."""
        found: dict[str, Any] = json.loads(self.world.parts[part].text(label))
        return found

    def labels(self) -> Mapping[str, Mapping[str, str]]:
        """The versions of each secret by their labels."""
        return {part: secret.labels() for part, secret in self.world.parts.items()}

    @property
    def secret(self) -> Credentials:
        """What is in use."""
        return read_content(self.system.secret.read_current().text).credentials

    def findings(self) -> dict[str, tuple[str, str | None]]:
        """What the doctor says is wrong."""
        _, facts = self.ask("doctor")
        return {one["check"]: (one["told"], one["remedy"]) for one in facts["findings"] if one["remedy"] is not None}

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.world.clock.tick(seconds)


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    """A stack whose three secrets have no value."""
    return Office(tmp_path, capsys)


@pytest.fixture
def office(empty: Office) -> Office:
    """A stack whose secrets were filled, an hour ago."""
    assert empty.onboard()[0] == 0
    empty.later(3600)
    return empty


# --- filling ---------------------------------------------------------------------------------------------------------


def test_each_secret_gets_its_own_fields_and_an_order_goes_through(office: Office) -> None:
    for part, known in FIELDS.items():
        assert set(office.fields(part)) == known - {"dokuClientKey"}
    merchant = Merchant(office.world)
    merchant.link()
    assert merchant.pay_to_the_end().state is PaymentState.PAID
    assert not office.world.refused
    assert set(office.world.manager.read) == {"inbound", "signing", "data"}
    assert office.findings() == {}


def test_a_filling_that_ended_halfway_goes_on(empty: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    put = FakeSecretsManager.put_secret_value
    broken = iter([False, True])

    def breaks(secret: FakeSecretsManager, **given: object) -> Mapping[str, str]:
        if next(broken, False):
            raise ConnectionError
        return put(secret, **given)

    monkeypatch.setattr(FakeSecretsManager, "put_secret_value", breaks)
    with pytest.raises(ConnectionError):
        empty.onboard()
    data = empty.world.parts["data"].text()
    assert empty.findings()["secret"] == ("the signing secret has no value", "./ops onboard")
    status, told = empty.run("rotate", "tokenKeys")
    assert (status, "the inbound secret and the signing secret have no value yet: ./ops onboard" in told) == (1, True)
    assert empty.onboard()[0] == 0
    assert empty.world.parts["data"].text() == data
    merchant = Merchant(empty.world)
    merchant.link()
    assert merchant.pay_to_the_end().state is PaymentState.PAID


def test_a_filling_goes_on_with_the_same_values_only(empty: Office) -> None:
    assert empty.onboard()[0] == 0
    del empty.world.parts["signing"]._labels["AWSCURRENT"]
    given = ["--client-id", "another", "--secret-key", empty.file("key", SECRET_KEY)]
    status, told = empty.run("onboard", *given, "--doku-public-key", empty.file("d.pem", empty.world.doku_public_key))
    assert (status, "with another clientId or secretKey" in told) == (1, True)
    assert empty.labels()["signing"] == {}


# --- rotating --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("issuedTokenKey", ["inbound"]),
        ("dokuPublicKey", ["inbound"]),
        ("secretKey", ["inbound", "signing"]),
        ("merchantPrivateKey", ["signing"]),
        ("tokenKeys", ["data"]),
        ("noticeKeys", ["inbound", "data"]),
    ],
)
def test_a_key_is_put_where_it_stands_and_orders_go_on(office: Office, key: str, parts: list[str]) -> None:
    world = office.world
    merchant = Merchant(world)
    merchant.link()
    office.later(3600)  # DOKU's token has ended: what it proved would be asked for first
    before = office.labels()
    given, private = [], new_private_key()
    if key == "secretKey":
        world.register(secret_key="SK-2")
        given = ["--from", office.file("sk", "SK-2")]
    elif key == "dokuPublicKey":
        given = ["--from", office.file("doku2.pem", public_half(load_private_key(private)))]
    elif key == "merchantPrivateKey":
        _, facts = office.ask("rotate", key)
        world.register(merchant_public_key=facts["merchantPublicKey"])
    assert office.run("rotate", key, *given)[0] == 0
    if key == "dokuPublicKey":
        world.sign_with(private)
    after = office.labels()
    assert [part for part in FIELDS if before[part] != after[part]] == parts
    office.later(61)
    assert merchant.pay_to_the_end().state is PaymentState.PAID
    assert not world.refused
    status, facts = office.ask("revoke", key)
    is_tried = key != "dokuPublicKey"
    assert (status, facts["revoked"], facts["tried"]) == (0 if is_tried else 3, True, is_tried)
    assert all(set(office.labels()[part]) == {"AWSCURRENT"} for part in parts)
    assert merchant.pay_to_the_end(f"{REF}-2").state is PaymentState.PAID


def test_a_secret_key_that_was_put_into_one_only_is_told_and_put_into_the_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inbound one is first: what DOKU signs with the new key is heard, whatever becomes of the rest."""
    signing = office.world.parts["signing"]
    put = FakeSecretsManager.put_secret_value

    def breaks(secret: FakeSecretsManager, **given: object) -> Mapping[str, str]:
        if secret is signing:
            raise ConnectionError
        return put(secret, **given)

    new = office.file("sk", "SK-2")
    with monkeypatch.context() as patched:
        patched.setattr(FakeSecretsManager, "put_secret_value", breaks)
        with pytest.raises(ConnectionError):
            office.run("rotate", "secretKey", "--from", new)
    assert (office.fields("inbound")["secretKey"], office.fields("signing")["secretKey"]) == ("SK-2", SECRET_KEY)
    told, remedy = office.findings()["secretKey"]
    assert told == "is another one in the inbound secret than in the signing secret"
    assert remedy == "./ops rotate secretKey --from FILE puts the same into both"
    for command in (["rotate", "issuedTokenKey"], ["revoke", "issuedTokenKey"], ["revoke", "secretKey"]):
        status, said = office.run(*command)
        assert (status, "rotate secretKey --from FILE" in said) == (1, True)
    assert office.fields("inbound")["secretKey"] == "SK-2"
    before = office.labels()["inbound"]
    assert office.run("rotate", "secretKey", "--from", new, "--now")[0] == 0
    assert office.labels()["inbound"] == before  # its overlap goes on
    assert office.fields("signing")["secretKey"] == "SK-2"
    office.world.register(secret_key="SK-2")
    assert office.findings() == {}


def test_a_secret_key_that_was_put_into_one_only_can_be_taken_back(office: Office) -> None:
    fields = json.dumps({**office.fields("inbound"), "secretKey": "SK-wrong"})
    office.world.parts["inbound"].put_secret_value(SecretString=fields)
    old = office.file("sk", SECRET_KEY)
    assert office.run("rotate", "secretKey", "--from", old, "--now")[0] == 0
    assert office.fields("inbound")["secretKey"] == SECRET_KEY


def test_another_client_id_in_one_secret_is_told(office: Office) -> None:
    fields = json.dumps({**office.fields("signing"), "clientId": "BRN-OTHER"})
    office.world.parts["signing"].put_secret_value(SecretString=fields)
    assert office.findings()["clientId"][1] == "put the right clientId into both"
    status, told = office.run("rotate", "tokenKeys")
    assert (status, "each another clientId: put the right clientId into both" in told) == (1, True)


def test_a_rotation_of_what_proves_nothing_does_not_wait_for_an_overlap(office: Office) -> None:
    assert office.run("rotate", "issuedTokenKey")[0] == 0
    before = office.labels()["inbound"]
    assert office.run("rotate", "tokenKeys")[0] == 0
    assert office.labels()["inbound"] == before
    status, told = office.run("rotate", "dokuPublicKey", "--from", office.file("d.pem", office.world.doku_public_key))
    assert (status, "issuedTokenKey was replaced" in told) == (1, True)


def test_a_data_key_that_only_the_version_before_has_comes_along(office: Office) -> None:
    sealed = office.world.process().vault.seal("token", SealedField.ACCESS_TOKEN, "owner")
    lost = {**office.fields("data"), "tokenKeys": {"other": new_key()}, "activeTokenKey": "other"}
    office.world.parts["data"].put_secret_value(SecretString=json.dumps(lost))
    assert "only it has the data keys k1" in office.findings()["version before"][0]
    status, facts = office.ask("rotate", "issuedTokenKey")
    assert (status, facts["dataKeysCarriedOver"]) == (0, ["k1"])
    assert set(office.fields("data")["tokenKeys"]) == {"k1", "other"}
    assert set(office.fields("inbound")) == FIELDS["inbound"] - {"dokuClientKey"}
    assert office.world.process().vault.unseal(sealed, SealedField.ACCESS_TOKEN, "owner") == "token"


def test_what_was_replaced_is_heard_until_its_own_overlap_ends(office: Office) -> None:
    assert office.run("rotate", "issuedTokenKey")[0] == 0
    office.later(3600)
    assert office.run("rotate", "tokenKeys")[0] == 0
    _, facts = office.ask("doctor")
    (before,) = [one["told"] for one in facts["findings"] if one["check"] == "version before"]
    assert before == "differs in issuedTokenKey, tokenKeys; is heard until 2026-03-03 10:00:00Z (in 23 h)"


def seal_notice(office: Office) -> str:
    """Seal what a notification says, as the door does."""
    return office.world.environment().door.vault.seal("a notice", SealedField.NOTICE, "id")


def open_notice(office: Office, sealed: str) -> str:
    """Open it as who acts on it does."""
    return office.world.process().vault.unseal(sealed, SealedField.NOTICE, "id")


def test_what_the_doors_seal_opens_for_those_who_act_on_it_and_nothing_else_opens_at_a_door(office: Office) -> None:
    notice = seal_notice(office)
    assert open_notice(office, notice) == "a notice"
    door, inside = office.world.environment().door.vault, office.world.process().vault
    token = inside.seal("token", SealedField.ACCESS_TOKEN, "owner")
    with pytest.raises(UnsealFailed):
        door.unseal(token, SealedField.ACCESS_TOKEN, "owner")
    forged = door.seal("token", SealedField.ACCESS_TOKEN, "owner")
    with pytest.raises(UnsealFailed):
        inside.unseal(forged, SealedField.ACCESS_TOKEN, "owner")
    assert door.fingerprint("phone:62811") != inside.fingerprint("phone:62811")


def test_a_new_notice_key_leaves_the_old_ones_for_what_waits(office: Office) -> None:
    waiting = seal_notice(office)
    for _ in range(3):
        assert office.run("rotate", "noticeKeys")[0] == 0
        office.later(3600)
    assert office.fields("inbound")["noticeKeys"] == office.fields("data")["noticeKeys"]
    assert office.fields("inbound")["activeNoticeKey"] == "n20260302-3"
    assert open_notice(office, waiting) == open_notice(office, seal_notice(office)) == "a notice"


def test_a_notice_key_that_one_secret_lacks_is_told_and_none_is_lost(office: Office) -> None:
    inbound = {**office.fields("inbound"), "noticeKeys": {"by-hand": new_key()}, "activeNoticeKey": "by-hand"}
    office.world.parts["inbound"].put_secret_value(SecretString=json.dumps(inbound))
    office.later(3600)
    waiting = seal_notice(office)
    told, remedy = office.findings()["noticeKeys"]
    assert told == "is another one in the inbound secret than in the data secret"
    assert remedy == "./ops rotate noticeKeys puts the same into both"
    assert office.run("rotate", "noticeKeys")[0] == 0
    assert office.findings() == {}
    assert set(office.fields("data")["noticeKeys"]) == {"n1", "by-hand", "n20260302"}
    assert open_notice(office, waiting) == "a notice"


def test_a_notice_key_that_only_the_version_before_has_comes_along(office: Office) -> None:
    waiting = seal_notice(office)
    for part in ("inbound", "data"):
        lost = {**office.fields(part), "noticeKeys": {"other": office.fields("data")["noticeKeys"]["n1"]}}
        lost |= {"activeNoticeKey": "other"} if part == "inbound" else {}
        office.world.parts[part].put_secret_value(SecretString=json.dumps(lost))
    office.later(3600)
    status, facts = office.ask("rotate", "tokenKeys")
    assert (status, facts["dataKeysCarriedOver"]) == (0, ["n1"])
    assert open_notice(office, waiting) == "a notice"


def test_with_one_secret_there_are_no_notice_keys(old: Office) -> None:
    for command in ("rotate", "revoke"):
        status, told = old.run(command, "noticeKeys")
        assert (status, "there are noticeKeys with SecretLayout three only" in told) == (1, True)


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "text", "told"),
    [
        ("signing", "no JSON", "in the signing secret: the secret's field (all) must be a JSON object"),
        ("data", '{"tokenKeys": {}}', "in the data secret: the secret's field tokenKeys must be an object"),
        ("inbound", "{}", "in the inbound secret: the secret's field clientId must be"),
    ],
)
def test_the_doctor_names_the_secret_whose_version_can_not_be_used(
    office: Office, part: str, text: str, told: str
) -> None:
    office.world.parts[part].put_secret_value(SecretString=text)
    status, facts = office.ask("doctor")
    assert status == 3
    assert any(told in one["told"] for one in facts["findings"])
    assert office.run("rotate", "tokenKeys")[0] == 1


def test_the_doctor_sees_our_own_half_though_no_function_has_both(office: Office) -> None:
    own = public_half(load_private_key(office.secret.merchant_private_key))
    fields = json.dumps({**office.fields("inbound"), "dokuPublicKey": own})
    office.world.parts["inbound"].put_secret_value(SecretString=fields)
    assert "is the public half of merchantPrivateKey" in office.findings()["secret"][0]
    status, told = office.run("rotate", "issuedTokenKey", "--now")
    assert (status, "is the public half of merchantPrivateKey" in told) == (1, True)


def test_a_whole_secret_works_as_each_part_and_the_doctor_asks_for_its_own_fields_only(office: Office) -> None:
    fields = {name: value for part in FIELDS for name, value in office.fields(part).items()}
    whole = {name: value for name, value in fields.items() if name not in NOTICES}  # as a secret of before
    for secret in office.world.parts.values():
        for note in ("old", "ours"):
            secret.put_secret_value(SecretString=json.dumps({**whole, "note": note}))
    office.later(3600)
    merchant = Merchant(office.world)
    merchant.link()
    assert merchant.pay_to_the_end().state is PaymentState.PAID
    found = office.findings()
    assert found["inbound secret"] == (
        "holds activeTokenKey, merchantPrivateKey, phonePepper, tokenKeys too, which its readers do not need",
        "./ops rotate issuedTokenKey leaves its own fields only",
    )
    assert set(found) == {"inbound secret", "signing secret", "data secret"}
    assert office.run("rotate", "issuedTokenKey")[0] == 0
    assert set(office.fields("inbound")) == (FIELDS["inbound"] - {"dokuClientKey"}) | {"note"}
    assert set(office.findings()) == {"signing secret"}
    assert merchant.pay_to_the_end(f"{REF}-2").state is PaymentState.PAID


def test_a_data_key_with_which_the_doors_seal_too_does_not_end(office: Office) -> None:
    """Whole secrets of before notice keys, pasted as parts: what takes notifications seals with its data key."""
    whole = {name: value for part in FIELDS for name, value in office.fields(part).items() if name not in NOTICES}
    ring = {**whole["tokenKeys"], "k2": new_key()}
    for part, active in (("inbound", "k1"), ("data", "k2")):
        pasted = json.dumps({**whole, "tokenKeys": ring, "activeTokenKey": active})
        office.world.parts[part].put_secret_value(SecretString=pasted)
    office.later(3600)
    status, told = office.run("revoke", "tokenKeys")
    assert (status, "the inbound secret has tokenKeys too: ./ops rotate issuedTokenKey" in told) == (1, True)
    assert "k1" in office.fields("data")["tokenKeys"]


# --- from one layout to the other ------------------------------------------------------------------------------------


@pytest.fixture
def old(empty: Office) -> Office:
    """A stack with one secret that is filled and in use; those of the other layout are there."""
    empty.world.layout, empty.world.changes = "one", True
    assert empty.onboard()[0] == 0
    empty.later(3600)
    return empty


def test_a_data_key_that_the_other_layout_has_still_is_told(old: Office) -> None:
    assert old.run("copy-secret")[0] == 0
    assert old.run("rotate", "tokenKeys")[0] == 0
    old.later(3600)
    status, told = old.run("revoke", "tokenKeys")
    assert (status, "the secret of the other layout has k1 still: ./ops copy-secret" in told) == (3, True)
    assert old.run("copy-secret")[0] == 0
    assert old.run("revoke", "tokenKeys")[0] == 0
    assert set(old.fields("data")["tokenKeys"]) == {"k20260302"}


def test_a_stack_goes_from_one_secret_to_three_and_back(old: Office) -> None:
    world = old.world
    merchant = Merchant(world)
    merchant.link()
    assert merchant.pay_to_the_end().state is PaymentState.PAID
    waiting: list[str] = []
    layouts: tuple[Literal["three", "one"], ...] = ("three", "one")
    for number, layout in enumerate(layouts):
        if layout == "three":
            assert old.findings()["other layout"][1] == "./ops copy-secret before SecretLayout changes"
        status, facts = old.ask("copy-secret")
        assert (status, facts["copied"]) == (0, True)
        assert old.findings() == {}
        waiting.append(seal_notice(old))
        world.layout = layout
        world._fleet.clear()  # the deployment starts others
        assert {open_notice(old, one) for one in waiting} == {"a notice"}
        assert old.findings() == {}
        assert ("but for notifications" in old.run("doctor")[1]) == (layout == "three")
        assert merchant.pay_to_the_end(f"{REF}-{number}").state is PaymentState.PAID
    assert not world.refused
    assert old.ask("copy-secret")[1]["copied"] is False


def test_what_was_rotated_after_the_copy_is_copied_too(old: Office) -> None:
    assert old.run("copy-secret")[0] == 0
    assert old.run("rotate", "tokenKeys")[0] == 0
    assert "lacks keys that are in use" in old.findings()["other layout"][0]
    inbound = old.labels()["inbound"]
    assert old.ask("copy-secret")[1]["copied"] is True
    assert old.labels()["inbound"] == inbound
    assert old.findings() == {}


def test_a_copy_waits_until_a_rotation_has_settled(old: Office) -> None:
    """The version before stays behind: what it proves would be refused as soon as the layout changes."""
    assert old.run("rotate", "issuedTokenKey")[0] == 0
    status, told = old.run("copy-secret")
    assert status == 1
    assert "issuedTokenKey was replaced" in told
    assert "copy from 2026-03-02 10:20:00Z (in 20 min) on, or with --now" in told
    assert old.labels()["inbound"] == {}
    assert old.run("copy-secret", "--now")[0] == 0


def test_without_the_other_layout_there_is_nothing_to_copy_to(office: Office) -> None:
    status, told = office.run("copy-secret")
    assert (status, "SecretLayoutChanges true first" in told) == (1, True)


def test_a_layout_that_changed_too_early_is_not_filled_with_other_keys(old: Office) -> None:
    """New data keys would open nothing of what is stored."""
    old.world.layout = "three"
    status, facts = old.onboard()
    assert status == 1
    assert "./ops copy-secret puts them into this one" in facts["error"]
    assert old.labels()["data"] == {}


def test_no_output_has_anything_of_the_secrets(old: Office, capsys: pytest.CaptureFixture[str]) -> None:
    told = [old.run(command)[1] for command in ("copy-secret", "doctor")]
    old.world.layout = "three"
    told += [old.run(*command)[1] for command in (["copy-secret"], ["rotate", "tokenKeys"], ["doctor"], ["onboard"])]
    shown = "".join(told) + "".join(capsys.readouterr())
    secret = old.secret
    keys = [*secret.token_keys.values(), *secret.notice_keys.values(), secret.phone_pepper, secret.issued_token_key]
    lines = [line for line in secret.merchant_private_key.splitlines() if not line.startswith("-")]
    for hidden in (secret.secret_key, *(b64encode(key).decode() for key in keys), *lines):
        assert hidden not in shown


# --- the runbook -----------------------------------------------------------------------------------------------------


def test_the_runbook_ends_every_key_of_three_leaked_secrets(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/operations.md, "A key has leaked", and its line about notice keys."""
    world, stolen = office.world, read_content(office.system.secret.read_current().text)
    monkeypatch.chdir(office.folder)
    private = new_private_key()
    office.file("secret-key.txt", "SK-given-anew")
    office.file("doku.pem", public_half(load_private_key(private)))
    merchant = Merchant(world)
    merchant.link()
    page = (ROOT / "docs/operations.md").read_text()
    (block,) = [one for one in read_blocks(page) if one.heading == "A key has leaked"]
    commands = [line.partition("#")[0].split()[1:] for line in block.shell.splitlines()]
    for command in [["rotate", "noticeKeys", "--now"], ["revoke", "noticeKeys"], *commands]:
        if command[:2] == ["rotate", "secretKey"]:
            world.register(secret_key="SK-given-anew")
        status, facts = office.ask(*command)
        assert status in (0, 3), facts
        if "merchantPublicKey" in facts:
            world.register(merchant_public_key=facts["merchantPublicKey"])
        if command[:2] == ["rotate", "dokuPublicKey"]:
            world.sign_with(private)
    now = read_content(office.system.secret.read_current().text)
    assert [key for key in KEYS if now.value(key) == stolen.value(key)] == ["phonePepper"]
    for old in (stolen, now.changed(issuedTokenKey=stolen.fields["issuedTokenKey"])):
        assert ask_notification_door(office.system, now, old).verdict is Verdict.REFUSED
    assert merchant.pay_to_the_end().state is PaymentState.PAID
    assert office.findings() == {}
