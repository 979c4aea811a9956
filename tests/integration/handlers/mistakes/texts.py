"""Remarks, reasons, metadata, devices, addresses of machines."""

from tests.integration.handlers.mistakes.mistake import NULL, Mistake, give_back, pay

REMARKS = "/remarks"
READS = "What the customer reads: 1 to 40"
QUOTES = "A number came: send a string, in quotes."
IP = "/ipAddress"


def _remark(did: str, value: object, *says: str) -> Mistake:
    return pay(f"remarks {did}", (*says, READS), REMARKS, remarks=value)


def _tag(did: str, value: object, at: str, *says: str) -> Mistake:
    return pay(f"metadata {did}", says, at, metadata=value)


def _ip(did: str, value: object, *says: str) -> Mistake:
    return pay(f"address {did}", (*says, "IPv4"), IP, ipAddress=value)


MISTAKES = [
    pay("no remarks", ("remarks is missing", READS), REMARKS, "missing-field", remarks=None),
    _remark("empty", "", "It is empty."),
    _remark("null", NULL, "null came: send a value."),
    _remark("too long", "x" * 41, "It has 41 characters."),
    _remark("with a hash", "Order #4711", 'Found: "#" at position 7.'),
    _remark("with HTML", "<b>Order</b>", 'Found: "<" at position 1.'),
    _remark("with an ampersand", "Kopi & teh", 'Found: "&" at position 6.'),
    _remark("with brackets", "Order (2)", 'Found: "(" at position 7.'),
    _remark("with an exclamation mark", "Terima kasih!", 'Found: "!" at position 13.'),
    _remark("with a check mark", "Bayar ✓", 'Found: "✓" (U+2713) at position 7.'),
    _remark("with an emoji", "Kopi ☕", 'Found: "☕" (U+2615) at position 6.'),
    _remark("with a long dash", "Kopi – Tubruk", 'Found: "–" (U+2013) at position 6.'),
    _remark("with typographic quotes", "“Kopi”", 'Found: "“" (U+201C) at position 1.'),
    _remark("with an accent", "Ordér", 'Found: "é" (U+00E9) at position 4.'),
    _remark("with a line feed", "Order\n4711", "control character U+000A at position 6"),
    _remark("in Windows-1252", "Kopi\u0096Tubruk", "U+0096 at position 5", "send UTF-8"),
    _remark("as a number", 4711, QUOTES),
    _remark("in an array", ["Order 4711"], "An array came"),
    give_back("reason empty", "It is empty.", {"reason": ""}, at="/reason"),
    give_back("reason too long", ("It has 256 characters.", "1 to 255"), {"reason": "x" * 256}, at="/reason"),
    give_back("reason with a line feed", "control character U+000A at position 2", {"reason": "a\nb"}, at="/reason"),
    give_back("reason as a number", QUOTES, {"reason": 4711}, at="/reason"),
    give_back(
        "reason with half of an emoji",
        "half of a character (U+D83D at position 2)",
        {"reason": "a\ud83d"},
        at="/reason",
    ),
    _tag("with a number", {"orderId": 4711}, "/metadata/orderId", QUOTES, "A value of metadata: a string"),
    _tag("with true", {"gift": True}, "/metadata/gift", "True or false came: send a string"),
    _tag("with null", {"gift": None}, "/metadata/gift", "null came: send a value."),
    _tag("with an object", {"cart": {"id": "1"}}, "/metadata/cart", "An object came: send a string"),
    _tag("with an array", {"cart": ["1"]}, "/metadata/cart", "An array came: send a string"),
    _tag(
        "with a blank in a key",
        {"order id": "1"},
        "/metadata/order id",
        "Found: a blank at position 6.",
        "A key of metadata",
    ),
    _tag(
        "with a slash in a key",
        {"order/id": "1"},
        "/metadata/order~1id",
        'Found: "/" at position 6.',
        "A key of metadata",
    ),
    _tag("with an empty key", {"": "1"}, "/metadata/", "It is empty.", "A key of metadata"),
    _tag("with a key that is too long", {"k" * 41: "1"}, "/metadata/" + "k" * 41, "It has 41 characters.", "1 to 40"),
    _tag("with a value that is too long", {"k": "v" * 501}, "/metadata/k", "It has 501 characters.", "at most 500"),
    _tag("with a line feed", {"note": "a\nb"}, "/metadata/note", "control character U+000A at position 2"),
    _tag("with 21 entries", {f"k{n}": "v" for n in range(21)}, "/metadata", "At most 20"),
    _tag("as an array", [{"key": "a"}], "/metadata", "An array came: send an object."),
    _tag("as a string", "orderId=4711", "/metadata", "A string came: send an object"),
    _tag("null", NULL, "/metadata", "null came: leave the field out, or send a value."),
    pay("device as a UUID", "Leave the hyphens out.", "/deviceId", deviceId="550e8400-e29b-41d4-a716-446655440000"),
    pay("device as a MAC address", 'Found: ":" at position 3.', "/deviceId", deviceId="00:1B:44:11:3A:B7"),
    pay("device too long", "It has 65 characters.", "/deviceId", deviceId="a" * 65),
    pay("device empty", "It is empty.", "/deviceId", deviceId=""),
    pay("device as a number", QUOTES, "/deviceId", deviceId=12),
    _ip("as IPv6", "2001:db8::1", "IPv6 is not taken: leave the field out."),
    _ip("as IPv4 in IPv6", "::ffff:203.0.113.7", "IPv6 is not taken"),
    _ip("with a port", "203.0.113.7:443", "Send it without the port."),
    _ip("of X-Forwarded-For", "203.0.113.7, 10.0.0.1", "the first one in X-Forwarded-For"),
    _ip("out of range", "256.1.1.1", "Four numbers from 0 to 255"),
    _ip("with three numbers", "203.0.113", "Four numbers from 0 to 255"),
    _ip("with a leading zero", "010.0.0.1", "without leading zeros"),
    _ip("as a name", "localhost", "Send the number, not a name."),
    _ip("unknown", "unknown", "leave it out where you have none"),
    _ip("as a number", 3232235777, QUOTES),
    _ip("empty", "", "It is empty."),
]
