# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a secret: the one list of its forms, for what leaves the host and for what is published.

What is known to be a secret is not this file's business, see ``known_secrets.py``. Private to this collection.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from typing import Callable, List, NamedTuple, Optional, Pattern, Sequence, Set, Tuple

from . import written

MASK = "********"

# From where to where, in a line.
Stretch = Tuple[int, int]


class Line:
    """A line and where its double quotes are: between two of them may be a text in JSON, which has to stay one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._ends: Optional[List[int]] = None
        self._turns: List[int] = []

    def quote(self, start: int) -> int:
        """Where the next double quote stands that is not escaped; the end of the field, or line, if there is none."""
        ends = self._quotes()
        found = bisect_right(ends, start - 1)
        return ends[found] if found < len(ends) else len(self.text)

    def in_quotes(self, place: int) -> bool:
        """Whether a text in double quotes has begun before and has not ended."""
        self._quotes()
        return bisect_right(self._turns, place - 1) % 2 == 1

    def _quotes(self) -> List[int]:
        if self._ends is None:
            self._ends = []
            for match in _QUOTE.finditer(self.text):
                if len(match.group()) == 2:
                    continue
                self._ends.append(match.start())
                # NUL separates fields: no text goes on in the next.
                if match.group() == '"' or len(self._turns) % 2:
                    self._turns.append(match.start())
        return self._ends


class Form(NamedTuple):
    """One form of a secret. ``look`` tells where the secret is, given where in the line one of ``needles`` stands.

    The needles are in lower case and hold no character that is ever escaped, but for ``://``.
    """

    name: str
    needles: Tuple[str, ...]
    look: Callable[[Line, int], Optional[Stretch]]


def find(line: str) -> List[Stretch]:
    """Where the line holds what looks like a secret. The stretches may overlap."""
    found = _as_it_is(line)
    if "%" in line:
        found += _as_it_reads(written.percent(line))
    if "\\" in line:
        reading = written.json_text(line)
        found += _as_it_reads(reading)
        if "\\" in reading.text:
            # JSON in a text of JSON.
            again = written.json_text(reading.text)
            found += [(reading.written(start), reading.written(end)) for start, end in _as_it_reads(again)]
    return [(start, end) for start, end in found if line[start:end] != MASK]


def lines(text: str) -> List[Stretch]:
    """Where the lines of the text are that may hold what looks like a secret, in order: most texts have none."""
    if len(text) < _SHORTEST_TOKEN and _BESIDE_A_SECRET.search(text) is None:
        return []
    low = lowered(text)
    if len(low) < _SHORT and not any(needle in low for needle in _NEEDLES):
        return []
    found: Set[Stretch] = set()
    for pattern in _NEEDLES_BY_LETTER:
        match = pattern.search(low)
        while match is not None:
            end = low.find("\n", match.end())
            end = len(low) if end == -1 else end
            found.add((low.rfind("\n", 0, match.start()) + 1, end))
            match = pattern.search(low, end)
    return sorted(found)


def key_lines(text_lines: Sequence[str]) -> List[int]:
    """The numbers of the lines of private keys that follow the one in which a key begins."""
    found: List[int] = []
    inside = False
    # What a log writes before each line is about as long each time.
    before = 0
    for number, line in enumerate(text_lines):
        bare = line.rstrip("\r\n")
        if inside:
            ends = _KEY_ENDS in bare
            if ends or _goes_on(bare, before):
                found.append(number)
            inside = not ends and number in found[-1:]
        begins = _KEY_BEGINS.search(bare)
        if begins:
            inside = _KEY_ENDS not in bare[begins.end() :]
            before = len(bare[: begins.start()].rstrip("'\"|> \t"))
    return found


def secret_words(words: Sequence[str]) -> List[int]:
    """The numbers of the words of a command that are secrets by what stands before them."""
    found = []
    sshpass = False
    for number, word in enumerate(words):
        before = words[number - 1] if number else ""
        sshpass = sshpass or before == "sshpass" or before.endswith("/sshpass")
        if _OPTION.fullmatch(before) and not word.startswith("-"):
            found.append(number)
        elif sshpass and (before == "-p" or (word.startswith("-p") and len(word) > 2)):
            found.append(number)
            sshpass = False
    return found


def names_a_secret(name: str) -> bool:
    """Whether what is called so is secret: ``db_password``, ``X-Admin-Token``."""
    return _NAME_OF_ONE.search(name) is not None


def lowered(text: str) -> str:
    """The text in lower case, every character in its place."""
    low = text.lower()
    # A few letters become two in lower case; only the first 128 characters matter here.
    return low if len(low) == len(text) else _CAPITALS.sub(lambda match: match.group().lower(), text)


def _as_it_is(text: str) -> List[Stretch]:
    found: List[Stretch] = []
    low = lowered(text)
    line = Line(text)
    read, most = 0, MOST_TIMES_READ * len(text)
    for form in FORMS:
        for needle in form.needles:
            place = low.find(needle)
            while place != -1:
                stretch = form.look(line, place)
                if stretch is not None and stretch[0] < stretch[1]:
                    found.append(stretch)
                    read += stretch[1] - stretch[0]
                    if read > most:
                        # Words in words in words: nothing that means well is written so, and each costs its length again.
                        return [(0, len(text))]
                place = low.find(needle, place + len(needle))
    return found


def _as_it_reads(reading: written.Reading) -> List[Stretch]:
    return [(reading.written(start), reading.written(end)) for start, end in _as_it_is(reading.text)]


# Where a secret ends.

MOST_TIMES_READ = 30
_CAPITALS = re.compile("[A-Z]+")
_QUOTE = re.compile(r"\\.|[\"\0]")
_UNQUOTED = re.compile(r"(?:[^\s\0'\"\\&,;]|[,;](?![\s\0'\"]|$)|\\{1,64}(?!['\"\\]))+")
_SINGLE_QUOTED = re.compile(r"(?:[^'\\\0]|\\.)*")
_ENDS_A_WORD = re.compile(r"[\s\0,;:&)\]}>.]|\\(?!')|$")
_ENDS_A_TEXT = re.compile(r"[ \t]{0,9}(?:[,:\]}\0]|$)")
_TO_THE_END = re.compile(r"(?:[^\0\r\n\\]|\\(?![rn]))*")


def _word(line: Line, start: int) -> Optional[Stretch]:
    """One word, as a shell or a program's quotes make it: a quoted one has spaces in it. Never beyond a text of JSON."""
    text = line.text
    quote = text[start : start + 1]
    if quote == '"' and line.in_quotes(start) and _ENDS_A_TEXT.match(text, start + 1):
        return None
    if quote in ("'", '"'):
        end = _closing(line, start)
        if text[end : end + 1] != quote or _ENDS_A_WORD.match(text, end + 1):
            return start + 1, end
    position = start
    while position < len(text):
        if text[position] in "'\"":
            if position > start and _ENDS_A_WORD.match(text, position + 1):
                break
            end = _closing(line, position)
            if text[end : end + 1] != text[position]:
                return start, end
            position = end + 1
        elif position > start and text.startswith("\\'", position):
            # A shell's way to have a quote between quotes.
            position += 2
        else:
            match = _UNQUOTED.match(text, position)
            if match is None or (position > start and _ENDS_A_WORD.match(text, position)):
                break
            position = match.end()
    return start, position


