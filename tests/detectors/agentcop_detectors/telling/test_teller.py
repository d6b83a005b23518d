"""The teller: a person hears of what was found, and the database never says more than is true."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from agent_spans import a_frame, a_run, a_step, ident, write
from agentcop_alerts.outbox import Outbox
from agentcop_alerts.rollup import WINDOW
from agentcop_alerts.sinks.slack_bot import API
from agentcop_detectors.segments.log import SegmentLog
from agentcop_detectors.segments.spans import SpanStore
from alerts import BOT, EMAIL, SLACK, WEBHOOK
from policytext import policy
from slack_server import BOT_TOKEN, SlackServer, words
from smtp_sink import SmtpSink
from telling import Told, found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEAD = "{type: webhook, url: '${DEAD}'}"


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture
def environ(server: SlackServer) -> dict[str, str]:
    return {"HOOK": server.url, "URL": server.hook, "TOKEN": BOT_TOKEN, API: server.api}


def test_what_was_found_is_told_with_its_run_and_the_row_says_sent(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    told = Told(tmp_path, environ, SLACK, page_link="http://cop/runs/{trace_id}")
    run = a_run(
        a_step(0, kind="agent", name="billing"),
        a_step(1, arguments='{"q":"cats"}'),
        a_step(2, name="send_email", verdict="block", rule="gate.block[0]"),
        session_id="s 1",
    )
    told.find(found(), run=run)

    (message,) = server.messages
    text = words(message)
    assert "[critical] Tool call without a verdict: search by billing" in text
    assert "a tool call that no gate judged" in text
    assert "→ +1.0 s  search  no verdict  1.0 s  {" in text
    assert "send_email  BLOCKED by gate.block[0]" in text
    assert "agentcop alerts show 1" in text
    assert f"<http://cop/runs/{ident(1, 16).hex()}|Open run>" in text
    assert told.told() == ["sent"]
    told.end()


def test_the_agents_own_policy_says_who_hears_of_it_and_the_default_hears_of_the_others(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    own = policy(f"agent_id: billing\nmonitor: {{alert_channels: [{WEBHOOK}]}}\ngate: {{allow: [a]}}\n")
    told = Told(tmp_path, environ, SLACK, policies={"billing": own})
    told.find(found(1), found(2, agent_id="other"))

    assert [each["agent_id"] for each in server.posted] == ["billing"]
    assert ["other" in words(each) for each in server.messages] == [True]
    assert told.told() == ["sent", "sent"]
    told.end()


def test_where_nobody_is_named_or_severe_enough_the_row_says_nobody(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    told = Told(tmp_path, environ)
    told.find(found(1))
    picky = Told(tmp_path, environ, "{type: slack, webhook: '${HOOK}', min_severity: critical}")
    picky.find(found(2, severity="high"))

    assert told.told() == ["nobody", "nobody"]
    assert server.messages == []
    told.end()
    picky.end()


def test_a_channel_that_is_down_leaves_it_spooled_and_it_is_sent_after_a_restart(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    server.stop()
    told = Told(tmp_path, environ, SLACK)
    told.find(found())
    assert told.told() == ["spooled"]
    told.end()

    server.start()
    again = Told(tmp_path, environ, SLACK)
    again.now += 60
    again.teller.start()
    server.wait_for(1)
    assert again.teller.rest(30)
    assert again.told() == ["sent"]
    again.end()


def test_a_channel_that_refuses_for_good_leaves_it_failed(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    server.answers = [(404, {}, "no_service")]
    told = Told(tmp_path, environ, SLACK)
    told.find(found())

    assert told.told() == ["failed"]
    told.end()


def test_a_secret_that_is_not_set_leaves_it_failed(tmp_path: Path) -> None:
    told = Told(tmp_path, {}, SLACK)
    told.find(found())

    assert told.told() == ["failed"]
    told.end()


def test_one_channel_of_two_that_takes_it_is_enough_whatever_the_order(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    told = Told(tmp_path, {**environ, "DEAD": "ftp://nowhere"}, DEAD, SLACK, WEBHOOK)
    told.find(found())

    assert told.told() == ["sent"]
    told.end()


def test_a_channel_that_failed_is_no_failure_while_another_still_tries(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    server.stop()
    told = Told(tmp_path, {**environ, "DEAD": "ftp://nowhere"}, DEAD, SLACK)
    told.find(found())

    assert told.told() == ["spooled"]
    told.end()


def test_what_a_kill_left_untold_is_told_once_at_the_next_start_with_its_spans_from_the_segments(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    log = SegmentLog(tmp_path / "segments", segment_bytes=100_000)
    log.open()
    write(log, [a_frame([a_step(1, arguments='{"q":"dogs"}')])])
    log.close()
    killed = Told(tmp_path, environ, SLACK)
    killed.commit(found())
    killed.engine.dispose()

    for _ in range(2):
        again = Told(tmp_path, environ, SLACK, spans=SpanStore(tmp_path / "segments"))
        again.teller.start()
        assert again.teller.rest(30)
        assert again.told() == ["sent"]
        again.end()

    (message,) = server.messages
    assert '{"q":"dogs"}' in words(message)


def test_a_kill_between_the_answer_and_the_note_of_it_is_found_in_the_spool(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    told = Told(tmp_path, environ, SLACK)
    told.find(found())
    told.store.mark_told([1], "spooled", told.now)
    told.end()

    again = Told(tmp_path, environ, SLACK)
    again.teller.start()
    assert again.teller.rest(30)

    assert again.told() == ["sent"]
    assert len(server.messages) == 1
    again.end()


def test_a_spool_that_outlives_its_database_says_nothing_about_the_next_one(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    told = Told(tmp_path, environ, SLACK)
    told.find(found(1))
    told.end()
    for path in tmp_path.glob("detector.db*"):
        path.unlink()

    again = Told(tmp_path, environ, SLACK)
    again.commit(found(2, tool="other", key="another finding"))
    again.teller.start()
    assert again.teller.rest(30)

    assert len(server.messages) == 2
    assert again.told() == ["sent"]
    again.end()


def test_the_rest_of_a_window_is_one_message_and_only_then_the_rows_say_so(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    told = Told(tmp_path, environ, BOT)
    told.find(*(found(number) for number in range(20)))
    assert told.told() == ["sent"] + ["pending"] * 19

    told.pass_time(WINDOW)

    assert ["(19 more)" in each["text"] for each in server.said] == [False, True]
    assert server.said[1]["thread_ts"] == server.said[0]["ts"]
    assert told.told() == ["sent"] + ["rolled_up"] * 19
    told.end()


def test_what_was_only_counted_when_the_process_was_killed_is_counted_again(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    killed = Told(tmp_path, environ, SLACK)
    killed.find(*(found(number) for number in range(5)))
    killed.engine.dispose()  # and nothing is closed

    again = Told(tmp_path, environ, SLACK)
    again.now += 10
    again.teller.start()
    assert again.teller.rest(30)
    again.pass_time(WINDOW)

    assert "(4 more)" in server.messages[-1]["text"]
    assert len(server.messages) == 2
    assert again.told() == ["sent"] + ["rolled_up"] * 4
    again.end()


def test_a_bad_deploy_on_a_hundred_agents_is_one_message_that_names_them(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    told = Told(tmp_path, environ, SLACK)
    told.find(*(found(number, agent_id=f"agent-{number:03d}") for number in range(100)))

    (message,) = server.messages
    assert "this rule fired on 100 agents within ten minutes: agent-000, agent-001" in words(message)
    told.pass_time(WINDOW)
    assert set(told.told()) == {"sent", "rolled_up"}
    told.end()


def test_agents_with_other_channels_are_told_of_apart(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    own = policy(f"agent_id: a0\nmonitor: {{alert_channels: [{WEBHOOK}]}}\ngate: {{allow: [a]}}\n")
    told = Told(tmp_path, environ, SLACK, policies={"a0": own})
    told.find(*(found(number, agent_id=f"a{number}") for number in range(6)))

    assert [each["agent_id"] for each in server.posted] == ["a0"]
    assert "this rule fired on 5 agents" in words(server.messages[0])
    told.end()


def test_beyond_the_days_budget_nothing_goes_out_but_what_is_graver_and_the_rest_comes_as_a_digest(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    told = Told(tmp_path, environ, SLACK, more="  max_alerts_per_day: 3\n")
    for number in range(5):
        told.find(found(number, check="new_tool", severity="medium", tool=f"t{number}"))
    told.find(found(9, tool="grave"))
    assert len(server.messages) == 4
    assert told.told() == ["sent"] * 3 + ["digest"] * 2 + ["sent"]

    told.pass_time(86_400)
    told.pass_time(61)

    assert len(server.messages) == 5
    digest = words(server.messages[-1])
    assert "Daily digest of billing" in digest
    assert "2 alerts went over the budget" in digest
    assert "1 times medium new_tool on t3" in digest
    assert told.told() == ["sent"] * 6
    told.end()


def test_a_restart_gives_no_budget_anew(tmp_path: Path, server: SlackServer, environ: dict[str, str]) -> None:
    for number in range(4):
        told = Told(tmp_path, environ, SLACK, more="  max_alerts_per_day: 2\n")
        told.teller.start()
        told.find(found(number, tool=f"t{number}"))
        told.end()

    assert len(server.messages) == 2


def test_the_scorer_goes_on_while_a_channel_hangs(tmp_path: Path, server: SlackServer, environ: dict[str, str]) -> None:
    server.hold = threading.Event()
    told = Told(tmp_path, environ, SLACK)
    told.teller(told.commit(*(found(number, tool=f"t{number}") for number in range(200))))
    assert server.messages == []

    server.hold.set()
    assert told.teller.rest(60)
    assert len(server.messages) == 20
    told.end()


def test_the_mail_carries_the_run_as_a_file(tmp_path: Path) -> None:
    with SmtpSink() as sink:
        told = Told(tmp_path, {"AGENTCOP_SMTP_URL": f"smtp://127.0.0.1:{sink.port}"}, EMAIL)
        told.find(found(), run=a_run(a_step(1, arguments='{"q":"cats"}', result="three cats")))

        (mail,) = sink.mails
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == f"run-{ident(1, 16).hex()}.json"
    run = json.loads(attached.get_content())
    assert run["found"]["check"] == "unenforced_call"
    assert [(step["name"], step["arguments"], step["result"]) for step in run["steps"]] == [
        ("search", '{"q":"cats"}', "three cats")
    ]
    assert [item.run for item in Outbox(tmp_path / "alerts").items("sent")] == [""]
    told.end()


def test_an_agents_leftovers_go_out_where_its_policy_is_known(
    tmp_path: Path, server: SlackServer, environ: dict[str, str]
) -> None:
    from agentcop_alerts.sender import AlertSender
    from alerts import alert, route

    server.stop()
    agent = AlertSender(tmp_path / "alerts", environ=environ)
    agent.submit(alert(), route(SLACK))
    agent.close(5)
    server.start()

    own = policy(f"agent_id: billing\nmonitor: {{alert_channels: [{SLACK}]}}\ngate: {{allow: [a]}}\n")
    told = Told(tmp_path, environ, policies={"billing": own})
    told.now += 10**9
    told.teller.start()
    assert told.teller.rest(30)

    assert len(server.wait_for(1)) == 1
    told.end()
