# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a secret: in every form, however it is written, for what leaves the host and for what is published."""

from __future__ import annotations

import json
import re
import string
from typing import Any, List, Tuple
from urllib.parse import quote

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import markdown, secret_forms, written
from ansible_collections.healtharchive.remediation.plugins.module_utils.note import exclusions
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.publishable import publishable
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import MASK, Redactor
from hypothesis import given
from hypothesis import strategies as st

try:
    from re import _parser as regex_parser  # type: ignore[attr-defined]
except ImportError:  # Python before 3.11
    import sre_parse as regex_parser

ALPHANUMERIC = string.ascii_letters + string.digits
WORD = ALPHANUMERIC + "._~+-"
# What a person puts into a password, and what must not end it where it is in quotes.
ANYTHING = ALPHANUMERIC + " ._~+-!#$%^&*()=[]{};:,<>?|/@"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbm\n%s\n-----END OPENSSH PRIVATE KEY-----"

# A frame, and of which characters the secret in it is.
FRAMES: List[Tuple[str, str]] = [
    ("postgresql+psycopg://healtharchive:%s@127.0.0.1:5432/db", WORD + "!$&*()=;,:/"),
    ("redis://:%s@localhost/0", WORD),
    ("fetch http://user:%s@archive.example.org/x failed", WORD + "!$&*()=;,@"),
    ("remote: https://%s@git.example.org/x.git", WORD),
    ("Authorization: Bearer %s", WORD),
    ("authorization: Basic %s", WORD + "=/"),
    ("Proxy-Authorization: %s", WORD),
    ('Authorization: Digest username="a", nonce="b", response="%s"', WORD),
    ("curl -H 'Authorization: opaque %s' http://127.0.0.1", WORD),
    ("[(b'authorization', b'Token %s')]", WORD),
    ("sent Bearer %s to the API", WORD),
    ("X-Admin-Token: %s", WORD),
    ("x-api-key=%s", WORD),
    ("X-Hub-Signature: sha1=%s", WORD),
    ("Cookie: theme=dark; session=%s", WORD),
    ("Set-Cookie: sid=%s; Path=/; HttpOnly", WORD),
    ("curl -H 'Cookie: a=b; c=%s' http://127.0.0.1", WORD),
    ("{'cookie': 'a=b; c=%s', 'accept': '*/*'}", WORD + " "),
    ("HEALTHARCHIVE_ADMIN_TOKEN=%s", WORD + ",;:/@!$*()[]{}"),
    ("HEALTHARCHIVE_ADMIN_TOKEN='%s'", ANYTHING),
    ("export PGPASSWORD=%s; psql", WORD),
    ('PGPASSWORD="%s" psql -h 127.0.0.1', ANYTHING),
    ("SSHPASS=%s sshpass -e ssh host", WORD),
    ("host=127.0.0.1 user=healtharchive password=%s dbname=d", WORD + ",;:/@!"),
    ("host=127.0.0.1 password='%s' dbname=d", ANYTHING),
    ("AWS_SECRET_ACCESS_KEY=%s", WORD + "/"),
    ("SECRET_KEY = '%s'", ANYTHING),
    ("smtp_pass=%s", WORD),
    ("passphrase := %s", WORD),
    (":password=>'%s'", ANYTHING),
    ('{"db_password": "%s", "x": 1}', ANYTHING),
    ("{'api_key': '%s', 'x': 1}", ANYTHING),
    ('client_secret: "%s"', ANYTHING),
    ("GET /api?token=%s&x=1", WORD),
    ("sessionid=%s", WORD),
    ("the admin token: 1%s.", WORD),
    ("Password is: 1%s", WORD),
    ("password: `1%s` was it", WORD),
    ("program --password %s --verbose", ALPHANUMERIC),
    ("program --db-password '%s'", ANYTHING),
    ("program --api-key %s", ALPHANUMERIC),
    ("sshpass -p %s sftp u1@storage.example.org", WORD + ":/@!"),
    ("sshpass -p '%s' ssh host", ANYTHING),
    ("sshpass -p%s ssh host", WORD),
    ("/usr/bin/sshpass -v -P assphrase -p %s ssh host", WORD),
    ('["sshpass", "-p", "%s", "ssh", "host"]', ANYTHING),
    ("sshpass\0-p\0%s\0ssh\0host", WORD),
    ("curl --user name:%s http://127.0.0.1/", WORD),
    ("curl -s -u 'name:%s' http://127.0.0.1/", ANYTHING),
    ("LOG: statement: ALTER ROLE healtharchive PASSWORD '%s'", ANYTHING),
    ("pushed with ghp_%s", ALPHANUMERIC),
    ("github_pat_%s", ALPHANUMERIC),
    ("glpat-%s", ALPHANUMERIC),
    ("xoxb-%s", ALPHANUMERIC),
    ("sk-%s", ALPHANUMERIC),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.%s", ALPHANUMERIC),
    ("https://s3.example.org/x?X-Amz-Signature=%s&x=1", ALPHANUMERIC),
    ("https://blob.example.org/x?sv=1&sig=%s", ALPHANUMERIC),
    (KEY, ALPHANUMERIC),
]
# How a text is written: by itself, in JSON, in JSON in JSON, in a URL, in a program's quotes.
WRITINGS = {
    "plain": lambda text: text,
    "JSON": lambda text: json.dumps({"a": 1, "message": text, "b": "it's"}),
    "JSON in JSON": lambda text: json.dumps({"line": json.dumps({"message": text})}),
    "JSON with escaped slashes": lambda text: json.dumps([text]).replace("/", "\\/"),
    "URL": lambda text: "GET /?q=" + quote(text, safe=""),
    "URL in small letters": lambda text: (
        "GET /?q=%s&x=1" % re.sub("%..", lambda m: m.group().lower(), quote(text, safe=""))
    ),
    "quotes": lambda text: repr({"line": text}),
}
# At least 24 characters, and not of one kind: no form takes such a one for a word.
MARK = "pLaNtEd9"


