"""What the application promises beyond the ledger, judged once all has come to rest (docs/simulation.md).

N5 questions, M6 looks in time, S3 news, O3 what waits for a person, and what each waiting workflow was told.
"""

from __future__ import annotations

from base64 import b64decode
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from direct_debit.adapters.credentials import FixedCredentials
from direct_debit.adapters.dynamodb.keys import REVIEW_KIND, record_id
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.ports.vault import SealedField, open_text
from direct_debit.application.settings import LateSuccess
from direct_debit.domain.binding import TOLD_STATES, BindingState
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.payment import FINAL_STATES, PaymentState
from direct_debit.domain.refund import Refund, RefundState
from tests.fakes.credentials import CREDENTIALS
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.simulation.kernel import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from direct_debit.domain.binding import Binding
    from direct_debit.domain.payment import Payment
    from tests.simulation.doku import Arrival
    from tests.simulation.universe import Journal, Universe

_ODD = frozenset({"stale", "status_unclear", "amount_mismatch", "customer_mismatch"})
_PAYMENT_EVENTS = {
    "OTP_PENDING": "payment.otp_pending",
    "UNKNOWN": "payment.unknown",
    "PAID": "payment.paid",
    "FAILED": "payment.failed",
    "REFUNDED": "payment.refunded",
    "NEEDS_REVIEW": "payment.needs_review",
}
_REFUND_EVENTS = {
    "REQUESTED": "refund.requested",
    "REFUNDED": "refund.completed",
    "FAILED": "refund.failed",
    "NEEDS_REVIEW": "refund.needs_review",
}
_LINKING = frozenset({BindingState.REQUESTED, BindingState.PENDING, BindingState.RELINK_REQUIRED})
# Refusals of a refund that pass (contract 12.5), as HTTP status and case.
_PASSING = frozenset({"403-04", "403-06", "403-14", "403-20", "403-23", "404-00", "404-01", "405-01", "429-00"})
_BELIEVED_FOR = 300  # seconds that a notification may wait here
_LIFE = 60  # seconds that a worker lives
_CLOCK = 60  # seconds by which clocks and their readers may be apart
_AGAIN_WITHIN = 25 * 60 * SECOND  # a quarter of an hour at most, a message that is late, and the minutes of the sweep
_ABOUT_REFUNDS = frozenset({"status", "refund"})
_ABOUT_LINKS = frozenset({"b2b2c", "balance", "unbinding", "otp"})
_SECOND_NOT_FOUND_WITHIN = 6 * 60 * SECOND


def keep_promises(u: Universe, records: Mapping[str, Payment], links: Mapping[str, Binding]) -> Iterator[str]:
    """Yield every promise that was broken."""
    life = _Life(u)
    yield from _answer_questions(u, life)
    yield from _believe_at_once(u, life)
    yield from _look_again(u, life)
    yield from _look_again_at_refunds_and_links(u, life)
    yield from _ask_early(u, life)
    yield from _tell_all(u, life)
    yield from _tell_history_of_links(u, life, links)
    yield from _tell_workflows(u, life, records, links)
    yield from _keep_pages(u, life)
    yield from _list_for_review(u, records)
    yield from _send_refunds_alone(u)
    for payment in records.values():
        yield from _give_back(u, payment)
    for binding in links.values():
        if binding.otp_attempts > u.settings.max_otp_attempts:
            yield f"B3: {binding.otp_attempts} codes of one unlinking"


class _Life:
    """The journal and the arrivals, by payment."""

    def __init__(self, u: Universe) -> None:
        self.writes: defaultdict[str, list[Journal]] = defaultdict(list)
        self.links: defaultdict[str, list[Journal]] = defaultdict(list)
        self.inbox: list[Journal] = []
        for entry in u.journal:
            key = entry.record.keys
            kind, name = key["sk"].get("S"), str(key["pk"].get("S")).partition("#")[2]
            if kind == "PAYMENT":
                self.writes[name].append(entry)
            elif kind == "BINDING":
                self.links[name].append(entry)
            elif kind == "INBOX":
                self.inbox.append(entry)
        self.asked: defaultdict[str, list[Arrival]] = defaultdict(list)
        for arrival in u.arrivals:
            if arrival.operation == "status":
                self.asked[arrival.reference].append(arrival)


def _text(image: object, name: str) -> str | None:
    attribute = image.get(name) if isinstance(image, dict) else None
    return None if attribute is None else str(next(iter(attribute.values())))


