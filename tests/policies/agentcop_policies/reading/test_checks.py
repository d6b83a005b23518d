"""Keys that only make sense together are checked together."""

from __future__ import annotations

import pytest

from policytext import policy, problems

GATE = "gate: {allow: [a]}\n"


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("gate: {allow: [a], limits: [{tokens: 3, max_calls: 2, per: run}]}", "2:29 a limit has one of max_calls"),
        (
            "gate: {allow: [a], limits: [{per: run}]}",
            "2:29 a limit has one of max_calls, sum with max, or tokens; this",
        ),
        ("gate: {allow: [a], limits: [{sum: args.x, per: run}]}", "2:29 sum and max belong together"),
        ("gate: {allow: [a], limits: [{sum: amount, max: 3, per: run}]}", "2:29 sum names an argument, as args.amount"),
        ("gate: {allow: [a], taint: {sources: [], sinks: [b]}}", "2:37 gate.taint.sources names no tool"),
        ("gate: {allow: [a], flows: [{after: 'x(y)', then: b}]}", '2:36 "x(y)" is not a tool\'s name'),
        (GATE + "sandbox: {memory: 64}", "3:19 64 bytes hold no Python: write 32MiB or more"),
        (GATE + "sandbox: {cpus: 0.000000001}", "3:17 1e-09 is less of a processor than can be given"),
        (GATE + "sandbox: {pids: 2}", "3:17 a box alone has 3 processes and threads"),
        (GATE + "sandbox: {pids: 1, network: none}", "3:17 a box alone has 2 processes and threads"),
        (GATE + "sandbox: {max_result: 17MiB}", "3:23 no more than 16MiB can leave a box"),
        (GATE + "sandbox: {max_stdout: 1GiB}", "3:23 no more than 16MiB can leave a box"),
        (GATE + "sandbox: {pool: 17}", "3:17 no more than 16 boxes wait"),
        (GATE + "sandbox: {timeout: 31d}", "3:20 no call may take longer than 30d"),
        (
            GATE + f"sandbox: {{mode: process, image_digest: 'sha256:{'a' * 64}'}}",
            "3:40 image_digest is for mode: container",
        ),
        (
            GATE + "sandbox: {image_digest: 'sha256:abf69d666433'}",
            "3:25 expected the whole id, sha256: and 64 hex digits",
        ),
        (GATE + "sandbox: {mode: process, runtime: runsc}", "3:35 runtime is for mode: container"),
        (GATE + "approvals: {required: 2, approvers: [a]}", "3:23 2 must agree, but only 1 may answer"),
        (GATE + "monitor: {links: {trace: 'http://x/'}}", "3:26 monitor.links.trace needs {trace_id}"),
        (GATE + "monitor: {alert_channels: [{type: slack}]}", "3:35 a slack channel has either webhook, or token"),
        (
            GATE + "monitor: {alert_channels: [{type: slack, token: x}]}",
            "3:49 a slack channel with a token needs channel",
        ),
        (GATE + "monitor: {alert_channels: [{type: email, url: 'https://x'}]}", '3:47 "url" belongs to type: webhook'),
        (GATE + "monitor: {alert_channels: [{type: webhook, url: x}]}", "3:49 url is an address"),
        (GATE + "monitor: {alert_channels: [{type: webhook, url: '${A'}]}", '3:49 "${A": secrets are written ${NAME}'),
        (GATE + "monitor: {alert_channels: [{type: email, to: nobody}]}", '3:46 "nobody" is no mail address'),
        (GATE + "monitor: {alert_channels: [{type: email, to: [a@b.c, 'a b@c']}]}", '3:54 "a b@c" is no mail address'),
        (GATE + "monitor: {alert_channels: [{type: email, to: a@b.c, from: '@'}]}", '3:59 "@" is no mail address'),
        (GATE + "environment: ${ENV}", "3:14 ${…} is filled in for monitor.alert_channels, monitor.links"),
        (GATE + "environment: production\nsandbox: {mode: none}", "4:17 mode: none in environment: production needs"),
        ("gate: {allow: [{tool: a, when: '1'}]}\nenvironment: \"\\uD800\"", '3:14 "\\ud800" holds half of a character'),
        ('gate: {allow: [{tool: a, when: "\\uD800"}]}', '2:32 "\\ud800" holds half of a character'),
        (
            GATE + "sandbox: {network: {allow: [x]}}",
            '3:29 expected host:port, got "x": it is not host:port, as example.com:443 is',
        ),
        (
            GATE + "sandbox: {network: {allow: ['*.a.com:1']}}",
            '3:29 expected host:port, got "*.a.com:1": there are no wild',
        ),
        (GATE + "sandbox: {env: [A-B]}", '3:17 expected a variable\'s name, got "A-B"'),
        (GATE + "sandbox: {mounts: [a]}", '3:20 expected SOURCE:/TARGET, with :ro or :rw, got "a"'),
    ],
)
def test_keys_that_contradict_each_other_are_errors(section: str, problem: str) -> None:
    lines = problems("agent_id: x\n" + section + "\n")

    assert any(line.startswith(f"policy.yaml:{problem}") for line in lines), lines


@pytest.mark.parametrize(
    ("section", "warning"),
    [
        ("environment: Production", 'only environment: production switches on its refusals; this is "Production"'),
        (
            "environment: production\napprovals: {local: true}",
            "approvals.local does not count in environment: production",
        ),
        ("sandbox: {mode: process, cpus: 2}", "mode: process does not limit processors: sandbox.cpus has no effect"),
    ],
)
def test_what_will_not_do_what_it_says_is_a_warning(section: str, warning: str) -> None:
    loaded = policy("agent_id: x\n" + GATE + section + "\n")

    assert any(warning in line for line in loaded.warnings), loaded.warnings


def test_nothing_is_said_of_processors_where_the_policy_says_nothing_of_them() -> None:
    assert not policy(f"agent_id: x\n{GATE}sandbox: {{mode: process}}\n").warnings


@pytest.mark.parametrize("address", ["a@b.c", "Ann Lee <ann.lee+x@example.com>", "${MAIL}", "ops-${TEAM}@example.com"])
def test_what_may_be_a_mail_address_passes(address: str) -> None:
    loaded = policy(f"agent_id: a\n{GATE}monitor: {{alert_channels: [{{type: email, to: '{address}'}}]}}")
    assert loaded.document.monitor is not None
    assert loaded.document.monitor.alert_channels[0].to == (address,)


def test_a_wrong_type_hides_nothing_else_of_its_channel_or_of_another() -> None:
    found = "\n".join(
        problems(
            GATE
            + "monitor: {alert_channels: [{type: slak, webhook: x, to: nobody, more: 1}, {type: webhook}, {type: email,"
            " to: a@b.c, url: y}]}"
        )
    )
    for problem in (
        "expected slack, email or webhook",
        "webhook is an address",
        '"nobody" is no mail address',
        '"more"',
        "a webhook channel needs url",
        '"url" belongs to type: webhook',
    ):
        assert problem in found, found