def _closing(line: Line, place: int) -> int:
    """Where the text ends that the quote at ``place`` begins: at such a quote, or where it cannot go on."""
    if line.text[place] == '"':
        return line.quote(place + 1)
    limit = line.quote(place + 1) if line.in_quotes(place) else len(line.text)
    match = _SINGLE_QUOTED.match(line.text, place + 1, limit)
    return match.end() if match else limit


def _rest(line: Line, start: int, begin: int) -> Optional[Stretch]:
    """What a header says: the rest of the line, or of the quotes around the header, which stands at ``begin``."""
    text = line.text
    if text[start : start + 1] in ("'", '"'):
        return _word(line, start)
    limit = line.quote(start) if line.in_quotes(start) else len(text)
    if text[max(begin - 1, 0) : begin] == "'":
        closing = text.find("'", start, limit)
        limit = limit if closing == -1 else closing
    match = _TO_THE_END.match(text, start, limit)
    return (start, match.end()) if match else None


# The forms. Whatever is repeated has an end or stops at the next of its kind, so that no line costs more than its length.

_GAP = r"[ \t]{0,3}"
# Behind the name of a header: in a request; in a mapping or a pair, where the name has quotes.
_IS = r"(?:%(gap)s[:=]%(gap)s|['\"]%(gap)s[:=,]%(gap)sb?(?=['\"]))" % {"gap": _GAP}
# Between two words of a command: as they are typed, in a list, in a process's own.
_NEXT = r"(?:['\"]?%(gap)s,%(gap)s(?=['\"])|[ \t]{1,3}|\0)" % {"gap": _GAP}
_WORDS = r"token|secret|passw(?:or)?d|passphrase|passcode"
_KEYS = (
    "access",
    "account",
    "api",
    "auth",
    "client",
    "encryption",
    "master",
    "private",
    "secret",
    "session",
    "signing",
)
_NAME = r"(?:%s|(?<=[_-])pass|(?<=ssh)pass|credentials?|session[_-]?id|(?:(?<=api)|%s)key)" % (
    _WORDS,
    "|".join("(?<=%s[ _-])" % word for word in _KEYS),
)
_NAME_NEEDLES = ("token", "secret", "pass", "credential", "session", "key")
_NAME_OF_ONE = re.compile(r"(?i)%s$" % _NAME)
_BEFORE_OPTION = r"-{1,2}(?:[a-z0-9]{1,20}-){0,4}(?:api)?"
_OPTION_NAME = r"(?:%s|pass|cookie|(?:(?<=api)|(?<=api-)|(?<=access-))key)" % _WORDS
_OPTION = re.compile(r"(?i)%s%s" % (_BEFORE_OPTION, _OPTION_NAME))

