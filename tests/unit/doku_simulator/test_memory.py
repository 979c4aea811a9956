"""What DOKU knows survives its end: `make run KEEP=1`."""

from pathlib import Path
from random import Random

from tests.unit.doku_simulator.merchant import PHONE, Clock, Merchant, merchant, parsed, simulator_config
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.memory import load, save


def restarted(before: Merchant, file: Path) -> Merchant:
    """The same merchant in front of a new simulator that has read the old one's memory."""
    save(before.simulator, file)
    clock = Clock(before.clock.now)
    simulator = Simulator(simulator_config(), clock, Random(2))  # noqa: S311 - repeatable on purpose
    load(simulator, file)
    return Merchant(clock, token=before.token, count=before.count, simulator=simulator)


def test_a_payment_from_before_is_refunded_and_its_link_ends(tmp_path: Path) -> None:
    first = merchant()
    token = first.link()
    before = first.simulator.bank.balance(PHONE)
    first.paid(token)
    second = restarted(first, tmp_path / "memory")
    assert parsed(second.status())["latestTransactionStatus"] == "00"
    assert second.refund(token).code == "2005800"
    assert [entry.kind for entry in second.simulator.bank.ledger] == ["debit", "refund"]
    assert second.simulator.bank.balance(PHONE) == before
    # One link, and the token that speaks for it: what ends the one ends the other.
    assert second.simulator.unlink_customer("CUST-1") == 1
    assert second.pay(token, "PAY000000002").status == 401
    assert len(second.simulator.requests) > len(first.simulator.requests)


def test_a_reference_stays_used(tmp_path: Path) -> None:
    first = merchant()
    token = first.link()
    first.paid(token)
    assert restarted(first, tmp_path / "memory").pay(token).code == first.pay(token).code


def test_what_was_still_to_come_has_happened(tmp_path: Path) -> None:
    first = merchant({"processing_delay": (3600.0, 3600.0)})
    token = first.link()
    assert first.pay(token, amount="10202.00").code == "2025400"
    second = restarted(first, tmp_path / "memory")
    assert [entry.kind for entry in second.simulator.bank.ledger] == ["debit"]
    # The merchant hears of it from the new one.
    second.clock.forward(3700)
    kinds = [(one.kind, one.reference) for one in second.simulator.due_deliveries()]
    assert ("payment", "PAY000000001") in kinds


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    fresh = merchant()
    load(fresh.simulator, tmp_path / "memory")
    assert fresh.simulator.bank.ledger == []


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    save(merchant().simulator, tmp_path / "memory")
    assert (tmp_path / "memory").stat().st_mode & 0o077 == 0
