"""Find payments: of a customer, of a day, by DOKU's reference, in a state, or what is unresolved; page by page."""

from dataclasses import dataclass

from direct_debit.application.pages import Latest, choose_reading, fill_page
from direct_debit.application.ports.pages import Page, PageMark, Selection, Unresolved
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.payment import Payment, PaymentState


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPayments:
    """Which payments, at most how many, and behind which one."""

    selection: Selection | Latest
    state: PaymentState | None = None
    limit: int
    after: PageMark | None = None


def list_payments(query: ListPayments, ports: Ports) -> Page[Payment]:
    """Return a page of payments, the newest first (unresolved ones: the longest due first); none of what is unknown."""

    def is_wanted(payment: Payment) -> bool:
        unresolved = payment.is_open or payment.state is PaymentState.NEEDS_REVIEW
        return query.state in (None, payment.state) and (unresolved or not isinstance(query.selection, Unresolved))

    read = choose_reading(ports.payments.list_page, query.selection, ports.clock.now())
    return fill_page(read, is_wanted, query.limit, query.after, most_are_wanted=query.state is None)


def find_by_doku_reference(doku_reference: str, ports: Ports) -> Page[Payment]:
    """Return the payment that DOKU named so; none of an unknown one."""
    return ports.payments.find_by_doku_reference(doku_reference)
