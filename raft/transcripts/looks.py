"""How labels look: in any script and case, in marks, with times, titles and degrees. Nothing is decided here.

`LOOKS` is the table. `look_at` reads what could be a label off the start of a line.
"""

from dataclasses import dataclass
from typing import Literal, cast

import regex

Mark = Literal["wrapped", "colon", "dot", "stamped", "bare"]

LOOKS: dict[Mark, tuple[str, str]] = {
    "colon": ("a name and a colon, in any script", "Name: · NAME: · 记者： · NAME, TITLE: · Name (audience):"),
    "wrapped": ("a name in bold, italics or brackets", "**Name:** · _Name_: · [SPEAKER_00]: · <v Name> · **Name**"),
    "stamped": ("a name and a time on a line", "Name  00:03 · Name (0:03): · Name, then (00:00:03)"),
    "dot": ("a name or title and a full stop", "NAME. · Mr. NAME. · The CHAIRMAN. · Q. A."),
    "bare": ("Q or A and a wide gap", "Q   What…"),
}

_T = r"\d{1,3}:\d\d(?::\d\d)?(?:[.,:;]\d{1,3})?(?:\s?[AaPp]\.?[Mm]\b\.?)?"
_TS = rf"{_T}(?:\s*(?:-->|[-–—]|to)\s*{_T})?"
TIME = rf"(?:[\[(<]\s*(?:{_TS}|\d{{1,5}}\.\d{{1,3}}s?\s*(?:-->|[-–—])\s*\d{{1,5}}\.\d{{1,3}}s?)\s*[\])>]|{_TS})"
"""A time stamp, bracketed or not, or a span of time."""

TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "professor",
        "sir",
        "dame",
        "lord",
        "lady",
        "chair",
        "chairman",
        "chairwoman",
        "chairperson",
        "vice",
        "president",
        "pres",
        "secretary",
        "sec",
        "senator",
        "sen",
        "representative",
        "rep",
        "congressman",
        "congresswoman",
        "governor",
        "gov",
        "mayor",
        "minister",
        "prime",
        "ambassador",
        "amb",
        "general",
        "gen",
        "lieutenant",
        "lt",
        "colonel",
        "col",
        "major",
        "maj",
        "captain",
        "capt",
        "sergeant",
        "sgt",
        "admiral",
        "adm",
        "commander",
        "judge",
        "justice",
        "attorney",
        "hon",
        "honorable",
        "honourable",
        "the",
        "madam",
        "madame",
        "reverend",
        "rev",
        "father",
        "sister",
        "brother",
        "rabbi",
        "imam",
        "herr",
        "frau",
        "monsieur",
        "mme",
        "mlle",
        "m",
        "señor",
        "señora",
        "sr",
        "sra",
        "signor",
        "signora",
        "don",
        "doña",
        "director",
        "commissioner",
        "administrator",
        "speaker",
        "deputy",
        "acting",
        "former",
        "gov.",
        "chancellor",
        "councillor",
        "cllr",
        "baroness",
        "baron",
        "king",
        "queen",
        "prince",
        "princess",
        "st",
        "saint",
        "host",
        "moderator",
        "interviewer",
        "interviewee",
        "guest",
    ]
)
"""Words before a name that are no part of it."""

