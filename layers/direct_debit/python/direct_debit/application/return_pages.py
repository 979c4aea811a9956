"""Where the customer's browser goes after the bank's page."""

from dataclasses import dataclass

from direct_debit.application.errors import FieldFault, InvalidRequest
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
        pages = (("successUrl", success, "DefaultSuccessUrl"), ("failedUrl", failed, "DefaultFailedUrl"))
        faults = [_miss(name, parameter) for name, page, parameter in pages if page is None]
        raise InvalidRequest(faults[0].field, faults[0].detail, faults)
    return ReturnPages(success, failed)


def _miss(name: str, parameter: str) -> FieldFault:
    detail = (
        f"{name} is missing: give the page to return to; this deployment has no default (the operator's parameter "
        f"{parameter})"
    )
    return FieldFault("missing", name, f"/{name}", detail)
