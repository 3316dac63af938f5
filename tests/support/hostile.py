"""A run in which every text would take the page over if it were let."""

from asked import asked, scored

from ratf.results.results import Answer, Results

HOSTILE = (
    "</script><script>document.title='owned'</script><!-- <img src=x onerror=alert(1)> \" ' ]]> {{ 7*7 }} javascript:x "
    "\u202eltr\u202c \u2066x \u200b\u200d\ufeff \x00\x07 \U0001f9d9\u200d\u2642\ufe0f " + "w" * 50_000
)


def hostile() -> Results:
    """A run in which every text of people, models and documents is hostile."""
    made = asked(3, length=0.1)
    memory = dict.fromkeys(("text", "title", "date", "source"), HOSTILE)
    vote = {"grader": HOSTILE, "order": HOSTILE[:80], "value": 0.5, "why": HOSTILE}
    questions = []
    for i, q in enumerate(made.questions):
        answers = {
            arm: Answer(text=HOSTILE[: 200 if i else None], memories=[memory], source=HOSTILE, scores=a.scores)
            for arm, a in q.answers.items()
        }
        words = dict.fromkeys(("interview", "question", "real", "date", "topic"), HOSTILE)
        hurt = q.model_copy(update={**words, "id": f"{i}{HOSTILE[:120]}", "answers": answers})
        hurt = scored(hurt, "raft", "rouge_l", value=None, why=HOSTILE)
        questions.append(scored(hurt, "raft", "style_identity", votes=[vote, vote], against={HOSTILE[:80]: 0.5}))
    evidence = [e.model_copy(update={"text": HOSTILE[:200]}) for e in made.style.evidence] if made.style else []
    style = made.style.model_copy(update={"evidence": evidence}) if made.style else None
    return made.model_copy(update={"questions": questions, "style": style, "person": {"key": HOSTILE, "name": HOSTILE}})