_Look = Callable[[Line, int], Optional[Stretch]]


def _group(pattern: Pattern[str]) -> _Look:
    """The first group of the pattern, which begins with the needle."""

    def look(line: Line, place: int) -> Optional[Stretch]:
        match = pattern.match(line.text, place)
        return match.span(1) if match else None

    return look


def _word_behind(pattern: Pattern[str]) -> _Look:
    """The word behind the pattern, which begins with the needle."""

    def look(line: Line, place: int) -> Optional[Stretch]:
        match = pattern.match(line.text, place)
        return _word(line, match.end()) if match else None

    return look


_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]{0,29}$")
_URL_PASSWORD = re.compile(r"://[^\s\0:/?#@'\"<>]{0,256}:([^\s\0/'\"<>]{1,1024})@")
# Elsewhere than in the web a password may have a slash: programs differ on whether it must be escaped.
_OTHER_URL_PASSWORD = re.compile(r"://[^\s\0:/?#@'\"<>\[]{0,256}:([^\s\0'\"<>]{1,1024})@")
_URL_TOKEN = re.compile(r"://([^\s\0:/?#@'\"<>]{1,1024})@")


def _scheme(line: Line, place: int) -> str:
    match = _SCHEME.search(line.text[max(place - 30, 0) : place])
    return match.group().lower() if match else ""


def _url_password(line: Line, place: int) -> Optional[Stretch]:
    """User kept: what stands between the first colon and the last @ of the authority."""
    match = _URL_PASSWORD.match(line.text, place)
    if match is None and _scheme(line, place) not in ("http", "https", "ssh"):
        match = _OTHER_URL_PASSWORD.match(line.text, place)
    return match.span(1) if match else None


def _url_token(line: Line, place: int) -> Optional[Stretch]:
    """In place of a user; only for http, for ssh://git@host names a user."""
    match = _URL_TOKEN.match(line.text, place)
    return match.span(1) if match and _scheme(line, place) in ("http", "https") else None


_AUTHORIZATION = re.compile(r"(?i)authorization" + _IS)
_AUTHORIZATION_SCHEME = re.compile(r"(?i)['\"]?(?:basic|bearer|token)[ \t]{1,3}")
_BEARER = re.compile(r"(?i)(?<![a-z])bearer[ \t]{1,3}([A-Za-z0-9._~+/=*-]{4,})")
_TOKEN_HEADER = re.compile(r"(?i)(?<![a-z0-9])x-(?:[a-z]{1,20}-){0,3}(?:token|key|auth|secret|signature)" + _IS)
_COOKIE = re.compile(r"(?i)cookies?" + _IS)


