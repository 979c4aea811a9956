"""Where the customer's browser goes after the bank's page."""

from dataclasses import dataclass

from direct_debit.application.errors import InvalidRequest
from direct_debit.application.settings import Settings


@dataclass(frozen=True, slots=True)
class ReturnPages:
    """The pages for a success and for everything else."""

    success_url: str
    failed_url: str


def choose_pages(success_url: str | None, failed_url: str | None, settings: Settings) -> ReturnPages:
    """Return the pages that a request names, and the deployment's where it names none. Raises InvalidRequest."""
    success = success_url or settings.default_success_url
    failed = failed_url or settings.default_failed_url
    if success is None or failed is None:
        name = "successUrl" if success is None else "failedUrl"
        raise InvalidRequest(name, "give the page to return to; this deployment has no default")
    return ReturnPages(success, failed)
