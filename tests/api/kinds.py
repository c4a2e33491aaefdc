"""What is sent to every operation where it fits, kind by kind: refused, or taken. Numbered as in the list of what is sent to services.

D3 shape, D4 texts, D5 numbers, D6 places, D7 times, D8 paths and queries, D2 JSON, D10 conditions. Which kinds fit a field is told from the
API's own description: see `kind_of`.
"""

import json
from typing import Any
from uuid import UUID, uuid4

CANARY = "zq-canary-zq"


def raw(text: str) -> str:
    """A number that is written into a body as it is said here: see `operations.encoded`."""
    return f"@raw {text}@"


#: What no field of a kind takes. Kinds are told from the description: see `kind_of`.
REFUSED: dict[str, dict[str, Any]] = {
    "any": {"object": {"x": CANARY}, "list of one": [[CANARY]], "reference": {"$ref": CANARY}, "deep": [[[[[[CANARY]]]]]],
            "empty list": []},
    "line": {
        "number": 5, "true": True, "empty": "", "blank": "   ", "zero width": "\u200b", "null byte": f"{CANARY}\x00",
        "control": f"{CANARY}\x07", "escape": f"{CANARY}\x1b[31m", "newline": f"{CANARY}\nx", "tab": f"{CANARY}\tx",
        "line separator": f"{CANARY}\u2028x", "right to left": f"{CANARY}\u202e", "private": f"{CANARY}\ue000",
        "unassigned": f"{CANARY}\u0378", "surrogate": "\ud800", "long": CANARY * 50, "long once normalised": "\ufb2c" * 120,
        "flood of accents": f"{CANARY}e" + "\u0301\u0300" * 30, "return before it": f"\r{CANARY}", "return behind it": f"{CANARY}\r\n",
        "half a character": f"{CANARY}\ud83d",
    },
    "phone": {
        "letters": f"+33 {CANARY}", "short": "06", "long": "1" * 40, "header": f"0611223344\r\nBcc: {CANARY}", "empty": "",
        "number": 611223344, "0 behind +33": "+33 06 11 22 33 44", "0 in parentheses": "+33 (0)6 11 22 33 44", "premium": "08 99 12 34 56",
        "premium abroad": "+33 892 12 34 56", "nine digits": "06 11 22 33 4", "eleven digits": "06 11 22 33 44 5",
        "country zero": "+0 612345678",
    },
    "email": {"none": CANARY, "two @": f"{CANARY}@x@y.fr", "blank in it": f"{CANARY} x@y.fr", "header": f"{CANARY}@y.fr\r\nBcc: x@y.fr",
              "shown name": f"<{CANARY}@y.fr>", "long": f"{'a' * 250}@y.fr", "dots": f"{CANARY}@y..fr", "number": 5,
              "cyrillic a": f"{CANARY}\u0430@y.fr", "kelvin sign": f"{CANARY}\u212a@y.fr", "cyrillic domain": f"{CANARY}@\u0435xample.org"},
    "url": {
        "http": "http://hooks.example.org/", "ftp": f"ftp://{CANARY}.org", "file": f"file:///{CANARY}", "script": f"javascript:{CANARY}",
        "user": f"https://{CANARY}:x@example.org", "port 22": f"https://{CANARY}.org:22", "port 6379": f"https://{CANARY}.org:6379",
        "localhost": "https://localhost", "loopback": "https://127.0.0.1", "loopback, short": "https://127.1", "number": 5,
        "one number": "https://2130706433", "hexadecimal": "https://0x7f.1", "any": "https://0.0.0.0", "IPv6": "https://[::1]",
        "mapped": "https://[::ffff:127.0.0.1]", "metadata": "https://169.254.169.254", "private": "https://10.0.0.1",
        "carrier": "https://100.64.0.1", "IDN": f"https://{CANARY}ⓔxample.org", "dot behind": f"https://{CANARY}.org.", "empty": "",
        "long": f"https://hooks.example.org/{CANARY * 300}", "loopback for tests": "http://127.0.0.1:8000/", "no name": "https://",
    },
    "prose": {
        "number": 5, "true": True, "empty": "", "blank": "  \n ", "null byte": f"{CANARY}\x00", "control": f"{CANARY}\x07",
        "escape": f"{CANARY}\x1b[31m", "surrogate": "\ud800", "right to left": f"{CANARY}\u202e", "long": CANARY * 500,
        "unknown placeholder": f"{{lien}} {{{CANARY}}}", "attribute": "{lien} {prenom.__class__}", "index": "{lien} {prenom[0]}",
        "conversion": "{lien} {prenom!r}", "form": "{lien} {prenom:>10}", "brace": f"{{lien}} {CANARY} {{", "doubled": "{lien} {{7*7}}",
        "no link": CANARY, "positional": "{lien} {}", "code of the service": "{lien} {code}",
    },
    "said": {"number": 5, "true": True, "surrogate": "\ud800", "half a character": f"{CANARY}\ud83d", "long": CANARY * 500},
    "zone": {"unknown": CANARY, "path": "../../etc/passwd", "empty": "", "number": 5, "case": "EUROPE/PARIS"},
    "token": {"short": CANARY, "upper case": "A" * 64, "long": "a" * 65, "number": 5},
    "code": {"short": "12345", "letters": "12345x", "full width": "１２３４５６", "number": 123456},
    "password": {"number": 5, "endless": CANARY * 50, "empty": ""},
    "slug": {"upper case": "NORTH", "blank in it": f"{CANARY} x", "long": "x" * 41, "empty": "", "number": 5, "separator": f"{CANARY},x"},
    "integer": {
        "minus": -1, "text": "1", "float": 1.5, "exponent": "1e3", "true": True, "int4": 2**31, "int8": 2**63, "endless": 10**400,
        "grouped": "1_000", "hexadecimal": "0x10", "arabic": "١", "decimal comma": "1,5",
        "exponent as number": raw("1e3"), "full width": "１", "blanks": " 1 ", "subnormal": raw("5e-324"), "point": raw("1.0"),
    },
    "number": {
        "full width": "１", "blanks": " 1 ", "grouped": "1_000",
        "minus": -1, "text": "1", "true": True, "not a number": "NaN", "infinite": "Infinity", "endless": 10**400},
    "boolean": {"one": 1, "zero": 0, "text": "true", "word": "yes"},
    "point": {
        "lat 91": [2.3, 91], "lon 181": [181, 46.3], "swapped": [46.3, 2.3], "zero": [0, 0], "one number": [2.3], "far": [2.9, 46.9],
        "three numbers": [2.3, 46.3, 0], "texts": ["2.3", "46.3"], "object": {"lon": 2.3, "lat": 46.3}, "true": [True, 46.3],
        "feature": {"type": "Point", "coordinates": [2.3, 46.3]}, "null in it": [None, 46.3], "text": CANARY, "endless": [10**400, 46.3],
        "nothing": [],
        "empty geometry": {"type": "Point", "coordinates": []}, "metres": [652_000.0, 6_862_000.0], "Berlin": [13.405, 52.52],
        "with a system": {"type": "Point", "coordinates": [2.3, 46.3], "crs": {"type": "name", "properties": {"name": CANARY}}},
        "with a number of a system": {"srid": 2154, "coordinates": [2.3, 46.3]}, "subnormal": [raw("5e-324"), 46.3], "sea": [-5.0, 47.0],
        "not a number": ["NaN", 46.3], "full width": ["２.3", 46.3],
    },
    "instant": {
        "naive": "2026-11-24T10:40:00", "date": "2026-11-24", "number": 1_795_000_000, "number as text": "1795000000", "30 February":
        "2026-02-30T10:00:00Z", "29 February of a common year": "2026-02-29T10:00:00Z", "24:01": "2026-11-24T24:01:00Z", "23:60":
        "2026-11-24T23:60:00Z", "leap second": "2026-11-24T23:59:60Z", "offset of 25 hours": "2026-11-24T10:40:00+25:00", "year 1":
        "0001-01-01T00:00:00Z", "year 9999": "9999-12-31T23:00:00Z", "zone by name": "2026-11-24T10:40:00[Europe/Paris]", "text": CANARY,
        "full width": "２０２６-11-24T10:40:00Z", "24:00": "2026-11-24T24:00:00Z", "past": "2020-01-01T10:40:00Z",
    },
    "clock": {
        "24:00": "24:00", "24:01": "24:01", "23:60": "23:60", "short": "9:30", "french": "9h30", "seconds": "09:30:00", "minus": "-1:00",
        "full width": "０9:30", "number": 930, "number as text": "0930", "blanks": " 09:30", "instant": "2026-11-24T10:40:00Z",
        "text": CANARY, "empty": "", "newline": "09:30\n",
    },
    "weekdays": {
        "eighth": [8], "none": [0], "minus": [-1], "twice": [1, 1], "text": ["1"], "word": [CANARY], "float": [1.5], "nested": [[1]],
        "null in it": [None], "true": [True], "empty list": [], "number": 1, "endless": [10**400], "many": [1, 2, 3, 4, 5, 6, 7, 1],
    },
    "date": {
        "french": "24/11/2026", "number": 5, "moment": "2026-11-24T10:00:00Z", "30 February": "2026-02-30", "year 9999": "9999-12-31",
        "text": CANARY,
    },
    "id": {"text": CANARY, "number": 5, "short": "00000000", "nobody's": "0f0f0f0f-aaaa-4bbb-8ccc-000000000000", "nil": str(UUID(int=0)),
           "braces": "{0f0f0f0f-aaaa-4bbb-8ccc-000000000000}", "urn": "urn:uuid:0f0f0f0f-aaaa-4bbb-8ccc-000000000000", "bare": "0f" * 16},
    "choice": {"unknown": CANARY, "upper case": "OTHER ", "blank": "other ", "number": 5, "true": True, "empty": "", "in a list": [CANARY]},
    "texts": {"text": CANARY, "number": 5, "numbers": [5], "upper case": [CANARY.upper()], "blank in it": ["a b"], "long": ["x" * 50],
              "many": ["cane"] * 31, "null in it": [None]},
    "object": {"text": CANARY, "list": [CANARY], "number": 5, "unknown field": {CANARY: 1}},
}  # fmt: skip
#: D4: names that every field for names takes, and shows again as they are (normalised).
TAKEN = {
    "apostrophe": "O'Brien", "hyphen": "Le Goff-Nguyen", "ligature": "Cœur", "emoji": "Zoë 🙂", "four accents": "\u1ec7\u0301\u0300",
    "sql": "'; DROP TABLE offer; --", "html": "<b onload=x>", "template": "{{7*7}}", "lookup": "${jndi:ldap://x.test/a}",
    "format": "%s %n %d", "shell": "; rm -rf $(x) `y` | z", "path": "../../etc/passwd", "formula": '=cmd|" /C x"!A1', "plus": "+1",
    "at": "@SUM(1)", "long word": "x" * 200, "greek": "Ἀθηνᾶ", "arabic": "فاطمة", "vietnamese": "Nguyễn Thị Hường",
}  # fmt: skip
#: D7: instants as they may be written, all of them this one.
SAME_INSTANT = [
    "2026-11-25T09:40:00Z", "2026-11-25t09:40:00z", "2026-11-25T09:40:00+00:00", "2026-11-25T09:40:00-00:00", "2026-11-25T10:40:00+01:00",
    "2026-11-24T19:40:00-14:00", "2026-11-25 10:40:00+01:00", "2026-11-25T10:40+01:00", "2026-11-25T10:40:00.000+01:00",
]  # fmt: skip
#: Which ids a description cannot tell from others: this field names something that may be left out, or anybody's.
FREE_IDS = {("create_key", "holder_id"), ("create_account", "holder_id")}
NAMES = {
    "name": "line", "phone": "phone", "email": "email", "contact_name": "line", "contact_phone": "phone", "contact_email": "email",
    "text": "line", "timezone": "zone", "token": "token", "code": "code", "password": "password",
    "kind": "slug", "car": "line", "origin_label": "line", "origin_note": "line", "destination_label": "line", "destination_note": "line",
    "queue": "slug", "url": "url", "body": "prose", "subject": "line",
    "weekdays": "weekdays",
    "from": "line", "message": "said", "message_id": "line", "customerMobilePhone": "phone",
    **dict.fromkeys(("tripRequestId", "openAttribute", "customerName", "fundingEntityId", "addressName", "street", "community", "postalNo",
                     "country", "addressDescription", "detailedPickupLocationDescription", "detailedDropoffLocationDescription"), "line"),
}  # fmt: skip


