"""Text from outside is a template.

## What it does
Follows text that becomes the template itself, not a value in it: `jinja2.Template(text)`,
`Environment().from_string(text)`, Mako, `render_template_string`.

## Why is this bad?
A template is a program. Jinja reaches every attribute of what is in it and from there the interpreter; Mako holds
Python as it stands.

## Example
    template = jinja2.Template(prompt_from_user)
    return template.render(context)

## Use instead
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment()
    return environment.from_string(prompt_from_user).render(context)

## References
- https://jinja.palletsprojects.com/en/stable/sandbox/
- https://cwe.mitre.org/data/definitions/1336.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC151",
    slug="template-injection",
    severity="HIGH",
    cwe=(1336, 94),
    asi=(5,),
    doc=__doc__,
    danger="template",
    sinks=(
        Sink(
            calls=(
                "jinja2.Template",
                "jinja2.environment.Template",
                "mako.template.Template",
                "tornado.template.Template",
            )
        ),
        Sink(
            calls=(
                "flask.render_template_string",
                "jinja2.nativetypes.NativeTemplate",
                "bottle.template",
                "chevron.renderer",
            )
        ),
        Sink(
            calls=(
                "jinja2.Environment.from_string",
                "jinja2.nativetypes.NativeEnvironment.from_string",
                "jinja2.environment.Environment.from_string",
                "jinja2.Environment.compile_expression",
                "jinja2.NativeEnvironment.from_string",
            )
        ),
        Sink(
            calls=(".from_string",),
            receivers=frozenset({"env", "environment", "jinja", "jinja2", "template", "templates"}),
            spares=frozenset({"sandbox", "sandboxed"}),
        ),
    ),
    whole={**at("HIGH", "tool endpoint model request upload public content"), **at("MEDIUM", "unknown self")},
    joined={**at("HIGH", "tool endpoint model request upload public content"), **at("MEDIUM", "unknown self")},
    message="{source} becomes a template in {sink}",
    fix="Use jinja2.sandbox.ImmutableSandboxedEnvironment, or a template language without code.",
)