def _authorization(line: Line, place: int) -> Optional[Stretch]:
    match = _AUTHORIZATION.match(line.text, place)
    if match is None:
        return None
    scheme = _AUTHORIZATION_SCHEME.match(line.text, match.end())
    return _word(line, scheme.end()) if scheme else _rest(line, match.end(), place)


def _cookie(line: Line, place: int) -> Optional[Stretch]:
    match = _COOKIE.match(line.text, place)
    begin = place - 4 if line.text[max(place - 4, 0) : place].lower() == "set-" else place
    return _rest(line, match.end(), begin) if match else None


_ASSIGNED = re.compile(
    r"(?i)%(name)s['\"]?%(gap)s(?:(?::=|=>|=)%(gap)s|:%(gap)s(?=['\"]))" % {"name": _NAME, "gap": _GAP}
)
_IN_SQL = re.compile(r"(?i)password[ \t]{1,3}(?=')")
# In prose: "the admin token: abc123". Only what does not look like a word of a sentence.
_TOLD = re.compile(r"(?i)%s(?:[ \t]{1,3}(?:is|was))?%s[:=]%s([`(]?)(?!['\"])" % (_NAME, _GAP, _GAP))
_NOT_LIKE_A_WORD = re.compile(r"[0-9!@#%^&*_+=/$~?]|.{20}")
_SHORTEST_TOLD = 6
_GIVEN = re.compile(r"(?i)%s%s(?!['\"]?-)" % (_OPTION_NAME, _NEXT))
_GIVEN_BEFORE = re.compile(r"(?i)(?<![\w-])%s$" % _BEFORE_OPTION)


def _told(line: Line, place: int) -> Optional[Stretch]:
    match = _TOLD.match(line.text, place)
    stretch = _word(line, match.end()) if match else None
    if match is None or stretch is None:
        return None
    start, end = stretch
    if match.group(1):
        closing = line.text.find("`" if match.group(1) == "`" else ")", start, end)
        end = end if closing == -1 else closing
    said = line.text[start:end]
    return (start, end) if len(said) >= _SHORTEST_TOLD and _NOT_LIKE_A_WORD.search(said) else None


def _given(line: Line, place: int) -> Optional[Stretch]:
    """As the word behind an option: ``--password hunter2``."""
    match = _GIVEN.match(line.text, place)
    if match is None or not _GIVEN_BEFORE.search(line.text[max(place - 100, 0) : place]):
        return None
    return _word(line, match.end())


_SSHPASS = re.compile(
    r"sshpass(?:%s['\"]?-[A-Zaev][^\s\0'\",]{0,80}(?:%s['\"]?[^-\s\0'\",]{1,80})?){0,3}%s(?=['\"]?-p)"
    % (_NEXT, _NEXT, _NEXT)
)
_SSHPASS_OPTION = re.compile(r"['\"]?-p")
_NEXT_WORD = re.compile(_NEXT)
_USER = re.compile(r"(?<![^\s\0'\"])(?:-[uU]|--user|--proxy-user)(?:%s|=)?(?=['\"]?([^\s:'\"\0]{1,256}:))" % _NEXT)
_LONGEST_COMMAND = 4000


def _sshpass(line: Line, place: int) -> Optional[Stretch]:
    match = _SSHPASS.match(line.text, place)
    option = _SSHPASS_OPTION.match(line.text, match.end()) if match else None
    if match is None or option is None:
        return None
    following = _NEXT_WORD.match(line.text, option.end())
    if following:
        return _word(line, following.end())
    stretch = _word(line, match.end() if len(option.group()) == 3 else option.end())
    return stretch and (max(stretch[0], option.end()), stretch[1])


def _user(line: Line, place: int) -> Optional[Stretch]:
    """``curl --user name:password``."""
    following = line.text.find(line.text[place : place + 4], place + 4)
    limit = min(place + _LONGEST_COMMAND, len(line.text) if following == -1 else following)
    match = _USER.search(line.text, place, limit)
    stretch = _word(line, match.end()) if match else None
    return (match.end(1), stretch[1]) if match and stretch else None


