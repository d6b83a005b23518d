"""A LangChain tool that is a class, made again elsewhere: the arguments that its class is to be given."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from agentcop_core.redact import Redactor

if TYPE_CHECKING:
    from agentcop_processor.sandbox.parcel import NotShippable

_REDACTOR = Redactor()
_SECRETS = frozenset({"SecretStr", "SecretBytes"})
"""Pydantic's own."""
_OUTSIDE = frozenset({"args_schema", "callbacks", "handle_tool_error", "handle_validation_error", "verbose"})
"""What LangChain reads around the body."""
_PLAIN = (type(None), bool, int, float, str, bytes)
_MISSING = object()
_GENERATED = "init_private_attributes"
"""What pydantic gives a class with private attributes and no `model_post_init` of its own."""


def init_of(tool: Any) -> dict[str, object]:  # noqa: ANN401 -- the framework is not imported
    """What differs from what the class has by itself. Plain values, no secrets. Raises NotShippable."""
    cls = type(tool)
    if getattr(tool, "__pydantic_extra__", None):
        raise _not(tool, "it holds fields that its class does not declare", "declare them")
    init = {}
    for name, field in cls.model_fields.items():
        value = vars(tool).get(name, _MISSING)
        if value is _MISSING or name in _OUTSIDE:
            continue
        plain = _is_plain(value)
        secret = type(value).__name__ in _SECRETS or (plain and _is_secret(name, value))
        if _equal(value, _default(field)) and not (plain and not secret and _asks(cls, field)):
            continue
        if secret:
            way = "leave it unset and use `sandbox.secrets` or `sandbox.env`"
            raise _not(tool, f"its field {name} is a secret, and none goes into a box", way)
        if not plain:
            raise _not(tool, f"its field {name} is no plain value and not the default", "make it from plain values")
        init[_called(tool, name, field)] = value
    _check_private(tool)
    _check_takes(tool, init)
    return init


def _asks(cls: type, field: Any) -> bool:  # noqa: ANN401 -- pydantic's
    """Whether the default is what a function finds, which may find something else in a box."""
    made = field.default_factory
    return made is not None and not isinstance(made, type) and _is_frameworks(cls, "__init__")


def _called(tool: Any, name: str, field: Any) -> str:  # noqa: ANN401 -- as above
    """The argument that a field is made of."""
    alias = field.validation_alias or field.alias or name
    choices = getattr(alias, "choices", (alias,))
    for each in choices:
        if isinstance(each, str):
            return each
    raise _not(tool, f"its field {name} is made of a part of something else", "give it an alias that is a name")


def _default(field: Any) -> object:  # noqa: ANN401 -- pydantic's
    try:
        return field.get_default(call_default_factory=True)
    except Exception:  # a factory that asks for more than its class has, or for a service
        return _MISSING


def _equal(value: object, default: object) -> bool:
    if value is default:
        return True
    try:
        return type(value) is type(default) and bool(value == default)
    except Exception:  # values compare as they like
        return False


def _is_secret(name: str, value: object) -> bool:
    """Whether a log would hide it, by its name, by a name inside of it, or by its shape."""
    said = {name: _as_json(value)}
    return _REDACTOR.redact(said) != said


def _as_json(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {str(key): _as_json(each) for key, each in value.items()}
    return [_as_json(each) for each in value] if isinstance(value, list | tuple | set | frozenset) else value


def _is_plain(value: object, depth: int = 0) -> bool:
    kind = type(value)
    if kind in _PLAIN:
        return True
    if depth > 32:  # noqa: PLR2004 -- deeper than any configuration, and what holds itself ends here
        return False
    if isinstance(value, dict) and kind is dict:
        return all(_is_plain(each, depth + 1) for pair in value.items() for each in pair)
    return (
        isinstance(value, list | tuple | set | frozenset)
        and kind in {list, tuple, set, frozenset}
        and all(_is_plain(each, depth + 1) for each in value)
    )


def _check_private(tool: Any) -> None:  # noqa: ANN401 -- as above
    """What was put into private attributes by hand would be lost; what its class's own code puts there is remade."""
    cls = type(tool)
    makes = any(not _is_frameworks(cls, each) for each in ("__init__", "model_post_init"))
    for name, private in () if makes else cls.__private_attributes__.items():
        value = (getattr(tool, "__pydantic_private__", None) or {}).get(name, _MISSING)
        if value is not _MISSING and name != "_tool_call_schema_memo" and not _equal(value, _default(private)):
            raise _not(tool, f"its private {name} was set since it was made", "make a field of it")


def _check_takes(tool: Any, init: dict[str, object]) -> None:  # noqa: ANN401 -- as above
    cls = type(tool)
    if _is_frameworks(cls, "__init__"):
        return
    try:
        inspect.signature(cls.__init__).bind(tool, **init)
    except TypeError:
        raise _not(tool, "its __init__ takes something else than its fields", "give its class no `__init__`") from None


def _is_frameworks(cls: type, method: str) -> bool:
    owner = next(each for each in cls.__mro__ if method in vars(each))
    if getattr(vars(owner)[method], "__name__", "") == _GENERATED:
        return True
    return owner.__module__.partition(".")[0] in {"langchain_core", "pydantic"}


def _not(tool: Any, why: str, way: str) -> NotShippable:  # noqa: ANN401 -- as above
    from agentcop_processor.sandbox.shipping import STAY, refusal

    return refusal(str(tool.name), why, f"{way} {STAY}")