def kind_of(name: str, schema: dict[str, Any], components: dict[str, Any]) -> str:
    """Which kinds of wrong values fit a field."""
    if name.rpartition(".")[2] in NAMES:
        return NAMES[name.rpartition(".")[2]]
    choices = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    found = choices[0]
    found = components[found["$ref"].rsplit("/", 1)[-1]] if "$ref" in found else found
    if "enum" in found or "const" in found:
        return "choice"
    if found.get("pattern", "").startswith("^([01][0-9]|2[0-3]):"):
        return "clock"
    if found["type"] == "array":
        return (
            "texts"
            if found["items" if "items" in found and isinstance(found["items"], dict) else "type"] and "prefixItems" not in found
            else "point"
        )
    return {"date-time": "instant", "date": "date", "uuid": "id"}.get(found.get("format", ""), found["type"])


#: D2: bodies that are no strict JSON object, and the statuses that say so.
UNREADABLE: dict[str, tuple[bytes, set[int]]] = {
    "empty": (b"", {422}),
    "null": (b"null", {422}),
    "array": (b"[]", {422}),
    "string": (b'"x"', {422}),
    "number": (b"3", {422}),
    "truncated": (b'{"name": ', {400}),
    "text behind": (b'{"name": "x"} y', {400}),
    "comment": (b'{"name": "x" /* y */}', {400}),
    "single quotes": (b"{'name': 'x'}", {400}),
    "comma at the end": (b'{"name": "x",}', {400}),
    "a name twice": (b'{"name": "x", "name": "y"}', {400}),
    "NaN": (b'{"name": NaN}', {400}),
    "Infinity": (b'{"name": -Infinity}', {400}),
    "beyond floating point": (b'{"name": 1e999}', {400}),
    "depth 500": (b'{"name": ' + b"[" * 500 + b"]" * 500 + b"}", {400}),
    "depth 30,000": (b"[" * 30_000 + b"]" * 30_000, {400}),
    "a long text": (b'{"name": "' + b"x" * 100_000 + b'"}', {413}),
    "many names": (json.dumps({f"k{k}": 1 for k in range(2000)}).encode(), {422}),
    "no UTF-8": (b'{"name": "\xff\xfe"}', {400}),
    "overlong UTF-8": (b'{"name": "\xc0\xaf"}', {400}),
    "byte order mark": (b"\xef\xbb\xbf{}", {400}),
    "UTF-16": ('{"name": "x"}'.encode("utf-16"), {400}),
}
CONTENT_TYPES = {
    "none": "", "text": "text/plain", "form": "application/x-www-form-urlencoded", "multipart": "multipart/form-data; boundary=x", "xml":
    "application/xml", "merge-patch": "application/merge-patch+json", "utf-7": "application/json; charset=utf-7", "utf-16":
    "application/json; charset=utf-16",
}  # fmt: skip
PATHS = {
    "text": "x", "number": "1", "zeros": "0" * 36, "nil": str(UUID(int=0)), "null byte": "%00", "no such escape": "%zz",
    "up": "..%2f..%2fetc",
    "encoded twice": "%252e%252e", "endless": "a" * 5000, "braces only": "{}", "injection": "1%27%20OR%201=1--",
    "slash behind": f"{uuid4()}/", "braces": f"%7B{uuid4()}%7D", "urn": f"urn:uuid:{uuid4()}", "bare": uuid4().hex, "sent": CANARY,
}  # fmt: skip
QUERIES = {
    "limit": ["0", "-1", "201", "1e20", "x", "", "1_0", "10&limit=20"],
    "after": ["x", "", CANARY, str(UUID(int=0)) + "x"],
    "sort": ["secret_sha256", f"name;DROP TABLE {CANARY}", "name,(SELECT 1)"],
    "order": ["desc"],
    CANARY: ["1"],
    "fields": ["name"],
    "offset": ["99999999999"],
    "filter": ["1 OR 1=1"],
}
TAGS = {
    "stale": '"v99"',
    "any": "*",
    "weak": 'W/"v1"',
    "bare": "v1",
    "several": '"v1", "v2"',
    "text": f'"{CANARY}"',
    "empty": '""',
    "long": f'"{"v" * 3000}"',
}


#: D10: keys that are none.
IDEMPOTENCY_KEYS = {
    "none": None, "empty": "", "short": "1234567", "long": "k" * 256, "blank in it": f"{CANARY} x", "accent": f"{CANARY}é".encode(),
    "control": f"{CANARY}\x7f",
}  # fmt: skip
