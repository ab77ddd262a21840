"""How an alert leaves: as JSON, as a message of Slack or Teams, or by e-mail, and why one did not arrive.

Formats: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (a text; every answer but 2xx is a
failure), https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (an
Adaptive Card in a message, at most 28 KB), RFC 5321 (SMTP).
"""

from __future__ import annotations

import html
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from loyalty.common.errors import Transient, UserError
from loyalty.common.settings import Settings

POST_SECONDS = 10
POST_ATTEMPTS = 3
LONGEST_LINE = 400  # characters; with `notify.MOST_ITEMS` lines a card stays below 28 KB in any script

# A document for the address of a webhook.
Post = Callable[[str, dict[str, Any]], object]

NO_BREAK = "\u200b"  # a blank without width
LIVE_MARKS = re.compile(r"@|\](?=\()|:(?=//)|www(?=\.)|#(?=\w)", re.IGNORECASE)
RECIPES = "docs/data-engineers.md, Alerts, has an example for each kind"


@dataclass(frozen=True)
class Alert:
    """What is sent: a title, lines under headings, addresses to open, and the same as a document for programs."""

    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The alert as plain lines."""
        lines = [line for heading, found in self.sections for line in (heading, *(f"- {one}" for one in found)) if line]
        return "\n".join([self.title, *lines, *(f"{name}: {link}" for name, link in self.links.items())])


def harmless(text: str) -> str:
    """A text in which Slack, Teams and pages in HTML find no mark, link or person of theirs."""
    return LIVE_MARKS.sub(rf"\g<0>{NO_BREAK}", html.escape(text, quote=False))


def send(settings: Settings, alert: Alert, *, attempts: int | None = None, post: Post | None = None) -> str:
    """Send an alert to `notify_url`; returns who took it. UserError says in one sentence why it did not arrive."""
    if not settings.notify_url:
        raise UserError(
            "notify_url is not set, so that no alert is sent: put the address of a webhook or a mail server into "
            f"loyalty.yml, or into LOYALTY_NOTIFY_URL; {RECIPES}."
        )
    try:
        url = urlsplit(settings.notify_url)
        place = f"{url.hostname or ''}:{url.port}" if url.port else url.hostname or ""
    except ValueError:
        raise UserError(f"The alert did not arrive: notify_url cannot be read as an address; {RECIPES}.") from None
    if url.scheme in ("http", "https"):
        document = FORMATS[settings.notify_format](alert)
        deliver: Callable[[], object] = partial(post or _post, settings.notify_url, document)
    elif url.scheme in ("smtp", "smtps"):
        deliver = partial(_mail, url, alert)
    else:
        raise UserError(
            "The alert did not arrive: notify_url does not begin with https://, http://, smtp:// or smtps://; "
            f"{RECIPES}."
        )
    again = Retrying(
        stop=stop_after_attempt(attempts or POST_ATTEMPTS),
        wait=wait_exponential(multiplier=0.5, max=5),
        retry=retry_if_exception_type(Transient),
        reraise=True,
    )
    again(_delivered, place, deliver)
    return place


def _delivered(place: str, deliver: Callable[[], object]) -> None:
    """Deliver within `POST_SECONDS`: a receiver that answers drop by drop holds no run up."""
    failed: list[Exception] = []

    def work() -> None:
        try:
            deliver()
        except Exception as error:
            failed.append(error)

    sender = threading.Thread(target=work, daemon=True)
    sender.start()
    sender.join(POST_SECONDS)
    if sender.is_alive():
        failed.append(TimeoutError())
    if failed:
        kind, why = _reason(failed[-1])
        raise kind(f"The alert did not arrive: {why.format(place=place or 'the address in notify_url')}.") from None


def _reason(error: Exception) -> tuple[type[UserError], str]:
    """Whether it may be over soon, and what happened with what to do; of the address only the host is named."""
    import httpx

    if isinstance(error, UserError):
        return type(error), str(error)
    if isinstance(error, httpx.HTTPStatusError):
        return _answer(error.response.status_code)
    causes = list(_causes(error))
    known: list[tuple[Any, type[UserError], str]] = [
        (httpx.InvalidURL, UserError, f"notify_url cannot be read as an address; {RECIPES}"),
        (ssl.SSLError, UserError, "the certificate of {place} is not trusted: correct the address, or its certificate"),
        (socket.gaierror, Transient, "there is no host {place}: correct the address in notify_url"),
        (
            ConnectionRefusedError,
            Transient,
            "{place} refuses the connection: correct host and port in notify_url, or start what listens there",
        ),
        (
            (TimeoutError, httpx.TimeoutException),
            Transient,
            f"{{place}} did not answer within {POST_SECONDS:g} seconds: correct the address, or try again later",
        ),
        (smtplib.SMTPAuthenticationError, UserError, "{place} does not take the login in notify_url: correct it"),
        (smtplib.SMTPRecipientsRefused, UserError, "{place} takes no mail for `to` in notify_url: correct the address"),
        (smtplib.SMTPSenderRefused, UserError, "{place} takes no mail from `from` in notify_url: correct the address"),
    ]
    for kinds, severity, sentence in known:
        if any(isinstance(cause, kinds) for cause in causes):
            return severity, sentence
    name = type(error).__name__
    return Transient, f"{{place}} could not be reached ({name}): correct the address in notify_url, or try again later"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _answer(code: int) -> tuple[type[UserError], str]:
    """What an HTTP answer other than 2xx means."""
    if code == 429 or code >= 500:
        return Transient, f"{{place}} answered {code}, which is its own trouble: try again later"
    what = {
        3: "leads to another address: put that one into notify_url",
        400: "does not take this message: set notify_format to what it expects (json, slack or teams)",
        413: "does not take this message: set notify_format to what it expects (json, slack or teams)",
        422: "does not take this message: set notify_format to what it expects (json, slack or teams)",
    }
    other = "does not know or allow this address: make a new webhook, and put its address into notify_url"
    return UserError, f"{{place}} answered {code} and {what.get(code, what[3] if code < 400 else other)}"


def _json(alert: Alert) -> dict[str, Any]:
    """For programs, and for chats that show `text`."""
    return {"text": alert.text} | alert.document


def _slack(alert: Alert) -> dict[str, Any]:
    """Slack's incoming webhook: one text in its mrkdwn."""
    lines = [f"*{alert.title}*"]
    for heading, found in alert.sections:
        lines += [f"*{heading}*"] if heading else []
        lines += [f"• {_cut(one)}" for one in found]
    lines += [f"<{link}|{name}>" if _opens(link) else f"{name}: {link}" for name, link in alert.links.items()]
    return {"text": "\n".join(lines)}


