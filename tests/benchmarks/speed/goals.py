"""The goals of issue 12, as the table there has them."""

COLD = 4.0  # P1: init and first payment, times the floor's; 3.5 is the aim
COLD_AIM = 3.5
COMPILED = 0  # P2: modules compiled at a start
WARM = 3.6  # P3: each function's warm invocation, times the floor's
WARM_PAYMENT = 3.0
PEER_CALLS = 75.0  # P4: calls to DOKU by this project in the time of one by DOKU's own library; 100 is the aim
PEER_CALLS_AIM = 100.0
NOTIFICATIONS = 450.0  # P6: received and processed per CPU second; 1,000 is the aim
NOTIFICATIONS_AIM = 1000.0
MEMORY_MIB = 60.0  # P7: after the first payment
UNZIPPED_MIB = 30.0  # P7: layers and one function with bytecode, without the SDK
GROWTH = 0.05  # P8: an operation with many payments stored may differ by this share
TOKEN_REQUESTS = 1  # P9: of 200 environments that start at once
REFUSED_LEASES = 10  # P9: their refused writes to the token's item
WRITE_UNITS = 30  # P11: of a paid order, indexes and outbox included
