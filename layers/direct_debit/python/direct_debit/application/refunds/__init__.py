"""Refunds, one for each payment.

All three modules are use cases: refund_payment accepts one, process_refund sends it, get_refund shows it.
"""
