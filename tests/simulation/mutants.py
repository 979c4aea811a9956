"""Is the search any good? Deliberate bugs, one at a time; each has to be found within a number of seeds.

A mutant is the shipped source with one piece exchanged (`edit`), a condition or table with one entry changed, or a
function replaced. The piece has to be there: a mutant that no longer fits the source is an error, not a success.
"""

from __future__ import annotations

import inspect
import multiprocessing
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from direct_debit.adapters import doku, doku_inbound, doku_replies, secrets, vault
from direct_debit.adapters.dynamodb import changes, client, conditions, filing, payment_item, payments
from direct_debit.application import chains, references, resolve_pending
from direct_debit.application.bindings import (
    advance_binding,
    bind_account,
    confirm_unbinding,
    prove_binding,
    release_account,
    resolve_binding,
    result,
    unbind_account,
    unbinding,
)
from direct_debit.application.calls import circuit, obtain_b2b_token, obtain_customer_token
from direct_debit.application.notifications import accept_notification, process_notification
from direct_debit.application.outbox import event_types, record_change
from direct_debit.application.payments import advance_payment, inquire_status, make_payment, verify_payment_otp
from direct_debit.application.ports.doku import Reply
from direct_debit.application.refunds import process_refund, refund_payment
from direct_debit.domain.payment import PAYMENT_TRANSITIONS, PaymentEvent, PaymentSituation, PaymentState
from direct_debit.entrypoint import stream
from doku_snap import response_codes, ties
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


def _exists(*_: object, **__: object) -> conditions.Condition:
    return conditions.EXISTS


_ALWAYS = conditions.Condition("attribute_not_exists(#pk) OR attribute_exists(#pk)", {"#pk": "pk"}, {})


def _same_version_only(version: int, state: str) -> conditions.Condition:
    return conditions.unchanged(version, state)


def _one_slot_for_all() -> list[Undo]:
    kept: list[obtain_customer_token.CustomerAccess] = []
    real = obtain_customer_token.obtain_customer_token

    def shared(ports: Any, owner: str, deadline: Any, refused: str | None = None, *, known: Any = None) -> Any:  # noqa: ANN401 - stands in for any of the product
        if refused is not None or not kept:
            kept[:] = [real(ports, owner, deadline, refused, known=known)]
        return kept[0]

    return _replace_everywhere(real, shared)


def _hourly_external_id(clock: Any, ids: Any) -> str:  # noqa: ANN401 - stands in for any of the product
    return str(clock.now().strftime("%Y%m%d%H%M")) + "0" * 12


def _replace_conditions() -> list[Undo]:
    return [_set(conditions, "unchanged", _exists)]


def _skip_settling() -> list[Undo]:
    return _replace_everywhere(unbinding.settle_open_payments, lambda *_: None)