def _new(entry: Journal, name: str) -> str | None:
    return _text(entry.record.new, name)


def _old(entry: Journal, name: str) -> str | None:
    return _text(entry.record.old, name)


def _changed(entry: Journal, name: str) -> bool:
    return _new(entry, name) != _old(entry, name)


# --- N5: what something odd was told of is asked about until DOKU answers
# ----------------------------------------------


def _answer_questions(u: Universe, life: _Life) -> Iterator[str]:
    raised: defaultdict[str, list[Journal]] = defaultdict(list)
    for ref, writes in life.writes.items():
        raised[ref] = [one for one in writes if _changed(one, "questionedAt") and _new(one, "questionedAt")]
        if raised[ref]:
            last = raised[ref][-1].t
            answers = [one for one in life.asked[ref] if one.t >= last and _is_answered(one, writes)]
            if not any(one.answer == "2005500" for one in answers) and not _is_unknown_for_long(u, answers):
                yield f"N5: something odd was told of {ref}, and DOKU never answered what it is"
    for entry in life.inbox:
        ref, reason = _new(entry, "subject") or "", _new(entry, "reason")
        settled = _changed(entry, "state") and reason in _ODD and ref in life.writes
        mine = [one for one in life.writes.get(ref, ()) if one.actor == entry.actor and one.t <= entry.t]
        if settled and not any(_new(one, "questionedAt") for one in mine):
            yield f"N5: {ref}: a notification ({reason}) was settled, and nobody asked"


def _is_unknown_for_long(u: Universe, answers: list[Arrival]) -> bool:
    """Whether DOKU has said for as long as the schedule is that it does not know the payment."""
    said = [one.t for one in answers if one.answer == "4045501"]
    first, last = u.settings.inquiry_schedule[0], u.settings.inquiry_schedule[-1]
    return bool(said) and said[-1] - said[0] >= (last - first - _CLOCK - 2 * u.plan.skew) * SECOND


# --- N6: what has waited in our queues moves nothing
# ---------------------------------------------------------------


def _believe_at_once(u: Universe, life: _Life) -> Iterator[str]:
    if u.plan.freezes:  # a worker may have believed it in time, and written that much later
        return
    within = int((_BELIEVED_FOR + _LIFE + 2 * u.plan.skew) * SECOND)
    came: defaultdict[str, dict[str, int]] = defaultdict(dict)  # by what they speak of: the notifications, and when
    ended: dict[str, Journal] = {}
    for entry in life.inbox:
        name = _text(entry.record.keys, "pk") or ""
        if entry.record.old is None:
            came[_new(entry, "subject") or ""][name] = entry.t
        elif _changed(entry, "state"):
            ended[name] = entry
    for ref, writes in life.writes.items():
        for move in writes:
            if not _changed(move, "state") or _new(move, "evidenceSource") != EvidenceSource.NOTIFICATION:
                continue
            waiting = [
                at
                for name, at in came[ref].items()
                if at <= move.t and (name not in ended or ended[name].t > move.t or ended[name].actor == move.actor)
            ]
            if waiting and all(move.t - at > within for at in waiting):
                yield f"N6: {ref} was moved by a notification that had waited"


# --- M6: a look without an answer is repeated in minutes
# -----------------------------------------------------------------


def _look_again(u: Universe, life: _Life) -> Iterator[str]:
    calm = u.calm_since or 0
    apart = int(2 * u.plan.skew * SECOND)  # a due time by one clock is read by another, in an environment of before
    for ref, writes in life.writes.items():
        for number, entry in enumerate(writes):
            if not _changed(entry, "lastInquiryAt"):
                continue
            mine = [one for one in life.asked[ref] if one.sender.name == entry.actor and one.t >= entry.t]
            bound = None
            if not any(_is_answered(one, writes) for one in mine):
                bound = max(entry.t, calm) + _AGAIN_WITHIN + apart
            elif entry.t > calm and any(one.heard and one.answer == "4045501" for one in mine):
                believed = _at(u, _new(entry, "sentAt") or "") + u.settings.not_found_final * SECOND
                bound = max(entry.t, believed) + _SECOND_NOT_FOUND_WITHIN + apart
                if {_new(entry, "state"), _state_at(writes, bound)} & FINAL_STATES:
                    bound = None
            if bound is not None and _is_left_alone(u, writes[number:], bound):
                yield f"M6: a look at {ref} brought nothing, and the next one came too late"


