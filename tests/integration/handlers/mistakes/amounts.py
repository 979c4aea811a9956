"""Amounts as people write them: as numbers, with separators, with the currency, in other digits."""

from tests.integration.handlers.mistakes.mistake import NULL, idr, pay

OBJECT = 'An amount is an object: {"value": "10000.00", "currency": "IDR"}.'
VALUE = "/amount/value"
CURRENCY = "/amount/currency"
SEPARATORS = "No separators of thousands, and a dot before the decimals."
OWN_FIELD = "the currency stands in its own field"
ZERO = "It has to be greater than zero."
DIGITS = "Digits 0 to 9 only"
QUOTES = "A number came: send a string, in quotes."

MISTAKES = [
    pay("amount as a number", ("A number came", OBJECT), "/amount", amount=10000),
    pay("amount as a decimal number", ("A number came", OBJECT), "/amount", amount=10000.5),
    pay("amount as a string", ("A string came", OBJECT), "/amount", amount="10000.00"),
    pay("amount as a string of rupiah", ("A string came", OBJECT), "/amount", amount="Rp10.000"),
    pay("amount as JSON in a string", ("without quotes around it", OBJECT), "/amount", amount='{"value":"1.00"}'),
    pay("amount null", ("null came: send a value.", OBJECT), "/amount", amount=NULL),
    pay("amount in an array", ("An array came", OBJECT), "/amount", amount=[idr("10000.00")]),
    pay("amount true", ("True or false came", OBJECT), "/amount", amount=True),
    pay("no amount", ("amount is missing", OBJECT), "/amount", "missing-field", amount=None),
    pay("amount empty", ("amount.value is missing", "1 more"), VALUE, "missing-field", amount={}),
    pay("value left out", "amount.value is missing", VALUE, "missing-field", amount={"currency": "IDR"}),
    pay(
        "currency left out", ("amount.currency is missing", "IDR"), CURRENCY, "missing-field", amount={"value": "1.00"}
    ),
    pay(
        "total for value",
        "total came: rename it to value",
        VALUE,
        "missing-field",
        amount={"total": "1.00", "currency": "IDR"},
    ),
    pay(
        "Value in capitals",
        "Value came: rename it to value",
        VALUE,
        "missing-field",
        amount={"Value": "1.00", "currency": "IDR"},
    ),
    pay(
        "a field of cents",
        ("not known", "currency, value"),
        "/amount/cents",
        "unknown-field",
        amount=idr("1.00") | {"cents": 0},
    ),
    pay("value as a number", QUOTES, VALUE, amount=idr(10000)),
    pay("value as a decimal number", QUOTES, VALUE, amount=idr(10000.0)),
    pay("value null", "null came: send a value.", VALUE, amount=idr(NULL)),
    pay("value in an array", "An array came: send a string, in quotes.", VALUE, amount=idr(["1.00"])),
    pay("value as an object", "An object came: send a string, in quotes.", VALUE, amount=idr({"sen": 1})),
    pay("value empty", "It is empty.", VALUE, amount=idr("")),
    pay("value without decimals", "Two decimals are missing (.00).", VALUE, amount=idr("10000")),
    pay("value with one decimal", "Exactly two decimals.", VALUE, amount=idr("10000.5")),
    pay("value with three decimals", "Exactly two decimals.", VALUE, amount=idr("10000.000")),
    pay("value with a dot at the end", "Exactly two decimals.", VALUE, amount=idr("10000.")),
    pay("value as Indonesians write it", SEPARATORS, VALUE, amount=idr("10.000,00")),
    pay("value with dots for thousands", SEPARATORS, VALUE, amount=idr("1.000.000")),
    pay("value as Americans write it", SEPARATORS, VALUE, amount=idr("10,000.00")),
    pay("value as the Swiss write it", SEPARATORS, VALUE, amount=idr("10'000.00")),
    pay("value with blanks for thousands", SEPARATORS, VALUE, amount=idr("10 000.00")),
    pay("value with an underscore", SEPARATORS, VALUE, amount=idr("10_000.00")),
    pay("value with a comma for the dot", SEPARATORS, VALUE, amount=idr("10000,00")),
    pay("value with Rp", OWN_FIELD, VALUE, amount=idr("Rp10.000")),
    pay("value with IDR in front", OWN_FIELD, VALUE, amount=idr("IDR10000.00")),
    pay("value with IDR behind", OWN_FIELD, VALUE, amount=idr("10000.00 IDR")),
    pay("value in words", OWN_FIELD, VALUE, amount=idr("sepuluh ribu")),
    pay("value with a plus", "no sign", VALUE, amount=idr("+10000.00")),
    pay("value without a digit before the dot", "Digits, a dot and two decimals", VALUE, amount=idr(".50")),
    pay("value infinite", "Digits, a dot and two decimals", VALUE, amount=idr("Infinity")),
    pay("value NaN", "placeholder that was not filled in", VALUE, amount=idr("NaN")),
    pay("value 0", ZERO, VALUE, amount=idr("0")),
    pay("value 0.00", ZERO, VALUE, amount=idr("0.00")),
    pay("value 0,00", ZERO, VALUE, amount=idr("0,00")),
    pay("value negative", ZERO, VALUE, amount=idr("-10000.00")),
    pay("value with an exponent", "without an exponent", VALUE, amount=idr("1e4")),
    pay("value with an exponent in capitals", "without an exponent", VALUE, amount=idr("1.0E+4")),
    pay("value with a blank in front", "begins or ends with a blank", VALUE, amount=idr(" 10000.00")),
    pay("value with a line feed behind", "control character U+000A", VALUE, amount=idr("10000.00\n")),
    pay("value of 20 digits", "too many digits", VALUE, amount=idr("99999999999999999999")),
    pay("value of 17 digits with decimals", ("too many digits", "1 to 16 digits"), VALUE, amount=idr("1" * 17 + ".00")),
    pay("value in full-width digits", DIGITS, VALUE, amount=idr("１００００.００")),
    pay("value in Arabic digits", DIGITS, VALUE, amount=idr("١٠٠٠٠.٠٠")),
    pay("value with a non-breaking blank", DIGITS, VALUE, amount=idr("10\u00a0000.00")),
    pay("currency in small letters", "Always IDR, in capital letters.", CURRENCY, amount=idr("1.00", "idr")),
    pay("currency USD", "Always IDR", CURRENCY, amount=idr("1.00", "USD")),
    pay("currency Rp", "Always IDR", CURRENCY, amount=idr("1.00", "Rp")),
    pay("currency as its number", "Always IDR", CURRENCY, amount=idr("1.00", "360")),
    pay("currency empty", ("It is empty.", "Always IDR"), CURRENCY, amount=idr("1.00", "")),
    pay("currency null", ("null came: send a value.", "Always IDR"), CURRENCY, amount=idr("1.00", NULL)),
    pay("currency as a number", ("A number came", "Always IDR"), CURRENCY, amount=idr("1.00", 360)),
    pay("currency with a blank", "begins or ends with a blank", CURRENCY, amount=idr("1.00", "IDR ")),
]