def planted(alphabet: str) -> st.SearchStrategy[str]:
    """A secret of these characters; its first and its last half are marked, so that no half of it may show either."""
    part = st.text(alphabet, min_size=4, max_size=12)
    return st.builds(lambda one, two: MARK + one.strip() + MARK + two.strip() + MARK, part, part)


@st.composite
def secrets_in_frames(draw: st.DrawFn) -> str:
    frame, alphabet = draw(st.sampled_from(FRAMES))
    return frame % draw(planted(alphabet))


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("frame", [frame for frame, _alphabet in FRAMES])
def test_a_secret_in_every_form_and_writing(frame: str, writing: str) -> None:
    text = WRITINGS[writing](frame % (MARK + "0a1b2c3d4e" + MARK))
    assert MARK.lower() in text.lower()
    shown = Redactor().text(text)
    assert MARK not in shown
    assert MASK in shown
    assert Redactor().text(shown) == shown
    assert MARK not in publishable(text).text
    if "JSON" in writing:
        json.loads(shown)


@pytest.mark.parametrize(("frame", "_alphabet"), FRAMES)
def test_a_secret_in_markdown(frame: str, _alphabet: str) -> None:
    text = "\n".join(markdown.text(line) for line in (frame % (MARK + "0a1b2c3d4e" + MARK)).split("\n"))
    assert MARK not in publishable(text).text.replace("\\", "")


@given(secrets_in_frames(), st.sampled_from(sorted(WRITINGS)), st.text(max_size=8), st.text(max_size=8))
def test_any_secret_in_any_form_and_writing(secret: str, writing: str, before: str, after: str) -> None:
    # A word that goes on is another one.
    text = WRITINGS[writing]("%s %s %s" % (re.sub(r"[\"'\\]", "", before), secret, after))
    shown = Redactor().text(text)
    assert MARK not in shown
    assert MARK not in publishable(text).text
    if "JSON" in writing:
        json.loads(shown)


MARKS = [
    *"\"'\\ =:,;&@/`({[\n\0",
    "://",
    "token=",
    "password: ",
    "Cookie: ",
    "Authorization: ",
    "-p ",
    "sshpass ",
    "%3D",
    MASK,
]
pieces = st.lists(
    st.sampled_from([*MARKS, *(frame % MARK for frame, _alphabet in FRAMES)]) | st.text(max_size=3), max_size=6
).map("".join)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | pieces,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(pieces, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "text",
    [
        '{"m": "token="}',
        '{"m": "password=", "n": 1}',
        '{"m":"password:","n":1}',
        '["token=" , "x"]',
        '{"token": null, "cookie": null, "authorization": 7, "x-admin-token": {}}',
        '{"m": "set token=\\"\\""}',
        '{"password": ""}',
        '{"%3DAuthorization: Bearer ": "", "%41 token=\\"": 1}',
    ],
)
def test_what_ends_a_text_in_json_begins_no_secret(text: str) -> None:
    assert Redactor().text(text) == text


@given(json_values, st.booleans())
def test_json_stays_json_whatever_is_in_it(value: Any, ascii_only: bool) -> None:
    """The host's output is redacted before it is parsed, and what was no text stays as it was."""
    shown = json.loads(Redactor().text(json.dumps(value, ensure_ascii=ascii_only)))
    assert outline(shown) == outline(json.loads(json.dumps(value)))


def outline(value: Any) -> Any:
    if isinstance(value, dict):
        return [outline(item) for item in value.values()] if len(value) < 2 else "mapping"
    if isinstance(value, list):
        return [outline(item) for item in value]
    return "text" if isinstance(value, str) else value


@given(pieces)
def test_twice_is_the_same(text: str) -> None:
    once = Redactor().text(text)
    assert Redactor().text(once) == once


