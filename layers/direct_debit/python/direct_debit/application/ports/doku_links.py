"""The request for a link, and DOKU's answer to it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What the binding request carries (contract 3.3)."""

    phone: str = field(repr=False)
    customer_id: str
    # The addresses hold the return state, which only the customer's browser may know.
    success_url: str = field(repr=False)
    failed_url: str = field(repr=False)
    customer_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    id_card: str | None = field(default=None, repr=False)
    country: str | None = None
    address: str | None = field(default=None, repr=False)
    date_of_birth: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LinkStarted:
    """DOKU's answer to a binding request."""

    code: str
    redirect_url: str | None = field(repr=False)
    auth_code: str | None = field(repr=False)
