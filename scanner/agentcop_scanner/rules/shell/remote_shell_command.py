"""Text is put into a command for a remote or sandboxed shell.

## What it does
Follows text that is joined into the command of `exec_run`, `exec_command`, `run_command` and the like: containers,
SSH, remote sandboxes.

## Why is this bad?
The far side reads the line with a shell. A package name or path with `;` in it runs more than was meant there, with
the secrets and mounts of that machine.

## Example
    sandbox.commands.run(f"pip install {' '.join(packages)}")

## Use instead
    sandbox.commands.run("pip install -- " + " ".join(shlex.quote(package) for package in packages))

## References
- https://cwe.mitre.org/data/definitions/78.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC112",
    slug="remote-shell-command",
    severity="HIGH",
    cwe=(78,),
    asi=(5,),
    doc=__doc__,
    danger="shell",
    sinks=(
        Sink(
            calls=(
                ".exec_run",
                ".exec_command",
                ".run_command",
                ".execute_command",
                ".run_cmd",
                ".exec_create",
                ".run_bash",
                ".run_sh",
                ".execute_shell",
                ".run_shell_command",
                ".check_output",
            ),
            args=(0, "command", "cmd"),
        ),
        Sink(
            calls=(".run", ".execute", ".exec", ".process_exec", ".sudo", ".start_and_wait"),
            args=(0, 1, "command", "cmd"),
            receivers=frozenset(
                {
                    "commands",
                    "sandbox",
                    "container",
                    "ssh",
                    "shell",
                    "executor",
                    "terminal",
                    "process",
                    "kernel",
                    "compute",
                    "remote",
                    "vm",
                    "instance",
                    "machine",
                    "workspace",
                    "docker",
                }
            ),
            looks="command",
        ),
        Sink(calls=("docker.DockerClient.containers.run",), args=(1, "command")),
    ),
    whole={},
    joined={**at("HIGH", "tool endpoint model request upload public"), **at("MEDIUM", "unknown content self")},
    message="{source} is put unquoted into the command of {sink}",
    fix="Quote each piece with shlex.quote, or give a list.",
)
