"""Why a body is no JSON object, in the words of who sent it: the place, what is there, and what belongs there.

Loaded when a body is refused. Nothing of the body is repeated.
"""

import json
import re
from collections.abc import Mapping

# What a body is instead, by how it begins.
_INSTEAD: tuple[tuple[str, str], ...] = (
    (r"\ufeff", "it begins with a byte order mark (BOM); send it without"),
    (r"<", "it looks like XML or HTML; send JSON"),
    (r"--\S", "it looks like a form with parts (multipart); send JSON"),
    (r"(eyJ|ew[0o])[A-Za-z0-9+/_=-]*\s*$", "it looks like base64; send the JSON itself"),
    (r"[\w.\[\]%-]+=", "it looks like a form (a=1&b=2); send JSON"),
    (r"%7[Bb]|%22", "it is percent-encoded; send it as it is"),
    (r"'\s*[{\[]", 'it begins with the shell\'s quotation mark; on Windows write "{\\"a\\": 1}" or use a file'),
    (r"[{\[]\s*\\", "its quotation marks are escaped; send them without backslashes"),
    (r"//|/\*|#", "it begins with a comment; JSON has none"),
    (r"\{\{|\$\w|\$\{|<%", "it looks like a placeholder that was not filled in"),
    (r"@", "it looks like the name of a file; let your client read it (curl: -d @file)"),
    (r"\[object|undefined", "it looks like a JavaScript object as text; send JSON.stringify(object)"),
    (r"[\w-]+:\s", "it looks like YAML; send JSON"),
    (r"\w+\(", "it looks like JSONP; send the JSON alone"),
)
# What stands at the place of the fault.
_THERE: tuple[tuple[str, str], ...] = (
    (r"['`]", "JSON has double quotes only"),
    (r"[\u2018-\u201f\u00ab\u00bb]", 'typographic quotation marks; write plain ones: "'),
    (r"(True|False|None)\b", "this is Python's word; JSON has true, false and null, so send what json.dumps writes"),
    (r"undefined\b", "undefined is no value of JSON; leave the field out"),
    (r"//|/\*|#", "JSON has no comments"),
    (r"\.\.\.", "three dots stand for something here; write it out"),
)
_ODD_NUMBER = 'a number of this form is no JSON; amounts are strings anyway: "10000.00"'
# What Python's reader says, in the words of JSON's users.
_WORDS: Mapping[str, str] = {
    "Expecting property name enclosed in double quotes": "a field's name in double quotes is expected",
    "Expecting ':' delimiter": "a colon is expected",
    "Expecting ',' delimiter": "a comma or the end is expected",
    "Expecting value": "a value is expected",
    "Extra data": "something follows behind the end of the JSON; send one object and nothing else",
    "Illegal trailing comma before end of object": "the comma before the end is too much; remove it",
    "Illegal trailing comma before end of array": "the comma before the end is too much; remove it",
    "Invalid control character at": "a line break or tab stands within a string; write \\n or \\t",
    "Invalid \\escape": "a backslash stands alone; write \\\\",
    "Invalid \\uXXXX escape": "behind \\u four hexadecimal digits are expected",
    "Unterminated string starting at": "the string that begins here does not end; a quotation mark is missing",
}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "it is compressed (gzip); send it as it is"),
    (b"\xff\xfe", "it looks like UTF-16; send UTF-8"),
    (b"\xfe\xff", "it looks like UTF-16; send UTF-8"),
)


def explain_bytes(body: bytes, error: UnicodeDecodeError) -> str:
    """Return why a body is not UTF-8."""
    for start, told in _STARTS:
        if body.startswith(start):
            return f"the body is not UTF-8: {told}"
    return f"the body is not UTF-8: byte {error.start + 1} is no part of a character; send UTF-8"


def explain_json(error: json.JSONDecodeError) -> str:
    """Return why a text is not JSON, and where."""
    text, place = error.doc, f"line {error.lineno}, column {error.colno}"
    if "\x00" in text[:4]:
        return "the body is not JSON: it looks like UTF-16 or UTF-32; send UTF-8"
    begin = text.lstrip()
    for pattern, told in _INSTEAD:
        if re.match(pattern, begin):
            return f"the body is not JSON: {told}"
    if error.pos >= len(text.rstrip()) and error.msg != "Extra data":
        return f"the body is not JSON: it ends too early, at {place}; a bracket or a part is missing"
    told = _name_what_stands(error) or _WORDS.get(error.msg, "it can not be read")
    return f"the body is not JSON: {told} (at {place})"


def explain_constant(text: str, name: str) -> str:
    """Return where a text that is JSON otherwise has NaN or Infinity, and what to send instead."""
    outside = _STRING.sub(lambda found: " " * len(found[0]), text)
    before = outside[: outside.index(name)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return (
        f"the body is not JSON: {name} is no value of JSON; send a value, amounts as strings, or leave the field out "
        f"(at line {line}, column {column})"
    )


def explain_value(value: object) -> str:
    """Return what a body is that is JSON and no object."""
    if isinstance(value, str):
        return "a string came; if it holds JSON, it was written twice (JSON.stringify, json.dumps): write it once"
    if isinstance(value, list):
        return "an array came; send one object, one request for each"
    return "send one JSON object, {...}"


def _name_what_stands(error: json.JSONDecodeError) -> str | None:
    """Return what is known about the characters at the place of the fault; None where nothing is."""
    if error.msg == "Extra data":
        return None
    for pattern, told in _THERE:
        if re.compile(pattern).match(error.doc, error.pos):
            return told
    there, before = error.doc[error.pos : error.pos + 1], error.doc[error.pos - 1 : error.pos]
    begins_oddly = error.msg == "Expecting value" and there in "+."
    goes_on_oddly = before.isdigit() and there in ".xX_0123456789"
    return _ODD_NUMBER if begins_oddly or goes_on_oddly else None
