"""Transcripts made up by a seed: people, scripts, label styles and noise vary, and who said what is known."""

import random
import textwrap
from dataclasses import dataclass

SCRIPTS: dict[str, tuple[list[str], list[str], str, str]] = {
    "latin": (
        ["Odo Fenn", "Mara Linden", "Pia Roy", "Jan Ottesen", "Zoë Ångström"],
        [
            "the",
            "weir",
            "holds",
            "water",
            "boats",
            "turn",
            "slowly",
            "mill",
            "pays",
            "council",
            "never",
            "asked",
            "river",
            "rises",
            "every",
            "spring",
            "we",
            "counted",
            "stones",
            "again",
            "nobody",
            "keeps",
            "old",
            "gate",
            "shut",
        ],
        ".",
        "?",
    ),
    "cyrillic": (
        ["Одо Фенин", "Мара Линден", "Пия Рой", "Ян Оттов", "Зоя Ангова"],
        [
            "плотина",
            "держит",
            "воду",
            "лодки",
            "медленно",
            "мельница",
            "платит",
            "совет",
            "никогда",
            "спросил",
            "река",
            "весной",
            "камни",
            "считали",
            "никто",
            "ворота",
            "старые",
        ],
        ".",
        "?",
    ),
    "greek": (
        ["Οδυσσέας Φένης", "Μάρα Λίντεν", "Πία Ρόη", "Γιάννης Όττος", "Ζωή Άνγκου"],
        [
            "φράγμα",
            "κρατά",
            "νερό",
            "βάρκες",
            "γυρίζουν",
            "αργά",
            "μύλος",
            "πληρώνει",
            "συμβούλιο",
            "ποτέ",
            "ποτάμι",
            "άνοιξη",
            "πέτρες",
            "κανείς",
            "παλιά",
            "πύλη",
        ],
        ".",
        ";",
    ),
    "arabic": (
        ["أودو فن", "مارا ليندن", "بيا روي", "يان أوتن", "زوي أنغ"],
        [
            "السد",
            "يحفظ",
            "الماء",
            "القوارب",
            "تدور",
            "ببطء",
            "الطاحونة",
            "تدفع",
            "المجلس",
            "أبدا",
            "النهر",
            "يرتفع",
            "الربيع",
            "الحجارة",
            "القديمة",
            "البوابة",
            "أحد",
        ],
        ".",
        "؟",
    ),
    "devanagari": (
        ["ओडो फेन", "मारा लिंडेन", "पिया रॉय", "यान ओट", "ज़ोई आंग"],
        [
            "बांध",
            "पानी",
            "रोकता",
            "नावें",
            "धीरे",
            "मुड़ती",
            "चक्की",
            "पैसा",
            "देती",
            "परिषद",
            "कभी",
            "नदी",
            "वसंत",
            "पत्थर",
            "गिने",
            "पुराना",
            "फाटक",
            "कोई",
        ],
        "।",
        "?",
    ),
    "han": (
        ["林玛拉", "记者", "冯奥多", "罗佩雅", "安左伊"],
        ["堰坝", "水", "船", "慢慢", "转", "磨坊", "付钱", "议会", "从来", "河", "春天", "石头", "旧", "门", "没有人"],
        "。",
        "？",
    ),
}
STYLES = [
    "colon",
    "caps",
    "lower",
    "bold",
    "bold-out",
    "italics",
    "brackets",
    "stamped",
    "stamped-colon",
    "stamp-first",
    "degree",
    "name-then-time",
]
"""Twelve ways to write a label."""
DIRECTIONS = ["[laughter]", "(applause)", "[crosstalk]", "[pause]", "♪ la ♪"]


@dataclass(frozen=True)
class Made:
    """A transcript and what stands in it."""

    text: str
    turns: list[tuple[str, str]]
    script: str
    style: str


