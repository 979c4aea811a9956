"""The commonest mistakes with a value, called by their names.

Loaded when a request is refused, never by a good one. Nothing of a value is repeated but the one character for which it
was refused, and of what is the customer's (`secret`) not even that.
"""

import re
from collections.abc import Mapping, Sequence

from pydantic_core import ErrorDetails

from direct_debit.domain.values import UNFILLED, URL_LENGTH, explain_character

# The text of these errors is a hint for the caller.
_TOLD = frozenset({"return_url_host", "return_url_parameter"})
_OBJECTS = frozenset({"model_type", "model_attributes_type", "dict_type"})
_TEXTS = frozenset({"string_type", "literal_error"})
_CHARACTERS = re.compile(r"\[(?:\\.|[^\]\\])+\]")
_PLACEHOLDER = re.compile(UNFILLED + r"|\$?\{.*\}|<[^<>/]*>|:[A-Za-z_]+|\$[A-Za-z_]+|%[A-Za-z_]+%|\[object .*\]")
_DIGITS_ONLY = "Digits 0 to 9 only, without blanks and hyphens."


def recognise(name: str, error: ErrorDetails, *, required: bool, secret: bool) -> str | None:
    """Say what is wrong with a value, and how to mend it; None where the rule says it all.

    `required`: leaving the field out is no remedy.
    """
    value = error["input"]
    if error["type"] in _TOLD:
        return error["msg"]
    if value is None:
        return "null came: send a value." if required else "null came: leave the field out, or send a value."
    if not isinstance(value, str):
        return _recognise_kind(name, value, error["type"])
    if error["type"] in _OBJECTS:
        return "A string came: send an object, without quotes around it."
    return _recognise_text(name, value, error, required=required, secret=secret)


def name_kind(value: object) -> str:
    """Return what kind of value came, and of a string how long it is."""
    if isinstance(value, str):
        return f"a string of {len(value)} character{'' if len(value) == 1 else 's'}" if value else "an empty string"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (type(None), "null"),
        (bool, "true or false"),
        ((int, float), "a number"),
        (Mapping, "an object"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "an array")


def _recognise_kind(name: str, value: object, kind: str) -> str | None:
    if kind not in _OBJECTS | _TEXTS:
        return None
    wanted = "an object" if kind in _OBJECTS else "a string, in quotes"
    came = name_kind(value)
    zeros = " In quotes it keeps its leading zeros." if name == "otp" else ""
    return f"{came[:1].upper()}{came[1:]} came: send {wanted}.{zeros}"