_ABBR = (
    r"(?:Mr|Mrs|Ms|Mx|Dr|Prof|Sen|Rep|Gov|Gen|Lt|Col|Maj|Capt|Sgt|Sec|Amb|Adm|Hon|Rev|St|Jr|Sr|Pres|Cllr|Mme|Mlle|Sra|"
    r"Fr|Br|Esq|Ph\.?D|M\.?D|Psy\.?D|J\.?D|MD|No)\."
)
_W = (
    rf"(?:(?i:{_ABBR})|(?:\p{{L}}{{1,4}}\.)+\p{{L}}{{1,2}}(?![\p{{L}}\p{{M}}.])|(?:\p{{L}}\.-?)+(?![\p{{L}}\p{{M}}])|"
    r"[\p{L}\p{N}#@\p{So}\p{Sk}\u200d](?:[\p{L}\p{M}\p{N}\p{So}\p{Sk}'’‘`´\-‐‑&/+·・•\u200d\u200c\ufe0f]|_++(?=[\p{L}\p{N}]))*+)"
)
_NICK = r"(?:\([\p{L}\p{N} .'’-]{1,24}\)\s|[\"“‘'][\p{L}\p{N} .-]{1,24}[\"”’']\s)"
_NAME = rf"{_W}(?:[ \u3000]{{1,2}}(?:[&+/]\s|{_NICK})?{_W}){{0,6}}"
_AFTER = r"(?:[ \u3000]?[(（\[][^()\[\]（）\n]{1,60}[)）\]])?"
_TITLED = rf"{_W}(?:[ \u3000]{{1,2}}(?:[&+/]\s)?{_W}){{0,11}}"
_SUFFIX = rf"(?:,[ ][\"“‘]?{_TITLED}[\"”’]?){{0,4}}"
_FULL = rf"(?P<name>{_NAME})(?P<suffix>{_SUFFIX}){_AFTER}"
_COLON = r"(?:[ \u202f]?[:：﹕꞉]|\.[-–—](?=\s))"
_NEXT = r"(?=\s|$|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}“”「『\"¿¡*_\[(…—–-]|(?<=：)|(?<![\p{N}/]:)(?=[\p{L}]))(?!//)"
BEFORE = (
    r"\s*(?:>{1,3}\s*)?(?:\#{1,6}\s+)?(?:[-–—•*]\s+)?(?:\[\d{1,3}[^\w\]]{0,2}\]\s*)?"
    rf"(?:(?<stamp>{TIME})\s*(?:[-–—|]\s*)?)?(?:(?:\*\*)?[Qq]\d{{1,4}}\.?(?:\*\*)?\s+(?=[*_]{{0,2}}\p{{Lu}}[^.:?!]{{1,50}}[:：]))?(?:\d{{1,4}}[.)]\s+(?=[*_\[<]))?(?:[-–—•]\s+)?"
)
_COLONED = regex.compile(rf"{BEFORE}{_FULL}{_COLON}{_NEXT}(?:\s*{TIME})?(?:\s*[-–—](?=\s))?")
_EMPHASISED = regex.compile(
    rf"{BEFORE}(?P<mark>\*\*\*|\*\*|__|\*|_)(?:{TIME}\s*)?{_FULL}\s?(?:{TIME}|[\[(]{_T}[\])])?\s?(?:(?P<in>[:：﹕])\s?(?:{TIME}\s?)?(?P=mark)[:：]?|"
    rf"(?P=mark)\s?(?:{TIME}\s?)?(?P<out>[:：﹕]|[—–](?=\s))|(?P=mark)(?:[ \t]*{TIME})?(?P<none>\s*$))(?P=mark)?(?:\s*{TIME})?(?:\s*[-–—](?=\s))?"
)
_BRACKETED = regex.compile(
    rf"{BEFORE}(?:\*\*|__)?(?:\[{_FULL}\]|<(?:v\s+)?{_FULL}>|【{_FULL}】)(?:\*\*|__)?(?:(?P<out>[:：﹕])(?:\*\*|__)?|(?P<none>(?=\s)|(?<=】)))(?:\s*{TIME})?"
)
_STAMPED = regex.compile(
    rf"\s*(?:>{{1,3}}\s*)?(?:\#{{1,6}}\s+)?(?:[*_]{{1,2}})?(?:{_FULL}(?:[*_]{{1,2}})?(?:\s*[-–—•|,@]\s*|\s*,?\s+at\s+|\s+|,\s*|(?=[\[(]))(?:[*_]{{1,2}})?"
    rf"(?P<time>[\[(]?(?:[\d/.\-]{{6,10}},?\s+|\d{{1,2}}-\p{{Lu}}\p{{Ll}}{{2}}-\d{{2,4}}\s+|Today\s(?:at\s)?|Yesterday\s(?:at\s)?)?{TIME}[\])]?)\s*:?|"
    rf"(?P<time2>{TIME}|\[\d{{1,2}}-\p{{Lu}}\p{{Ll}}{{2}}-\d{{2,4}}\s+{_T}\])\s*[-–—|]?\s*{_FULL.replace('name', 'name2').replace('suffix', 'suffix2')})(?:[*_]{{1,2}})?\s*:?\s*$"
)
_TRINT = regex.compile(rf"\s*{_FULL}\s*(?P<time>[\[(]{_T}[\])])\s*:?\s+(?=\S)")
_UP = r"\p{Lu}"
_CAPW = rf"(?:(?:MR|MRS|MS|DR|SEN|REP|GOV|GEN|PROF|HON|ST|JR|SEC|AMB|LT|COL|MAJ|CAPT|ADM|SGT)\.|(?![QA]\.){_UP}\.|(?:Ma?c)?{_UP}[{_UP}\p{{M}}’'\-]*+|\#?\d{{1,2}})"
_CAPS = rf"(?!\#?\d)(?=[^.:]{{0,60}}{_UP})(?P<name>{_CAPW}(?: {_CAPW}){{0,5}})"
_HON = (
    r"(?P<name>(?:The\s(?:Chair(?:man|woman|person)?|Speaker|President|Clerk|Witness|Presiding\sOfficer|CHAIR(?:MAN|WOMAN|PERSON)?|PRESIDENT|PRESIDING\sOFFICER|SPEAKER|(?i:ACTING)\s\p{Lu}+|CLERK|WITNESS|VICE\sPRESIDENT)(?:\spro\stempore)?|"
    r"(?:Mr|Mrs|Ms|Miss|Mx|Hon|Rev|Dr|Sen|Rep|Gov|Gen|Lt|Col|Adm|Capt|Prof|Sir|Judge|Justice|Professor|Doctor|Senator|Representative|"
    r"Congress(?:man|woman)|Delegate|Secretary|Ambassador|General|Admiral|Colonel|Captain|Governor|Mayor|President|Director|Commissioner|"
    r"Administrator|Vice\sChair(?:man|woman)?|Ranking\sMember|Chair(?:man|woman|person|lady)?|Under\sSecretary|Sergeant|Chief|Officer|Baroness|Lord|Lady)"
    r"\.?(?:\s(?:(?:de|van|von|der|la|le|del|di|da)\s)?\p{Lu}[\p{L}\p{M}’'\-]*+){1,3}(?:\sof\s\p{Lu}\p{L}+(?:\s\p{Lu}\p{L}+)?)?))"
)
_BY = r"(?P<by>\s?[(\[][^()\[\]\n]{1,60}[)\]])?"
_DOTTED = regex.compile(
    rf"{BEFORE}(?P<mark>\*\*|__|\*|_|)(?:{_CAPS}|{_HON.replace('<name>', '<name2>')}){_BY}\.(?P=mark)(?:\s*{TIME})?(?=\s|$)"
)
_QA = regex.compile(
    rf"{BEFORE}(?P<mark>\*\*|__|\*|_|)(?P<name>[QAPRFDВО])(?P<number>\d{{0,3}})(?:(?P=mark)[.:：)](?P=mark)|(?P=mark)[.:：)]|[.:：](?P=mark)|(?P=mark)(?:\s|\.)[-–—](?=\s))(?:\s*{TIME})?(?=\s|$|(?<=[:：.])(?=\p{{Lu}}))"
)
_BARE = regex.compile(r"\s*(?P<name>[QA])(?:\s{2,}|\t)(?=\S)")
TIME_ONLY = regex.compile(rf"\s*(?:[*_]{{1,2}})?{TIME}(?:[*_]{{1,2}})?\s*")

