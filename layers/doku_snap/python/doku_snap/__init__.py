"""A DOKU SNAP direct debit client: signatures, tokens, typed messages, response codes, inbound verification.

Knows HTTP, RSA and HMAC; knows no AWS, no storage and nothing of the application. Time and randomness are passed in.
"""
