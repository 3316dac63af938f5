"""What a site puts into a post that is not its author's: embedded posts, tweets, quotes pulled out, footers of feeds."""

from collections.abc import Callable
from typing import Any

import regex

from raft.text import LETTERS, by_script, count_words

Cut = Callable[[str, str], None]
"""Is told what was left out, and the address that it was from, if any."""

_EMBEDDED = (
    (
        "an embedded post",
        r"embedded-(?:post|publication)|digest-post-embed|wp-block-embed|wp-embed(?:ded-content)?|kg-(?:bookmark|embed)-card"
        r"|(?:graf--)?mixtapeEmbed|link-?preview|onebox|note-embed|fb-post|reddit-(?:embed|card)|embedly-card",
    ),
    (
        "a tweet",
        r"(?:quoted?-)?tweet|twitter-(?:tweet|embed|video)|bluesky-(?:wrap|embed|post)|mastodon-embed|threads-embed"
        r"|text-post-media|instagram(?:-media|-embed)?|tiktok-(?:embed|wrap)|telegram-(?:post|embed)",
    ),
)
_KINDS = [(what, regex.compile(rf"(?:{names})(?:[-_].*)?", regex.I)) for what, names in _EMBEDDED]
_BODY = regex.compile(
    r"(?:post|entry|article|story|page)-(?:body|content|text)|body|content|available-content", regex.I
)
"""The box around a whole post, whatever else it is called."""
_PULLED = regex.compile(r"(?:.*[-_])?pull-?(?:ed-?)?quote.*|pq", regex.I)
_WORD = regex.compile(rf"[{LETTERS}]+")
PULLED_WORDS = 3
"""A quotation of fewer words may stand twice by chance."""

FOOTER_WORDS = 60
_PIECE = r"(?:blog\s)?(?:post|article|essay|story|piece|entry|column|letter|op-ed|interview|text)"
_FOOTER = regex.compile(
    r"|".join(
        [
            r"(?:the|this)\spost\b.+\b(?:first\sappeared|appeared\sfirst)\son\s.+",
            r".+\b(?:was\s)?originally\spublished\sin\s.+\son\smedium,\swhere\speople\sare\scontinuing\b.*",
            rf"(?:an?\s(?:\w+\s)?version\sof\s)?this\s{_PIECE}\b.{{0,20}}\b(?:originally|first|previously)\s(?:appeared|(?:was\s)?"
            r"published|(?:was\s)?posted)\s(?:on|in|at|by)\b.+",
            r"(?:originally|first|previously)\s(?:published|posted|appeared)\s(?:on|in|at|by)\b.+",
            r"(?:this\s\w+\s(?:is|was)\s)?cross-?\s?posted\s(?:from|to|on|at|with|by)\b.+",
            r"thanks?\s(?:you\s)?for\sreading\b.{0,100}[!.]\s*(?:this\spost\sis\spublic|subscribe)\b.*",
            r"(?:der|dieser)\s(?:beitrag|artikel)\b.*\b(?:erschien|ist)\szuerst\b.+",
            r"(?:l[’']article|cet\sarticle)\b.+\best\s(?:apparu\sen\spremier|initialement\sparu)\b.+",
            r"(?:la\sentrada|este\sartículo)\b.+\b(?:se\spublicó|apareció|aparece|fue\spublicad[oa])\s(?:por\s)?(?:primero|primera\svez|originalmente)\b.+",
            r"l[’']articolo\b.+\b(?:proviene\sda|sembra\sessere\sil\sprimo)\b.+",
            r"o\s(?:post|artigo)\b.+\bapareceu\sprimeiro\b.+",
            r"het\sbericht\b.+\b(?:verscheen\seerst|is\sgeplaatst)\sop\b.+",
            r"запись\b.+\bвпервые\sпоявилась\b.+",
            r"artykuł\b.+\bpochodzi\sz\sserwisu\b.+",
            r"投稿.*に最初に表示されました。?",
            r"(?:文章|帖子|《).*(?:最先|首先|最早)(?:出现|出現|发表|發表)[在于於].*",
            r"(?:本文|原文)(?:最初|首发|首發|原)?(?:发表|發表|刊登|刊载|刊載|载|載|首发|首發)?[于於在].*",
            r"यह\s(?:लेख|पोस्ट).*(?:पहले|मूल\sरूप\sसे).*(?:प्रकाशित|छपा).*",
        ]
    ),
    regex.I | regex.S,
)


def drop_others(tree: Any, blocks: Callable[[Any], list[str]], cut: Cut) -> None:
    """Take out embedded posts and tweets, and quotations that the text itself says in another place."""
    for element in tree.xpath("//*[@class]"):
        what = _embedded(element)
        if what and element.getparent() is not None and element.tag not in ("html", "body", "article", "main"):
            link = next(
                iter(element.xpath(".//@href[starts-with(., 'http')]|self::*[starts-with(@href, 'http')]/@href")), ""
            )
            if " ".join(element.text_content().split()) and not _is_inside(element):
                cut(what, str(link))
            element.drop_tree()
    for element in tree.xpath("//blockquote | //*[contains(@class, 'ull') or @class = 'pq']"):
        is_pulled = any(_PULLED.fullmatch(c) for c in element.get("class", "").split())
        if element.getparent() is None or not (is_pulled or element.tag == "blockquote"):
            continue
        said = _said(" ".join(blocks(element)))
        if len(said.split()) >= PULLED_WORDS and f" {_said(' '.join(blocks(tree)))} ".count(f" {said} ") > 1:
            cut("a quotation that it repeats", "")
            element.drop_tree()


def without_footers(blocks: list[str], cut: Cut) -> list[str]:
    """The paragraphs without those at either end that say where the text appeared."""
    kept = []
    for number, block in enumerate(blocks):
        at_end = number < 2 or number >= len(blocks) - 3
        if at_end and count_words(block) <= FOOTER_WORDS and _FOOTER.fullmatch(block):
            cut("where it appeared", "")
        else:
            kept.append(block)
    return kept


def _embedded(element: Any) -> str:
    names = element.get("class", "").split()
    if any(map(_BODY.fullmatch, names)):
        return ""
    return next((what for what, pattern in _KINDS if any(map(pattern.fullmatch, names))), "")


def _is_inside(element: Any) -> bool:
    """Whether it is a part of something embedded, which is counted once."""
    return any(_embedded(above) for above in element.iterancestors())


def _said(text: str) -> str:
    return " ".join(by_script(_WORD.findall(text.casefold())))