_ANY_COLON = regex.compile(r"[:：﹕꞉]|\.[-–—]\s")
_ANY_TIME = regex.compile(r"\d:\d\d|\d\.\d")
_ANY_QA = regex.compile(r"[^\p{L}]{0,40}[QAPRFDВО]\d{0,3}[*_]{0,2}(?:[.:：)]|\s[-–—]\s)")
_MARKED = regex.compile(r"[^\p{L}]*[*_\[<【]")
_LETTER = regex.compile(r"\p{L}")
_TIMES_ALONE = regex.compile(TIME)
_ENDS_IN_NUMBER = regex.compile(r"\p{N}\s*$")
_WHEN = regex.compile(r"(?i)(?:\s*[,—–-]|\s+(?:today|yesterday)|\s+at)+\s*$")
_CHATTER = regex.compile(r"From\s+(.+?)(?:\s+[Tt]o\s+\S.*)?")
_NUMBERED = regex.compile(r"(?i)^(question|answer|frage|antwort|pregunta|respuesta)\s*#?\d{1,3}$")
_CLOSED = regex.compile(r"[:：﹕]|[—–-]$")
_MAC = regex.compile(r"\b(Ma?c|O'|O’|De|Van)(?=\p{Lu})")
_TOKENS = regex.compile(r"[\p{L}\p{M}\p{N}'’.\-]+")
_NAME_TOKENS = regex.compile(r"[\p{L}\p{M}\p{N}\p{So}_'’\-]+")
_ROLE = regex.compile(
    r"(?i)(?:(?:q|a)\d*|questions?|answer|interviewer|interviewee|reporter|moderator|host|guest|journalist|audience|caller|narrator|announcer|"
    r"operator|unidentified|unknown|inaudible|participant|questioner|panell?ist|listener|student|voices?|all|both|everyone|together|translator|interpreter|"
    r"producer|witness|the witness|the court|the clerk|client|therapist|researcher|respondent|presenter|anchor|correspondent|"
    r"frage|antwort|interviewerin|moderatorin|moderation|publikum|zuschauer(?:in)?|reporterin|question|réponse|journaliste|animateur|animatrice|public|pregunta|"
    r"respuesta|entrevistador(?:a)?|entrevistado|entrevistada|periodista|presentador(?:a)?|público|domanda|risposta|giornalista|intervistatore|pergunta|resposta|"
    r"вопрос|ответ|ведущий|ведущая|журналист|корреспондент|记者|主持人|问|答|観客|司会|記者|聞き手|سؤال|جواب|المذيع|सवाल|जवाब|प्रश्न|उत्तर)"
)
_ROLE_IN = regex.compile(
    r"(?i)\b(?:audience|speaker|caller|reporter|interviewer|moderator|unidentified|unknown|voice|(?:fe)?male|woman|man|participant|student|member|"
    r"questioner|host|guest|translator|interpreter|listener|juror|panel(?:l)?ist|producer|clerk|student|user|bot|assistant|attendee|teacher|officer)\b"
)
_CODE = regex.compile(
    r"(?i)(?:audience(?: member)?|attendee|question|speaker|spk|spkr|s|sprecher|locuteur|interlocuteur|participant|person|voice|channel|ch|user|guest|p)[ _-]?(?:\d{1,3}|[A-Z])"
)
_NOT = regex.compile(
    r"(?i)(?:(?:the|a|an|my|your|our|one|another|first|second|third|last|next|key|main|big|important|quick|fun|hard|simple|basic) )?(?:"
    r"facts?|notes?|n\.?b\.?|warnings?|caution|examples?|e\.g|i\.e|points?|problems?|results?|updates?|summary|sources?|e-?mail|tel|phone|fax|web(?:site)?|dates?|"
    r"time|location|place|title|subject|topics?|chapter|part|section|step|tips?|p\.?s|edit|disclaimer|corrections?|photos?|image|picture|caption|credits?|tags|keywords|"
    r"links?|https?|ftp|mailto|recorded|transcript(?:ion)?|lessons?|rules?|reasons?|conclusion|introduction|background|context|truth|myth|fiction|reality|idea|thing|"
    r"version|status|price|cost|cons|pros|advantages?|disadvantages?|today|tomorrow|yesterday|now|then|later|before|after|remember|listen|look|imagine|translation|"
    r"first(?:ly)?|second(?:ly)?|third(?:ly)?|fourth|fifth|finally|lastly|last|next|quote|definition|goal|aim|plan|method|answer key|hint|spoiler|tweets?|posts?|footnotes?|references?|page|line|item|figure|table|exhibit|appendix|total|number|"
    r"morning|evening|afternoon|night|monday|tuesday|wednesday|thursday|friday|saturday|sunday|pro|con|yes|no|ok|okay|so|well|and|but|or|because|that is|"
    r"fakt|hinweis|beispiel|zum beispiel|achtung|anmerkung|punkt|exemple|par exemple|remarque|fait|ejemplo|por ejemplo|nota|hecho|aviso|esempio|fatto|"
    r"факт|пример|например|примечание|注|例如|注意|事实|比如|结果|例|事実|注記|ملاحظة|مثال|حقيقة|तथ्य|उदाहरण|नोट|"
    r"point|lesson|rule|step|reason|part|chapter|number|act|scene|day|week|year|level|phase|option|point number)(?: (?:number )?(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|[ivx]{1,4}))?"
)
_META = regex.compile(
    r"(?i)(?:interviewers?|interviewed by|interviewees?|narrators?|dates?|date of interview|interview date|location|place|hosts?|guests?|title|recorded|recording date|speakers?|participants?|"
    r"attendees|transcribed by|transcriber|transcript(?:ion)?|transcription by|subject|topic|duration|length|episode|published|present|project|collection|"
    r"file|media|audio|video|source|url|editor|copyright|language|organi[sz]ation|invitees|attachments|kind|moderators?|panell?ists?|summary keywords|summary|keywords|speaker list|address|website|produced by|producer|music by|"
    r"датум|datum|ort|fecha|lugar|lieu|date de publication|日期|时间|地点|日時|場所)"
)
_BREAK = regex.compile(
    r"(?i)(?:(?:ad|commercial|music|mid-?roll|sponsor|short|station) )?(?:break|jingle|outro|intro|music|theme|theme music|teaser|bumper|sting|sound ?bite|pre-?roll|mid-?roll|post-?roll|ads?|"
    r"advert(?:isement)?s?|sponsors?|commercials?|promos?|musik|pause|musique|música|jingle)"
)
_DEGREE = regex.compile(
    r"(?i)(?:ph\.?\s?d|psy\.?\s?d|m\.?d|j\.?d|ed\.?d|d\.?o|r\.?n|m\.?a|b\.?a|m\.?sc|mba|mph|lcsw|lmft|esq|jr|sr|ii|iii|iv|cpa|facp|phd|obe|mbe|frs|qc|kc|mp|mep)\.?"
)
_PARTICLE = frozenset(
    [
        "de",
        "van",
        "von",
        "der",
        "den",
        "of",
        "the",
        "la",
        "le",
        "di",
        "da",
        "bin",
        "ibn",
        "al",
        "el",
        "and",
        "y",
        "dos",
        "das",
        "du",
        "des",
        "af",
        "av",
        "ter",
        "ten",
        "zu",
        "zum",
        "del",
        "und",
        "et",
    ]
)
_SPEECH = frozenset(
    [
        "i",
        "you",
        "he",
        "she",
        "it",
        "we",
        "they",
        "this",
        "that",
        "these",
        "those",
        "there",
        "here",
        "what",
        "why",
        "how",
        "when",
        "where",
        "who",
        "which",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "do",
        "does",
        "did",
        "have",
        "has",
        "had",
        "would",
        "could",
        "should",
        "must",
        "my",
        "your",
        "his",
        "her",
        "its",
        "our",
        "their",
        "if",
        "because",
        "so",
        "but",
        "then",
        "than",
        "not",
        "very",
        "just",
        "only",
        "as",
        "at",
        "in",
        "on",
        "to",
        "for",
        "from",
        "with",
        "about",
        "says",
        "said",
        "say",
        "thinks",
        "thought",
        "asks",
        "asked",
        "told",
        "tells",
        "like",
        "means",
    ]
)