def _recognise_text(name: str, value: str, error: ErrorDetails, *, required: bool, secret: bool) -> str | None:
    if not value:
        return "It is empty." if required else "It is empty. Send a value, or leave it out."
    wrong = explain_character(value)
    if wrong is not None:
        return f"Found: {wrong}."
    if value != value.strip():
        return "It begins or ends with a blank: remove that."
    if _PLACEHOLDER.fullmatch(value):
        return "It looks like a placeholder that was not filled in: put the value in its place."
    if error["type"] == "enum":
        return _find_choice(value, re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected", ""))))
    known = next((told for pattern, told in _BY_FIELD.get(name, ()) if re.match(pattern, value)), None)
    return known or _find_unfit(value, error, secret=secret)


def _find_choice(value: str, choices: Sequence[str]) -> str | None:
    """Name the choice that is meant, where one looks like it."""
    if value.upper() in choices:
        return f"Write it in capital letters: {value.upper()}."
    if re.search(r"[,;| ]", value):
        return "One alone: ask for each by itself."
    from direct_debit.entrypoint.near_names import guess_state  # noqa: PLC0415 - few wrong values are states

    meant = guess_state(value, choices)
    return None if meant is None else f"Did you mean {meant}?"


def _find_unfit(value: str, error: ErrorDetails, *, secret: bool) -> str | None:
    """Name the first character that the rule's pattern does not take; else the length that it does not."""
    context = error.get("ctx", {})
    if "max_length" in context:
        return f"It has {len(value)} characters."
    classes = _CHARACTERS.findall(str(context.get("pattern", "")))
    if not classes:
        return None
    allowed = re.compile(classes[-1])
    found = next((one for one in enumerate(value, 1) if not allowed.fullmatch(one[1])), None)
    if found is None:
        dots = "Dots alone can not stand in a path." if not value.strip(".") else None
        return dots or f"It has {len(value)} characters."
    if secret:
        return None
    position, character = found
    return f"Found: {_show_character(character)} at position {position}."


def _show_character(character: str) -> str:
    if character == " ":
        return "a blank"
    code = f"U+{ord(character):04X}"
    if not character.isprintable():
        return code
    shown = f'"{character}"' if character != '"' else "a double quote"
    return shown if character.isascii() else f"{shown} ({code})"


# --- by field: how a value begins (or is, to a `$`), and what is said of it; the first that fits --------------------

type _Known = tuple[tuple[str, str], ...]

_PHONE: _Known = (
    (r"\+62", "Send it without the +: 62 and the number."),
    (r"0062", "Send it without the 00: 62 and the number."),
    (r"\+|00", "Only Indonesian numbers can be registered at CIMB."),
    (r"0", "Write 62 in place of the leading 0."),
    (r"620", "Leave out the 0 behind 62."),
    (r".*[^0-9]", _DIGITS_ONLY),
    (r"(?!62)", "Write 62 in front."),
)
_AMOUNT: _Known = (
    (r"-|[+]?0*([.,]0*)?$", "It has to be greater than zero."),
    (r".*[^\x00-\x7f]", "Digits 0 to 9 only; others, such as full-width ones, are not read."),
    (r"[0-9]{17,}(\.[0-9]*)?$", "It has too many digits."),
    (r"[0-9]+$", "Two decimals are missing (.00)."),
    (r"[0-9]+\.[0-9]*$", "Exactly two decimals."),
    (r"[0-9]+(\.[0-9]*)?[eE][+-]?[0-9]+$", "Write it out, without an exponent."),
    (r"[0-9][0-9.,'_ ]*$", "No separators of thousands, and a dot before the decimals."),
    (r"", "Digits, a dot and two decimals; no sign, and the currency stands in its own field."),
)
_DATE: _Known = (
    (r"[0-9]{8}$", "There is no such day: the year comes first, then the month, then the day."),
    (r"", "The year in four digits, then month and day in two each; nothing between them."),
)
_DAY: _Known = (
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}$", "There is no such day: the year comes first, then the month, then the day."),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+", "A time came too: send the day alone, as it is in Jakarta (UTC+7)."),
    (r"[0-9]{4}-[0-9]{2}(-[0-9]{2}.*[0-9]{4}-[0-9]{2}-[0-9]{2})?$", "One day alone: ask for each by itself."),
    (r"[0-9]{4}$", "One day alone: ask for each by itself."),
    (r"[0-9]{10,13}$", "A number of seconds came: send the date."),
    (r"[0-9./ -]+$", "The year in four digits, then month and day in two each, with hyphens between them."),
    (r"", "Write the date itself, with hyphens between year, month and day."),
)
_FLAG: _Known = ((r"", "Write true or false, in small letters."),)
_URL: _Known = (
    (r"(?i)http://", "http is not safe: use https. (http on localhost is taken where AllowedReturnHosts lists it.)"),
    (r"(?i)(?!https?:)[a-z][a-z0-9+.-]*:(?!\d)", "Another scheme came: give an https page, which may open your app."),
    (r"(?i)(?!https://)", "Give the whole URL, from https:// on."),
    (r".* ", "It has a blank: write %20."),
    (r".*[^\x00-\x7f]", "It has letters beyond ASCII: write those of the path percent-encoded, the host as xn--."),
    (r"(?i)https://[^/]*@", "A URL with a user's name is not taken: remove it and the @."),
    (rf".{{{URL_LENGTH + 1},}}", f"It is longer than {URL_LENGTH} characters."),
    (r"", "Its host or port can not be read."),
)
_EMAIL: _Known = (
    (r".*[<,;]", "One address alone, without a name."),
    (r".*[^\x00-\x7f]", "Only ASCII letters are taken."),
    (r"[^@]*$|@|.*@$", "It needs something before and behind its @."),
    (r".* ", "It has a blank."),
)
_IP: _Known = (
    (r".*,", "Several came: send the customer's alone, which is the first one in X-Forwarded-For."),
    (r".*:.*:", "IPv6 is not taken: leave the field out."),
    (r".*:", "Send it without the port."),
    (r"[0-9.]+$", "Four numbers from 0 to 255, without leading zeros."),
    (r"", "Send the number, not a name."),
)
_BY_FIELD: Mapping[str, _Known] = {
    "bindingId": ((r".*/", "Send the id alone, without the path in front of it."),),
    "dateOfBirth": _DATE,
    "day": _DAY,
    "deviceId": ((r"[A-Za-z0-9]+-[A-Za-z0-9-]+$", "Leave the hyphens out."),),
    "email": _EMAIL,
    "failedUrl": _URL,
    "idCard": ((r".*[^A-Za-z0-9]", "Letters and digits only, without dots and hyphens."),),
    "ipAddress": _IP,
    "otp": ((r".*[^0-9]", _DIGITS_ONLY),),
    "outcome": ((r"", "Write success or failed, in small letters."),),
    "phone": _PHONE,
    "refresh": _FLAG,
    "successUrl": _URL,
    "unresolved": _FLAG,
    "value": _AMOUNT,
}
