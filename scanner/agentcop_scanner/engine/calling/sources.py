"""Calls that bring text from outside: replies of models and servers, rows, files, the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling.callsite import CallSite, name_words, spelled
from agentcop_scanner.engine.values.value import UNKNOWN, Origin, OriginKind, Taint, Taints, Value
from agentcop_scanner.source.python.tools import last
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Callable

_SURE_MODEL_METHODS = words(
    "predict apredict generate_content generate_content_async predict_messages chat_completion structured_predict"
    " create_chat_completion llm_response llm_response_async generate_reply query_llm acomplete apredict_messages"
)
_MODEL_METHODS = _SURE_MODEL_METHODS | words(
    "invoke ainvoke complete chat achat generate agenerate create acreate call_model text_completion completion"
    " acompletion ask agenerate_text generate_text get_response respond arespond"
)
_RUN_METHODS = words("run arun call acall batch abatch stream astream query __call__")
"""Of a model when the object is called one; of anything else they are anything."""
_MODEL_NAMES = words(
    "llm model chain chat predictor openai anthropic gpt claude gemini lm completions messages responses"
    " completion agent ollama mistral groq litellm bedrock cohere assistant brain generator"
)
_RUN_NAMES = words("llm chain chat agent predictor lm")
_MODEL_CALLS = words(
    "litellm.completion litellm.acompletion openai.ChatCompletion.create openai.Completion.create ollama.chat"
    " ollama.generate dspy.Predict completion_with_retry"
)
_REPLY_METHODS = words("get post put patch request send head aget apost stream")
_REPLY_NAMES = words("requests httpx aiohttp session client http urllib3 scraper")
_REPLY_CLASSES = words("Session AsyncClient Client ClientSession PoolManager")
_REPLIES = words("urllib.request.urlopen urllib.request.urlretrieve requests.get requests.post httpx.get httpx.post")
_ROWS = words("fetchall fetchone fetchmany fetchval fetchrow scalars")
_READS = words("read readline readlines read_text read_bytes recv recv_string recv_pyobj recv_json getvalue")
_OPERATOR = words(
    "os.getenv os.environ.get input getpass.getpass sys.stdin.read click.prompt typer.prompt"
    " argparse.ArgumentParser.parse_args"
)
_FROM_OUTSIDE = ("upload", "request", "content", "model")


def unknown_taints(line: int = 0) -> Taints:
    """The origin of what nothing is known of; `line` tells it from others."""
    return {Origin("unknown", "", "", line) if line else UNKNOWN: Taint()}


def source(site: CallSite, kind: OriginKind, what: str = "", is_a: str = "") -> Value:
    """Text that this call brings from outside."""
    return Value({Origin(kind, what or site.shown, "", site.node.lineno): Taint()}, is_a=is_a)


def named(site: CallSite) -> Value | None:
    """What a function of a known name brings; None if it brings nothing."""
    if site.dotted in _OPERATOR:
        return source(site, "operator", is_a="operator")
    if site.dotted in _MODEL_CALLS:
        return source(site, "model")
    if site.dotted in _REPLIES:
        return source(site, "content", is_a="reply")
    return None


def of_method(site: CallSite, receiver: Value) -> Value | None:
    """What a method brings, by its name and that of its object; None if it brings nothing."""
    found = _BY_METHOD.get(site.method)
    if found is not None:
        return found(site, receiver)
    if is_model(site):
        return source(site, "model", f"the reply of {spelled(site.node.func)}"[:60])
    return source(site, "content", is_a="reply") if replies(site) else None


def _read(site: CallSite, receiver: Value) -> Value:
    """What is read out of a file, a socket, a reply."""
    if any(origin.kind in _FROM_OUTSIDE for origin in receiver.taints):
        return Value(receiver.taints)
    return source(site, "content", "what is read there")


def _row(site: CallSite, _receiver: Value) -> Value:
    return source(site, "content", "a row of a database")


def _command_line(site: CallSite, _receiver: Value) -> Value:
    return source(site, "operator", "the command line")


def replies(site: CallSite) -> bool:
    """Whether a call is one of a client of a server."""
    if site.method not in _REPLY_METHODS:
        return False
    if site.receiver is not None and last(site.receiver.is_a) in _REPLY_CLASSES:
        return True
    return bool(name_words(spelled(site.node.func).rpartition(".")[0]) & _REPLY_NAMES)


def is_model(site: CallSite) -> bool:
    """Whether a call asks a model."""
    name = site.method
    if name in _SURE_MODEL_METHODS:
        return True
    if name not in _MODEL_METHODS and name not in _RUN_METHODS:
        return False
    spoken = name_words(spelled(site.node.func).rpartition(".")[0])
    return bool(spoken & (_RUN_NAMES if name in _RUN_METHODS else _MODEL_NAMES))


_BY_METHOD: dict[str, Callable[[CallSite, Value], Value]] = {
    **dict.fromkeys(_READS, _read),
    **dict.fromkeys(_ROWS, _row),
    **dict.fromkeys(("parse_args", "parse_known_args"), _command_line),
}
