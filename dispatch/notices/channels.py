"""The ways out: a log, a mail server, a provider of SMS. Each sends one message, or says whether trying again makes sense.

In: a `Message`. Out: the provider's id of it, or `Retry` (later, by the same way) or `Never` (this way does not lead there). Called by the
sender. What is sent and to whom is never logged.
"""

import logging
import smtplib
import ssl
import warnings
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from typing import Protocol
from urllib.parse import SplitResult, quote, unquote, urlsplit

import structlog

from dispatch.errors import BadInput, Fault
from dispatch.notices.compose import Message
from dispatch.settings import Settings

log = structlog.get_logger()
TIMEOUT_S = 15
_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}


class Retry(Exception):
    """It did not work this time; a code says why."""


class Never(Exception):
    """This address cannot be reached this way; a code says why."""


class Channel(Protocol):
    """A way out."""

    def send(self, message: Message) -> str | None:
        """The provider's id, if there is one. Retry, or Never."""


class LogChannel:
    """Tells nobody: for demonstrations and tests. The text stays readable at `GET /v1/notices/{id}`, so that links can be followed."""

    def send(self, message: Message) -> str | None:
        log.info("notice", id=str(message.id), about=message.kind, way=message.way)
        return None


class SmtpChannel:
    """A mail server. `smtps://`: TLS from the start; `smtp://`: STARTTLS, or nothing is sent; `smtp+plain://`: one beside this service."""

    def __init__(self, url: str, sender: str) -> None:
        self._server, self._sender = urlsplit(url), sender

    def send(self, message: Message) -> str | None:
        mail = self._mail(message)
        try:
            with self._connect() as server:
                refused = server.send_message(mail, self._sender, list(message.to))
        except smtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients) from None
        except (smtplib.SMTPException, OSError) as error:
            raise Retry(_code(error)) from None
        if refused and len(refused) == len(message.to):
            raise _refused(refused)
        return str(mail["Message-ID"])

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)  # refuses line ends in headers
        mail["From"] = self._sender
        mail["To"] = message.to[0] if len(message.to) == 1 else "undisclosed-recipients:;"  # coordinators: nobody's address to others
        mail["Subject"] = " ".join((message.subject or "").split())
        mail["Date"] = message.at
        mail["Message-ID"] = f"<{message.id}@{self._sender.rpartition('@')[2].rstrip('>')}>"  # the same at every try
        mail["Content-Language"] = message.language
        mail["Auto-Submitted"] = "auto-generated"  # nobody's holiday answers to it
        mail.set_content(message.body + "\n", cte="quoted-printable")
        return mail

    def _connect(self) -> smtplib.SMTP:
        host, scheme = self._server.hostname or "localhost", self._server.scheme
        port, secure = self._server.port or _PORTS[scheme], ssl.create_default_context()
        if scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=secure)
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        try:
            if scheme == "smtp":
                server.starttls(context=secure)
            _log_in(server, self._server)
        except BaseException:
            server.close()
            raise
        return server


class SmsChannel:
    """A provider of SMS, by an address of apprise's in which {to} stands for the number."""

    def __init__(self, url: str) -> None:
        with warnings.catch_warnings():  # it loads modules that Python will not have any more
            warnings.simplefilter("ignore", DeprecationWarning)
            import apprise

            for name in ("apprise", "urllib3"):  # they would write numbers and texts to the log
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
            understood = apprise.Apprise().add(url.replace("{to}", "%2B33639980001"))  # its modules are loaded by that, too
        if not understood:
            raise BadInput([Fault("ALLONS_SMS_URL", "invalid", "is no address that apprise understands")])
        self._url, self._apprise = url, apprise

    def send(self, message: Message) -> str | None:
        apprise = self._apprise
        asset = apprise.AppriseAsset(app_id="Allons", app_desc="Allons", async_mode=False, secure_logging=True)
        provider = apprise.Apprise(asset=asset)
        if not provider.add(self._url.replace("{to}", quote(message.to[0]))):
            raise Never("not_understood")
        try:
            sent = provider.notify(body=message.body, body_format=apprise.NotifyFormat.TEXT)
        except (TypeError, OSError) as error:
            raise Retry(_code(error)) from None
        if not sent:
            raise Retry("not_taken")
        return None


def open_channels(settings: Settings) -> Mapping[str, Channel]:
    """By name, as the settings have them; the log alone where there is none."""
    found: dict[str, Channel] = {}
    if settings.smtp_url is not None:
        found["email"] = SmtpChannel(settings.smtp_url.get_secret_value(), settings.mail_from)
    if settings.sms_url is not None:
        found["sms"] = SmsChannel(settings.sms_url.get_secret_value())
    return found or {"log": LogChannel()}


def _log_in(server: smtplib.SMTP, url: SplitResult) -> None:
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))


def _refused(recipients: Mapping[str, tuple[int, bytes]]) -> Retry | Never:
    """5xx: there is no such mailbox; 4xx: full, or to be tried again."""
    codes = [code for code, _ in recipients.values()]
    return Never(f"smtp_{codes[0]}") if all(code >= 500 for code in codes) else Retry(f"smtp_{codes[0]}")


def _code(error: Exception) -> str:
    number = getattr(error, "smtp_code", None)
    return f"smtp_{number}" if isinstance(number, int) and number > 0 else type(error).__name__[:40]
