"""Start linking a customer's CIMB account (contract 3.3).

One account belongs to one customer, one customer has one link (invariant 7): both are claimed before DOKU is called,
with a lease until the customer has finished. Repeating the request returns the link that is under way, with another
page of the bank's where the customer came back from the one before without a link.

A link that the bank has not confirmed keeps nobody out: a request for another account, or of another customer, takes
the claims over. It may be confirmed all the same until its lease ends; the first that is confirmed keeps them
(decision 0044).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice

from direct_debit.application.bindings.advance_binding import advance_binding, end_attempt, without_attempt
from direct_debit.application.bindings.prove_binding import prove_binding
from direct_debit.application.bindings.result import BindingResult, show_binding
from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    BindingChanged,
    Conflict,
    CustomerActionRequired,
    NotDone,
    OutcomeUnknown,
    Rejected,
    StoreUnavailable,
    Unsendable,
)
from direct_debit.application.ports.bindings import AccountClaimLost, PagesUsedUp
from direct_debit.application.ports.doku_links import LinkRequest, LinkStarted
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField, open_text
from direct_debit.application.references import canonical, make_external_id
from direct_debit.application.return_pages import ReturnPages, choose_pages
from direct_debit.application.tasks.complete_task import adopt_binding_task_token, seal_binding_token
from direct_debit.domain.binding import Binding, BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.values import DayCount, day_in_jakarta

_ATTEMPT = timedelta(seconds=30)  # nobody's request lives longer than this
_HINT_DIGITS = 3
_ROUNDS = 5  # two claims, each of which may be held by another link, and by one that is just ending
_PAGES = 5  # so many earlier pages may be finished after all


@dataclass(frozen=True, slots=True, kw_only=True)
class BindAccount:
    """Who wants to link which account. `phone` is the number registered at CIMB, digits, `62...`."""

    customer_id: str
    phone: str = field(repr=False)
    success_url: str | None = None  # the deployment's, where none is given
    failed_url: str | None = None
    customer_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    id_card: str | None = field(default=None, repr=False)
    country: str | None = None
    address: str | None = field(default=None, repr=False)
    date_of_birth: str | None = field(default=None, repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict)
    device_id: str | None = field(default=None, repr=False)
    ip_address: str | None = field(default=None, repr=False)
    task_token: str | None = field(default=None, repr=False)


def bind_account(command: BindAccount, ports: Ports, deadline: Deadline) -> BindingResult:
    """Start a link, or return the customer's link of this account as it is.

    Raises InvalidRequest (no page to return to), Conflict (account or customer has another link, or the customer has
    had all pages of a day), NotDone (nothing was sent: repeat).
    """
    pages = choose_pages(command.success_url, command.failed_url, ports.settings)
    now = ports.clock.now()
    return_state = ports.ids.new_id()
    binding_id = ports.ids.new_id()
    sealed = _seal_pages(pages, binding_id, ports)
    binding = Binding(
        id=binding_id,
        customer_id=command.customer_id,
        account=ports.vault.fingerprint(f"phone:{command.phone}"),
        phone_hint=command.phone[-_HINT_DIGITS:],
        success_url=sealed.success_url,
        failed_url=sealed.failed_url,
        request_hash=ports.vault.fingerprint(_content(command)),
        return_state_hash=hash_return_state(ports, return_state),
        created_at=now,
        updated_at=now,
        lease_until=now + timedelta(seconds=ports.settings.link_lease),
        due_at=now + timedelta(seconds=ports.settings.link_lease),
        external_id=make_external_id(ports.clock, ports.ids),
        metadata=command.metadata,
        attempt=ports.ids.new_id(),
        attempt_until=now + _ATTEMPT,
        pages=DayCount().once_more(day_in_jakarta(now)),
        evidence=Evidence(EvidenceSource.CALLER, now),
        task_token=seal_binding_token(ports, binding_id, command.task_token),
    )
    replaced: tuple[str, ...] = ()
    for _ in range(_ROUNDS):
        try:
            taken = ports.bindings.create(binding, now, replacing=replaced)
        except PagesUsedUp:
            return _go_on_without_page(binding, command, pages, ports, deadline)
        if taken is None:
            return _send(binding, command, return_state, ports, deadline)
        holder = taken.holder
        if holder is None:
            raise NotDone("the account is being released by another link; repeat the request")
        if not holder.holds_account:
            continue  # it has ended since it was in the way
        if (holder.customer_id, holder.account) == (binding.customer_id, binding.account):
            return _go_on(holder, command, pages, ports, deadline)
        if not holder.is_unconfirmed:
            raise _conflict(holder, command.customer_id)
        replaced = (*replaced, holder.id)
    raise NotDone("other links of this account are being started or ended; repeat the request")


def _go_on_without_page(
    wanted: Binding, command: BindAccount, pages: ReturnPages, ports: Ports, deadline: Deadline
) -> BindingResult:
    """Return the customer's link of this account as it is, if there is one; nothing new is begun."""
    holder = ports.bindings.find_by_customer(command.customer_id)
    if holder is None or holder.account != wanted.account or not holder.holds_account:
        raise _no_more_pages(ports)
    return _go_on(holder, command, pages, ports, deadline)


