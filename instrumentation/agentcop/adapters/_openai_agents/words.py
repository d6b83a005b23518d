"""What the OpenAI Agents SDK's objects say: to the agent, to the model, and back."""

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

_REFUSED_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAKEAAAAtAQAAAADuWDa4AAABSklEQVR42s2TsUtCURTGf/d5A8UoaW4PwiHIgjRKKmlqDCJIosmh"
    "IRoip65gu39BS4v/QUQRImHNIeFQIGGQFKGLPun1boP4ntmbqw8uXD4+zvnO+ThC8xMZAy/8ZzZboIFtApZy2agrcVgJnXRr3Z7e"
    "Cxb1zNqSU/fjQt9X9I3e2m6NO9pSJBu5Q6pElbLRX9e69nImF0AChNxuloqGmT1avDLalqMtPScyk+HPuD49Cfa8iV4Wti3B9A9k"
    "YQOYg3swAaputy6GAab+KgvARENDVw+9sujTiqdOerc2svNWCenzpv2Y3gcDXkWs7Ns8rk1siOUDpWNFkDBmSOXPmSFydRmAFel6"
    "CHVfE5FWLmsKhQmjyrdaAAP9jqVI8UAK2urSioOklGRoXuQDVidff5nLJMfjSqB7OHN+WrkT33rt4dstiV+9LG98Afwxf6jtobfO"
    "AAAAAElFTkSuQmCC"
)
"""A picture that says: Blocked by policy. Do not retry; tell the user. A computer's only answer is a screenshot."""

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


def refuse(tool: object, call: ParsedCall, blocked: ToolBlocked) -> object:  # noqa: ARG001 -- interface
    """Its text, for tools whose results are text."""
    return refusal_text(blocked)


def refuse_shell(tool: object, call: ParsedCall, blocked: ToolBlocked) -> object:  # noqa: ARG001 -- interface
    """A command that failed, with the refusal on stderr."""
    module = sys.modules["agents.tool"]
    outcome = module.ShellCallOutcome(type="exit", exit_code=126)
    output = module.ShellCommandOutput(stderr=refusal_text(blocked), outcome=outcome)
    return module.ShellResult(output=[output])


def refuse_patch(tool: object, call: ParsedCall, blocked: ToolBlocked) -> object:  # noqa: ARG001 -- interface
    """An operation that failed."""
    return sys.modules["agents.editor"].ApplyPatchResult(status="failed", output=refusal_text(blocked))


def refuse_computer(tool: object, call: Any, blocked: ToolBlocked) -> object:  # noqa: ANN401, ARG001 -- interface
    """A screenshot of the refusal."""
    image = f"data:image/png;base64,{_REFUSED_PNG}"
    raw = {
        "type": "computer_call_output",
        "call_id": call.call_id,
        "output": {"type": "computer_screenshot", "image_url": image},
        "acknowledged_safety_checks": call.acknowledged,
    }
    item = sys.modules["agents.items"].ToolCallOutputItem(agent=call.agent, output=image, raw_item=raw)
    if call.commit is not None:
        call.commit(item)
    return item


def result_text(result: Any) -> object:  # noqa: ANN401 -- whatever a tool gives
    """The part of a tool's result that its model reads, as far as it is text."""
    pieces = result if isinstance(result, list) else getattr(result, "output", None)
    if isinstance(pieces, list):
        return "".join(text for piece in pieces if isinstance(text := _piece_text(piece), str))
    return pieces if isinstance(pieces, str) else _piece_text(result)


def _piece_text(piece: Any) -> object:  # noqa: ANN401 -- as above
    if isinstance(piece, dict):
        return piece.get("text", piece)
    if hasattr(piece, "stdout"):
        return f"{piece.stdout}{piece.stderr}"
    return getattr(piece, "text", piece)


def said_to_agent(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterable[Observed]:
    """The user's words in what an agent is run with: a text, or a list of items."""
    asked = given(args, kwargs, 1, "input")
    if isinstance(asked, str):
        yield Observed(kind="user", text=asked)
    for item in asked if isinstance(asked, list) else ():
        if isinstance(item, dict) and item.get("role") == "user" and (text := _content(item.get("content"))):
            yield Observed(kind="user", text=text)


def conversation(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:  # noqa: ARG001 -- interface
    """The id of the session that keeps the conversation, or of the conversation that the provider keeps."""
    return str(getattr(kwargs.get("session"), "session_id", None) or kwargs.get("conversation_id") or "")


def told_to_model(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterable[Observed]:
    """The agent's instructions."""
    instructions = given(args, kwargs, 0, "system_instructions")
    if isinstance(instructions, str) and instructions:
        yield Observed(kind="system", text=instructions)


def model_asked(model: Any) -> Model:  # noqa: ANN401 -- the framework is not imported
    """The model's name; the provider where the SDK asks OpenAI's protocol itself."""
    name = getattr(model, "model", None)
    own = type(model).__module__.startswith("agents.models.openai_")
    return Model(name=name if isinstance(name, str) else "", provider="openai" if own else "")


def model_answered(result: Any) -> Answer:  # noqa: ANN401 -- a response, or one event of a stream
    """What a model answered: text, model, tokens. Of a stream the event that ends it says all of that."""
    kind = getattr(result, "type", None)
    if kind is not None:
        if kind not in _ENDS:
            return Answer()
        result = result.response
    usage = getattr(result, "usage", None)
    return Answer(
        text="".join(_message_text(item) for item in getattr(result, "output", ())),
        model=str(getattr(result, "model", "") or ""),
        input_tokens=int(getattr(usage, "input_tokens", 0) or 0),
        output_tokens=int(getattr(usage, "output_tokens", 0) or 0),
    )


def _message_text(item: Any) -> str:  # noqa: ANN401 -- as above
    return _content(getattr(item, "content", None)) if getattr(item, "type", None) == "message" else ""


def _content(content: object) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = (block.get("text") if isinstance(block, dict) else getattr(block, "text", None) for block in blocks)
    return "".join(text for text in texts if isinstance(text, str))


def given(args: tuple[Any, ...], kwargs: Mapping[str, Any], place: int, name: str) -> Any:  # noqa: ANN401 -- untyped
    """One argument of a call, by place or by name; None if it is not there."""
    return args[place] if len(args) > place else kwargs.get(name)
