"""Two invented keepers of a ferry and two millers, in Chinese and in Hindi: small persons with an impostor each."""

import json
import random
from pathlib import Path
from typing import NamedTuple


class Voice(NamedTuple):
    """How somebody speaks: each sentence is a beginning, a middle with a number in it, and an end."""

    name: str
    introduction: str
    beginnings: tuple[str, ...]
    middles: tuple[str, ...]
    ends: tuple[str, ...]


class Language(NamedTuple):
    """Two people who speak it; what they are asked; times and places; what is between two sentences."""

    person: Voice
    impostor: Voice
    questions: tuple[str, ...]
    times: tuple[str, ...]
    places: tuple[str, ...]
    between: str


CHINESE = Language(
    Voice(
        "贺渡川",
        "摆渡的人",
        (
            "{time}我把船停在{place}，",
            "我爹说过{place}这地方，",
            "你问我{place}好不好，",
            "{time}雾大，{place}看不见岸，",
            "咱们{place}的人嘛，",
        ),
        (
            "等了{n}个钟头，",
            "多备{n}根缆绳，",
            "水涨到{n}级台阶，",
            "来了{n}个学生娃，",
            "船漏了{n}处，",
            "喊了{n}声号子，",
        ),
        (
            "一个人也不来嘛。",
            "天一亮照样开船。",
            "我就晓得这么多。",
            "老实人不吃亏嘛。",
            "大伙儿都来看热闹。",
            "慢慢摇过去就是了。",
            "夜里我自己补好的。",
        ),
    ),
    Voice(
        "石守成",
        "开磨坊的人",
        (
            "鄙人以为，{time}之{place}，",
            "据{place}账册所载，",
            "诚如诸位所知，{place}一带，",
            "至于{place}之争议，{time}，",
            "鄙人再三申明，{place}，",
        ),
        ("凡{n}日必修一次，", "共收麦{n}石，", "增设水轮{n}座，", "致函凡{n}封，", "雇工计{n}名，", "分配按{n}等，"),
        ("不可停转。", "价格尤为稳定。", "仍未见答复。", "均已载明在案。", "理应如此。", "有据可查。", "毋庸置疑。"),
    ),
    ("{time}在{place}，渡口第{n}天怎么样？", "{place}的{n}户人家靠什么过活？", "为什么{time}不修{place}的{n}座桥？"),
    ("清明前后", "大暑那天", "霜降以后", "腊月里", "开春头一场雨", "去年秋收"),
    ("柳树湾", "石板桥下", "老鹰嘴", "七里滩", "东门码头", "盐井沟", "白沙洲"),
    "",
)
HINDI = Language(
    Voice(
        "केवल माझी",
        "नाव चलाने वाले बूढ़े माझी",
        ("{time} नाव {place} पर थी,", "बाबा कहते थे {place} में", "{time} तो {place} वाले भैया", "तुम पूछते हो {place} की,", "अरे {place} का पानी,"),
        ("मैं {n} घंटे बैठा,", "{n} सीढ़ी पानी चढ़ा,", "{n} रस्सी और बाँधी,", "{n} बच्चे चढ़ आए,", "{n} जगह नाव रिसी,", "{n} बार आवाज़ लगाई,"),
        ("कोई आया ही नहीं भैया।", "गाते हुए पार ले गया।", "सारा गाँव देखने आया।", "मैं तो इतना ही जानूँ।", "रात में ख़ुद जोड़ा।", "सुबह फिर चल दिए भैया।", "डर काहे का बोलो।"),
    ),
    Voice(
        "दीनानाथ चक्रवर्ती",
        "आटा चक्की के स्वामी।",
        ("मेरे विचार में {place} पर", "बहीखाते के अनुसार {time}", "जैसा कि विदित है, {place}", "{place} के विवाद के संबंध में", "{time} {place} के निकट"),
        ("{n} दिन पर मरम्मत,", "{n} क्विंटल गेहूँ प्राप्त,", "{n} पहिये लगाए गए,", "{n} पत्र भेजे गए,", "{n} कर्मचारी नियुक्त हुए,", "{n} श्रेणियाँ निर्धारित हुईं,"),
        ("यह अनिवार्य है।", "मूल्य स्थिर रहा।", "उत्तर अपेक्षित है।", "अभिलेख उपलब्ध है।", "इसमें संदेह नहीं।", "नियम यही है।", "प्रमाण प्रस्तुत है।"),
    ),
    ("{time} {place} के घाट पर {n} दिन क्या हुआ?", "{place} के {n} परिवार कैसे जीते हैं?", "{time} {place} के {n} पुल क्यों नहीं बने?"),
    ("सावन में", "जेठ की दोपहर", "कार्तिक के बाद", "पूस की रात", "पहली बारिश पर", "पिछली फ़सल पर"),
    ("पीपल घाट", "पत्थर पुल", "चील टीला", "रेतीला मोड़", "पूरब दरवाज़ा", "नमक कुआँ", "सफ़ेद टापू"),
    " ",
)  # fmt: skip


def write(folder: Path, language: Language, interviews: int = 6) -> None:
    """`person` and `impostor` in `folder`: dated interviews of three questions, and three writings each."""
    lot = random.Random(0)
    number = iter(range(3, 10_000))

    def filled(*parts: str) -> str:
        time, place = lot.choice(language.times), lot.choice(language.places)
        return language.between.join(parts).format(time=time, place=place, n=next(number))

    def said(voice: Voice, sentences: int) -> str:
        made = [map(lot.choice, (voice.beginnings, voice.middles, voice.ends)) for _ in range(sentences)]
        return language.between.join(filled(*parts) for parts in made)

    for key, voice in (("person", language.person), ("impostor", language.impostor)):
        (folder / key).mkdir(parents=True)
        about = {"name": voice.name, "introduction": voice.introduction, "licence": "invented", "consent": "invented"}
        (folder / key / "person.yaml").write_text(json.dumps(about, ensure_ascii=False), "utf-8")
        _jsonl(
            folder / key / "interviews.jsonl",
            [
                {
                    "interview_id": f"{key}-{year}", "title": f"{year}", "date": f"{year}-05-04", "source": "invented",
                    "turns": [
                        turn
                        for _ in range(3)
                        for turn in (
                            {"speaker": "Q", "role": "interviewer", "text": filled(lot.choice(language.questions))},
                            {"speaker": voice.name, "role": "target", "text": said(voice, 5)},
                        )
                    ],
                }
                for year in range(2010, 2010 + interviews)
            ],
        )  # fmt: skip
        _jsonl(
            folder / key / "writings.jsonl",
            [
                {"doc_id": f"{key}-w{n}", "title": f"{n}", "date": f"200{n}-01-02", "source": "invented", "text": said(voice, 10)}
                for n in range(3)
            ],
        )  # fmt: skip


def _jsonl(path: Path, records: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), "utf-8")
