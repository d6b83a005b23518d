"""Text from outside can be an option of a program.

## What it does
Follows text to the arguments of a program that is started without a shell, and to `repo.git`, where nothing before
it ends the options: neither `--`, nor a check for a dash, nor a prefix.

## Why is this bad?
Text that begins with a dash is an option. Many programs have options that run other programs or write files: `git
--upload-pack`, `tar --checkpoint-action`, `find -exec`, `curl -o`.

## Example
    @tool
    def clone(repository: str) -> None:
        subprocess.run(["git", "clone", repository], check=True)

## Use instead
    @tool
    def clone(repository: str) -> None:
        subprocess.run(["git", "clone", "--", repository], check=True)

## References
- https://cwe.mitre.org/data/definitions/88.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC113",
    slug="argument-injection",
    severity="HIGH",
    cwe=(88,),
    asi=(2,),
    doc=__doc__,
    danger="argument",
    sinks=(
        Sink(
            calls=(
                "*.git.clone",
                "*.git.fetch",
                "*.git.diff",
                "*.git.log",
                "*.git.show",
                "*.git.checkout",
                "*.git.pull",
                "*.git.push",
                "*.git.merge",
                "*.git.rebase",
                "*.git.reset",
                "*.git.blame",
                "*.git.archive",
                "*.git.ls_remote",
            ),
            args=("*",),
        ),
        Sink(calls=("git.Repo.clone_from",), args=(0, 1, "multi_options")),
    ),
    whole=at("HIGH", "tool endpoint model request"),
    joined={},
    message="{source} is an argument in {sink} and may be an option",
    fix='Put "--" before it, or refuse text that begins with a dash.',
)
