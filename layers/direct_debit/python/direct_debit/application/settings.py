"""What an operator may choose, as the use cases see it. The entrypoint reads and checks the environment."""

from dataclasses import dataclass
from enum import StrEnum


class LateSuccess(StrEnum):
    """What happens to a payment that turns out to be paid after we had given it up as not found."""

    REFUND = "refund"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """Durations are seconds; schedules are seconds after the step they belong to, ascending."""

    public_base_url: str
    default_success_url: str | None = None
    default_failed_url: str | None = None
    problem_type_base: str | None = None  # None: this API's own pages
    allowed_return_hosts: tuple[str, ...] = ()  # empty: any https host
    link_lease: int = 1800
    inquiry_schedule: tuple[int, ...] = (61, 90, 180, 600, 900, 1800, 7200, 21600, 86400)
    otp_schedule: tuple[int, ...] = (360, 900, 1800, 7200, 21600, 86460)
    refund_schedule: tuple[int, ...] = (61, 90, 180, 600, 900, 1800, 7200, 21600, 86400)
    binding_schedule: tuple[int, ...] = (360, 900, 3600, 21600, 86400)
    not_found_final: int = 900
    abandoned_otp: int = 86400
    refresh_min: int = 60
    first_inquiry: int = 60  # DOKU: no status inquiry earlier after the payment
    claim_lease: int = 120  # who speaks to DOKU about a record has died by then: longer than any function lives (60 s)
    repost_after_not_found: bool = False
    late_success: LateSuccess = LateSuccess.REFUND
    max_open_payments: int = 20
    max_payments_per_day: int = 50  # new ones of one linked account; here and below, 0: no bound
    max_pages_per_day: int = 20  # of the bank's, for one customer who links
    max_unlinkings_per_day: int = 10  # of one linked account
    max_otp_attempts: int = 5  # of one payment, or of one unlinking
    token_renew_before: int = 90
    token_lease: int = 10
    circuit_failures: int = 5
    circuit_window: int = 60
    circuit_open: int = 30

    @property
    def problem_base(self) -> str:
        """Where the pages are that a problem's `type` opens."""
        return self.problem_type_base or f"{self.public_base_url}/problems"