# Told by their form alone.
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_])(gh[oprsu]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_-]{16,255}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,255}|AKIA[A-Z0-9]{16}|sk-[A-Za-z0-9_-]{20,255}|tskey-[A-Za-z0-9-]{10,255}"
    r"|eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{4,4096})"
)
_TOKEN_NEEDLES = (
    "gho_",
    "ghp_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xox",
    "akia",
    "sk-",
    "tskey-",
    "eyj",
)
_SIGNED = re.compile(r"(?i)(?<=[?&])(?:sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))=")

_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = "-----END "
_KEY_TO_ITS_END = re.compile(r"[^'\"\0]*?-----END [A-Z0-9 ]{1,60}-----|[^'\"\0]*")
_KEY_LINE = re.compile(r"[ \t>|]{0,20}(?:[A-Za-z0-9+/=]{1,100}[ \t]{0,20}|[A-Za-z-]{1,20}: .*|)")
_KEY_BEHIND_SOMETHING = re.compile(r"[A-Za-z0-9+/=]{1,100}[ \t]{0,3}$")
_LONGEST_BEFORE_A_KEY = 300


def _key(line: Line, place: int) -> Optional[Stretch]:
    begin = line.text.rfind("-----BEGIN ", max(place - 60, 0), place)
    match = _KEY_BEGINS.match(line.text, begin) if begin != -1 else None
    end = _KEY_TO_ITS_END.match(line.text, match.end()) if match else None
    return (begin, end.end()) if end else None


def _goes_on(line: str, before: int) -> bool:
    """Whether it is the next line of a key of which ``before`` characters stood in front."""
    if _KEY_LINE.fullmatch(line):
        return True
    if not 0 < before <= _LONGEST_BEFORE_A_KEY:
        return False
    match = _KEY_BEHIND_SOMETHING.search(line, max(len(line) - 110, 0))
    return match is not None and abs(match.start() - before) <= 4


FORMS: Sequence[Form] = (
    Form("password in a URL", ("://",), _url_password),
    Form("token in a URL", ("://",), _url_token),
    Form("authorization of a request", ("authorization",), _authorization),
    Form("bearer token", ("bearer",), _group(_BEARER)),
    Form("header with a token", ("x-",), _word_behind(_TOKEN_HEADER)),
    Form("cookie", ("cookie",), _cookie),
    Form("assignment", _NAME_NEEDLES, _word_behind(_ASSIGNED)),
    Form("told in a sentence", _NAME_NEEDLES, _told),
    Form("word behind an option", (*_NAME_NEEDLES, "cookie"), _given),
    Form("password in SQL", ("password",), _word_behind(_IN_SQL)),
    Form("sshpass", ("sshpass",), _sshpass),
    Form("user of curl or wget", ("curl", "wget"), _user),
    Form("token of a known form", _TOKEN_NEEDLES, _group(_TOKENS)),
    Form("signed URL", ("sig=", "signature=", "x-amz-", "x-goog-"), _word_behind(_SIGNED)),
    Form("private key", ("private key",), _key),
)


def _fewest(needles: Set[str]) -> Tuple[str, ...]:
    """Those in which no other is."""
    return tuple(sorted(each for each in needles if not any(other in each and other != each for other in needles)))


# ``://`` in a URL in a URL, and in JSON as some write it.
_NEEDLES = _fewest({"%3a%2f%2f", ":\\/\\/", *(needle for form in FORMS for needle in form.needles)})
# Those with the same first letter in one pattern: one letter is looked for faster than two, and as fast as one word.
_NEEDLES_BY_LETTER = [
    re.compile("%s(?:%s)" % (re.escape(letter), "|".join(re.escape(needle[1:]) for needle in group)))
    for letter, group in itertools.groupby(_NEEDLES, key=lambda needle: needle[0])
]
# In a text of fewer characters every word by itself is faster.
_SHORT = 1000
# A shorter text without any of these holds no secret that has a form.
_SHORTEST_TOKEN = 20
_BESIDE_A_SECRET = re.compile(r"[:=,%\\\s\0]")
