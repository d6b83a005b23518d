"""What a model is offered that runs at its provider, where no call of it can be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcop._seams.held import is_held
from agentcop._seams.patches import look_again
from agentcop.adapters._interface import Offer
from agentcop.adapters._openai_agents.kinds import BODIES, TOOLS, runs_here
from agentcop.adapters._openai_agents.words import given
from agentcop.adapters._places import is_any

if TYPE_CHECKING:
    from collections.abc import Iterator


def offers(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Offer]:
    """What a model is offered that runs at its provider.

    That is every tool of a kind that does not run here, what the request's raw fields bring along, and a prompt that
    is stored at the provider, with whatever tools it has there.
    """
    for tool in given(args, kwargs, 3, "tools") or ():
        for name, (attribute, *_) in ((name, held) for name, held in BODIES.items() if held):
            if is_any(tool, (TOOLS, name)) and not is_held(type(tool), attribute):
                look_again(type(tool))
        if not runs_here(tool):
            yield Offer(name=str(getattr(tool, "name", type(tool).__name__)), configuration=_configuration(tool))
    settings = given(args, kwargs, 2, "model_settings")
    prompts = [kwargs.get("prompt")]
    for raw in (getattr(settings, "extra_body", None), getattr(settings, "extra_args", None)):
        fields = dict(raw or ())
        prompts.append(fields.get("prompt"))
        for tool in fields.get("tools") or ():
            yield Offer(name=str(tool.get("type")), configuration=tool)
        if (searching := fields.get("web_search_options")) is not None:
            yield Offer(name="web_search", configuration=searching)
    for prompt in prompts:
        if prompt is not None:
            yield Offer(name="stored_prompt", configuration=dict(prompt))


def _configuration(tool: Any) -> dict[str, Any]:  # noqa: ANN401 -- the framework is not imported
    """What the application has set of a tool; the provider's own form of it, where that is what the tool holds."""
    fields = {key: value for key, value in vars(tool).items() if value is not None and not callable(value)}
    own = fields.pop("tool_config", None)
    return {**fields, **dict(own)} if isinstance(own, dict) else fields
