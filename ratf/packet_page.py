"""The packet's page: what a reader sees."""

from ratf.packet import COLUMNS, Key, as_csv
from ratf.templates import environment


def render(key: Key) -> str:
    """One file that asks nothing of the network; the key is not in it, only its seal. The same key gives the same bytes."""
    return (
        environment()
        .get_template("packet.html.j2")
        .render(
            person=key.person,
            seal=key.seal,
            packet=key.seal[:12],
            columns=COLUMNS,
            table=as_csv(key),
            items=[{"item": i.item, "question": i.question, "sides": {"A": i.a, "B": i.b}} for i in key.items],
        )
    )
