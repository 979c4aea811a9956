"""The blocking client."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator
from types import TracebackType

import httpx
from typing_extensions import Self, Unpack

from direct_debit_client import routes, waiting
from direct_debit_client.calls import Call, NoReply, Reply, V
from direct_debit_client.exchange import Pause, Steps, exchange
from direct_debit_client.http import TIMEOUT, build_request, read_failure, read_response
from direct_debit_client.models import (
    BalanceView,
    BindingList,
    BindingView,
    PaymentList,
    PaymentView,
    RefundOfPaymentView,
    View,
)
from direct_debit_client.request_types import (
    BindAccountRequest,
    ListBindingsQuery,
    ListPaymentsQuery,
    MakePaymentRequest,
    RefundPaymentRequest,
)
from direct_debit_client.retries import USUAL_RETRIES, RetryPolicy
from direct_debit_client.waiting import USUAL_PACE, Pace, wait_until


class Client:
    """Calls the API, one method per operation; a context manager. Threads may share it.

    `base_url`: with its stage, e.g. `https://abc123.execute-api.ap-southeast-3.amazonaws.com/v1`; `auth`: SigV4,
    Bearer or any httpx.Auth. Each try has `timeout` (API Gateway itself gives up after 29 s). `sleep`, `now`, `chance`
    and `new_key` are time and chance, for tests. Every method raises what `exchange` names.
    """

    def __init__(
        self,
        base_url: str,
        auth: httpx.Auth,
        *,
        timeout: httpx.Timeout = TIMEOUT,
        retry: RetryPolicy = USUAL_RETRIES,
        pace: Pace = USUAL_PACE,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        new_key: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._http = httpx.Client(auth=auth, timeout=timeout, transport=transport, follow_redirects=False)
        self._base_url = base_url.rstrip("/")
        self._retry, self._pace = retry, pace
        self._sleep, self._now, self._chance, self._new_key = sleep, now, chance, new_key

    # --- links -------------------------------------------------------------------------------------------------------

    def bind_account(self, **request: Unpack[BindAccountRequest]) -> BindingView:
        """Start to link a customer's account; send the browser to `redirect_url`."""
        return self._call(routes.bind_account(**request))

    def get_binding(self, binding_id: str, *, customer_id: str | None = None) -> BindingView:
        """Read a link."""
        return self._call(routes.get_binding(binding_id, customer_id))

    def get_balance(self, binding_id: str, *, customer_id: str | None = None) -> BalanceView:
        """Read the account's balance."""
        return self._call(routes.get_balance(binding_id, customer_id))

    def list_bindings(self, **query: Unpack[ListBindingsQuery]) -> BindingList:
        """List a page of links: of a customer, of a day, or the unresolved ones."""
        return self._call(routes.list_bindings(**query))

    def each_binding(self, **query: Unpack[ListBindingsQuery]) -> Iterator[BindingView]:
        """Return the links of all pages, as they are needed; those of `not_shown` are in the pages only."""
        while True:
            page = self.list_bindings(**query)
            yield from page.bindings
            if page.next is None:
                return
            query["after"] = page.next

    def unbind_account(self, binding_id: str, *, customer_id: str | None = None) -> BindingView:
        """Unlink an account: UNBIND_OTP_PENDING when the bank sent the customer a code, else UNBOUND."""
        return self._call(routes.unbind_account(binding_id, customer_id))

    def confirm_unbinding(self, binding_id: str, otp: str, *, customer_id: str | None = None) -> BindingView:
        """Confirm the unlinking with the customer's code."""
        return self._call(routes.confirm_unbinding(binding_id, otp, customer_id))

    def wait_until_linked(self, binding_id: str, timeout: float) -> BindingView:
        """Wait while the customer is on the bank's pages; return the link, ACTIVE or not. Raises StillOpen."""
        return self._wait(routes.get_binding(binding_id), waiting.is_no_longer_linking, timeout)

    # --- payments ----------------------------------------------------------------------------------------------------

    def make_payment(self, *, idempotency_key: str | None = None, **request: Unpack[MakePaymentRequest]) -> PaymentView:
        """Charge a linked account; read `state`: UNKNOWN is resolved by the service, never pay again for it.

        Give your own `partner_reference_no` or `idempotency_key`, from your order: they make a repeat of your program
        safe, too. Without both the client makes a key, the same for its repeats; errors carry it as `idempotency_key`.
        """
        if idempotency_key is None and request.get("partner_reference_no") is None:
            idempotency_key = self._new_key()
        return self._call(routes.make_payment(idempotency_key=idempotency_key, **request))

    def verify_payment_otp(self, partner_reference_no: str, otp: str) -> PaymentView:
        """Pass on the customer's code."""
        return self._call(routes.verify_payment_otp(partner_reference_no, otp))

    def get_payment(self, partner_reference_no: str, *, refresh: bool = False) -> PaymentView:
        """Read a payment with its history; `refresh` asks DOKU first, at most once a minute."""
        return self._call(routes.get_payment(partner_reference_no, refresh=refresh))

    def list_payments(self, **query: Unpack[ListPaymentsQuery]) -> PaymentList:
        """List a page of payments: of a customer, of a day, by DOKU's reference, or the unresolved ones."""
        return self._call(routes.list_payments(**query))

    def each_payment(self, **query: Unpack[ListPaymentsQuery]) -> Iterator[PaymentView]:
        """Return the payments of all pages, as they are needed; those of `not_shown` are in the pages only."""
        while True:
            page = self.list_payments(**query)
            yield from page.payments
            if page.next is None:
                return
            query["after"] = page.next

    def wait_until_final(self, partner_reference_no: str, timeout: float) -> PaymentView:
        """Wait until a payment is PAID, FAILED, REFUNDED or NEEDS_REVIEW. Raises StillOpen after `timeout` seconds."""
        return self._wait(routes.get_payment(partner_reference_no), waiting.is_final_payment, timeout)

    # --- refunds -----------------------------------------------------------------------------------------------------

    def refund_payment(self, partner_reference_no: str, **request: Unpack[RefundPaymentRequest]) -> RefundOfPaymentView:
        """Give a payment back in full; the service sends it until it is done."""
        return self._call(routes.refund_payment(partner_reference_no, **request))

    def get_refund(self, partner_reference_no: str) -> RefundOfPaymentView:
        """Read the refund of a payment."""
        return self._call(routes.get_refund(partner_reference_no))

    def wait_until_refunded(self, partner_reference_no: str, timeout: float) -> RefundOfPaymentView:
        """Wait until a refund is REFUNDED, FAILED or NEEDS_REVIEW. Raises StillOpen after `timeout` seconds."""
        return self._wait(routes.get_refund(partner_reference_no), waiting.is_final_refund, timeout)

    # -----------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, call: Call[V]) -> V:
        return self._run(exchange(call, self._retry, self._chance))

    def _wait(self, call: Call[V], is_there: Callable[[V], bool], timeout: float) -> V:
        return self._run(wait_until(call, is_there, timeout, self._now, self._pace))

    def _run(self, steps: Steps[V]) -> V:
        came: Reply | NoReply | None = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as end:
                answer: V = end.value
                return answer
            if isinstance(step, Pause):
                self._sleep(step.seconds)
                came = None
            else:
                came = self._send(step.call)

    def _send(self, call: Call[View]) -> Reply | NoReply:
        try:
            return read_response(self._http.send(build_request(self._http, self._base_url, call)))
        except httpx.TransportError as error:
            return read_failure(error)