PAIRS = {"q": "a", "p": "r", "f": "a", "d": "r", "в": "о"}
"""Letters for question and answer: English, Spanish, German, Italian and French, Russian."""


ANSWERS = frozenset(
    {
        "a",
        "answer",
        "interviewee",
        "respuesta",
        "antwort",
        "réponse",
        "risposta",
        "resposta",
        "ответ",
        "答",
        "回答",
        "جواب",
        "उत्तर",
    }
)
"""What stands before an answer where nobody is named."""


_SAYS = (
    "说",
    "道",
    "问",
    "表示",
    "认为",
    "言う",
    "言った",
    "قال",
    "قالت",
    "يقول",
    "कहा",
    "पूछा",
    *tuple(f" {verb}" for verb in ["сказал", "сказала", "говорит", "dit", "sagte", "dijo", "disse"]),
)


@dataclass(frozen=True)
class Label:
    """What could be a label at the start of a line: whose, how it looks, and where the words begin."""

    name: str
    mark: Mark
    end: int
    written: str
    """The label with its marks, as it stands."""
    dotted: bool = False
    timed: bool = False
    """Whether a time stands before it."""

    @property
    def closed(self) -> bool:
        """Whether a sign parts the label from the words, not its dress alone."""
        return bool(_CLOSED.search(self.written))

    @property
    def key(self) -> str:
        """The same for the same name, whatever its case and gaps."""
        return key_of(self.name)


