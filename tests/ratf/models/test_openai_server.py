"""The server that other tests lean on: the real client must understand it."""

import json

import openai
import pytest
from openai_server import OpenAIServer


@pytest.fixture
def client(openai_server: OpenAIServer) -> openai.OpenAI:
    return openai.OpenAI(max_retries=0)


def test_chat_has_logprobs_and_keeps_to_a_schema(client: openai.OpenAI) -> None:
    said = client.chat.completions.create(
        model="smollm2-135m-instruct",
        messages=[{"role": "user", "content": "Is soup good?"}],
        temperature=0,
        max_completion_tokens=200,  # the schema lets the model pad with white space, and it does
        logprobs=True,
        top_logprobs=3,
        response_format={
            "type": "json_schema",
            "json_schema": {
                "name": "verdict",
                "schema": {"type": "object", "properties": {"good": {"type": "boolean"}}, "required": ["good"]},
            },
        },
    )
    assert isinstance(json.loads(said.choices[0].message.content or "")["good"], bool)
    assert said.choices[0].logprobs and len((said.choices[0].logprobs.content or [])[0].top_logprobs) == 3


def test_embeddings_have_a_row_a_text(client: openai.OpenAI) -> None:
    rows = client.embeddings.create(model="smollm2-135m-instruct", input=["soup", "a dam of beavers"]).data
    assert [r.index for r in rows] == [0, 1] and len(rows[0].embedding) == len(rows[1].embedding) > 100


def test_faults_come_as_often_as_told(client: openai.OpenAI, openai_server: OpenAIServer) -> None:
    openai_server.fault("GET /files", status=429, retry_after=0.01)
    openai_server.fault("GET /files", drop="before")
    openai_server.fault("GET /files", seconds=0.5)
    with pytest.raises(openai.RateLimitError) as told:
        client.files.list()
    assert told.value.response.headers["retry-after"] == "0.01"
    with pytest.raises(openai.APIConnectionError):
        client.files.list()
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.1).files.list()
    assert client.files.list().data == [] and openai_server.asked("GET /files") == 4


def test_a_job_goes_its_way(client: openai.OpenAI, openai_server: OpenAIServer) -> None:
    file = client.files.create(file=("x.jsonl", "déjà\n".encode()), purpose="fine-tune")
    assert openai_server.contents[file.id] == "déjà\n".encode()
    made = client.fine_tuning.jobs.create(model="gpt", training_file=file.id, suffix="s", metadata={"a": "b"})
    seen = [client.fine_tuning.jobs.retrieve(made.id).status for _ in range(5)]
    assert seen == ["queued", "running", "running", "succeeded", "succeeded"]
    assert client.fine_tuning.jobs.retrieve(made.id).fine_tuned_model == "ft:gpt:loopback:s:0001"
    assert [j.id for j in client.fine_tuning.jobs.list(metadata={"a": "b"})] == [made.id]
    assert not list(client.fine_tuning.jobs.list(metadata={"a": "c"}))
    assert "Created" in list(client.fine_tuning.jobs.list_events(made.id))[-1].message
