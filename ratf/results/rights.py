"""The rights to people's words, and whether they are stated well enough to publish a run."""

from collections.abc import Mapping
from pathlib import Path

from raft.errors import RaftError
from raft.people.person import load_about
from ratf.results.results import Results, Rights


def rights(results: Results, data: Path | None = None) -> dict[str, Rights]:
    """The rights to the words of the person, each impostor and each stranger, as stated in the folders of `data` or in the results."""
    suite, person = results.suite.get("people") or {}, results.person
    stated: dict[str, Mapping[str, str]] = {
        key: suite.get(key) or {} for key in (person["key"], *results.impostors, *results.strangers)
    }
    stated[person["key"]] = person
    found = {
        key: results.rights.get(key) or Rights(licence=about.get("licence", ""), consent=about.get("consent", ""))
        for key, about in stated.items()
    }
    for key in found:
        if data and Path(key).name == key and (data / key / "person.yaml").is_file():
            about = load_about(data / key)
            found[key] = Rights(licence=about.licence, consent=about.consent)
    return found


def publishable(results: Results, data: Path | None = None) -> Results:
    """The results with the rights in them. Raises RaftError with all that are not stated, and where to state them.

    Redacted results need only the person's rights: a page without anybody's words still speaks in the person's name.
    """
    found = rights(results, data)
    asked = [results.person["key"]] if results.redacted else list(found)
    problems = [
        f"  {key}/person.yaml: {' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not stated"
        for key in asked
        if (missing := [name for name in ("licence", "consent") if not getattr(found[key], name).strip()])
    ]
    if problems:
        several = "\n".join(problems)
        less = "" if results.redacted else " With --redact, only the person's own are asked for."
        raise RaftError(
            f"--public wrote nothing, because it is not said why these words may be shown:\n{several}\n"
            "Write licence: (under which terms) and consent: (on which basis) into each person.yaml, and name the folder "
            f"that the people's folders are in with --data; nothing is run again.{less}"
        )
    return results.model_copy(update={"rights": found})
