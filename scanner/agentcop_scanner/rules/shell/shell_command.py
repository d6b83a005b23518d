"""Text from outside becomes a command of a shell.

## What it does
Follows arguments of tools and endpoints, replies of models, requests and parameters of public functions to
`os.system`, `shell=True`, `create_subprocess_shell`, `sh -c` and the like.

## Why is this bad?
A shell reads `;`, `|`, `$( )` and line ends in the text as commands of its own. Whoever writes the text runs
programs as the user of the agent.

## Example
    @tool
    def ping(host: str) -> str:
        return subprocess.check_output(f"ping -c 1 {host}", shell=True, text=True)

## Use instead
    @tool
    def ping(host: str) -> str:
        return subprocess.check_output(["ping", "-c", "1", "--", host], text=True)

## References
- https://docs.python.org/3/library/subprocess.html#security-considerations
- https://cwe.mitre.org/data/definitions/78.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC111",
    slug="shell-command",
    severity="CRITICAL",
    cwe=(78,),
    asi=(5, 2),
    doc=__doc__,
    danger="shell",
    sinks=(
        Sink(
            calls=("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "commands.getoutput")
        ),
        Sink(calls=("asyncio.create_subprocess_shell", "asyncio.subprocess.create_subprocess_shell"), args=(0, "cmd")),
        Sink(
            calls=(
                "subprocess.run",
                "subprocess.Popen",
                "subprocess.call",
                "subprocess.check_call",
                "subprocess.check_output",
                "anyio.run_process",
                "psutil.Popen",
            ),
            args=(0, "args", "command"),
            given=(("shell", True),),
        ),
        Sink(
            calls=("pexpect.spawn", "pexpect.run", "pexpect.popen_spawn.PopenSpawn", "invoke.run", "fabric.api.local")
        ),
        Sink(calls=(".run_shell", ".subprocess_shell", "plumbum.local", "sh.bash", "sh.sh")),
    ),
    whole={
        **at("CRITICAL", "tool endpoint model request upload"),
        **at("HIGH", "public content"),
        **at("MEDIUM", "unknown"),
        **at("LOW", "operator command self"),
    },
    joined={
        **at("CRITICAL", "tool endpoint model request upload"),
        **at("HIGH", "public content unknown"),
        **at("MEDIUM", "command"),
        **at("LOW", "operator self"),
    },
    cleaners=("shlex.quote", "shlex.join", "pipes.quote", "subprocess.list2cmdline"),
    message="{source} becomes part of a command that {sink} gives to a shell",
    fix="Give the program and its arguments as a list, without a shell; where it needs one, shlex.quote each piece.",
)
