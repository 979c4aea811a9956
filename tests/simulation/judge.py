"""The judge: our records, requests and messages against the bank's ledger, once all has come to rest.

Names of invariants: M money, N notifications, B bindings, S states, X security, O operation (docs/simulation.md).
What a variant of the provider makes impossible to keep is said where it is left out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import islice, pairwise
from typing import TYPE_CHECKING, cast

from direct_debit.adapters.dynamodb.inbox import INBOX_KIND
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import BINDING_TRANSITIONS, Binding, BindingState
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.payment import PAYMENT_TRANSITIONS, Payment, PaymentSituation, PaymentState, ReviewReason
from direct_debit.domain.refund import REFUND_TRANSITIONS, Refund, RefundState
from tests.fakes.invariants import is_bookkeeping
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.simulation.facts import WORKER_SECONDS
from tests.simulation.grounds import check_grounds
from tests.simulation.kernel import SECOND
from tests.simulation.people import WRONG_OTP
from tests.simulation.promises import gives_up_for_what_passes, keep_promises
from tools.doku_simulator.bank import sen
from tools.doku_simulator.magic_values import RIGHT_OTP
from tools.doku_simulator.records import PaymentState as BankState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from direct_debit.adapters.dynamodb.items import Item
    from tests.simulation.doku import Arrival
    from tests.simulation.universe import Universe
    from tools.doku_simulator.records import Payment as BankPayment

_PAYMENT_MOVES = {(before, after) for before, _, after in PAYMENT_TRANSITIONS}
_REFUND_MOVES = {(before, after) for before, _, after in REFUND_TRANSITIONS}
_BINDING_MOVES = {(before, after) for before, _, after in BINDING_TRANSITIONS}
_MOVING = (
    PaymentState.REQUESTED,
    PaymentState.OTP_PENDING,
    PaymentState.OTP_SUBMITTED,
    PaymentState.PROCESSING,
    PaymentState.UNKNOWN,
)
_LINKED = (BindingState.ACTIVE, BindingState.RELINK_REQUIRED, BindingState.UNBIND_OTP_PENDING)
_LINKING = (BindingState.REQUESTED, BindingState.PENDING, BindingState.UNBIND_OTP_PENDING)
_SAID_AT_LEAST = 2
_TIMES = re.compile(r"datetime\.datetime\([^)]*\)")  # their microseconds may look like a code, as a fraction may
_SEARCHED_AT_MOST = 10**8  # characters for each kind of word: enough for all of a history's, and for some of a month's
_BANK_FINAL = (BankState.PAID, BankState.FAILED, BankState.REFUNDED)

# M5: what may lead where. No answer is no outcome; only a schedule's end, nothing else, ends in silence.
_SOURCES: dict[EvidenceSource, frozenset[PaymentState]] = {
    EvidenceSource.NO_ANSWER: frozenset({PaymentState.UNKNOWN}),
    EvidenceSource.NOTHING_SENT: frozenset({PaymentState.REQUESTED, PaymentState.OTP_PENDING}),
    EvidenceSource.CALLER: frozenset({PaymentState.REQUESTED, PaymentState.OTP_SUBMITTED}),
    EvidenceSource.SCHEDULE: frozenset({PaymentState.NEEDS_REVIEW}),
}


def judge(u: Universe) -> list[str]:
    """Return every violation of a history that has come to rest."""
    case = _Case(u)
    for check in (
        case.ledger,
        case.requests,
        case.moves,
        case.payments,
        case.bindings,
        case.confirmed,
        case.signature,
        case.inbox,
        case.secrets,
        lambda: keep_promises(u, case.records, case.links),
        lambda: check_grounds(u),
    ):
        for line in check():
            if line not in u.violations:
                u.violations.append(line)
    return u.violations


class _Case:
    def __init__(self, u: Universe) -> None:
        self.u = u
        self.records: dict[str, Payment] = {}
        self.links: dict[str, Binding] = {}
        for item in u.store.items(TRANSACTIONS):
            if item["sk"]["S"] == "PAYMENT":
                payment = u.images.payment(cast("Item", item))
                self.records[payment.ref] = payment
        for item in u.store.items(BINDINGS):
            if item["sk"]["S"] == "BINDING":
                binding = u.images.binding(cast("Item", item))
                self.links[binding.id] = binding
        self.debits: Counter[str] = Counter()
        self.refunds: Counter[str] = Counter()
        self.held: set[str] = set()  # payments whose account has to stay linked while they are open
        self.given_back: dict[str, int] = {}  # when the bank first gave a payment back
        self.senders: dict[str, str] = {}  # who sends each payment's refund
        self.at = 0  # the time of the write that is being judged
        for entry in u.simulator.bank.ledger:
            (self.debits if entry.kind == "debit" else self.refunds)[entry.reference] += 1
            if entry.kind == "refund":
                self.given_back.setdefault(entry.reference, u.kernel.instant(entry.at))

    # --- M1, M3, M8, B4: the ledger ---------------------------------------------------------------------------------

    def ledger(self) -> Iterator[str]:
        for ref, count in self.debits.items():
            if count > 1:
                yield f"M1: {ref} was debited {count} times"
        for ref, count in self.refunds.items():
            # Two refunds of one payment, ours and the back office's, are the bank's to refuse: it does.
            if count > self.debits[ref]:
                yield f"M3: {ref} was refunded {count} times and debited {self.debits[ref]} times"
        for entry in self.u.simulator.bank.ledger:
            record = self.records.get(entry.reference)
            if record is None:
                yield f"M4: {entry.kind} of {entry.reference} without a record"
                continue
            if sen(str(record.amount)) != entry.amount:
                yield f"M8: {entry.reference}: a {entry.kind} of {entry.value} for {record.amount}"
            if record.customer_id != entry.customer:
                yield f"B4: {entry.reference}: a {entry.kind} of {entry.customer} for {record.customer_id}"
            number = None if record.refund is None else record.refund.number
            ours = entry.kind == "refund" and entry.reference not in self.u.back_office
            if ours and number != entry.partner_refund_no:
                yield f"M3: {entry.reference}: refunded under a number that is not the record's"

    # --- M2, M3, B3, B4: what was sent ------------------------------------------------------------------------------

    def requests(self) -> Iterator[str]:
        seen: set[str] = set()
        by_operation: defaultdict[str, defaultdict[str, list[Arrival]]] = defaultdict(lambda: defaultdict(list))
        for arrival in self.u.arrivals:
            if arrival.external_id in seen:
                yield f"S2: X-EXTERNAL-ID used again by {arrival.operation} {arrival.reference}"
            if arrival.external_id:
                seen.add(arrival.external_id)
            by_operation[arrival.operation][arrival.reference].append(arrival)
        for ref, sent in by_operation["payment"].items():
            yield from self._payment_requests(ref, sent)
        for ref, sent in by_operation["refund"].items():
            # An answer that does not know the payment says nothing about its refund either.
            asked = [one.t for one in by_operation["status"][ref] if one.reached and one.answer == "2005500"]
            yield from self._repeated_refunds(ref, sent, asked)
        for ref, sent in by_operation["otp"].items():
            codes = sum(not _refused_at_gate(one) for one in sent)
            if ref and codes > self.u.settings.max_otp_attempts:
                yield f"B3: {codes} codes were sent for {ref}"

    def _payment_requests(self, ref: str, sent: list[Arrival]) -> Iterator[str]:
        record = self.records.get(ref)
        if record is None:
            yield f"M2: {ref} was sent and has no record"
            return
        for arrival in sent:
            if arrival.token_owner not in (None, record.customer_id):
                yield f"B4: {ref} was sent with a token of {arrival.token_owner}"
        yield from self._repeated_payments(ref, sent)

    def _repeated_payments(self, ref: str, sent: list[Arrival]) -> Iterator[str]:
        for earlier in sent[:-1]:
            # With the setting `repost` DOKU itself refuses the repetition; M1 judges the money.
            if not _refused_at_gate(earlier) and not self.u.plan.repost:
                yield f"M2: {ref} was sent again although an earlier sending may have worked"

    def _repeated_refunds(self, ref: str, sent: list[Arrival], asked: list[int]) -> Iterator[str]:
        if len({str(one.fields.get("partnerRefundNo")) for one in sent}) > 1:
            yield f"M3: {ref} was refunded under several numbers"
        if any(one.fields.get("refundAmount") != sent[0].fields.get("refundAmount") for one in sent):
            yield f"M3: {ref} was refunded with several amounts"
        lease = self.u.settings.claim_lease
        for earlier, later in pairwise(sent):
            if 2 * self.u.plan.skew > lease and later.t - earlier.t < lease * SECOND:
                continue  # clocks that disagree by more than an attempt lasts: a second worker takes it for given up
            if not _refused_at_gate(earlier) and not any(earlier.t <= at <= later.t for at in asked):
                yield f"M2: the refund of {ref} was sent again without asking for the status before"

    # --- S1, M5, B1, B2: every write in its order -------------------------------------------------------------------

    def moves(self) -> Iterator[str]:
        payments: dict[str, Payment] = {}
        links: dict[str, Binding] = {}
        arrivals = [one for one in self.u.arrivals if one.operation == "payment"]
        position = 0
        for number, entry in enumerate(self.u.journal):
            while position < len(arrivals) and arrivals[position].written <= number:
                yield from self._sent_while(arrivals[position], payments, links)
                position += 1
            self.at = entry.t
            record = entry.record
            kind = record.keys["sk"]["S"]
            if kind not in ("PAYMENT", "BINDING"):
                continue
            if record.new is None:
                yield f"S1: a {kind.lower()} was deleted"
            elif kind == "PAYMENT":
                payment = self.u.images.payment(cast("Item", record.new))
                link = links.get(payment.binding_id)
                if payment.refund is None or (link is not None and link.state in _LINKED):
                    self.held.add(payment.ref)
                elif payments[payment.ref].refund is None:
                    self.held.discard(payment.ref)
                yield from self._payment_move(payments.get(payment.ref), payment)
                yield from self._sender_of_refund(payments.get(payment.ref), payment, entry.actor)
                payments[payment.ref] = payment
            else:
                binding = self.u.images.binding(cast("Item", record.new))
                yield from self._binding_move(links.get(binding.id), binding, payments, links)
                links[binding.id] = binding

    def _sent_while(
        self, arrival: Arrival, payments: Mapping[str, Payment], links: Mapping[str, Binding]
    ) -> Iterator[str]:
        payment = payments.get(arrival.reference)
        if payment is None:
            yield f"M2: {arrival.reference} was sent before it was written"
            return
        link = links.get(payment.binding_id)
        if link is not None and link.state in (BindingState.UNBIND_OTP_PENDING, BindingState.UNBOUND):
            yield f"B2: {arrival.reference} was sent while its account was {link.state}"

    def _payment_move(self, before: Payment | None, after: Payment) -> Iterator[str]:
        if before is None:
            if after.version != 1 or after.state is not PaymentState.REQUESTED:
                yield f"S1: {after.ref} begins as version {after.version} in {after.state}"
            return
        if after.version != before.version + 1 and not is_bookkeeping(before, after):
            yield f"S1: {after.ref}: version {before.version} became {after.version}"
        if _content(before) != _content(after):
            yield f"S2: {after.ref}: what was agreed changed"
        moved = after.situation is not before.situation
        if moved:
            yield from self._payment_step(before, after)
        if after.released and not before.released:
            doubtful = [
                one
                for one in self.u.arrivals
                if one.operation == "payment" and one.reference == after.ref and not _refused_at_gate(one)
            ]
            # A setting may let it be sent again after "not found"; then an older sending says nothing about this one.
            if any(one.external_id == after.external_id for one in doubtful):
                yield f"M2: {after.ref} counts as not sent although it was"
        yield from self._refund_move(before, after)

    def _payment_step(self, before: Payment, after: Payment) -> Iterator[str]:
        if (before.situation, after.situation) not in _PAYMENT_MOVES:
            yield f"S1: {after.ref}: {before.situation} became {after.situation}"
        source = after.evidence.source
        if after.state not in _SOURCES.get(source, frozenset({after.state})):
            yield f"M5: {after.ref} became {after.state} on {source}"
        told = source in (EvidenceSource.STATUS, EvidenceSource.NOTIFICATION)
        if after.state is PaymentState.PAID and not before.is_final and not told:
            yield f"M5: {after.ref} became PAID on {source}"
        if after.situation is PaymentSituation.FAILED_NOT_FOUND:
            yield from self._given_up_late_enough(after)

    def _given_up_late_enough(self, payment: Payment) -> Iterator[str]:
        """M5. "Not found" is believed after a while and when said twice; clocks may disagree about the while."""
        waited = (payment.evidence.at - payment.sent_at).total_seconds() + 2 * self.u.plan.skew
        if waited < self.u.settings.not_found_final or payment.not_found_count < _SAID_AT_LEAST:
            yield f"M5: {payment.ref} was given up as not found after {waited:.0f} s"

    def _refund_move(self, before: Payment, after: Payment) -> Iterator[str]:
        old, new = before.refund, after.refund
        if after.state is PaymentState.REFUNDED and new is not None and new.state is RefundState.SENDING:
            yield f"M3: a refund of {after.ref} is sent although the payment is REFUNDED"
        if old is None:
            if new is not None and (new.state is not RefundState.REQUESTED or after.state is not PaymentState.PAID):
                yield f"M3: a refund of {after.ref} begins as {new.state} while the payment is {after.state}"
            return
        if new is None:
            yield f"M3: the refund of {after.ref} was dropped"
            return
        if (new.number, new.reason) != (old.number, old.reason):
            yield f"M3: the number of the refund of {after.ref} changed"
        if new.state is not old.state:
            yield from self._refund_step(after.ref, old, new)

    def _refund_step(self, ref: str, old: Refund, new: Refund) -> Iterator[str]:
        if (old.state, new.state) not in _REFUND_MOVES:
            yield f"S1: the refund of {ref}: {old.state} became {new.state}"
        if new.evidence.source is EvidenceSource.NO_ANSWER and new.state is not RefundState.UNKNOWN:
            yield f"M5: the refund of {ref} became {new.state} without an answer"
        if gives_up_for_what_passes(new):
            yield f"M7: the refund of {ref} was given up for a reason that passes ({new.evidence.code})"
        if new.state is RefundState.FAILED and self._was_given_back(ref):
            yield f"M4: the refund of {ref} was called FAILED after the money had gone back"
        if new.state is RefundState.SENDING and new.external_id == old.external_id:
            yield f"S2: the refund of {ref} was claimed under its old X-EXTERNAL-ID"

    def _sender_of_refund(self, before: Payment | None, after: Payment, actor: str) -> Iterator[str]:
        """M2. Who sends a refund is taken for dead only when he is; clocks that are far apart may say it too early."""
        old = None if before is None else before.refund
        if after.refund is None or (old is not None and old.state is after.refund.state):
            return
        if after.refund.state is RefundState.SENDING:
            self.senders[after.ref] = actor
        elif after.refund.evidence.source is EvidenceSource.NO_ANSWER:
            sender = self.senders.get(after.ref, actor)
            lives = sender != actor and self.u.ended_at.get(sender, self.at + 1) > self.at
            apart = 2 * self.u.plan.skew + (WORKER_SECONDS if self.u.plan.freezes else 0.0)
            if lives and apart + WORKER_SECONDS + 1.0 < self.u.settings.claim_lease:
                yield f"M2: who sends the refund of {after.ref} was taken for dead while alive"

    def _was_given_back(self, ref: str) -> bool:
        """Whether the bank had given the money back for us by now; DOKU's lies and its own refunds are left out."""
        when = self.given_back.get(ref)
        return when is not None and when <= self.at and ref not in self.u.lied and ref not in self.u.back_office

    def _binding_move(
        self,
        before: Binding | None,
        after: Binding,
        payments: Mapping[str, Payment],
        links: Mapping[str, Binding],
    ) -> Iterator[str]:
        if before is not None:
            if after.version not in (before.version, before.version + 1):
                yield f"S1: binding: version {before.version} became {after.version}"
            if after.state is not before.state and (before.state, after.state) not in _BINDING_MOVES:
                yield f"S1: binding: {before.state} became {after.state}"
            if (after.account, after.customer_id) != (before.account, before.customer_id):
                yield "B4: a binding passed to another account or customer"
        if after.tokens is not None and after.state not in _LINKED:
            yield f"X1: a binding keeps tokens in {after.state}"
        earlier = None if before is None else before.state
        if after.state is BindingState.ACTIVE and earlier is not BindingState.ACTIVE:
            yield from self._alone(after, links)
        if after.state is BindingState.UNBIND_OTP_PENDING and earlier in (
            BindingState.ACTIVE,
            BindingState.RELINK_REQUIRED,
        ):
            yield from self._nothing_open(after, payments)

    def _alone(self, link: Binding, links: Mapping[str, Binding]) -> Iterator[str]:
        customer, account = link.customer_id, link.account
        for other in links.values():
            shared = other.customer_id == customer or other.account == account
            if shared and other.id != link.id and other.state in _LINKED:
                yield f"B1: two links of {customer} or of one account at once"

    def _nothing_open(self, link: Binding, payments: Mapping[str, Payment]) -> Iterator[str]:
        """B2. A refund that was asked for when the bank had ended the link already does not hold it."""
        for payment in payments.values():
            if payment.binding_id == link.id and payment.is_open and payment.ref in self.held:
                refund = "" if payment.refund is None else f", its refund {payment.refund.state}"
                yield f"B2: unlinking began while {payment.ref} was {payment.state}{refund}"

    # --- M1, M3, M4, M6, M7: payments at rest -----------------------------------------------------------------------

    def payments(self) -> Iterator[str]:
        reviews = 0
        for payment in self.records.values():
            ref, debits, refunds = payment.ref, self.debits[payment.ref], self.refunds[payment.ref]
            self.u.coverage.ends[str(payment.situation)] += 1
            wanted = {
                PaymentState.PAID: (1, 0),
                PaymentState.REFUNDED: (1, 1),
                PaymentState.FAILED: (0, 0),
            }.get(payment.state)
            if payment.state in _MOVING:
                yield f"M4: {ref} is {payment.state} for ever, due {payment.due_at}"
            if payment.due_at is not None:
                yield f"M6: {ref} is {payment.situation} and still due"
            if payment.failure is not None and _refuses_our_keys(payment.failure.code):
                yield f"O2: {ref} is FAILED because DOKU did not take our signature"
            if wanted is not None and wanted != (debits, refunds) and not self._excused(payment):
                yield f"M4: {ref} is {payment.situation}, but was debited {debits} and refunded {refunds} times"
            if payment.state is PaymentState.NEEDS_REVIEW:
                reviews += 1
                yield from self._review(payment)
            if payment.late_success and payment.refund is None and self.u.plan.late_success != "accept":
                yield f"M7: {ref} was paid late and is not given back"
            if payment.refund is not None:
                yield from self._refund_at_rest(payment, payment.refund, refunds)
        # The metric is lost with the process that was to count it; the event is not.
        told = sum(event.name == "payment.needs_review" for event in self.u.events.published)
        if max(told, self.u.telemetry.counts[Metric.PAYMENT_NEEDS_REVIEW]) < reviews:
            yield "M6: a payment needs review, and nobody was told"

    def _excused(self, payment: Payment) -> bool:
        """Whether the difference is one that a person was told of, or that no merchant can know."""
        refund, refunds = payment.refund, self.refunds[payment.ref]
        if payment.ref in self.u.lied and payment.state is PaymentState.FAILED:
            # DOKU said in plain words that it refused, and no notification has contradicted it.
            return not self._was_told(payment.ref, "00")
        if payment.state is PaymentState.PAID and payment.ref in self.u.back_office and refunds == 1:
            return not self._was_told(payment.ref, "04") and not self._was_shown(payment.ref)
        if payment.state is PaymentState.PAID and refund is not None and payment.ref in self.u.lied:
            return refunds == 1 and not self._was_told(payment.ref, "04")
        if payment.state is PaymentState.PAID and refund is not None:
            return refund.state is RefundState.NEEDS_REVIEW and refunds == 1
        # A refund that DOKU answered with success and then failed without a word: the settlement report tells.
        failed_later = self.u.plan.variant.refund_outcome == "accepted_then_failed"
        return failed_later and payment.state is PaymentState.REFUNDED and refunds == 0

    def _was_shown(self, ref: str) -> bool:
        """Whether a status that somebody heard showed that the money had gone back."""
        since = self.given_back.get(ref, 0) + int(self.u.plan.variant.status_lag * SECOND)
        return any(
            one.operation == "status" and one.reference == ref and one.heard and one.t >= since
            for one in self.u.arrivals
        )

    def _was_told(self, ref: str, status: str) -> bool:
        """Whether a notification said so, and in time: an old one is only a reason to ask, which a lag can waste.

        So is one that came while the keys in use could not be read, and one that waited in our queues.
        """
        lags = bool(self.u.plan.variant.status_lag)
        resigned = self.u.plan.resigned or not lags
        unproved = {subject for subject, reason in self._noted() if reason in {"replaced_key", "waited"}}
        return any(
            one.reference == ref
            and one.state == "delivered"
            and one.body.get("latestTransactionStatus") == status
            and (one.attempt == 1 or resigned)
            and (not lags or one.reference not in unproved)
            for one in self.u.simulator.notifications.deliveries
            if one.forgery is None
        )

    def _noted(self) -> set[tuple[str | None, str]]:
        """Return what notifications spoke of, with why they were not simply believed."""
        noted = [item for item in self.u.store.items(TRANSACTIONS) if "reason" in item]
        return {(item.get("subject", {}).get("S"), item["reason"]["S"]) for item in noted}

    def _bank_payment(self, ref: str) -> BankPayment | None:
        found = self.u.simulator.world.payments.get(ref, ())
        return found[0] if found else None

    def _review(self, payment: Payment) -> Iterator[str]:
        """NEEDS_REVIEW is an honest end only where DOKU contradicted itself or never told."""
        if payment.review is ReviewReason.CONTRADICTION:
            if payment.ref not in self.u.lied:
                yield f"M4: {payment.ref} needs review although nothing contradicted"
            return
        told = self._first_clear_word(payment)
        if told is not None and told < self.u.kernel.instant(payment.evidence.at):
            yield f"M6: {payment.ref} needs review as exhausted although DOKU had told its end"

    def _first_clear_word(self, payment: Payment) -> int | None:
        """Return when DOKU first told us by status how a payment ended; None when it never did."""
        theirs = self._bank_payment(payment.ref)
        lag = int(self.u.plan.variant.status_lag * SECOND)
        final = None
        if theirs is not None:
            final = next((at for at, state, _ in theirs.history if state in _BANK_FINAL), None)
            if final is None:
                return None
        since = 0 if final is None else self.u.kernel.instant(final) + lag
        return next(
            (
                one.t
                for one in self.u.arrivals
                if one.operation == "status"
                and one.reference == payment.ref
                and one.heard
                and one.t >= since
                # A payment that DOKU does not know is believed only after a while, and when it is said twice.
                and theirs is not None
            ),
            None,
        )

    def _refund_at_rest(self, payment: Payment, refund: Refund, refunds: int) -> Iterator[str]:
        ref, u = payment.ref, self.u
        u.coverage.ends[f"refund {refund.state}"] += 1
        if not refund.is_final:
            yield f"M4: the refund of {ref} is {refund.state} for ever, due {refund.due_at}"
            return
        if refund.due_at is not None:
            yield f"M6: the refund of {ref} is {refund.state} and still due"
        if refund.state is RefundState.FAILED and _refuses_our_keys(refund.evidence.code):
            yield f"O2: the refund of {ref} is FAILED because DOKU did not take our signature"
        if refund.state is RefundState.FAILED and refunds and not self._excused(payment):
            yield f"M4: the refund of {ref} is FAILED, but the money went back"
        if refund.state is RefundState.REFUNDED and payment.state is not PaymentState.REFUNDED:
            yield f"M4: {ref} is {payment.state} although its refund is REFUNDED"
        if refund.state is RefundState.NEEDS_REVIEW:
            told = any(event.name == "refund.needs_review" for event in u.events.published)
            if not told and not u.telemetry.counts[Metric.REFUND_NEEDS_REVIEW]:
                yield f"M6: the refund of {ref} needs review, and nobody was told"
            link = self.links.get(payment.binding_id)
            later = u.calm_since is not None and u.kernel.instant(refund.evidence.at) > u.calm_since + 60 * SECOND
            linked = any(
                one.linked and one.customer == payment.customer_id for one in u.simulator.world.bindings.values()
            )
            theirs = self._bank_payment(payment.ref)
            failed = theirs is not None and any(one.status == "06" for one in theirs.refunds)  # made, and then refused
            open_link = linked and link is not None and link.state is BindingState.ACTIVE
            if later and open_link and not refunds and not failed:
                yield f"M6: the refund of {ref} was given up although it could have been made"
            unasked = ref in u.back_office  # under another number than ours, so that a person has to look
            if (
                refunds
                and not unasked
                and payment.state is PaymentState.PAID
                and self._refund_was_shown(payment, refund)
            ):
                yield f"M6: the refund of {ref} needs review although DOKU had shown it"

    def _refund_was_shown(self, payment: Payment, refund: Refund) -> bool:
        theirs = self._bank_payment(payment.ref)
        done = [
            at for one in ([] if theirs is None else theirs.refunds) for at, status in one.history if status == "00"
        ]
        if not done:
            return False
        since = self.u.kernel.instant(done[0]) + int(self.u.plan.variant.status_lag * SECOND)
        until = self.u.kernel.instant(refund.evidence.at)
        return any(
            one.operation == "status" and one.reference == payment.ref and one.heard and since <= one.t < until
            for one in self.u.arrivals
        )

    # --- B1, B2: bindings at rest -----------------------------------------------------------------------------------

    def bindings(self) -> Iterator[str]:
        u = self.u
        open_payments: defaultdict[str, set[str]] = defaultdict(set)
        for payment in self.records.values():
            if payment.is_open:
                open_payments[payment.binding_id].add(payment.ref)
        linked = {one.phone: one for one in u.simulator.world.bindings.values() if one.linked}
        customers = Counter(one.customer for one in linked.values())
        alive = {one.external_id for one in linked.values()}
        for binding in self.links.values():
            u.coverage.ends[f"binding {binding.state}"] += 1
            yield from self._settled(binding)
            # Nobody tells us of a link that ends at the bank; an unlinking that took effect late is one too.
            told = not u.unlinked_at_bank and not u.late_unlinking
            if told and binding.state is BindingState.ACTIVE and not customers[binding.customer_id]:
                yield f"M4: the link of {binding.customer_id} is ACTIVE, the bank has none"
            if not binding.open_payments <= open_payments[binding.id]:
                yield f"M4: a binding counts {sorted(binding.open_payments)} as open"
            if not open_payments[binding.id] <= binding.open_payments and binding.state is BindingState.ACTIVE:
                yield f"B2: a binding forgot {sorted(open_payments[binding.id])}"
            if binding.state is BindingState.UNBOUND and binding.external_id in alive and not self._proof_was_old():
                yield f"B2: the link of {binding.customer_id} is UNBOUND, but lives at the bank"
        known = {one.customer_id for one in self.links.values() if one.state in _LINKED}
        for customer in customers:
            if customer not in known:
                u.coverage.ends["link that only the bank knows"] += 1

    def confirmed(self) -> Iterator[str]:
        """A link that its customer confirmed while it was waited for is not given up."""
        for customer in self.u.moods.find_lost(self.links):
            yield f"B6: {customer} had confirmed a link, and it was given up"

    def signature(self) -> Iterator[str]:
        """A refusal of our signature, while a key was being replaced, ends no link."""
        if self._proof_was_old():
            return
        for entry in self.u.journal:
            new, old = entry.record.new or {}, entry.record.old or {}
            if new.get("state") != {"S": "RELINK_REQUIRED"} or new["state"] == old.get("state"):
                continue
            asked = [
                one
                for one in self.u.arrivals
                if one.operation == "b2b2c" and one.sender.name == entry.actor and one.t <= entry.t
            ]
            if asked and asked[-1].misfit:
                yield f"O2: the link of {new['customerId']['S']} was given up because DOKU did not take our signature"

    def _proof_was_old(self) -> bool:
        """Whether DOKU stopped taking a key within the moment for which its last word on it counts."""
        moment = int((10 + 2 * self.u.plan.skew) * SECOND)
        changed = self.u.secrets.registered_at
        taken = [one.t for one in self.u.arrivals if one.operation == "b2b" and not one.misfit and one.t < changed]
        refused = [one.t for one in self.u.arrivals if one.operation == "b2b2c" and one.misfit and one.t >= changed]
        return any(at - taken[-1] < moment for at in refused) if taken else False

    def _settled(self, binding: Binding) -> Iterator[str]:
        if binding.state in _LINKING:
            yield f"M4: a binding is {binding.state} for ever, due {binding.due_at}"
        if binding.due_at is not None:
            yield f"M6: a binding is {binding.state} and still due"
        if binding.state is BindingState.ACTIVE and binding.tokens is None:
            yield "B1: a binding is ACTIVE without tokens"

    # --- N1, N2: notifications --------------------------------------------------------------------------------------

    def inbox(self) -> Iterator[str]:
        plan = self.u.plan
        may_be_refused = plan.skew or plan.port_faults or plan.notification_trouble or self.u.secrets.may_refuse
        for reference in [] if may_be_refused else self.u.notices.refused:
            yield f"N3: an authentic notification of {reference} was refused"
        reasons = self._noted()
        for delivery in self.u.simulator.notifications.deliveries:
            if delivery.kind != "payment" or delivery.state != "delivered":
                continue
            if delivery.forgery in ("signature", "token", "unsigned"):
                yield f"N2: a notification of {delivery.reference} was accepted with a forged {delivery.forgery}"
            disbelieved = [(delivery.reference, reason) for reason in ("amount_mismatch", "replaced_key")]
            if delivery.forgery == "amount" and reasons.isdisjoint(disbelieved):
                yield f"N4: a notification of {delivery.reference} was believed with another amount"
            if delivery.forgery == "reference" and "unknown_reference" not in {reason for _, reason in reasons}:
                yield f"N2: a notification of {delivery.reference} was believed under another reference"
        for item in self.u.store.items(TRANSACTIONS):
            if item.get("kind", {}).get("S") == INBOX_KIND and item["state"]["S"] == "ACCEPTED":
                yield f"N1: a notification was never settled, due {item.get('dueAt')}"

    # --- X1: canaries -----------------------------------------------------------------------------------------------

    def secrets(self) -> Iterator[str]:
        u = self.u
        sinks = [repr(note) for note in u.telemetry.notes]
        sinks += [repr(event) for event in u.events.published]
        sinks += [repr(message) for message in u.queues.sent]
        sinks += [repr(output) for _, output in u.workflows.completed]
        sinks += u.errors_shown
        for table in (BINDINGS, TRANSACTIONS):
            sinks += [repr(item) for item in u.store.items(table)]
        text = "\n".join(sinks)
        bank = u.simulator.world
        most = 1 + _SEARCHED_AT_MOST // (1 + len(text))
        for name, words in (
            ("phone number", sorted({one.phone for one in bank.bindings.values()})),
            ("auth code", bank.bindings),
            ("B2B token", bank.b2b_tokens),
            ("customer token", (*bank.access_tokens, *bank.refresh_tokens)),
            ("name", ("Canary Name", "canary@shop.example")),
        ):
            if any(word in text for word in islice(words, most)):
                yield f"X1: a {name} is readable"
        for code in (RIGHT_OTP, WRONG_OTP):
            # The code comes first in the pattern: the search then goes straight from one to the next.
            alone = re.compile(rf"{code}(?<![0-9a-zA-Z.]{code})(?![0-9a-zA-Z])")
            if alone.search(text) and alone.search(_TIMES.sub("", text)):
                yield "X1: an OTP is readable"


def _refused_at_gate(arrival: Arrival) -> bool:
    """Whether DOKU refused a request before it could have an effect: a token that it did not take, a bad signature."""
    return arrival.answer[:3] == "401"


def _refuses_our_keys(code: str | None) -> bool:
    """Whether a payment, code or refund was refused for our signature; of a token request 401xx00 may mean more."""
    return code in ("4015400", "4010400", "4015800")


def _content(payment: Payment) -> tuple[object, ...]:
    return payment.ref, payment.binding_id, payment.customer_id, payment.amount, payment.remarks, payment.request_hash
