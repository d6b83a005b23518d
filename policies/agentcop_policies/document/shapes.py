"""What a policy value may look like, as annotations that pydantic reads only when a file is loaded.

pydantic's own constraint types would import pydantic with the models: 80 ms in every agent that arms, where a policy
written in Python never needs it. These carry the same constraints and import pydantic's core when first asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import CoreSchema

    Handler = Callable[[Any], CoreSchema]
    JsonHandler = Callable[[CoreSchema], dict[str, Any]]


class Closed:
    """A section whose keys are all known: another key is an error."""

    __slots__ = ()
    # `from` is a word of Python's, so its field is called `from_`.
    __pydantic_config__: ClassVar[dict[str, object]] = {
        "extra": "forbid",
        "alias_generator": lambda name: name.rstrip("_"),
    }


class Text:
    """A string that is not empty."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: Handler) -> CoreSchema:
        """Strict: a number is not taken for its digits."""
        from pydantic_core import core_schema

        return core_schema.str_schema(strict=True, min_length=1)


class Flag:
    """`true` or `false`, never 1, "yes" or "on"."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: Handler) -> CoreSchema:
        """Strict: nothing is taken for a truth value."""
        from pydantic_core import core_schema

        return core_schema.bool_schema(strict=True)


class Whole:
    """A whole number from `least` to `most`, both included."""

    def __init__(self, *, least: int, most: int | None = None) -> None:
        """Both bounds included."""
        self.least = least
        self.most = most

    def __get_pydantic_core_schema__(self, _source: object, _handler: Handler) -> CoreSchema:
        """Strict: neither `true` nor "5" is a number."""
        from pydantic_core import core_schema

        return core_schema.int_schema(strict=True, ge=self.least, le=self.most)


class Positive:
    """A finite number above zero."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: Handler) -> CoreSchema:
        """Strict, and neither NaN nor infinity."""
        from pydantic_core import core_schema

        return core_schema.float_schema(strict=True, gt=0, allow_inf_nan=False)


class Seconds:
    """A duration: `15m` or a number of seconds; kept in seconds."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: Handler) -> CoreSchema:
        """Read by `units.seconds`."""
        from pydantic_core import core_schema

        from agentcop_policies.document.units import seconds

        return core_schema.no_info_plain_validator_function(seconds)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: JsonHandler) -> dict[str, Any]:
        """Text with a unit, or a number."""
        text = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"}
        return {"anyOf": [text, {"type": "number", "exclusiveMinimum": 0}]}


class Size:
    """A size: `1MiB` or a number of bytes; kept in bytes."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: Handler) -> CoreSchema:
        """Read by `units.size`."""
        from pydantic_core import core_schema

        from agentcop_policies.document.units import size

        return core_schema.no_info_plain_validator_function(size)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: JsonHandler) -> dict[str, Any]:
        """Text with a unit, or a number."""
        text = {"type": "string", "pattern": r"^[0-9]+ ?(B|[kK]B|MB|GB|KiB|MiB|GiB|[kmgKMG])$"}
        return {"anyOf": [text, {"type": "integer", "exclusiveMinimum": 0}]}


class Short:
    """A mapping that may be written as one string, which is its key `key`: `web_search` is `{tool: web_search}`."""

    def __init__(self, *, key: str) -> None:
        """`key`: what a lone string is the value of."""
        self.key = key

    def __get_pydantic_core_schema__(self, source: object, handler: Handler) -> CoreSchema:
        """A string is wrapped before the mapping is checked."""
        from pydantic_core import core_schema

        def widen(value: object) -> object:
            return {self.key: value} if isinstance(value, str) else value

        return core_schema.no_info_before_validator_function(widen, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: JsonHandler) -> dict[str, Any]:
        """Either form."""
        return {"anyOf": [{"type": "string", "minLength": 1}, handler(schema)]}


class Ordered:
    """A list whose order counts, because its items are named by their place."""

    def __get_pydantic_core_schema__(self, source: object, handler: Handler) -> CoreSchema:
        """A set is refused: its order is nobody's."""
        from pydantic_core import core_schema

        def ordered(value: object) -> object:
            if isinstance(value, (set, frozenset)):
                message = "expected a list"
                raise ValueError(message)  # noqa: TRY004 -- pydantic takes a ValueError for a finding
            return value

        return core_schema.no_info_before_validator_function(ordered, handler(source))


class OneOrMore:
    """A list that may be written as its single item."""

    def __get_pydantic_core_schema__(self, source: object, handler: Handler) -> CoreSchema:
        """A string is wrapped before the list is checked."""
        from pydantic_core import core_schema

        def widen(value: object) -> object:
            return [value] if isinstance(value, str) else value

        return core_schema.no_info_before_validator_function(widen, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: JsonHandler) -> dict[str, Any]:
        """Either form."""
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


Pattern = Annotated[str, Text()]
"""A tool's exact name, or a glob where `*`, `?` or `[` is written."""