def _look_again_at_refunds_and_links(u: Universe, life: _Life) -> Iterator[str]:
    """Whoever has asked about a refund or a link, and heard nothing, writes that it is due again in minutes."""
    places = {
        id(entry): place for place, entry in enumerate(u.journal)
    }  # where nothing takes time, times tell no order
    asked: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in u.arrivals:
        asked[arrival.sender.name].append(arrival)
    kinds = (("refund of", life.writes, "refundDueAt", _ABOUT_REFUNDS), ("link", life.links, "ownDueAt", _ABOUT_LINKS))
    for what, records, due, operations in kinds:
        for name, writes in records.items():
            since: dict[str, int] = {}
            for entry in writes:
                place = places[id(entry)]
                before, since[entry.actor] = since.get(entry.actor, -1), place
                planned = _new(entry, due)
                if planned is None or not _changed(entry, due):
                    continue
                mine = [
                    one for one in asked[entry.actor] if before < one.written <= place and one.operation in operations
                ]
                silent = [one for one in mine if one.reference in ("", name)]
                if (
                    silent
                    and not any(one.reached for one in silent)
                    and _at(u, planned) > entry.t + _AGAIN_WITHIN + (int(2 * u.plan.skew * SECOND))
                ):
                    yield f"M6: the {what} {name} was asked about, DOKU was silent, and it is due again too late"


def _is_answered(question: Arrival, writes: list[Journal]) -> bool:
    """Whether a question may have been answered, as far as its sender can tell: not lost, not refused in plain words.

    A sender that died has heard the answer if it lived to write what follows.
    """
    followed = any(one.actor == question.sender.name and one.t >= question.t for one in writes)
    refused = question.refused and question.answer not in ("2005500", "4045501")
    return question.reached and not refused and (followed or not question.died)


def _is_left_alone(u: Universe, writes: list[Journal], bound: int) -> bool:
    """Whether a payment that is still to be asked about was not looked at again until `bound`."""
    by_then = [one for one in writes if one.t <= bound]
    looked = any(
        _changed(one, "lastInquiryAt") or _new(one, "ownDueAt") is None or _follows_status(one) for one in by_then[1:]
    )
    return bound < u.kernel.t and not looked and _new(by_then[-1], "ownDueAt") is not None


def _follows_status(entry: Journal) -> bool:
    """Whether a write follows a status of DOKU: another look, which was there at the same time, has had its answer."""
    return _changed(entry, "evidenceAt") and _new(entry, "evidenceSource") == EvidenceSource.STATUS


def _state_at(writes: list[Journal], at: int) -> str | None:
    return _new([one for one in writes if one.t <= at][-1], "state")


def _ask_early(u: Universe, life: _Life) -> Iterator[str]:
    """No status is asked for within the first minute (a setting) after a payment, or its code, was sent."""
    grace = int((2 * u.plan.skew + 2) * SECOND)
    for ref, asked in life.asked.items():
        writes = life.writes.get(ref, [])
        for arrival in asked:
            # A code may have been sent after its sender had claimed this look: it knew of none.
            mine = [one for one in writes if one.actor == arrival.sender.name and one.t <= arrival.t]
            claims = [one for one in mine if _changed(one, "lastInquiryAt")]
            if arrival.sender.kind not in ("inquire_status", "get_payment") or not claims:
                continue
            sent = _new(claims[-1], "sentAt")
            if sent is not None and arrival.t + grace < _at(u, sent) + u.settings.first_inquiry * SECOND:
                yield f"M6: the status of {ref} was asked for too early"


def _at(u: Universe, text: str) -> int:
    return u.kernel.instant(datetime.fromisoformat(text))


# --- S3: news
# --------------------------------------------------------------------------------------------------------------


def _tell_all(u: Universe, life: _Life) -> Iterator[str]:
    published = [event.id for event in u.events.published]
    expected = _expected_events(life)
    for missing in sorted(expected.difference(published)):
        yield f"S3: {missing} was never published"
    for alien in sorted(set(published) - expected):
        yield f"S3: {alien} was published, and never happened"
    history = {
        (str(item["pk"]["S"]).partition("#")[2], int(str(item["sk"]["S"]).partition("#")[2]))
        for item in u.store.items(TRANSACTIONS)
        if str(item["sk"]["S"]).startswith("HISTORY#")
    }
    moves = {
        (ref, int(_new(entry, "version") or 0))
        for ref, writes in life.writes.items()
        for entry in writes
        if entry.record.old is not None and (_changed(entry, "state") or _changed(entry, "refundState"))
    }
    for ref, version in sorted(moves - history):
        yield f"S1: no history of {ref} version {version}"
    for ref, version in sorted(history - moves):
        yield f"S1: the history of {ref} has a version {version} that was no move"
    yield from _keep_order(published)


