"""Hosted embedders and chat models that send what is no reply: said in a sentence, with the model's name."""

import asyncio
from typing import Any

import pytest
from faulty import Faulty, Reply, failed, fine

from raft.errors import RaftError
from raft.models.names import OpenAIChat, OpenAIEmbedder

VECTORS = {"object": "list", "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
ONE = {"object": "embedding", "index": 0, "embedding": [3.0, 4.0]}


class Same(Faulty):
    """Answers every request alike."""

    reply: Reply = (200, {}, {})

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        return self.reply


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What each of the two says of a reply: the embedder is asked for the vectors of two texts."""

    def ask(reply: Reply) -> list[str]:
        said = []
        with Same().running() as service:
            service.reply = reply  # type: ignore[attr-defined]
            monkeypatch.setenv("OPENAI_BASE_URL", service.url)
            monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-tests")
            with pytest.raises(RaftError) as embedding:
                OpenAIEmbedder("m").embed(["a", "b"])
            said.append(str(embedding.value))
            with pytest.raises(RaftError) as chat:
                asyncio.run(OpenAIChat("m", 10, 0).generate([{"role": "user", "content": "a"}]))
            said.append(str(chat.value))
        return said

    return ask


@pytest.mark.parametrize(
    ("reply", "embedding", "chat"),
    [
        (failed(401, "No such key."), "answered 401: No such key.", "answered 401: No such key."),
        ((200, b'{"data": [', {}), "reply cannot be read: Expecting value", "reply is no JSON: Expecting value"),
        ((200, b"<html>", {"Content-Type": "text/html"}), "reply cannot be read", "reply holds no message"),
        ((200, VECTORS | {"data": [], "choices": []}, {}), "No embedding data received", "reply holds no message"),
        ((200, VECTORS | {"data": [ONE]}, {}), "it has 1 vectors for 2 texts", "reply holds no message"),
    ],
)
def test_what_is_no_reply_is_told(asked: Any, reply: Reply, embedding: str, chat: str) -> None:
    for told, expected in zip(asked(reply), (embedding, chat), strict=True):
        assert told.startswith("openai/m: the service") and expected in told, told


def test_a_service_that_does_not_reply_in_time_is_no_missing_connection(
    asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setattr("raft.models.names.TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(Same, "answer", lambda *_: (time.sleep(1), fine(""))[1])
    assert asked((200, {}, {})) == ["openai/m: the service took the request and did not reply in time"] * 2