def _teams(alert: Alert) -> dict[str, Any]:
    """The webhook of a Teams workflow: an Adaptive Card, whose buttons open the links."""

    def block(text: str, **look: Any) -> dict[str, Any]:
        return {"type": "TextBlock", "text": text, "wrap": True, **look}

    body = [block(alert.title, weight="Bolder", size="Medium")]
    for heading, found in alert.sections:
        body += [block(heading, weight="Bolder")] if heading else []
        body += [block(_cut(one)) for one in found]
    body += [block(f"{name}: {link}") for name, link in alert.links.items() if not _opens(link)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": name, "url": link} for name, link in alert.links.items() if _opens(link)
        ],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


FORMATS: dict[str, Callable[[Alert], dict[str, Any]]] = {"json": _json, "slack": _slack, "teams": _teams}


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} ..."


def _opens(link: str) -> bool:
    return link.startswith(("http://", "https://"))


def _post(url: str, document: dict[str, Any]) -> None:
    """Send a document; anything but 2xx is an error, also a redirect, since it would come there without its content."""
    import httpx  # only where an alert is sent: start-up stays short

    with httpx.stream("POST", url, json=document, timeout=POST_SECONDS) as answer:
        answer.raise_for_status()


def _mail(url: SplitResult, alert: Alert) -> None:
    """Send an e-mail to those in `to`; with TLS where the server offers it, and a login never without it."""
    wanted = {key: ",".join(found) for key, found in parse_qs(url.query).items()}
    if not url.hostname or not wanted.get("to"):
        raise UserError(f"notify_url names no host or no `?to=` for the mail; {RECIPES}")
    mail = EmailMessage()
    mail["Subject"] = alert.title
    mail["To"] = wanted["to"]
    mail["From"] = wanted.get("from", wanted["to"].split(",")[0])
    mail.set_content(alert.text)
    tls = ssl.create_default_context()
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(url.hostname, url.port or 465, timeout=POST_SECONDS, context=tls)
    else:
        server = smtplib.SMTP(url.hostname, url.port or 25, timeout=POST_SECONDS)
    with server:
        server.ehlo()
        is_safe = url.scheme == "smtps"
        if not is_safe and server.has_extn("starttls"):
            server.starttls(context=tls)
            is_safe = True
        if url.username:
            if not is_safe:
                raise UserError("{place} offers no TLS, so the login is not sent: use smtps://, or leave the login out")
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(mail)
