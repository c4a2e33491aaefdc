"""Mail servers as they are: with TLS, with a login, without, and full. Nothing leaves over a line that should be secure and is not."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from dispatch.errors import BadInput
from dispatch.notices.channels import Never, Retry, SmsChannel, SmtpChannel, open_channels
from dispatch.notices.compose import Message
from dispatch.settings import Settings
from tests.dispatch.notices.conftest import Mailbox, Posts
from tests.dispatch.notices.test_webhooks import made_certificate
from tests.servers import free_port

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def message(to: str = "jeanne@example.org", **parts: Any) -> Message:
    known: dict[str, Any] = {"subject": "Votre trajet", "body": "Été, œuf, « neuf ».\n.\nFin", "channel": "email", "way": "email"}
    return Message(**{"id": uuid4(), "kind": "ride_confirmed", "to": (to,), "language": "fr", "at": AT, **known, **parts})


def authenticated(_s: object, _n: object, _e: object, _mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"jean", b"a/b#c"))


@contextmanager
def secure_server(folder: Path, **more: Any) -> Iterator[tuple[Mailbox, int, Path]]:
    """A mail server called localhost that has STARTTLS."""
    key, certificate = made_certificate("localhost", folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    box, port = Mailbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True, **more)
    server.start()
    try:
        yield box, port, certificate
    finally:
        server.stop()


def test_a_mail_is_sent_over_starttls_with_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure_server(tmp_path, authenticator=authenticated, auth_required=True) as (box, port, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        sent = message()
        assert SmtpChannel(f"smtp://jean:a%2Fb%23c@localhost:{port}", "a@example.org").send(sent) == f"<{sent.id}@example.org>"
        with pytest.raises(Retry):
            SmtpChannel(f"smtp://jean:wrong@localhost:{port}", "a@example.org").send(message())
    ((_, found),) = box.mails
    assert found.get_content().replace("\r\n", "\n") == "Été, œuf, « neuf ».\n.\nFin\n"


def test_a_server_of_another_name_is_not_spoken_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure_server(tmp_path) as (box, port, certificate):
        with pytest.raises(Retry, match="SSLCertVerificationError"):
            SmtpChannel(f"smtp://localhost:{port}", "a@example.org").send(message())  # its certificate is nobody's
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(Retry, match="SSLCertVerificationError"):
            SmtpChannel(f"smtp://127.0.0.1:{port}", "a@example.org").send(message())
    assert box.mails == []


def test_without_starttls_nothing_is_sent_unless_that_was_chosen(mailbox: Mailbox) -> None:
    secure = mailbox.url.replace("smtp+plain", "smtp")
    with pytest.raises(Retry, match="SMTPNotSupportedError"):
        SmtpChannel(secure, "a@example.org").send(message())
    with pytest.raises(Retry):
        SmtpChannel(secure.replace("smtp", "smtps"), "a@example.org").send(message())
    assert mailbox.mails == []
    SmtpChannel(mailbox.url, "a@example.org").send(message())
    assert len(mailbox.mails) == 1


def test_a_mailbox_that_is_full_is_tried_again_and_one_that_is_not_there_is_not(mailbox: Mailbox) -> None:
    mailbox.refuses = {"full@example.org": "452 full", "gone@example.org": "550 gone"}
    channel = SmtpChannel(mailbox.url, "a@example.org")
    with pytest.raises(Retry, match="smtp_452"):
        channel.send(message("full@example.org"))
    with pytest.raises(Never, match="smtp_550"):
        channel.send(message("gone@example.org"))


def test_a_server_that_is_away_is_tried_again() -> None:
    with pytest.raises(Retry, match="ConnectionRefusedError"):
        SmtpChannel(f"smtp+plain://127.0.0.1:{free_port()}", "a@example.org").send(message())


def test_a_provider_that_refuses_is_tried_again_and_one_that_nobody_understands_is_not_started_with(posts: Posts) -> None:
    posts.answer = lambda _: (500, {})
    with pytest.raises(Retry, match="not_taken"):
        SmsChannel(f"json://127.0.0.1:{posts.port}/{{to}}").send(message("+33639980001", channel="sms", way="sms"))
    with pytest.raises(BadInput, match="ALLONS_SMS_URL"):
        open_channels(Settings(sms_url="nothing-known://canary/{to}"))  # type: ignore[arg-type]


def test_a_message_shows_neither_address_nor_words_of_itself() -> None:
    shown = repr(message())
    assert "jeanne" not in shown
    assert "Votre" not in shown
    assert "Été" not in shown
