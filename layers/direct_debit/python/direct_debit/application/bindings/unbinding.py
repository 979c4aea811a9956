"""What the use cases of an unlinking share: how it goes on, how it ends, and what has to be settled before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from direct_debit.application.bindings.advance_binding import advance_binding, without_attempt
from direct_debit.application.bindings.release_account import release_account
from direct_debit.application.errors import (
    BindingChanged,
    Conflict,
    FreshTokenRefused,
    NotDone,
    RelinkRequired,
    StoreUnavailable,
)
from direct_debit.application.ports.doku import WriteAnswer
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField
from direct_debit.application.references import make_external_id
from direct_debit.domain.binding import Binding, BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.schedule import next_due


def next_probe(ports: Ports, binding: Binding, now: datetime) -> datetime:
    """Return when to look at an unlinking whose end is open; once the schedule has ended, each day."""
    origin = binding.unbind_requested_at or now
    due = next_due(origin, now, ports.settings.binding_schedule, ports.ids.jitter())
    return due or now + timedelta(days=1)


def end_unbinding(binding: Binding, event: BindingEvent, evidence: Evidence, ports: Ports) -> Binding:
    """Write how an unlinking ended, and that nobody speaks to DOKU about it any more.

    If the store fails now, the record stays as it is and the resolver's probe finds out: DOKU has answered, so this
    must not look like "nothing happened". One of which nothing was sent is none of the day's.
    """
    was_sent = evidence.source is not EvidenceSource.NOTHING_SENT

    try:
        return advance_binding(
            ports,
            binding,
            event,
            evidence,
            change=lambda after: replace(
                without_attempt(after),
                unbind_requested_at=None,
                unlinkings=after.unlinkings if was_sent else after.unlinkings.once_less(),
            ),
        )
    except StoreUnavailable:
        ports.telemetry.note("answer not written, left to the resolver", binding_id=binding.id, code=evidence.code)
        return binding


def lives_on(error: RelinkRequired) -> bool:
    """Whether the link lives although its token was refused; else DOKU does not know it: it is unlinked already.

    Only what speaks of the link proves its end: an account that DOKU does not know (404xx11), or an authorisation that
    it does not take (401xx). A refusal for another reason (403xx16, suspended) does not, and neither does a 401 for a
    token that DOKU has just renewed: the renewal has shown that the link lives.
    """
    kind = (error.code or "")[:3]
    if isinstance(error, FreshTokenRefused):
        return kind != "404"
    return kind not in ("", "401", "404")  # without a code: there was no token left to ask with


def pause_unbinding(
    binding: Binding, ports: Ports, answer: WriteAnswer | None = None, *, unclear: bool = False
) -> Binding:
    """Write that an unlinking goes on: the OTP is awaited, or what became of it is `unclear` and will be found out.

    Where somebody else speaks to DOKU about it by now, that one writes what follows.
    """
    current = binding
    while current.state is BindingState.UNBIND_OTP_PENDING and current.attempt == binding.attempt:
        now = ports.clock.now()
        url = None if answer is None else answer.redirect_url
        page = None if url is None else ports.vault.seal(url, SealedField.UNLINK_PAGE, binding.id)
        after = replace(
            current.noted(now),
            attempt=None,
            attempt_until=None,
            unbind_unclear=current.unbind_unclear or unclear,
            unbind_redirect_url=current.unbind_redirect_url if page is None else page,
            response_code=current.response_code if answer is None else answer.code,
            due_at=_next_look(ports, current, now, unclear=unclear),
        )
        try:
            return ports.bindings.save(current, after)
        except BindingChanged as race:
            current = race.current
        except StoreUnavailable:
            return current  # the attempt ends by itself, and the due time stands in the record
    return current


def _next_look(ports: Ports, binding: Binding, now: datetime, *, unclear: bool) -> datetime:
    """Return when to look; what became of a lost code is looked up when codes have had their time, not a step later."""
    step = next_probe(ports, binding, now)
    return min(step, now + timedelta(seconds=ports.settings.binding_schedule[0])) if unclear else step


def make_renewal(binding: Binding, ports: Ports) -> Callable[[], str]:
    """Return what makes the next request id where DOKU refused a request of an unlinking for its token.

    The refused request did nothing. Before the next one: is this attempt still the one, and has no refund come first?
    Raises NotDone otherwise.
    """

    def renew_external_id() -> str:
        current = ports.bindings.get(binding.id)
        if current is None or current.attempt != binding.attempt or current.open_payments:
            raise NotDone("the binding was changed while the tokens were renewed; nothing was done, ask for its state")
        return make_external_id(ports.clock, ports.ids)

    return renew_external_id


def settle_open_payments(binding: Binding, ports: Ports) -> None:
    """Forget payments that have settled; refuse while one has not."""
    unfinished = [ref for ref in sorted(binding.open_payments) if not release_account(binding.id, ref, ports)]
    if unfinished:
        raise Conflict(f"payments are not finished: {', '.join(unfinished)}; unlink when they are")