def _no_more_pages(ports: Ports) -> Conflict:
    return Conflict(
        f"this customer has had the {ports.settings.max_pages_per_day} pages of the bank's that one may have in a day; "
        "the next day begins at midnight in Jakarta (MaxPagesPerDay, docs/operations.md); nothing was sent"
    )


def _conflict(holder: Binding, customer_id: str) -> Conflict:
    if holder.customer_id != customer_id:
        return Conflict(
            "this account is linked to another customer: it has to be unlinked there first (DELETE /bindings/{id}), or "
            "this customer links another account"
        )
    return Conflict(
        f"the customer has another link (binding {holder.id}); unlink that first, with DELETE /bindings/{{id}}"
    )


def _go_on(
    holder: Binding, command: BindAccount, pages: ReturnPages, ports: Ports, deadline: Deadline
) -> BindingResult:
    """Return the link of this customer and account as it is, with a page to go on with."""
    if holder.is_unconfirmed:
        confirmed = ports.bindings.find_by_customer(holder.customer_id)
        if confirmed is not None and confirmed.id != holder.id and confirmed.is_confirmed:
            raise _conflict(confirmed, command.customer_id)
    holder = _try_to_prove(holder, ports, deadline)
    if _needs_page(holder, ports):
        return _resume(holder, command, pages, ports, deadline)
    holder = _take_changes(holder, command, pages, ports)
    return show_binding(adopt_binding_task_token(ports, holder, command.task_token), ports, replayed=True)


def _needs_page(holder: Binding, ports: Ports) -> bool:
    """Whether there is no page, or one that brought nothing, and nobody is asking for one right now."""
    linking = holder.is_unconfirmed or holder.state is BindingState.RELINK_REQUIRED
    return linking and (not holder.has_page or holder.page_ended) and not holder.is_busy(ports.clock.now())


def _take_changes(holder: Binding, command: BindAccount, pages: ReturnPages, ports: Ports) -> Binding:
    """Let the latest request say where the customer's browser goes on to, and which metadata the link has, if any."""
    current = holder
    while True:
        changed = replace(current, metadata=command.metadata or current.metadata)
        if current.has_page and open_pages(current, ports) != pages:
            sealed = _seal_pages(pages, current.id, ports)
            changed = replace(changed, success_url=sealed.success_url, failed_url=sealed.failed_url)
        if changed == current:
            return current
        try:
            return ports.bindings.save(current, changed.noted(ports.clock.now()))
        except BindingChanged as race:
            current = race.current


def _try_to_prove(holder: Binding, ports: Ports, deadline: Deadline) -> Binding:
    """Who asks again for a link that is under way may have finished it: no notification need have come."""
    try:
        return prove_binding(holder, ports, deadline)
    except (NotDone, Unsendable) as error:
        ports.telemetry.note("link not proved yet", binding_id=holder.id, code=error.code)
        return ports.bindings.get(holder.id) or holder


def _seal_pages(pages: ReturnPages, binding_id: str, ports: Ports) -> ReturnPages:
    return ReturnPages(
        ports.vault.seal(pages.success_url, SealedField.SUCCESS_PAGE, binding_id),
        ports.vault.seal(pages.failed_url, SealedField.FAILED_PAGE, binding_id),
    )


def open_pages(binding: Binding, ports: Ports) -> ReturnPages:
    """Return the merchant's pages of a link, which earlier versions kept as they came."""
    return ReturnPages(
        open_text(ports.vault, binding.success_url, SealedField.SUCCESS_PAGE, binding.id),
        open_text(ports.vault, binding.failed_url, SealedField.FAILED_PAGE, binding.id),
    )


def hash_return_state(ports: Ports, return_state: str) -> str:
    """Return the stored form of a return state: the state itself is known to the customer's browser alone."""
    return ports.vault.fingerprint(f"return:{return_state}")


def _content(command: BindAccount) -> str:
    return "binding:" + canonical({"customerId": command.customer_id, "phone": command.phone})


def _resume(
    holder: Binding, command: BindAccount, pages: ReturnPages, ports: Ports, deadline: Deadline
) -> BindingResult:
    """Send the binding request of an existing record again.

    Its answer was lost, the customer came back without a link, or the bank ended the link. Raises Conflict where the
    customer has had the most pages of a day.
    """
    now = ports.clock.now()
    return_state = ports.ids.new_id()
    lease_until = now + timedelta(seconds=ports.settings.link_lease)
    sealed = _seal_pages(pages, holder.id, ports)
    resumed = replace(
        _set_page_aside(holder.noted(now)),
        return_state_hash=hash_return_state(ports, return_state),
        success_url=sealed.success_url,
        failed_url=sealed.failed_url,
        external_id=make_external_id(ports.clock, ports.ids),
        attempt=ports.ids.new_id(),
        attempt_until=now + _ATTEMPT,
        pages=holder.pages.once_more(day_in_jakarta(now)),
        lease_until=lease_until,
        due_at=lease_until,
        task_token=seal_binding_token(ports, holder.id, command.task_token) or holder.task_token,
    )
    try:
        claimed = ports.bindings.save(holder, resumed)
    except PagesUsedUp:
        raise _no_more_pages(ports) from None
    except AccountClaimLost:
        raise Conflict("the account or the customer has been linked meanwhile; list the customer's links") from None
    except BindingChanged as race:
        return show_binding(adopt_binding_task_token(ports, race.current, command.task_token), ports, replayed=True)
    return _send(claimed, command, return_state, ports, deadline)


