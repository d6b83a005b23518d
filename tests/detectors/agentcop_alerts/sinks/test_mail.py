from __future__ import annotations

import ssl
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from agentcop_alerts.sinks import mail
from agentcop_alerts.sinks.outcome import SendFailed
from agentcop_alerts.sinks.smtp_server import smtp_server
from agentcop_alerts.wording import worded
from alerts import ALERT, alert, item
from smtp_sink import SmtpSink

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

    from agentcop_alerts.sinks.smtp_server import SmtpServer
    from agentcop_core.alert import Alert

TO = ("sec@example.com", "ops@example.com")


def composed(of: Alert = ALERT, item_id: str = "1800000000000-1-aaaa") -> EmailMessage:
    each = item(of, id=item_id, trace_link="http://jaeger/{trace_id}")
    return mail.compose(each, worded(each, {}), to=TO, sender="cop@example.com")


def server_at(url: str) -> SmtpServer:
    return smtp_server({"AGENTCOP_SMTP_URL": url})


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(made)
    return made


def test_a_mail_arrives_whole_as_text_and_html() -> None:
    with SmtpSink() as sink:
        mail.send(server_at(f"smtp://127.0.0.1:{sink.port}"), composed())

    (arrived,) = sink.mails
    assert sink.envelopes == [("cop@example.com", TO)]
    assert arrived["Subject"] == "AgentCop [high] Blocked: shell by billing"
    assert (arrived["From"], arrived["To"]) == ("cop@example.com", "sec@example.com, ops@example.com")
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(arrived["Date"]) is not None
    text, page = (arrived.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert arrived.get_content_type() == "multipart/alternative"
    assert "gate.block[0]" in text.get_content()
    assert '<a href="http://jaeger/0af7651916cd43dd8448eb211c80319c">' in page.get_content()


def test_messages_about_one_thing_are_one_thread_and_have_ids_of_their_own() -> None:
    first, second = composed(item_id="a"), composed(item_id="b")
    other = composed(alert(tool="other"))

    assert first["Message-ID"] != second["Message-ID"]
    assert first["In-Reply-To"] == second["In-Reply-To"] == first["References"]
    assert other["In-Reply-To"] != first["In-Reply-To"]


HOSTILE = "x\r\nBcc: everybody@example.com\r\n\r\n<script>alert(1)</script><img src=http://evil.example>"


def test_hostile_text_adds_no_header_and_no_tag() -> None:
    with SmtpSink() as sink:
        mail.send(
            server_at(f"smtp://127.0.0.1:{sink.port}"),
            composed(alert(tool=HOSTILE, agent_id=HOSTILE, reason=HOSTILE, arguments=HOSTILE, environment=HOSTILE)),
        )

    (arrived,) = sink.mails
    assert arrived["Bcc"] is None
    assert sink.envelopes[0][1] == TO
    page = arrived.get_body(("html",))
    assert page is not None
    assert "<script" not in page.get_content()
    assert "<img" not in page.get_content()


@given(st.text(), st.text())
def test_no_text_can_add_a_header(tool: str, agent: str) -> None:
    expected = {
        *("From", "To", "Subject", "Date", "Message-ID", "References", "In-Reply-To", "Auto-Submitted"),
        *("MIME-Version", "Content-Type"),
    }
    made = composed(alert(tool=tool, agent_id=agent, reason=tool, arguments=agent))
    made.as_bytes()

    assert set(made.keys()) == expected


@pytest.mark.parametrize("address", ["a@b.c\r\nBcc: d@e.f", "a@b.c, d@e.f", "nobody", "Ann <a@b.c>", "ä@b.c", ""])
def test_an_address_that_is_more_than_one_address_is_refused(address: str) -> None:
    with pytest.raises(SendFailed, match="address"):
        mail.compose(item(), worded(item(), {}), to=(address,), sender="cop@example.com")


def test_without_a_sender_it_comes_from_agentcop_at_this_host() -> None:
    made = mail.compose(item(), worded(item(), {}), to=TO, sender="")

    assert made["From"].startswith("agentcop@")


def test_starttls_and_login_with_a_checked_certificate(authority: trustme.CA, ca_file: Path) -> None:
    with SmtpSink(starttls=context(authority, "127.0.0.1"), login=("cop", "s3cret/pw")) as sink:
        mail.send(server_at(f"smtp://cop:s3cret%2Fpw@127.0.0.1:{sink.port}?starttls=1&ca={ca_file}"), composed())

    assert (len(sink.mails), sink.encrypted, sink.logins) == (1, [True], ["cop"])


def test_tls_from_the_first_byte(authority: trustme.CA, ca_file: Path) -> None:
    with SmtpSink(tls=context(authority, "localhost", "127.0.0.1")) as sink:
        mail.send(server_at(f"smtps://127.0.0.1:{sink.port}?ca={ca_file}"), composed())

    assert len(sink.mails) == 1


def test_a_certificate_of_nobody_or_for_another_name_gets_neither_password_nor_mail(
    authority: trustme.CA, ca_file: Path
) -> None:
    unchecked = SmtpSink(starttls=context(authority, "127.0.0.1"), login=("cop", "pw"))
    with unchecked as sink, pytest.raises(SendFailed, match="certificate is not trusted") as failed:
        mail.send(server_at(f"smtp://cop:pw@127.0.0.1:{sink.port}?starttls=1"), composed())
    assert not failed.value.final
    misnamed = SmtpSink(starttls=context(authority, "mail.example"), login=("cop", "pw"))
    with misnamed as other, pytest.raises(SendFailed, match="certificate is not trusted"):
        mail.send(server_at(f"smtp://cop:pw@127.0.0.1:{other.port}?starttls=1&ca={ca_file}"), composed())

    assert sink.raw + other.raw == []
    assert sink.logins + other.logins == []


def test_a_server_that_offers_no_starttls_gets_no_mail() -> None:
    with SmtpSink() as sink, pytest.raises(SendFailed, match="does not offer STARTTLS"):
        mail.send(server_at(f"smtp://127.0.0.1:{sink.port}?starttls=1"), composed())

    assert sink.raw == []


def test_a_wrong_password_may_be_put_right_and_is_not_repeated(authority: trustme.CA, ca_file: Path) -> None:
    locked = SmtpSink(starttls=context(authority, "127.0.0.1"), login=("cop", "right"))
    with locked as sink, pytest.raises(SendFailed, match="535 to the login") as failed:
        mail.send(server_at(f"smtp://cop:canarypw@127.0.0.1:{sink.port}?starttls=1&ca={ca_file}"), composed())

    assert not failed.value.final
    assert "canarypw" not in str(failed.value)


@pytest.mark.parametrize(("answer", "final"), [("451 try later", False), ("554 no spam here", True)])
def test_what_the_server_answers_decides_whether_it_is_tried_again(answer: str, final: bool) -> None:
    with SmtpSink() as sink:
        sink.answers.append(answer)
        with pytest.raises(SendFailed, match=answer[:3]) as failed:
            mail.send(server_at(f"smtp://127.0.0.1:{sink.port}"), composed())

    assert failed.value.final is final


def test_a_mailbox_that_does_not_exist_is_named_even_if_the_others_got_it() -> None:
    with SmtpSink() as sink:
        sink.refused = {"ops@example.com"}
        with pytest.raises(SendFailed, match=r"taken for the others, but .* ops@example\.com \(550\)"):
            mail.send(server_at(f"smtp://127.0.0.1:{sink.port}"), composed())
        sink.refused = set(TO)
        with pytest.raises(SendFailed, match="refused") as failed:
            mail.send(server_at(f"smtp://127.0.0.1:{sink.port}"), composed())

    assert failed.value.final
    assert len(sink.mails) == 1


def test_a_server_that_is_down_is_tried_again() -> None:
    with pytest.raises(SendFailed, match=r"127\.0\.0\.1:1, from AGENTCOP_SMTP_URL .*Connection refused") as failed:
        mail.send(server_at("smtp://127.0.0.1:1"), composed())

    assert not failed.value.final


def test_a_ca_file_that_is_not_there_is_named_as_the_fault(tmp_path: Path) -> None:
    with SmtpSink(), pytest.raises(SendFailed, match="ca of AGENTCOP_SMTP_URL"):
        mail.send(server_at(f"smtps://127.0.0.1:1?ca={tmp_path}/none.pem"), composed())
