"""Bytes become objects, and objects run code.

## What it does
Finds `pickle.loads`, `dill`, `joblib.load`, `marshal`, `shelve`, `recv_pyobj`, `jsonpickle` and `yaml.load` without
a safe loader on anything but constants.

## Why is this bad?
A pickle is a program that the unpickler runs. A cache, a file in a shared folder or the reply of a sandbox that an
attacker can write is therefore code in the agent's own process.

## Example
    result = pickle.loads(base64.b64decode(reply["value"]))

## Use instead
    result = json.loads(reply["value"])

## References
- https://docs.python.org/3/library/pickle.html
- https://cwe.mitre.org/data/definitions/502.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC161",
    slug="unsafe-deserialisation",
    severity="HIGH",
    cwe=(502,),
    asi=(5, 6),
    doc=__doc__,
    danger="object",
    fixable=True,
    sinks=(
        Sink(
            calls=(
                "pickle.loads",
                "pickle.load",
                "pickle.Unpickler",
                "_pickle.loads",
                "cPickle.loads",
                "cPickle.load",
                "cloudpickle.loads",
                "cloudpickle.load",
                "dill.loads",
                "dill.load",
                "marshal.loads",
                "marshal.load",
                "joblib.load",
                "jsonpickle.decode",
                "jsonpickle.loads",
                "shelve.open",
                "pandas.read_pickle",
            ),
        ),
        Sink(calls=(".recv_pyobj",), args=(-1,)),
        Sink(
            calls=("yaml.load", "yaml.load_all"),
            unless=(
                ("Loader", "=yaml.SafeLoader"),
                ("Loader", "=yaml.CSafeLoader"),
                ("Loader", "=yaml.loader.SafeLoader"),
                ("Loader", "=yaml.BaseLoader"),
            ),
        ),
        Sink(calls=("yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.full_load", "ruamel.yaml.load")),
    ),
    whole=at("HIGH", "tool endpoint model request upload content public unknown self command operator"),
    joined=at("HIGH", "tool endpoint model request upload content public unknown self command operator"),
    cleaners=("pickle.dumps", "cloudpickle.dumps", "dill.dumps", "marshal.dumps"),
    message="{source} becomes objects in {sink}",
    fix="Use JSON, or yaml.safe_load; where objects are needed, sign the bytes and check the signature first.",
)