EVIDENCE_LINE = 'INFO: 127.0.0.1:44312 - "GET /api/jobs?limit=5 HTTP/1.1" 200 OK (job 7 of 12, took 0.3 s)'
BEGINNINGS = [
    *sorted({needle for form in secret_forms.FORMS for needle in form.needles}),
    *(frame.partition("%s")[0] for frame, _alphabet in FRAMES),
    *(
        "x-a-",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "token='",
        'token="',
        "token=\\",
        "token=' ",
        "%3d",
        "\\u003d",
        "\\\\",
    ),
]


class Counted:
    """How often the forms look, and at how many characters of it they found a secret."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = 0
        self.read = 0
        monkeypatch.setattr(
            secret_forms, "FORMS", [form._replace(look=self._counting(form.look)) for form in secret_forms.FORMS]
        )

    def _counting(self, look: Any) -> Any:
        def counting(line: secret_forms.Line, place: int) -> Any:
            stretch = look(line, place)
            self.looks += 1
            self.read += stretch[1] - stretch[0] if stretch else 0
            return stretch

        return counting


def test_a_text_without_a_word_of_any_form_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    assert secret_forms.lines((EVIDENCE_LINE + "\n") * 1000) == []
    assert Redactor(["sesame"]).text(EVIDENCE_LINE * 1000) == EVIDENCE_LINE * 1000
    assert counted.looks == 0


def test_of_a_long_text_only_the_lines_with_such_a_word_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    line = "GET /?token=abc&x=1"
    text = "\n".join([*[EVIDENCE_LINE] * 500, line, *[EVIDENCE_LINE] * 500, line])
    first = 500 * (len(EVIDENCE_LINE) + 1)
    assert secret_forms.lines(text) == [(first, first + len(line)), (len(text) - len(line), len(text))]
    Redactor().text(text)
    # Twice, as what was found is looked at again; three forms know the word.
    assert 0 < counted.looks <= 2 * 2 * 3


@pytest.mark.parametrize("begin", BEGINNINGS, ids=ascii)
def test_work_grows_with_the_line_and_not_with_its_square(begin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of nothing but what a form begins with. Its square would be hundreds of times as much."""
    counted = Counted(monkeypatch)
    line = begin * (40000 // len(begin))
    secret_forms.find(line)
    # As it is, and as up to three escapes of it read.
    assert counted.read <= 4 * (secret_forms.MOST_TIMES_READ + 1) * len(line)
    assert counted.looks <= 4 * 10 * len(line)


def ends_somewhere(parsed: Any, last: bool = True) -> bool:
    """Whether what is repeated without an end stands at the end of the pattern only, and nothing is repeated in it.

    Then a pattern that does not match has looked at no more characters than it can have in all.
    """
    for number, (operation, argument) in enumerate(parsed):
        is_last = last and number == len(parsed) - 1
        kind = str(operation)
        if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _least, most, repeated = argument
            if most == regex_parser.MAXREPEAT and not is_last:
                return False
            if not ends_somewhere(repeated, last=False):
                return False
        elif kind == "SUBPATTERN" and not ends_somewhere(argument[-1], is_last):
            return False
        elif kind == "BRANCH" and not all(ends_somewhere(each, is_last) for each in argument[1]):
            return False
        elif kind in ("ASSERT", "ASSERT_NOT") and not ends_somewhere(argument[1], last=False):
            return False
    return True


PATTERNS = {
    name: value
    for module in (secret_forms, exclusions)
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern)
}
# Each is tried on a text whose length is bounded (255 characters before a name), or matches whatever it has read.
BOUNDED_ELSEWHERE = {"_BEFORE_HOST", "_KEY_TO_ITS_END"}


def test_the_patterns_are_known_to_be_looked_at() -> None:
    assert len(PATTERNS) > 30
    assert not ends_somewhere(regex_parser.parse("a*b"))
    assert not ends_somewhere(regex_parser.parse("(?:a*){1,3}"))
    assert ends_somewhere(regex_parser.parse("a{1,9}b+"))


@pytest.mark.parametrize("name", sorted(set(PATTERNS) - BOUNDED_ELSEWHERE))
def test_no_pattern_reads_on_and_on_in_vain(name: str) -> None:
    assert ends_somewhere(regex_parser.parse(PATTERNS[name].pattern, PATTERNS[name].flags))


@given(
    st.text(max_size=40) | st.lists(st.sampled_from([*'\\"%a&*', "%41", "\\n", "\\u0041"]), max_size=20).map("".join)
)
def test_what_is_read_is_found_where_it_is_written(line: str) -> None:
    for read in (written.json_text, written.percent, written.markdown):
        reading = read(line)
        places = [reading.written(place) for place in range(len(reading.text) + 1)]
        assert places == sorted(set(places))
        assert places[0] == 0
        assert places[-1] == len(line)
        assert [reading.read(place) for place in places] == list(range(len(places)))
        plain = [line[place] for place in places[:-1]]
        assert all(one == other or one in '\\%"' for one, other in zip(plain, reading.text))