def _returned_is_linked() -> list[Undo]:
    return _edit(
        prove_binding._find_proof,
        "            unclear = error if last and _says_nothing(error) else unclear\n",
        "            return external_id, CustomerTokens('made-up', None, None, None)\n",
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
            'raise OutcomeUnknown("DOKU\'s answer was lost; the outcome is not known", silent=silent)',
            "raise NotDone('DOKU did not answer')",
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
            *_edit(record_change.find_payment_news, "if not after.is_open:", "if True:"),
            *_edit(record_change.tell, "if record.is_open:", "if False:"),
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
        lambda: _edit(accept_notification.accept_notification, "ports.inbox.put(item)", "ports.inbox.get(item_id)"),
    ),
    Mutant(
        "events-swallowed",
        "a failing event bus is ignored",
        lambda: _edit(
            record_change.tell,
            "ports.events.publish(event)",
            "None if ports.ids.jitter() < 0.05 else ports.events.publish(event)",
        ),
    ),
    Mutant(
        "not-found-at-once",
        "the first 'not found' is final",
        lambda: _edit(
            inquire_status._follow_not_found,
            "if old_enough and evidence.at - since >= SOON:",
            "if True:",
        ),
    ),
    Mutant(
        "exhausted-silently",
        "a schedule that ends without an answer ends in nothing",
        lambda: _replace_everywhere(inquire_status._exhaust, lambda _ports, payment: payment),
    ),
    Mutant(
        "review-unannounced",
        "nobody is told of NEEDS_REVIEW",
        lambda: [_put(event_types._NAMES["payment"], PaymentState.NEEDS_REVIEW, None)],
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
        "confirmed-beside-another",
        "a link is confirmed although another one of its account or customer is",
        lambda: [_set(conditions, "unconfirmed_or_own", lambda *_: _ALWAYS)],
    ),
    Mutant(
        "unconfirmed-keeps-out",
        "a link that nobody has confirmed keeps others out",
        lambda: _edit(bind_account.bind_account, "if not holder.is_unconfirmed:", "if True:"),
    ),
    Mutant(
        "earlier-pages-forgotten",
        "a page that was replaced proves nothing any more",
        lambda: _edit(bind_account._set_page_aside, "_keep_earlier(aside, binding.auth_codes)", "aside"),
    ),
    Mutant(
        "dead-page-again",
        "a page that brought no link is handed out again",
        lambda: _edit(result.show_binding, "if binding.has_page and not binding.page_ended:", "if binding.has_page:"),
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
            "replace(payment, due_at=plan_next_look(ports, payment, now))",
            "payment",
        ),
    ),
    Mutant(
        "tokens-kept",
        "tokens outlive their link",
        lambda: _replace_everywhere(advance_binding.tidied, lambda binding: binding),
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
            "obstacle = _create(",
            "_send(payment, command, ports, deadline)\n    obstacle = _create(",
        ),
    ),
    Mutant(
        "circuit-never-read-again",
        "a circuit that was quiet once is taken to be so for ever",
        lambda: _replace_everywhere(circuit._is_quiet, lambda ports: ports.circuit_memory.quiet_at is not None),
    ),
    Mutant(
        "existing-payment-sent-again",
        "a payment that the store knows already is sent as if it were new",
        lambda: _edit(
            make_payment.make_payment,
            "return _repeat(obstacle.payment, request_hash, command, ports, deadline)",
            "return PaymentResult(_send(obstacle.payment, command, ports, deadline, binding))",
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
            "return RefundEvent.NOT_IN_HISTORY if answer.status == _PAID else None",
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
        lambda: _edit(advance_payment._meaning, "refused and current.may_be_done_by_an_earlier_request", "False"),
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
    # --- an answer speaks of what it names -------------------------------------------------------------------------
    Mutant(
        "status-of-another",
        "a status is believed whatever payment it names",
        lambda: [_put(ties._TEXTS, Operation.INQUIRE_STATUS, ())],
    ),
    Mutant(
        "status-of-another-amount",
        "a status is believed whatever amount it names",
        lambda: [_put(ties._AMOUNTS, Operation.INQUIRE_STATUS, None)],
    ),
    Mutant(
        "unreadable-is-absent",
        "an amount that can not be read counts as none",
        lambda: _edit(
            ties._is_amount,
            "except ArithmeticError:\n        return False",
            "except ArithmeticError:\n        return True",
        ),
    ),
    Mutant(
        "payment-of-another",
        "the answer to a payment is believed whatever payment it names",
        lambda: [_put(ties._TEXTS, Operation.MAKE_PAYMENT, ())],
    ),
    Mutant(
        "code-of-another",
        "the answer to a code is believed whatever payment it names",
        lambda: [_put(ties._TEXTS, Operation.VERIFY_OTP, ())],
    ),
    Mutant(
        "refund-of-another",
        "the answer to a refund is believed whatever payment and number it names",
        lambda: [_put(ties._TEXTS, Operation.REFUND_PAYMENT, ())],
    ),
    Mutant(
        "refund-of-another-amount",
        "the answer to a refund is believed whatever amount it names",
        lambda: [_put(ties._AMOUNTS, Operation.REFUND_PAYMENT, None)],
    ),
    Mutant(
        "any-200-ends-a-refund",
        "a success of any service ends a refund",
        lambda: [
            _put(response_codes._SUCCESS_ALSO, Operation.REFUND_PAYMENT, frozenset({"07", "55", "73", "11"})),
        ],
    ),
    Mutant(
        "any-service-answers",
        "the service of a response code is not looked at",
        lambda: _replace_everywhere(response_codes.belongs_to, lambda _code, _operation: True),
    ),
    Mutant(
        "row-of-another-amount",
        "a row of refundHistory is believed whatever amount it names",
        lambda: _replace_everywhere(ties.doubt_rows, lambda _question, fields, _untied=frozenset(): (fields, ())),
    ),
    # --- a question is asked until it is answered -------------------------------------------------------------------
    Mutant(
        "question-dropped",
        "a question about a final payment ends with the first refusal to answer it",
        lambda: _edit(
            inquire_status._plan_another,
            "return _plan(ports, payment, replace(payment, due_at=due))",
            "return _plan(ports, payment, replace(payment, due_at=None if payment.is_final else due, "
            "questioned_at=None if payment.is_final else payment.questioned_at))",
        ),
    ),
    Mutant(
        "question-lost-in-a-race",
        "a question is forgotten when the payment changes meanwhile",
        lambda: _edit(
            inquire_status.request_inquiry, "current = race.current\n            continue", "return race.current"
        ),
    ),
    Mutant(
        "question-answered-by-not-found",
        "that DOKU does not know a payment answers what it has told of it",
        lambda: _edit(inquire_status._is_answered, "if answer.status in _FINAL or", "if True or"),
    ),
    Mutant(
        "question-ended-by-its-age",
        "a question that is old enough ends with any answer, the first one after an outage too (found by the search, "
        "seed 46541)",
        lambda: _edit(
            inquire_status._is_answered, "heard = payment.question_heard_at", "heard = payment.questioned_at"
        ),
    ),
    Mutant(
        "question-not-kept",
        "something odd is asked about once, and not until it is answered",
        lambda: _edit(inquire_status.request_inquiry, "questioned_at=now, question_heard_at=None, ", ""),
    ),
    Mutant(
        "question-put-off-by-a-move",
        "what moves a payment puts a question off that was to be repeated soon (found by the search, seed 6586)",
        lambda: _edit(advance_payment.plan_after_move, "return min(step, max(before.due_at, now))", "return step"),
    ),
    Mutant(
        "question-forgotten-by-refund",
        "a refund that completes a payment drops its question (found by the search, seed 459)",
        lambda: _edit(
            process_refund._advance, "due = plan_after_move(ports, current, completed, evidence.at)", "due = None"
        ),
    ),
    Mutant(
        "mismatch-not-asked",
        "a notification with another amount is put aside, and nobody asks",
        lambda: _edit(
            process_notification._process_payment,
            "request_inquiry(ports, payment)\n        told =",
            "told =",
        ),
    ),
    Mutant(
        "old-failure-believed",
        "a refusal that is told long afterwards is believed",
        lambda: _edit(
            process_notification._process_payment,
            "if not item.fresh:",
            'if not item.fresh and facts.status == "00":',
        ),
    ),
    Mutant(
        "waited-and-believed",
        "a notification that waited in our queues is believed (found by the search, seed 123311)",
        lambda: _edit(process_notification._process_payment, "if _has_waited(item, ports):", "if False:"),
    ),
    Mutant(
        "replaced-key-believed",
        "what a replaced key proves is believed (findings/security.md, S1)",
        lambda: _edit(
            doku_inbound.InboundDokuAdapter.read_notification,
            "command, fresh=False, is_by_replaced_key=True",
            "command",
        ),
    ),
    Mutant(
        "replaced-key-for-ever",
        "a replaced key is heard for as long as Secrets Manager keeps it (findings/security.md, S1)",
        lambda: _edit(
            secrets.SecretsManagerCredentials.overlapping,
            "since is None or self._clock.now() >= since + self._overlap",
            "False",
        ),
    ),
    # --- what ends a link ---------------------------------------------------------------------------------------------
    Mutant(
        "link-given-up-unasked",
        "a link is given up by who found somebody else asking DOKU about it",
        lambda: _edit(prove_binding._leave_to_another, "if last and _is_provable(binding):", "if False:"),
    ),
    Mutant(
        "link-given-up-on-any-refusal",
        "a link is given up because DOKU did not take our signature",
        lambda: _edit(unbind_account._abandon, "ports, deadline, last=True)", "ports, deadline)"),
    ),
    Mutant(
        "link-given-up-on-a-suspension",
        "a link is given up because DOKU is suspended",
        lambda: _edit(prove_binding._find_proof, "if last and _says_nothing(error)", "if False"),
    ),
    Mutant(
        "late-page-takes-the-place",
        "an answer that comes after another page was asked for is taken for that page's",
        lambda: _edit(bind_account._follow, "if after.external_id != binding.external_id:", "if False:"),
    ),
    Mutant(
        "silent-refund-waits-a-step",
        "a look at a refund that finds nobody there costs a step of the schedule",
        lambda: _edit(
            process_refund._plan_another_look,
            "due = next_try(ports, error, since=refund.requested_at, now=now, step=due)",
            "pass",
        ),
    ),
    Mutant(
        "silent-link-waits-a-step",
        "a probe of a link that finds nobody there costs a step of the schedule",
        lambda: _edit(
            resolve_binding._probe,
            "due = next_try(ports, error, since=since, now=ports.clock.now(), step=step)",
            "due = step",
        ),
    ),
    Mutant(
        "lost-news-out-of-order",
        "what a lost record of an open payment had to say comes after the events that follow it",
        lambda: _edit(record_change.find_payment_news, "if news.events and earlier.events", "if False"),
    ),
    Mutant(
        "late-refusal-ends-the-link",
        "a refusal that comes after another page was asked for ends the link",
        lambda: _edit(
            advance_binding.advance_binding, "if about is not None and current.external_id != about:", "if False:"
        ),
    ),
    # --- looks in time ------------------------------------------------------------------------------------------------
    Mutant(
        "look-costs-a-step",
        "a look claims the next step of its schedule",
        lambda: _edit(
            inquire_status.ask_status,
            "due_at=claim_until(ports, now))",
            "due_at=plan_next_look(ports, payment, now))",
        ),
    ),
    Mutant(
        "silence-costs-a-step",
        "a look that finds DOKU silent waits for the next step",
        lambda: _edit(
            inquire_status._plan_another,
            "due = next_try(ports, error, since=since, now=now, step=step)",
            "due = step or next_try(ports, error, since=since, now=now)",
        ),
    ),
    Mutant(
        "second-not-found-a-step-later",
        "the second 'not found' is asked for a step later",
        lambda: _edit(
            inquire_status._next_look,
            "return min(step, max(believed, now + SOON * (1 + ports.ids.jitter() / 4)))",
            "return step",
        ),
    ),
    Mutant(
        "not-found-before-the-code",
        "'not found' counts although it was said before the code was sent",
        lambda: _edit(verify_payment_otp._submit, "not_found_count=0,\n        not_found_since=None,", ""),
    ),
    Mutant(
        "asked-too-early",
        "a schedule may ask within the first minute",
        lambda: _edit(
            advance_payment.plan_next_look,
            "return max(earliest, min(looks)) if looks else None",
            "return min(looks) if looks else None",
        ),
    ),
    Mutant(
        "refund-lease-of-seconds",
        "who sends a refund is taken for dead after five seconds",
        lambda: _edit(
            process_refund._claim_sending, "due_at=claim_until(ports, now),", "due_at=now + timedelta(seconds=5),"
        ),
    ),
    Mutant(
        "refund-lease-is-the-first-inquiry",
        "who sends a refund is taken for dead after FirstInquirySeconds",
        lambda: _edit(
            process_refund._claim_sending,
            "due_at=claim_until(ports, now),",
            "due_at=now + timedelta(seconds=ports.settings.first_inquiry),",
        ),
    ),
    # --- ends ---------------------------------------------------------------------------------------------------------
    Mutant(
        "empty-purse-is-final",
        "a merchant's balance that is too low ends a refund",
        lambda: [_put(_replies, (Operation.REFUND_PAYMENT, 403, "14"), None)],
    ),
    Mutant(
        "lagging-doku-is-final",
        "a refund ends because DOKU does not know yet that the payment is paid",
        lambda: [_put(_replies, (Operation.REFUND_PAYMENT, 404, "00"), None)],
    ),
    Mutant(
        "own-refusal-first",
        "our own refused row of refundHistory outweighs that the payment is refunded",
        lambda: _edit(
            process_refund._read_history,
            'if "00" in ours or answer.status == "04":',
            'if "06" in ours:\n        return RefundEvent.REFUSED\n    if "00" in ours or answer.status == "04":',
        ),
    ),
    Mutant(
        "refund-beside-another",
        "a refund is sent although the payment is being refunded under another number",
        lambda: _edit(
            process_refund._read_history,
            'if any(row.status in ("00", "03") for row in answer.refunds if row.number != number):',
            "if False:",
        ),
    ),
    Mutant(
        "code-asked-for-again",
        "a status that lags asks for another code of a payment whose code was accepted",
        lambda: _edit(advance_payment._meaning, "and current.otp_accepted", "and False"),
    ),
    Mutant(
        "abandoned-after-a-code",
        "a payment counts as abandoned although a code was sent",
        lambda: _edit(inquire_status.interpret_status, "and payment.otp_attempts == 0", ""),
    ),
    Mutant(
        "accepted-and-given-back",
        "a late success is given back although the operator accepts it",
        lambda: _edit(
            advance_payment._with_late_refund,
            "and ports.settings.late_success is LateSuccess.REFUND",
            "",
        ),
    ),
    # --- filing -------------------------------------------------------------------------------------------------------
    Mutant(
        "filed-too-late",
        "a record stays where it is in the due index although its time has become an earlier one",
        lambda: [_set(payments, "keep_earlier_filing", lambda *_records: frozenset({"dueAt"}))],
    ),
    Mutant(
        "filed-by-news",
        "a record's place in the due index is compared with when its news was due, which others may have moved",
        lambda: _edit(
            filing.keep_earlier_filing, "after.first_due >= before.work_due", "after.first_due >= before.first_due"
        ),
    ),
    # --- news ---------------------------------------------------------------------------------------------------------
    Mutant(
        "news-not-carried",
        "a record forgets its moves",
        lambda: [_set(payments, "remember_moves", lambda _before, after: after)],
    ),
    Mutant(
        "news-never-swept",
        "what a lost stream record had to say is told by nobody",
        lambda: _edit(
            resolve_pending._visit_payment,
            "if payment.tell_by is not None and payment.tell_by <= now:",
            "if False:",
        ),
    ),
    Mutant(
        "link-news-never-swept",
        "what a lost stream record had to say of a link is told by nobody",
        lambda: _edit(
            resolve_pending._visit_binding,
            "if binding is not None and binding.tell_by is not None and binding.tell_by <= now:",
            "if False:",
        ),
    ),
    Mutant(
        "only-the-newest-is-told",
        "a payment at rest tells its newest move only",
        lambda: _edit(record_change.find_untold, "for move in payment.untold if", "for move in payment.untold[-1:] if"),
    ),
    Mutant(
        "receipt-before-the-news",
        "the receipt is written before the event is published",
        lambda: _edit(
            record_change.tell,
            "for event in list_events(record, move):",
            "if isinstance(record, Payment):\n"
            "            _write_receipt(record, move, ports)\n"
            "        for event in list_events(record, move):",
        ),
    ),
    # --- queues and streams -------------------------------------------------------------------------------------------
    Mutant(
        "chain-without-end",
        "workers send each other messages without end",
        lambda: [_set(chains, "LONGEST_CHAIN", 1_000)],
    ),
    Mutant(
        "passing-trouble-put-aside",
        "what the bus or the store can not take now is put aside for a person",
        lambda: _edit(
            stream._may_pass, "if isinstance(error, NotDone):\n            return True", "if False:\n            pass"
        ),
    ),
    Mutant(
        "bookkeeping-not-rewritten",
        "a save leaves out the due time that another write may have taken away",
        lambda: [_set(changes, "_BOOKKEEPING", frozenset())],
    ),
    Mutant(
        "refused-refund-unlisted",
        "a refund that DOKU refused is on nobody's list",
        lambda: _edit(
            payment_item._waits_for_a_person_since,
            "stuck = refund is not None and refund.state in (RefundState.FAILED, RefundState.NEEDS_REVIEW)",
            "stuck = refund is not None and refund.state is RefundState.NEEDS_REVIEW",
        ),
    ),
    # --- keys and fingerprints ----------------------------------------------------------------------------------------
    Mutant(
        "key-not-heard",
        "an Idempotency-Key beside a reference is not heard",
        lambda: _edit(make_payment._key, "if command.idempotency_key is None:", "if True:"),
    ),
    Mutant(
        "one-token-for-two-transactions",
        "a transaction that goes on without a step that was refused bears the request token of the first",
        lambda: _edit(
            client._Tokens._make,
            'f"{self._answers}:{self._content}".encode()',
            'self._content.partition(":")[0].encode()',
        ),
    ),
    Mutant(
        "pages-not-compared",
        "the same reference with another page to return to is answered as if it were the same",
        lambda: _edit(make_payment._content, '"successUrl": command.success_url,', '"successUrl": None,'),
    ),
    Mutant(
        "metadata-not-compared",
        "the same reference with other metadata is answered as if it were the same",
        lambda: _edit(make_payment._content, '"metadata": dict(command.metadata),', '"metadata": {},'),
    ),
)


# --- the trial -------------------------------------------------------------------------------------------------------


# What an edit ends with that does not fit its surroundings any more: a bug would show otherwise.
_BROKEN = re.compile(r"(?:unhandled |SIM: )(?:TypeError|NameError|UnboundLocalError|AttributeError|SyntaxError)\b")


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
                if _BROKEN.search(history.violations[0]):
                    return Verdict(
                        name, mutant.bug, None, 0, f"is no bug but broken code: {history.violations[0]}", took
                    )
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
