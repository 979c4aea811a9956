"""Is the search any good? Deliberate bugs, one at a time; each has to be found within a number of seeds.

A mutant is the shipped source with one piece exchanged (`edit`), a condition or table with one entry changed, or a
function replaced. The piece has to be there: a mutant that no longer fits the source is an error, not a success.
"""

from __future__ import annotations

import inspect
import multiprocessing
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from direct_debit.adapters import doku, doku_replies, vault
from direct_debit.adapters.dynamodb import conditions
from direct_debit.application import (
    accept_notification,
    advance_binding,
    advance_payment,
    bind_account,
    confirm_unbinding,
    inquire_status,
    make_payment,
    obtain_b2b_token,
    obtain_customer_token,
    process_notification,
    process_refund,
    record_change,
    references,
    refund_payment,
    release_account,
    resolve_pending,
    verify_payment_otp,
)
from direct_debit.application.ports import Reply
from direct_debit.domain.payment import PAYMENT_TRANSITIONS, PaymentEvent, PaymentSituation, PaymentState
from doku_snap.operations import Operation
from tests.simulation.coverage import Coverage
from tests.simulation.history import run_history
from tests.simulation.search import prepare_worker, say

MOST_SEEDS = 1_500

type Undo = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One deliberate bug."""

    name: str
    bug: str
    plant: Callable[[], list[Undo]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the search made of a mutant: the first seed that found it and as what; None when nothing did."""

    name: str
    bug: str
    seed: int | None
    tried: int
    violation: str
    seconds: float


# --- how to plant ----------------------------------------------------------------------------------------------------


def _replace_everywhere(original: object, new: object) -> list[Undo]:
    """Put `new` wherever a module of the product or of the simulation has `original` under some name."""
    undo: list[Undo] = []
    for module in list(sys.modules.values()):
        name = getattr(module, "__name__", "")
        if not name.startswith(("direct_debit", "doku_snap", "tests.simulation")) or name == __name__:
            continue
        for attribute, value in list(vars(module).items()):
            if value is original:
                undo.append(_set(module, attribute, new))
    if not undo:
        raise LookupError(f"nobody uses {original!r}")
    return undo


def _set(owner: object, attribute: str, new: object) -> Undo:
    old = getattr(owner, attribute)
    setattr(owner, attribute, new)
    return lambda: setattr(owner, attribute, old)


def _put(table: object, key: object, new: object) -> Undo:
    """Set (or with None: remove) an entry of a table that is a plain dictionary underneath."""
    if not isinstance(table, dict):
        raise TypeError("only dictionaries")
    as_it_was = dict(table)
    if new is None:
        del table[key]
    else:
        table[key] = new

    def undo() -> None:
        # The order comes back too: what is drawn from a table must not tell that a mutant was here.
        table.clear()
        table.update(as_it_was)

    return undo


def _edit(function: Any, old: str, new: str) -> list[Undo]:  # noqa: ANN401 - any function of the product
    """Exchange a piece of a function's source, which has to occur in it exactly once."""
    source = textwrap.dedent(inspect.getsource(function))
    if source.count(old) != 1:
        raise LookupError(f"{function.__qualname__} has {source.count(old)} times {old!r}")
    module = sys.modules[function.__module__]
    scope: dict[str, Any] = {}
    code = compile(source.replace(old, new), inspect.getfile(function), "exec")
    exec(code, vars(module) | {"__name__": module.__name__}, scope)  # noqa: S102 - our own source with one piece exchanged
    changed = scope[function.__name__]
    rebound = _rebind(changed, module)
    if "." in function.__qualname__:
        return [_set(getattr(module, function.__qualname__.split(".")[0]), function.__name__, rebound)]
    return _replace_everywhere(function, rebound)


