"""A settled payment lets its account be unlinked, but not while its refund is under way."""

from dataclasses import replace

from direct_debit.application.record_change import record_payment_change
from direct_debit.application.refund_payment import RefundPayment, refund_payment
from tests.unit.application.support import linked


def test_a_late_stream_record_of_a_paid_payment_does_not_release_the_account_of_its_refund() -> None:
    merchant = linked()
    world = merchant.world
    ref = merchant.pay_to_the_end().ref
    ports = world.process()
    paid = ports.payments.get(ref)
    assert paid is not None
    refund_payment(RefundPayment(ref=ref), ports, world.deadline())

    record_payment_change(replace(paid, version=paid.version - 1), paid, ports)  # the record of PAID comes again

    binding = ports.bindings.get(paid.binding_id)
    assert binding is not None
    assert ref in binding.open_payments