def key_of(name: str) -> str:
    """A name without case, double spaces and emphasis."""
    return " ".join(name.split()).casefold()


def look_at(text: str) -> Label | None:
    """What could be a label at the start of `text`; None where nothing can."""
    head = text[:200]
    marked = bool(_MARKED.match(head))
    colon = bool(_ANY_COLON.search(head))
    timed = colon and bool(_ANY_TIME.search(head))
    for mark, form, possible in (
        ("dot", _QA, _ANY_QA.match(head) is not None),
        ("wrapped", _EMPHASISED, marked),
        ("wrapped", _BRACKETED, marked),
        ("stamped", _STAMPED, timed and len(text) < 160),
        ("colon", _COLONED, colon),
        ("stamped", _TRINT, timed),
        ("dot", _DOTTED, "." in head),
        ("bare", _BARE, head.lstrip()[:1] in ("Q", "A")),
    ):
        found = form.match(head) if possible else None
        if found and (label := _of(found, cast(Mark, mark))):
            return label
    return None


def _of(found: "regex.Match[str]", mark: Mark) -> Label | None:
    groups = found.groupdict()
    name = groups.get("name") or groups.get("name2") or ""
    suffix = groups.get("suffix") or groups.get("suffix2") or ""
    if mark == "wrapped" and groups.get("none") is not None and groups.get("in") is None and groups.get("out") is None:
        bare = found.group().strip(" *_[]<>")
        if _TIMES_ALONE.fullmatch(bare) or (_ENDS_IN_NUMBER.search(name) and not is_role(name)):
            return None
    if mark == "dot" and len(name) == 1 and name not in "QA" and groups.get("by") is None and ":" in found.group():
        mark, name = "colon", name + (groups.get("number") or "")
    if mark == "stamped":
        name = _WHEN.sub("", name)
    if mark == "colon" and (chat := _CHATTER.fullmatch(name)) and groups.get("stamp"):
        name = chat[1]
    name = _NUMBERED.sub(r"\1", name)
    if not _LETTER.search(name):
        return None
    if suffix and _inverted(name, suffix):
        name += suffix
    return Label(
        " ".join(name.split()),
        mark,
        found.end(),
        " ".join(found.group().split()),
        mark == "dot",
        bool(groups.get("stamp")),
    )