def _set_page_aside(binding: Binding) -> Binding:
    """Return the binding as one that waits for another page; the one before may be finished all the same."""
    aside = replace(binding, redirect_url=None, auth_code=None, page_ended=False)
    if binding.state is BindingState.RELINK_REQUIRED and not binding.has_page:
        return aside  # the code proved the link that has ended
    return _keep_earlier(aside, binding.auth_codes)


def _keep_earlier(binding: Binding, auth_codes: Mapping[str, str]) -> Binding:
    """Return the binding with more pages that were handed out before, and as many of the older ones as may stay."""
    older = {name: binding.earlier_pages[name] for name in sorted(binding.earlier_pages, reverse=True)}
    return replace(binding, earlier_pages=dict(islice({**auth_codes, **older}.items(), _PAGES)))


def _send(binding: Binding, command: BindAccount, return_state: str, ports: Ports, deadline: Deadline) -> BindingResult:
    base = f"{ports.settings.public_base_url}/bindings/return/{return_state}"
    request = LinkRequest(
        phone=command.phone,
        customer_id=command.customer_id,
        success_url=f"{base}/success",
        failed_url=f"{base}/failed",
        customer_name=command.customer_name,
        email=command.email,
        id_card=command.id_card,
        country=command.country,
        address=command.address,
        date_of_birth=command.date_of_birth,
    )

    sent = binding

    def renew_external_id() -> str:
        nonlocal sent
        renewed = replace(sent.noted(ports.clock.now()), external_id=make_external_id(ports.clock, ports.ids))
        try:
            sent = ports.bindings.save(sent, renewed)
        except BindingChanged as race:
            raise OutcomeUnknown("the binding was changed while its token was renewed") from race
        return sent.external_id

    try:
        started = call_doku(
            ports,
            deadline,
            lambda call: ports.doku.bind_account(request, call),
            external_id=binding.external_id,
            renew_external_id=renew_external_id,
            device_id=command.device_id,
            ip_address=command.ip_address,
        )
    except (NotDone, Unsendable):
        end_attempt(sent, ports, was_sent=False)
        raise
    except OutcomeUnknown:
        # Whether DOKU has it shows when the customer can go on; repeating the request asks DOKU again.
        return show_binding(end_attempt(sent, ports), ports)
    except (Rejected, CustomerActionRequired) as error:
        if sent.earlier_pages:  # perhaps because one of them was finished; else one may be, until the lease ends
            ports.telemetry.note("another page was refused", binding_id=binding.id, code=error.code)
            return show_binding(_try_to_prove(end_attempt(sent, ports), ports, deadline), ports)
        evidence = Evidence(EvidenceSource.ANSWER, ports.clock.now(), error.code)
        refused = advance_binding(
            ports, sent, BindingEvent.LINK_REFUSED, evidence, change=without_attempt, about=sent.external_id
        )
        return show_binding(refused, ports)
    return show_binding(_follow(sent, started, ports), ports)


def _follow(binding: Binding, started: LinkStarted, ports: Ports) -> Binding:
    if started.redirect_url is None:
        # Without a page the customer can not go on: the record stays REQUESTED, and repeating the request asks again.
        ports.telemetry.note("link started without a page", binding_id=binding.id, code=started.code)
        return end_attempt(binding, ports)
    page = started.redirect_url

    def change(after: Binding) -> Binding:
        code = started.auth_code
        sealed = None if code is None else ports.vault.seal(code, SealedField.AUTH_CODE, after.id)
        if after.external_id != binding.external_id:
            # Somebody asked for another page meanwhile, whose id the record has: what came belongs to ours.
            return after if sealed is None else _keep_earlier(after, {binding.external_id: sealed})
        return replace(
            without_attempt(after),
            redirect_url=ports.vault.seal(page, SealedField.LINK_PAGE, after.id),
            auth_code=after.auth_code if sealed is None else sealed,
            response_code=started.code,
        )

    evidence = Evidence(EvidenceSource.ANSWER, ports.clock.now(), started.code)
    try:
        return advance_binding(ports, binding, BindingEvent.LINK_STARTED, evidence, change=change, note_if_unmoved=True)
    except StoreUnavailable:
        ports.telemetry.note("answer not written; repeat the request", binding_id=binding.id, code=started.code)
        return binding