def _rebind(function: Any, module: ModuleType) -> Any:  # noqa: ANN401 - stands in for any of the product
    """Let the new function see the module's names as they are when it runs."""
    twin = type(function)(
        function.__code__, vars(module), function.__name__, function.__defaults__, function.__closure__
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    twin.__module__ = module.__name__
    return twin


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Let a bug live while this is open."""
    with ExitStack() as stack:
        for undo in mutant.plant():
            stack.callback(undo)
        yield


# --- the bugs --------------------------------------------------------------------------------------------------------


def _exists(*_: object) -> conditions.Condition:
    return conditions.EXISTS


_ALWAYS = conditions.Condition("attribute_not_exists(#pk) OR attribute_exists(#pk)", {"#pk": "pk"}, {})


def _same_version_only(version: int, state: str) -> conditions.Condition:
    return conditions.unchanged(version, state)


def _one_slot_for_all() -> list[Undo]:
    kept: list[obtain_customer_token.CustomerAccess] = []
    real = obtain_customer_token.obtain_customer_token

    def shared(ports: Any, binding_id: str, deadline: Any, refused: str | None = None) -> Any:  # noqa: ANN401 - stands in for any of the product
        if refused is not None or not kept:
            kept[:] = [real(ports, binding_id, deadline, refused)]
        return kept[0]

    return _replace_everywhere(real, shared)


def _hourly_external_id(clock: Any, ids: Any) -> str:  # noqa: ANN401 - stands in for any of the product
    return str(clock.now().strftime("%Y%m%d%H%M")) + "0" * 12


def _replace_conditions() -> list[Undo]:
    return [_set(conditions, "unchanged", _exists)]


def _skip_settling() -> list[Undo]:
    from direct_debit.application import unbind_account  # noqa: PLC0415

    return _replace_everywhere(unbind_account.settle_open_payments, lambda *_: None)


def _returned_is_linked() -> list[Undo]:
    from direct_debit.application import prove_binding  # noqa: PLC0415

    return _edit(
        prove_binding.prove_binding,
        "return end_attempt(claimed, ports)\n    except NotDone:",
        "from direct_debit.application.ports import CustomerTokens\n"
        "        tokens = CustomerTokens('made-up', None, None, None)\n    except NotDone:",
    )


_PAYMENT_MOVES = PAYMENT_TRANSITIONS.moves
_P, _E = PaymentSituation, PaymentEvent
_replies = doku_replies._BY_OPERATION

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "refund-without-asking",
        "a refund is sent again without asking refundHistory first",
        lambda: _edit(
            process_refund._do_step,
            "if payment.refund is not None and payment.refund.attempts > 0:",
            "if False:",
        ),
    ),
    Mutant(
        "refund-new-number",
        "each sending of a refund gets a new number",
        lambda: _edit(
            process_refund._claim_sending,
            "attempts=refund.attempts + 1,",
            "attempts=refund.attempts + 1,\n"
            '        number=f"N{ports.ids.digits(8)}" if refund.attempts else refund.number,',
        ),
    ),
    Mutant("save-unconditional", "records are saved without the version condition", _replace_conditions),
    Mutant(
        "create-over",
        "a payment is created over an existing one (no IS_NEW)",
        lambda: [_set(conditions, "IS_NEW", _ALWAYS)],
    ),
    Mutant(
        "create-on-any-binding",
        "a payment is created whatever the state of its binding",
        lambda: [_set(conditions, "can_take_payment", _exists)],
    ),
    Mutant(
        "amount-ignored",
        "a notification's amount is not compared",
        lambda: _replace_everywhere(process_notification._find_mismatch, lambda *_: None),
    ),
    Mutant(
        "failed-after-paid",
        "a late status 06 makes a PAID payment FAILED",
        lambda: [_put(_PAYMENT_MOVES, (_P.PAID, _E.DECLINED), _P.FAILED)],
    ),
    Mutant(
        "unknown-is-failed",
        "a payment whose answer was lost counts as declined",
        lambda: _edit(
            make_payment._send,
            "PaymentEvent.OUTCOME_LOST, _lost(ports, error)",
            "PaymentEvent.DECLINED, _lost(ports, error)",
        ),
    ),
    Mutant(
        "lost-otp-is-wrong",
        "a lost answer to a code counts as a wrong code",
        lambda: _edit(
            verify_payment_otp._send,
            "_conclude(ports, payment, PaymentEvent.OUTCOME_LOST, evidence)",
            "_conclude(ports, payment, PaymentEvent.OTP_WRONG, evidence)",
        ),
    ),
    Mutant(
        "lost-is-not-done",
        "the adapter calls a lost answer NotDone",
        lambda: _edit(
            doku.DokuAdapter._write,
            "except AnswerLost as error:\n        raise OutcomeUnknown(",
            "except AnswerLost as error:\n        raise NotDone(",
        ),
    ),
    Mutant(
        "release-after-lost",
        "a payment whose answer was lost may be sent again",
        lambda: _edit(
            make_payment._send,
            "return _conclude(ports, sent, PaymentEvent.OUTCOME_LOST, _lost(ports, error))",
            "_release(ports, sent, error)\n        raise NotDone('nothing was sent') from error",
        ),
    ),
    Mutant(
        "external-id-reused",
        "an X-EXTERNAL-ID is used more than once",
        lambda: _replace_everywhere(references.make_external_id, _hourly_external_id),
    ),
    Mutant(
        "no-resolver",
        "nobody visits what is due",
        lambda: _replace_everywhere(resolve_pending.resolve_pending, lambda *_: resolve_pending.Resolved(0, 0)),
    ),
    Mutant(
        "no-late-refund",
        "a late success is not given back",
        lambda: _replace_everywhere(advance_payment._with_late_refund, lambda _ports, after, _now: after),
    ),
    Mutant(
        "late-success-ignored",
        "a success after 'not found' is ignored",
        lambda: [_put(_PAYMENT_MOVES, (_P.FAILED_NOT_FOUND, _E.SUCCEEDED), None)],
    ),
    Mutant(
        "open-payments-forgotten",
        "a payment stops holding its account at its first step",
        lambda: [
            *_edit(record_change.record_payment_change, "if not after.is_open:", "if True:"),
            *_edit(release_account.release_account, "if payment is not None and payment.is_open:", "if False:"),
        ],
    ),
    Mutant("token-of-another", "one token is kept for all customers", _one_slot_for_all),
    Mutant(
        "refund-unclaimed",
        "a refund is sent without being claimed in the record",
        lambda: _edit(
            process_refund._claim_sending,
            "sent = ports.payments.save(payment, replace(payment.noted(now), refund=claimed))",
            "sent = replace(payment.noted(now), refund=claimed)",
        ),
    ),
    Mutant(
        "notification-not-stored",
        "a notification is acknowledged without being stored",
        lambda: _edit(
            accept_notification.accept_notification, "if not ports.inbox.put(item):", "if ports.inbox.get(item_id):"
        ),
    ),
    Mutant(
        "events-swallowed",
        "a failing event bus is ignored",
        lambda: _edit(
            record_change._publish,
            "ports.events.publish(",
            "return None if ports.ids.jitter() < 0.05 else ports.events.publish(",
        ),
    ),
    Mutant(
        "not-found-at-once",
        "the first 'not found' is final",
        lambda: _edit(
            inquire_status._follow_not_found,
            "if old_enough and counted.not_found_count >= _NOT_FOUND_AT_LEAST:",
            "if True:",
        ),
    ),
    Mutant(
        "exhausted-silently",
        "a schedule that ends without an answer ends in nothing",
        lambda: _edit(inquire_status._settle, "    if last:\n", "    if False:\n"),
    ),
    Mutant(
        "review-unannounced",
        "nobody is told of NEEDS_REVIEW",
        lambda: [_put(record_change._PAYMENT_EVENTS, PaymentState.NEEDS_REVIEW, None)],
    ),
    Mutant(
        "otp-unbounded",
        "codes are sent without bound",
        lambda: _edit(
            verify_payment_otp.verify_payment_otp,
            "if payment.otp_attempts >= ports.settings.max_otp_attempts:",
            "if False:",
        ),
    ),
    Mutant(
        "unlink-while-open",
        "an unlinking begins although payments are open",
        lambda: [
            _set(conditions, "unchanged_and_no_open_payments", _same_version_only),
            *_skip_settling(),
        ],
    ),
    Mutant(
        "claims-shared",
        "an account that is claimed may be claimed again",
        lambda: [_set(conditions, "claimable", lambda *_: _ALWAYS)],
    ),
    Mutant(
        "accepted-is-paid",
        "2000400 counts as paid",
        lambda: [_put(verify_payment_otp._EVENTS, Reply.DONE, _E.SUCCEEDED)],
    ),
    Mutant(
        "refund-unpaid",
        "a payment that is not PAID may be refunded",
        lambda: _edit(refund_payment.refund_payment, "if payment.state is not PaymentState.PAID:", "if False:"),
    ),
    Mutant(
        "second-refund",
        "another number replaces the refund",
        lambda: _edit(
            refund_payment.refund_payment,
            "if payment.refund is not None:",
            "if payment.refund is not None and payment.refund.number == number:",
        ),
    ),
    Mutant(
        "body-not-compared",
        "the same reference with another body is answered as if it were the same",
        lambda: _edit(make_payment._repeat, "if existing.request_hash != request_hash:", "if False:"),
    ),
    Mutant(
        "no-due-time",
        "a new payment has no due time",
        lambda: _edit(
            make_payment.make_payment,
            "remember_moves(None, replace(payment, due_at=plan_next_look(ports, payment, now)))",
            "remember_moves(None, payment)",
        ),
    ),
    Mutant(
        "tokens-kept",
        "tokens outlive their link",
        lambda: _replace_everywhere(advance_binding._tidied, lambda binding: binding),
    ),
    Mutant(
        "token-logged",
        "a token is written to the log",
        lambda: _edit(
            obtain_b2b_token._renew,
            "ports.telemetry.count(Metric.B2B_TOKEN_REQUESTED)",
            "ports.telemetry.note('renewed ' + issued.token)",
        ),
    ),
    Mutant(
        "old-keys-forgotten",
        "texts sealed with the key before can not be opened",
        lambda: _edit(
            vault.AesGcmVault._find_key,
            "if key is None:\n        raise",
            "if key_id != self._source.current().active_token_key or key is None:\n        raise",
        ),
    ),
    Mutant(
        "sent-before-written",
        "a payment is sent before it is written",
        lambda: _edit(
            make_payment.make_payment,
            "obstacle = _create(payment, key, ports)",
            "_send(payment, ports, deadline)\n    obstacle = _create(payment, key, ports)",
        ),
    ),
    Mutant(
        "returned-is-linked",
        "the browser's return counts as proof of a link",
        _returned_is_linked,
    ),
    Mutant(
        "bind-forgets-lease",
        "a link that nobody finishes is never given up",
        lambda: _edit(
            bind_account.bind_account, "due_at=now + timedelta(seconds=ports.settings.link_lease),", "due_at=None,"
        ),
    ),
    # The bugs that the search found in the product itself, put back.
    Mutant(
        "found-refund-lag",
        "a status that lags proves that a refund is not known (seed 13)",
        lambda: _edit(
            process_refund._read_history,
            'return RefundEvent.NOT_IN_HISTORY if answer.status == "00" else None',
            "return RefundEvent.NOT_IN_HISTORY",
        ),
    ),
    Mutant(
        "found-refund-repetition",
        "the refusal of a repeated refund counts for the first one too (seed 79)",
        lambda: _edit(process_refund._follow, "if event is RefundEvent.REFUSED and claimed.attempts > 1:", "if False:"),
    ),
    Mutant(
        "found-keys-refused",
        "a signature that DOKU does not take is the bank's refusal (found by reading, about rotations)",
        lambda: [_put(doku_replies._BY_CASE, (401, "00"), Reply.DECLINED)],
    ),
    Mutant(
        "found-signature-is-customer",
        "a token exchange that is refused for our signature ends the link (found by reading, about rotations)",
        lambda: _replace_everywhere(obtain_customer_token.ask_surely, lambda _ports, _deadline, ask: ask()),
    ),
    Mutant(
        "found-second-code",
        "the refusal of a second code ends a payment of which the first one may still be executed (seed 5547)",
        lambda: _edit(
            advance_payment.advance_payment,
            "in_doubt = refused and current.may_be_done_by_an_earlier_request",
            "in_doubt = False",
        ),
    ),
    Mutant(
        "found-second-unlinking-code",
        "the refusal of a second code proves that the link lives (seed 4168)",
        lambda: _edit(confirm_unbinding._follow, "if binding.unbind_unclear:", "if False:"),
    ),
    Mutant(
        "found-unlinked-by-token",
        "an expired token makes the link UNBOUND (seed 68)",
        lambda: [
            _put(_replies, (Operation.UNBIND_ACCOUNT, http, case), Reply.GONE)
            for http, case in ((401, "02"), (401, "04"), (404, "11"))
        ],
    ),
    Mutant(
        "found-refund-of-refunded",
        "a refund goes on although DOKU has reported the payment as refunded (seed 1068)",
        lambda: _replace_everywhere(advance_payment._with_completed_refund, lambda after, _evidence: after),
    ),
)


# --- the trial -------------------------------------------------------------------------------------------------------


def try_mutant(name: str, start: int = 0, seeds: int = MOST_SEEDS) -> Verdict:
    """Search with a bug planted until it is found."""
    mutant = next(one for one in MUTANTS if one.name == name)
    begun = time.perf_counter()
    coverage = Coverage()
    try:
        with planted(mutant):
            pass
    except LookupError as error:
        return Verdict(name, mutant.bug, None, 0, f"does not fit the source any more: {error}", 0.0)
    with planted(mutant):
        for seed in range(start, start + seeds):
            history = run_history(seed, coverage)
            if history.violations:
                took = time.perf_counter() - begun
                return Verdict(name, mutant.bug, seed, seed - start + 1, history.violations[0].splitlines()[0], took)
    return Verdict(name, mutant.bug, None, seeds, "", time.perf_counter() - begun)


def run_mutants(jobs: int, *, only: str = "", seeds: int = MOST_SEEDS) -> int:
    """Try all mutants and print what came of each; 0 when every one was found."""
    names = [mutant.name for mutant in MUTANTS if only in mutant.name]
    missed = []
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, prepare_worker) as pool:
        for verdict in pool.imap_unordered(try_mutant, names):
            if verdict.seed is None:
                missed.append(verdict.name)
                why = verdict.violation or f"{verdict.tried} seeds, {verdict.seconds:.0f} s"
                say(f"MISSED {verdict.name:<26} {verdict.bug}: {why}")
            else:
                say(
                    f"found  {verdict.name:<26} {verdict.tried:>5} seeds, seed {verdict.seed}: {verdict.violation}",
                )
    say(f"{len(names) - len(missed)} of {len(names)} found within {seeds} seeds each")
    return 1 if missed else 0