def _inverted(name: str, suffix: str) -> bool:
    """Whether `Linden, Mara` is one name: a word, a comma, and one or two that are no degree or office."""
    rest = suffix.strip(" ,").split()
    return (
        len(name.split()) <= 2
        and suffix.count(",") == 1
        and len(rest) <= 2
        and not any(_DEGREE.fullmatch(word) for word in rest)
        and name != name.upper()
        and len(name.split()) == 1
        and style(" ".join(rest)) in ("title", "uncased")
    )


def style(name: str) -> str:
    """How a name is written: caps, title, sentence, lower, or uncased for scripts that have no case."""
    letters = [c for c in name if c.isalpha()]
    cased = [c for c in letters if c.lower() != c.upper()]
    if not cased:
        return "uncased"
    if all(c.isupper() for c in _MAC.sub("", name) if c.isalpha() and c.lower() != c.upper()):
        return "caps"
    if not any(c.isupper() for c in cased):
        return "lower"
    words = [w for w in _TOKENS.findall(name) if w.casefold() not in _PARTICLE]
    if all(not w[0].islower() for w in words):
        return "title"
    return "sentence" if words and words[0][0].isupper() else "mixed"


def is_role(name: str) -> bool:
    """Whether a label says what somebody does there rather than a name: Q, Interviewer, Woman in audience, Speaker 2."""
    return bool(_ROLE.fullmatch(name) or _CODE.fullmatch(name) or (_ROLE_IN.search(name) and len(name.split()) <= 5))


