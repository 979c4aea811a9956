"""CIMB direct debit through DOKU: bindings, payments and refunds, and how AWS reaches them."""

from direct_debit.starting.start import begin_start

begin_start()