def make(seed: int, script: str | None = None, style: str | None = None) -> Made:
    """The transcript of a seed; script and style can be set, and change nothing else."""
    rng = random.Random(seed)
    picked_script, picked_style = rng.choice(list(SCRIPTS)), rng.choice(STYLES)
    script, style = script or picked_script, style or picked_style
    names, vocabulary, stop, ask = SCRIPTS[script]
    people = rng.sample(names, rng.randint(2, 5))
    wrap = rng.random() < 0.25 and script != "han"
    plan: list[tuple[str, list[str]]] = []
    last = ""
    while len(plan) < rng.randint(10, 40):
        who = rng.choice([p for p in people if p != last])
        if len(plan) < len(people) * 2:  # everybody speaks at least twice
            who = people[len(plan) % len(people)]
        last = who
        plan.append((who, [_paragraph(rng, vocabulary, stop, ask, script) for _ in range(rng.choice([1, 1, 1, 2, 3]))]))
    lines: list[str] = []
    if rng.random() < 0.5:
        lines += [_paragraph(rng, vocabulary, "", "", script)[:60], ""]
    turns: list[tuple[str, str]] = []
    clock = 3
    for who, paragraphs in plan:
        clock += rng.randint(2, 80)
        shown = [_noisy(rng, paragraph) for paragraph in paragraphs]
        if wrap:
            shown = [textwrap.fill(one, 70, break_on_hyphens=False) for one in shown]
        lines += _labelled(style, who, clock, shown[0])
        for more in shown[1:]:
            lines += ["", more]
        lines.append("")
        if rng.random() < 0.08:
            lines += [rng.choice(["[Music]", "(COMMERCIAL BREAK)", "[Laughter.]"]), ""]
        turns.append((who, " ".join(paragraphs)))
    if rng.random() < 0.3:
        lines.append("Transcribed by https://weir.example")
    return Made("\n".join(lines), turns, script, style)


def _paragraph(rng: random.Random, vocabulary: list[str], stop: str, ask: str, script: str) -> str:
    sentences = []
    glue = "" if script == "han" else " "
    for _ in range(rng.randint(1, 4)):
        words = [rng.choice(vocabulary) for _ in range(rng.randint(4, 14))]
        if script in ("latin", "cyrillic", "greek"):
            words[0] = words[0].capitalize()
        if script == "latin" and rng.random() < 0.08:
            words = rng.choice(["Question: who built it", "Fact: it leaks", "He said: never"]).split()
        sentences.append(glue.join(words) + (ask if rng.random() < 0.3 else stop))
    return glue.join(sentences)


def _noisy(rng: random.Random, text: str) -> str:
    return f"{text} {rng.choice(DIRECTIONS)}" if rng.random() < 0.15 else text


def _labelled(style: str, who: str, clock: int, text: str) -> list[str]:
    time = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    forms = {
        "colon": [f"{who}: {text}"],
        "caps": [f"{who.upper()}: {text}"],
        "lower": [f"{who.lower()}: {text}"],
        "bold": [f"**{who}:** {text}"],
        "bold-out": [f"**{who}**: {text}"],
        "italics": [f"_{who}_: {text}"],
        "brackets": [f"[{who}]: {text}"],
        "stamped": [f"{who}  {time[3:]}", text],
        "stamped-colon": [f"{who} ({time}):", text],
        "stamp-first": [f"[{time}] {who}: {text}"],
        "degree": [f"{who}, PhD: {text}"],
        "name-then-time": [who, f"({time})", text],
    }
    return forms[style]


def squeezed(text: str) -> str:
    """The text's words without what a reader may join or part."""
    return "".join(text.split())


def score(made: Made, found: list[tuple[str, str]]) -> tuple[int, int, int]:
    """How many turns are right (speaker and every word), how many there are, and how many were found."""
    right = [(who.casefold(), squeezed(text)) for who, text in made.turns]
    seen = [(who.casefold(), squeezed(text)) for who, text in found]
    hits = 0
    for one in right:
        if one in seen:
            seen.remove(one)
            hits += 1
    return hits, len(right), len(found)