def is_code(name: str) -> bool:
    """Whether a label is a number that a program gave: SPEAKER_00, Speaker 1, S1."""
    return bool(_CODE.fullmatch(name))


def is_no_speaker(name: str) -> bool:
    """Whether a word before a colon says what follows, never who: Note, Fact, Step 2."""
    return bool(_NOT.fullmatch(name)) and not _CODE.fullmatch(name)


def is_meta(name: str) -> bool:
    """Whether a word before a colon belongs to the head of a transcript: Date, Interviewer, Location."""
    return bool(_META.fullmatch(name))


def is_break(name: str) -> bool:
    """Whether a label is of nobody's: Break, Jingle, Outro, Ad."""
    return bool(_BREAK.fullmatch(name))


def is_phrase(name: str) -> bool:
    """Whether it holds words that no name has: `what I mean is`."""
    if name.endswith(_SAYS):
        return True
    return (
        len(name) > 1
        and any(word in _SPEECH for word in name.casefold().replace("’", "'").split())
        and not _ROLE_IN.search(name)
    )


def initials_of(name: str) -> set[str]:
    """The initials of a name as people write them: AVW and AvW for Aaron van Wirdum; none for a single word."""
    parts = [
        word
        for word in name.replace("-", " ").split()
        if word.casefold().strip(".") not in TITLES and word[0].isalnum()
    ]
    letters = "".join(word[0] for word in parts)
    return {letters, letters.upper()} if len(parts) > 1 else set()


def name_words(name: str) -> list[str]:
    """The words of a name, without case and punctuation."""
    return [w.casefold() for w in _NAME_TOKENS.findall(name)]


def bare_name(name: str) -> list[str]:
    """The words of a name without titles and degrees; all of them where nothing else is left."""
    found = name_words(name)
    return [w for w in found if w not in TITLES and not _DEGREE.fullmatch(w)] or found
