"""Payments, from the request to their final state.

Use cases are make_payment, verify_payment_otp, get_payment, list_payments, inquire_status, and close_reversal and
close_review for an operator; advance_payment, list_history and result are parts of them.
"""
