"""What LangChain's objects say: to the agent, to the model, and back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from agentcop_core.session import Observed
from agentcop_processor.call.refusals import refusal_text
from agentcop_processor.model_call import Answer, Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentcop.adapters._interface import ParsedCall
    from agentcop_core.errors import ToolBlocked

_USERS = frozenset({"user", "human"})
_PROMPTS = frozenset({"system", "developer"})


def refuse(tool: Any, call: ParsedCall, blocked: ToolBlocked) -> object:  # noqa: ANN401 -- the framework is not imported
    """A ToolMessage of status `error` where the call has an id, else its text: as LangChain's own results are."""
    text = refusal_text(blocked)
    if not call.call_id:
        return text
    message = sys.modules["langchain_core.messages"].ToolMessage
    return message(text, tool_call_id=call.call_id, name=tool.name, status="error")


def result_text(result: object) -> object:
    """The part of a tool's result that its model reads."""
    return text_of_content(getattr(result, "content", result))


def text_of_content(content: object) -> object:
    """The text in a message's content, whose blocks may hold other things beside it."""
    if isinstance(content, list) and any(isinstance(block, str | dict) for block in content):
        blocks = (block if isinstance(block, str) else block.get("text", "") for block in content)
        return "".join(block for block in blocks if isinstance(block, str))
    return content


def said_to_agent(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterable[Observed]:
    """The user's words in an agent's input: a text, `{"input": …}`, or messages in any of their forms."""
    given = args[0] if args else kwargs.get("input", kwargs.get("inputs"))
    if isinstance(given, str):
        yield Observed(kind="user", text=given)
    elif isinstance(given, dict):
        for value in given.values():
            if isinstance(value, str):
                yield Observed(kind="user", text=value)
            elif isinstance(value, list | tuple):
                yield from _messages(value, _USERS, "user")


def nothing(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterable[Observed]:  # noqa: ARG001 -- interface
    """For an iterator, which was given its input when it was made."""
    return ()


def agent_iterated(iterator: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> object:  # noqa: ANN401, ARG001 -- interface
    """The agent whose run an iterator is."""
    return iterator.agent_executor


def conversation(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """The `thread_id` that a checkpointer keeps the conversation under, or a message history's `session_id`."""
    config = args[1] if len(args) > 1 else kwargs.get("config")
    configurable = config.get("configurable") if isinstance(config, dict) else None
    if not isinstance(configurable, dict):
        return ""
    return str(configurable.get("thread_id") or configurable.get("session_id") or "")


def told_to_model(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterable[Observed]:
    """The system prompts in what a model is asked: messages, lists of them, or a prompt value."""
    given = args[0] if args else kwargs.get("messages", kwargs.get("input", ()))
    given = given.to_messages() if hasattr(given, "to_messages") else given
    if isinstance(given, list | tuple):
        for each in given:
            yield from _messages(each if isinstance(each, list) else (each,), _PROMPTS, "system")


def _messages(messages: Iterable[Any], roles: frozenset[str], kind: Any) -> Iterable[Observed]:  # noqa: ANN401 -- a Literal
    for message in messages:
        role: object
        if isinstance(message, dict):
            role, content = message.get("role", message.get("type")), message.get("content")
        elif isinstance(message, tuple) and len(message) == 2:  # noqa: PLR2004 -- (role, content)
            role, content = message
        elif isinstance(message, str):
            role, content = "user", message
        else:
            role, content = getattr(message, "type", ""), getattr(message, "content", "")
        text = text_of_content(content)
        if role in roles and isinstance(text, str) and text:
            yield Observed(kind=kind, text=text)


def model_asked(model: Any) -> Model:  # noqa: ANN401 -- the framework is not imported
    """The model's name and provider, as the integration calls them."""
    described = model._get_ls_params() if hasattr(model, "_get_ls_params") else {}  # noqa: SLF001 -- what LangChain's own tracers read
    name = described.get("ls_model_name") or getattr(model, "model_name", None) or getattr(model, "model", None)
    return Model(name=name if isinstance(name, str) else "", provider=str(described.get("ls_provider") or ""))


def model_answered(result: Any) -> Answer:  # noqa: ANN401 -- an LLMResult, a message, or a piece of one
    """What a model answered: text, model, tokens, why it ended."""
    generations = getattr(result, "generations", None)
    if generations is None:
        return _message(result)
    answer = Answer()
    for generation in (each for batch in generations for each in batch):
        answer.add(_message(getattr(generation, "message", generation)))
    if not answer.input_tokens and not answer.output_tokens:
        usage = (getattr(result, "llm_output", None) or {}).get("token_usage") or {}
        answer.input_tokens = int(usage.get("prompt_tokens") or 0)
        answer.output_tokens = int(usage.get("completion_tokens") or 0)
    return answer


def _message(message: Any) -> Answer:  # noqa: ANN401 -- as above
    described = getattr(message, "response_metadata", None) or getattr(message, "generation_info", None) or {}
    usage = getattr(message, "usage_metadata", None) or {}
    text = message if isinstance(message, str) else text_of_content(getattr(message, "content", None))
    if not isinstance(text, str):
        text = getattr(message, "text", "")
    reason = described.get("finish_reason") or described.get("stop_reason")
    return Answer(
        text=text if isinstance(text, str) else "",
        model=str(described.get("model_name") or described.get("model") or ""),
        finish_reasons=[str(reason)] if reason else [],
        input_tokens=int(usage.get("input_tokens") or 0),
        output_tokens=int(usage.get("output_tokens") or 0),
    )
