"""Wire messages, one file per operation of the contract (section 1).

Requests are strict: a value outside the contract's limits raises InvalidMessage naming the wire field. Answers are
lenient: unknown fields are ignored and an optional field of an unexpected type reads as None. The browser's return
after linking (operation 4) carries no message: nothing about it is documented but the URL itself.
"""
