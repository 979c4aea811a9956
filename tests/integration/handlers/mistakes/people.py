"""What is said of the customer: phones, names, addresses, dates. None of it is repeated in the answer."""

from tests.integration.handlers.mistakes.mistake import NULL, bind

PHONE = "/phone"
RULE = "9 to 16 digits that begin with 62"
DIGITS = "Digits 0 to 9 only, without blanks and hyphens."
DATE = "/dateOfBirth"
ORDER = "The year in four digits, then month and day in two each; nothing between them."
NO_DAY = "There is no such day: the year comes first"
QUOTES = "A number came: send a string, in quotes."
OBJECT = "An object came: send a string, in quotes."
BLANK = "begins or ends with a blank"

MISTAKES = [
    bind("phone with +62", ("Send it without the +", RULE), PHONE, phone="+6285795786876"),
    bind("phone with +62 and blanks", "Send it without the +", PHONE, phone="+62 857-9578-6876"),
    bind("phone with +62 (0)", "Send it without the +", PHONE, phone="+62 (0)857-9578-687"),
    bind("phone with 0062", ("Send it without the 00", RULE), PHONE, phone="006285795786876"),
    bind("phone with 0", ("Write 62 in place of the leading 0.", RULE), PHONE, phone="085795786876"),
    bind("phone with 620", ("Leave out the 0 behind 62.", RULE), PHONE, phone="62085795786876"),
    bind("phone without a country", ("Write 62 in front.", RULE), PHONE, phone="81298765432"),
    bind("phone of Singapore", "Only Indonesian numbers", PHONE, phone="+6591234567"),
    bind("phone of Singapore with 00", "Only Indonesian numbers", PHONE, phone="006591234567"),
    bind("phone with hyphens", DIGITS, PHONE, phone="62-857-9578-6876"),
    bind("phone with blanks", DIGITS, PHONE, phone="62 857 9578 6876"),
    bind("phone with dots", DIGITS, PHONE, phone="62.857.9578.6876"),
    bind("phone with letters", DIGITS, PHONE, phone="62857957XXXXX"),
    bind("phone as a link", DIGITS, PHONE, phone="tel:6285795786876"),
    bind("phone with an extension", DIGITS, PHONE, phone="6285795786876 ext 12"),
    bind("phone in full-width digits", DIGITS, PHONE, phone="６２８５７９５７８６８７６"),
    bind("phone as an e-mail", DIGITS, PHONE, phone="siti@rahma.example"),
    bind("phone too short", ("It has 8 characters.", RULE), PHONE, phone="62811111"),
    bind("phone too long", ("It has 17 characters.", RULE), PHONE, phone="62857957868761234"),
    bind("phone as a number", (QUOTES, RULE), PHONE, phone=6285795786876),
    bind("phone as a float of a spreadsheet", (QUOTES, RULE), PHONE, phone=6.285795786876e12),
    bind("phone in an array", "An array came: send a string", PHONE, phone=["6285795786876"]),
    bind("phone with a blank behind", BLANK, PHONE, phone="6285795786876 "),
    bind("phone with a tab of a spreadsheet", "control character U+0009", PHONE, phone="6285795786876\t"),
    bind("phone empty", "It is empty.", PHONE, phone=""),
    bind("phone null", ("null came: send a value.", RULE), PHONE, phone=NULL),
    bind("phone undefined", "placeholder that was not filled in", PHONE, phone="undefined"),
    bind("no phone", ("phone is missing", RULE), PHONE, "missing-field", phone=None),
    bind("no customer", "customerId is missing", "/customerId", "missing-field", customerId=None),
    bind("name empty", ("It is empty.", "1 to 70"), "/customerName", customerName=""),
    bind("name too long", ("It has 71 characters.", "1 to 70"), "/customerName", customerName="x" * 71),
    bind("name as an object", OBJECT, "/customerName", customerName={"first": "Siti"}),
    bind("name as a number", QUOTES, "/customerName", customerName=42),
    bind(
        "name in Windows-1252", ("U+0096 at position 5", "send UTF-8"), "/customerName", customerName="Siti\u0096Rahma"
    ),
    bind("name with a zero byte", "control character U+0000", "/customerName", customerName="Siti\u0000"),
    bind("e-mail without @", "something before and behind its @", "/email", email="siti.rahma.example"),
    bind("e-mail without a host", "something before and behind its @", "/email", email="siti@"),
    bind("e-mail with a name", "One address alone, without a name.", "/email", email="Siti <siti@rahma.example>"),
    bind("two e-mails", "One address alone", "/email", email="siti@rahma.example,budi@rahma.example"),
    bind("e-mail with an accent", "Only ASCII letters", "/email", email="sïti@rahma.example"),
    bind("e-mail with a blank behind", BLANK, "/email", email="siti@rahma.example "),
    bind("e-mail with a blank within", "It has a blank.", "/email", email="siti @rahma.example"),
    bind("e-mail too long", ("It has 72 characters.", "at most 64"), "/email", email="x" * 60 + "@rahma.id.ex"),
    bind("e-mail empty", "It is empty.", "/email", email=""),
    bind("identity card with dots", "without dots and hyphens", "/idCard", idCard="3174.0101.9000"),
    bind("identity card with hyphens", "without dots and hyphens", "/idCard", idCard="3174-0101-9000"),
    bind("identity card as a number", QUOTES, "/idCard", idCard=3174010101900001),
    bind("identity card too long", "It has 21 characters.", "/idCard", idCard="317401010190000100000"),
    bind("identity card empty", "It is empty.", "/idCard", idCard=""),
    bind("date with hyphens", (ORDER, "YYYYMMDD"), DATE, dateOfBirth="1990-01-31"),
    bind("date with slashes", (ORDER, "YYYYMMDD"), DATE, dateOfBirth="31/01/1990"),
    bind("date as a time", ORDER, DATE, dateOfBirth="1990-01-31T00:00:00Z"),
    bind("date in words", ORDER, DATE, dateOfBirth="31 Januari 1990"),
    bind("date with two digits of the year", ORDER, DATE, dateOfBirth="910228"),
    bind("date, day first", (NO_DAY, "YYYYMMDD"), DATE, dateOfBirth="31121990"),
    bind("date, American", NO_DAY, DATE, dateOfBirth="12311990"),
    bind("30 February", NO_DAY, DATE, dateOfBirth="19900230"),
    bind("month 13", NO_DAY, DATE, dateOfBirth="19901331"),
    bind("date of zeros", NO_DAY, DATE, dateOfBirth="00000000"),
    bind("date as a number", QUOTES, DATE, dateOfBirth=19900131),
    bind("date empty", "It is empty.", DATE, dateOfBirth=""),
    bind("country as its number", QUOTES, "/country", country=360),
    bind("country too long", ("It has 61 characters.", "1 to 60"), "/country", country="x" * 61),
    bind("country empty", "It is empty.", "/country", country=""),
    bind("address in lines", "control character U+000A at position 6", "/address", address="Jl. A\nJakarta"),
    bind("address as an object", OBJECT, "/address", address={"street": "Jl. A"}),
    bind("address too long", ("It has 256 characters.", "1 to 255"), "/address", address="x" * 256),
]
