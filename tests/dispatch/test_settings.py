"""What an installation chooses is read from the environment, and what makes no sense is told without the value."""

import pytest

from dispatch.cli_service import load_settings
from dispatch.errors import BadInput
from dispatch.settings import Settings


def test_an_empty_variable_is_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"ALLONS_{name.upper()}", "")
    assert load_settings() == Settings.model_construct()


@pytest.mark.parametrize("password", ["canary/b", "canary#b", "canary?b", "1/canary"])
def test_a_password_that_breaks_the_address_of_redis_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("ALLONS_REDIS_URL", f"redis://:{password}@redis:6379/0")
    with pytest.raises(BadInput, match="%2F for /") as refused:
        load_settings()
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "redis://:a%2Fb%23c%3Fd@redis:6379/0", "rediss://user:p@h.example.org"])
def test_addresses_of_redis_that_can_be_used_are_kept(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ALLONS_REDIS_URL", url)
    assert load_settings().redis_url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smtp_url", "http://mail.example.org"),
        ("smtp_url", "smtp://"),
        ("smtp_url", "smtp://user:canary/1@mail.example.org"),
        ("smtp_url", "smtp://mail.example.org:canary"),
        ("sms_url", "twilio://canary@+33612345678/+33687654321"),
        ("mail_from", "Allons <canary@example.org>"),
        ("mail_from", "canary@example.org\r\nBcc: x@example.org"),
        ("sender_seconds", "0"),
    ],
)
def test_settings_of_telling_that_cannot_be_used_are_refused_without_repeating_them(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ALLONS_{name.upper()}", value)
    with pytest.raises(BadInput) as refused:
        load_settings()
    assert name in str(refused.value)
    assert "canary" not in str(refused.value)
