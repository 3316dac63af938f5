"""Secrets of the environment are known wherever they stand in it; ordinary settings are none."""

import pytest

from raft.masking import MASK, masked


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("SOME_API_KEY", "sk-canary-12345", "sk-canary-12345"),
        ("SERVICE_HEADERS", "Authorization: Bearer canary-0123456789", "canary-0123456789"),
        ("GITHUB_PAT", "ghp_canary12345", "ghp_canary12345"),
        ("SESSION_COOKIE", "id=canary12345", "id=canary12345"),
        ("SERVICE_BEARER", "canary-12345", "canary-12345"),
        ("DB_PWD", "canary-12345", "canary-12345"),
        ("DB_PASS", "canary-12345", "canary-12345"),
        ("SSH_PASSPHRASE", "canary of the mill", "canary of the mill"),
        ("SERVICE_BASE_URL", "https://me:canary-12345@example.org/v1", "canary-12345"),
        ("SERVICE_BASE_URL", "https://me:canary%2F12345@example.org/v1", "canary/12345"),
        ("SERVICE_BASE_URL", "https://example.org/v1?api-key=canary-12345&version=2024-10-21", "canary-12345"),
        ("SERVICE_ENDPOINT", "https://example.org/v1?sig=canary-12345", "canary-12345"),
        ("DATABASE_DSN", "postgres://me:canary-12345@example.org/db", "canary-12345"),
    ],
    ids=lambda value: value[:4],  # pytest puts the test's whole name into the environment
)
def test_a_secret_is_masked_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, secret: str
) -> None:
    text = f"401: the key {secret} is no good, and version 2024-10-21 is old"
    assert secret in masked(text)
    monkeypatch.setenv(name, value)
    assert masked(text) == f"401: the key {MASK} is no good, and version 2024-10-21 is old"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVICE_BASE_URL", "https://example.org/v1/long/path?version=2024-10-21"),
        ("PWD", "/home/marrack/river"),
        ("KEYBOARD", "qwerty-layout"),
        ("BYPASS_LIST", "river,mill,weir"),
        ("SERVICE_BASE_URL", "https://[broken"),
    ],
)
def test_an_ordinary_setting_is_no_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    text = f"we read {value} at example.org"
    assert masked(text) == text