def _tell_history_of_links(u: Universe, life: _Life, links: Mapping[str, Binding]) -> Iterator[str]:
    """What became of a link, and that an unlinking was begun: at the latest when that has ended."""
    history = {
        (str(item["pk"]["S"]).partition("#")[2], int(str(item["sk"]["S"]).partition("#")[2]))
        for item in u.store.items(BINDINGS)
        if str(item["sk"]["S"]).startswith("HISTORY#")
    }
    moves = {
        (name, int(_new(entry, "version") or 0))
        for name, writes in life.links.items()
        for entry in writes
        if _changed(entry, "state") and _new(entry, "state") in TOLD_STATES | {BindingState.UNBIND_OTP_PENDING}
    }
    waiting = {
        (name, move.version)
        for name, binding in links.items()
        for move in binding.untold
        if move.state == binding.state == BindingState.UNBIND_OTP_PENDING
    }
    for name, version in sorted(moves - history - waiting):
        yield f"S1: no history of the link {name} version {version}"
    for name, version in sorted(history - moves):
        yield f"S1: the history of the link {name} has a version {version} that was no move"


def _expected_events(life: _Life) -> set[str]:
    expected: set[str] = set()
    for ref, writes in life.writes.items():
        for entry in writes:
            names = []
            if _changed(entry, "state"):
                names.append(_PAYMENT_EVENTS.get(_new(entry, "state") or ""))
            if _changed(entry, "refundState"):
                names.append(_REFUND_EVENTS.get(_new(entry, "refundState") or ""))
            expected |= {f"{ref}:{_new(entry, 'version')}:{name}" for name in names if name is not None}
    for name, writes in life.links.items():
        for entry in writes:
            state, before = _new(entry, "state"), _old(entry, "state")
            lives_on = state == BindingState.ACTIVE and before == BindingState.UNBIND_OTP_PENDING
            if state != before and state in TOLD_STATES and not lives_on:
                expected.add(f"{name}:{_new(entry, 'version')}")
    return expected


def _keep_order(published: list[str]) -> Iterator[str]:
    """A payment's events come in their order, whatever was lost or put aside meanwhile."""
    newest: dict[str, int] = {}
    seen: set[str] = set()
    for event in published:
        if event in seen:
            continue
        seen.add(event)
        ref, version, *_ = event.split(":")
        if int(version) < newest.get(ref, 0):
            yield f"S3: {event} came after what followed it"
        newest[ref] = max(int(version), newest.get(ref, 0))


def _tell_workflows(
    u: Universe, life: _Life, records: Mapping[str, Payment], links: Mapping[str, Binding]
) -> Iterator[str]:
    completed = {token for token, _ in u.workflows.completed}
    vault = _any_time_vault(u)
    for payment in records.values():
        token = _open_token(vault, payment.ref, payment.task_token)
        if token is not None and payment.is_final and token not in completed:
            yield f"M4: the workflow that waits for {payment.ref} was never told"
    for binding in links.values():
        ended = binding.state in (BindingState.ACTIVE, BindingState.FAILED)
        if binding.task_token is not None and ended and _open_link_token(vault, binding) not in completed:
            yield "M4: the workflow that waits for a link was never told"
    told: set[str] = set()
    for token, output in u.workflows.completed:
        ref, state = output.get("partnerReferenceNo"), output.get("state")
        if ref is not None:
            kept = [(_new(one, "state"), _open_token(vault, ref, _new(one, "taskToken"))) for one in life.writes[ref]]
            # A payment that has ended, and told so, keeps no token: who asks again is told at once how it is then.
            known = token not in told and any(own == token for _, own in kept)
            told.add(token)
            real = {name for name, own in kept if own == token or not known}
            if state not in FINAL_STATES or state not in real:
                yield f"M4: the workflow that waits for {ref} was told {state}"
        else:
            name = output.get("bindingId") or ""
            if state not in {_new(one, "state") for one in life.links[name]}:
                yield f"M4: the workflow that waits for a link was told {state}"


