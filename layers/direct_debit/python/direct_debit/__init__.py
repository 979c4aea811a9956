"""CIMB direct debit through DOKU: bindings, payments and refunds, and how AWS reaches them."""
