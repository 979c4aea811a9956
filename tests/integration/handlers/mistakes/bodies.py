"""Bodies that are no JSON, or not in UTF-8: what shells, editors and languages make of an object."""

import base64
import gzip
import json
import zlib
from dataclasses import replace

from tests.integration.handlers.mistakes.mistake import ID, Mistake, good_payment, write

GOOD = good_payment()
FORM = "it looks like a form (a=1&b=2); send JSON"
FIELD = "a field's name in double quotes is expected"
NUMBER = "a number of this form is no JSON"
QUOTES = "JSON has double quotes only"
BEHIND = "something follows behind the end of the JSON"
UNFILLED = "placeholder that was not filled in"
COMMENT = "JSON has none"
UTF_16 = "UTF-16"


def _bytes(did: str, body: bytes, *says: str) -> Mistake:
    return replace(write(did, says, base64.b64encode(body).decode()), is_base64=True)


MISTAKES = [
    write("nothing", "the body is empty; send one JSON object", ""),
    write("blanks", "the body is empty", "  \r\n "),
    write("null", "send one JSON object, {...}", "null"),
    write("a number", "send one JSON object, {...}", "10000"),
    write("true", "send one JSON object, {...}", "true"),
    write("an array", "an array came; send one object, one request for each", f"[{GOOD}]"),
    write("an empty array", "an array came", "[]"),
    write("JSON written twice", "it was written twice (JSON.stringify, json.dumps): write it once", json.dumps(GOOD)),
    write("an open brace", "it ends too early, at line 1, column 2", "{"),
    write("cut off", "it ends too early", GOOD[:-1]),
    write("cut off in a string", "does not end; a quotation mark is missing", GOOD[:-3]),
    write("a comma before the brace", ("the comma before the end", "line 1, column 10"), '{"a": "1",}'),
    write("a comma before the bracket", "the comma before the end", '{"a": [1,]}'),
    write("two commas", (FIELD, "line 1, column 8"), '{"a":1,,"b":2}'),
    write("a comma in front", FIELD, '{,"a":1}'),
    write("no comma", ("a comma or the end is expected", "line 2, column 1"), '{"a":1\n"b":2}'),
    write("no colon", "a colon is expected", '{"a" 1}'),
    write("an equals sign", "a colon is expected", '{"bindingId"="x"}'),
    write("a wrong bracket", "a comma or the end is expected", '{"a":[1,2}'),
    write("single quotes", (QUOTES, "line 1, column 2"), "{'bindingId': 'x'}"),
    write("single quotes around a value", QUOTES, "{\"a\": 'x'}"),
    write("backticks", QUOTES, '{"a": `x`}'),
    write("typographic quotes", ("typographic quotation marks", "line 1, column 2"), "{“bindingId”: “x”}"),
    write("no quotes", FIELD, "{bindingId: 1}"),
    write("Python's True", "this is Python's word", '{"gift": True}'),
    write("Python's None", "this is Python's word", '{"gift": None}'),
    write("Python's dictionary", QUOTES, str(json.loads(GOOD))),
    write("undefined within", "undefined is no value of JSON; leave the field out", '{"a": undefined}'),
    write("undefined", "JSON.stringify(object)", "undefined"),
    write("an object as JavaScript's text", "JSON.stringify(object)", "[object Object]"),
    write("NaN", ("NaN is no value of JSON; send a value", "line 1, column 7"), '{"a": NaN}'),
    write("NaN in the second line", "line 2, column 6", '{"NaN \\"NaN": "NaN",\n"b": NaN}'),
    write("Infinity", ("-Infinity is no value of JSON", "line 1, column 7"), '{"a": -Infinity}'),
    write("a leading zero", (NUMBER, "amounts are strings"), '{"otp": 049382}'),
    write("a plus", NUMBER, '{"a": +1}'),
    write("a dot in front", NUMBER, '{"a": .5}'),
    write("a dot behind", NUMBER, '{"a": 1.}'),
    write("a hexadecimal number", NUMBER, '{"a": 0x10}'),
    write("an underscore in a number", NUMBER, '{"a": 10_000}'),
    write(
        "a number of 5000 digits", "a number with too many digits; send numbers as strings", '{"a": ' + "9" * 5000 + "}"
    ),
    write("brackets without an end", "too many brackets within each other", "[" * 50_000),
    write("a comment behind", BEHIND, GOOD + " // an order"),
    write("a comment in front", COMMENT, "// an order\n" + GOOD),
    write("a block comment in front", COMMENT, "/* an order */" + GOOD),
    write("a comment within", "JSON has no comments", '{"a": 1, // one\n "b": 2}'),
    write("a semicolon behind", BEHIND, GOOD + ";"),
    write("two objects", (BEHIND, "line 2, column 1"), GOOD + "\n" + GOOD),
    write(
        "a line break in a string", ("a line break or tab stands within a string", "write \\n"), '{"remarks": "a\nb"}'
    ),
    write("a tab in a string", "a line break or tab stands within a string", '{"remarks": "a\tb"}'),
    write("a Windows path", "a backslash stands alone", '{"remarks": "C:\\shop"}'),
    write("half of an escape", "four hexadecimal digits", '{"remarks": "\\u00g1"}'),
    write("a key twice", "the body has the key remarks more than once; send it once", '{"remarks":"a","remarks":"b"}'),
    write("a key twice in the amount", "the key value more than once", '{"amount":{"value":"1.00","value":"2.00"}}'),
    write("three dots", "three dots stand for something here", "{...}"),
    write("three dots as a value", "three dots stand for something here", '{"amount": ...}'),
    write("a form", FORM, "bindingId=x&remarks=y"),
    write("PHP's http_build_query", FORM, "amount%5Bvalue%5D=1.00&amount%5Bcurrency%5D=IDR"),
    write("a form with parts", "multipart", '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--'),
    write("XML", "it looks like XML or HTML; send JSON", '<?xml version="1.0"?><payment/>'),
    write("HTML", "it looks like XML or HTML", "<!doctype html><html></html>"),
    write("YAML", "it looks like YAML; send JSON", "bindingId: x\nremarks: y"),
    write("JSONP", "it looks like JSONP", f"callback({GOOD})"),
    write("base64", "it looks like base64; send the JSON itself", base64.b64encode(GOOD.encode()).decode()),
    write("percent-encoded", "it is percent-encoded; send it as it is", "%7B%22a%22%3A1%7D"),
    write("cmd.exe's quotes", ("the shell's quotation mark", "on Windows"), f"'{GOOD}'"),
    write("quotes escaped once too often", "send them without backslashes", GOOD.replace('"', '\\"')),
    write("curl --data-raw @file", "let your client read it (curl: -d @file)", "@payment.json"),
    write("a shell variable", UNFILLED, "$BODY"),
    write("a template", UNFILLED, "{{body}}"),
    write("a byte order mark", "byte order mark (BOM); send it without", "\ufeff" + GOOD),
    write("70 KB", "at most 64 KiB", '{"remarks": "' + "x" * 70_000 + '"}', "body-too-large"),
    _bytes("UTF-16 with a mark", GOOD.encode("utf-16"), UTF_16, "send UTF-8"),
    _bytes("UTF-16 without a mark", GOOD.encode("utf-16-le"), UTF_16, "send UTF-8"),
    _bytes("UTF-16, the other way round", GOOD.encode("utf-16-be"), UTF_16, "send UTF-8"),
    _bytes("UTF-32", GOOD.encode("utf-32"), "send UTF-8"),
    _bytes("UTF-8 with a mark", b"\xef\xbb\xbf" + GOOD.encode(), "byte order mark (BOM); send it without"),
    _bytes("Latin-1", GOOD.replace("Order", "Ordér").encode("latin-1"), "is no part of a character; send UTF-8"),
    _bytes("gzip", gzip.compress(GOOD.encode(), mtime=0), "it is compressed (gzip); send it as it is"),
    _bytes("deflate", zlib.compress(GOOD.encode()), "send UTF-8"),
    _bytes("a picture", b"\x89PNG\r\n\x1a\n", "send UTF-8"),
    replace(write("text called base64", "announced as base64", "no base64!"), is_base64=True),
    replace(write("a form in DELETE", FORM, "otp=493827"), call="unbind_account", path=ID),
    replace(
        write("JSON cut off in a refund", "it ends too early", '{"reason": "x"'),
        call="refund_payment",
        path={"ref": "INV1"},
    ),
    replace(write("a link as a form", FORM, "customerId=C1&phone=62811"), call="bind_account"),
]