def _keep_pages(u: Universe, life: _Life) -> Iterator[str]:
    """B7: what DOKU answered to a request for a page is kept under that request's id, and ends no other."""
    vault = _any_time_vault(u)
    for writes in life.links.values():
        seen: set[tuple[str, str]] = set()
        for entry in writes:
            new, old = entry.record.new, entry.record.old
            if new is None or not any(_changed(entry, name) for name in ("authCode", "externalId", "state")):
                continue
            binding = u.images.binding(new)  # type: ignore[arg-type]  # items are plain dictionaries
            for external_id, sealed in binding.auth_codes.items():
                if (external_id, sealed) in seen:
                    continue
                seen.add((external_id, sealed))
                page = u.simulator.world.bindings.get(vault.unseal(sealed, SealedField.AUTH_CODE, binding.id))
                if page is not None and page.external_id != external_id:
                    yield f"B7: a page of {binding.customer_id} stands under the id of another request"
            shown = _old(entry, "externalId") if _old(entry, "redirectUrl") and _old(entry, "authCode") else None
            if shown is not None and binding.state in _LINKING and not binding.is_of_request(shown):
                yield f"B7: a page that {binding.customer_id} was shown, and may finish, was forgotten"
            if old is not None and binding.state is BindingState.FAILED and _changed(entry, "state"):
                mine = [one for one in u.arrivals if one.operation == "binding" and one.sender.name == entry.actor]
                code = binding.evidence.code
                if any(one.answer == code and one.external_id != _old(entry, "externalId") for one in mine):
                    yield f"B7: a link of {binding.customer_id} was ended by an answer about an earlier page"


def _any_time_vault(u: Universe) -> AesGcmVault:
    """A vault with all keys that the secret ever had: none of those that seal is ever taken away."""
    keys = cast("Mapping[str, str]", u.secrets.fields["tokenKeys"])
    content = replace(CREDENTIALS, token_keys={name: b64decode(key) for name, key in keys.items()})
    return AesGcmVault(FixedCredentials(content), u.ids)


def _open_link_token(vault: AesGcmVault, binding: Binding) -> str | None:
    kept = binding.task_token
    return None if kept is None else open_text(vault, kept, SealedField.LINK_TASK, binding.id)


def _open_token(vault: AesGcmVault, ref: str, kept: str | None) -> str | None:
    return None if kept is None else open_text(vault, kept, SealedField.PAYMENT_TASK, ref)


# --- O3: what waits for a person
# -------------------------------------------------------------------------------------------


def _list_for_review(u: Universe, records: Mapping[str, Payment]) -> Iterator[str]:
    for item in u.store.items(TRANSACTIONS):
        if item["sk"]["S"] != "PAYMENT":
            continue
        payment = records[record_id(str(item["pk"]["S"]))]
        stuck = payment.refund is not None and payment.refund.state in (RefundState.FAILED, RefundState.NEEDS_REVIEW)
        in_review = payment.state is PaymentState.NEEDS_REVIEW and payment.review_closed_at is None
        waits = in_review or stuck or payment.reversed_at is not None
        listed = (_text(item, "dueShard") or "").startswith(REVIEW_KIND)
        if listed is not waits:
            said = "is listed for a person" if listed else "waits for a person and is not listed"
            yield f"O3: {payment.ref} {said}"


def _give_back(u: Universe, payment: Payment) -> Iterator[str]:
    refund = payment.refund
    if refund is None:
        return
    if refund.automatic and u.plan.late_success is LateSuccess.ACCEPT:
        yield f"M7: {payment.ref} was given back although late successes are accepted"


def gives_up_for_what_passes(refund: Refund) -> bool:
    """Whether a refund has ended on a refusal that passes."""
    code = refund.evidence.code or ""
    refused = refund.state is RefundState.FAILED and refund.evidence.source is EvidenceSource.ANSWER
    return refused and f"{code[:3]}-{code[5:]}" in _PASSING


def _send_refunds_alone(u: Universe) -> Iterator[str]:
    """While one sending of a refund is under way, there is no other; clocks that differ may take a sender for dead."""
    newest: dict[str, Arrival] = {}
    for arrival in u.arrivals:
        if arrival.operation != "refund":
            continue
        before = newest.get(arrival.reference)
        newest[arrival.reference] = arrival
        if before is None or before.sender is arrival.sender or 2 * u.plan.skew > u.settings.claim_lease - 60:
            continue
        lived = before.sender.outcome is None or not before.sender.outcome.crashed
        if lived and before.done_at is not None and arrival.t < before.done_at:
            yield f"M2: the refund of {arrival.reference} was sent while it was being sent"
