"""A literal that is a secret goes into no box, wherever in a tool's text it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentcop_processor.sandbox.parcel import NotShippable
from agentcop_processor.sandbox.shipping import ship_function
from parcels import run_parcel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLACES = {
    "global": "API_KEY = 'x7Qp2kk'\n@given\ndef tool(): return API_KEY",
    "local": "@given\ndef tool():\n    password = 'x7Qp2kk'\n    return password",
    "shape": f"@given\ndef tool(): return 'Bearer ghp_{'a1B2c3D4e5F6' * 3}'",
    "keyword": "def call(**k): return k\n@given\ndef tool(): return call(token='x7Qp2kk')",
    "key of a dict": "HEADERS = {'api_key': 'x7Qp2kk'}\n@given\ndef tool(): return HEADERS",
    "default": "@given\ndef tool(password='x7Qp2kk'): return password",
    "keyword default": "@given\ndef tool(*, token='x7Qp2kk'): return token",
    "default of a lambda": "@given\ndef tool(): return (lambda token='x7Qp2kk': token)()",
    "one of two": "USER, PASSWORD = 'me', 'x7Qp2kk'\n@given\ndef tool(): return PASSWORD",
    "attribute": "@given\ndef tool(own):\n    own.api_key = 'x7Qp2kk'",
    "item": "@given\ndef tool(own):\n    own['api_key'] = 'x7Qp2kk'",
    "expression": "@given\ndef tool():\n    if token := 'x7Qp2kk': return token",
    "bytes": f"@given\ndef tool(): return b'ghp_{'a1B2c3D4e5F6' * 3}'",
    "in two parts": "API_KEY = 'x7Qp' + '2kk'\n@given\ndef tool(): return API_KEY",
    "shape in two parts": f"@given\ndef tool(): return 'ghp_a1B2c3' + '{'a1B2c3D4e5F6' * 3}'",
    "text with nothing to fill in": "@given\ndef tool():\n    api_key = f'x7Qp2kk'\n    return api_key",
    "made a text": "API_KEY = str('x7Qp2kk')\n@given\ndef tool(): return API_KEY",
    "the other value": "import os\n@given\ndef tool():\n    token = os.getenv('TOKEN', 'x7Qp2kk')\n    return token",
    "either": "@given\ndef tool(text):\n    token = text or 'x7Qp2kk'\n    return token",
    "in a class": "class Own:\n    api_key: str = 'x7Qp2kk'\n@given\ndef tool(): return Own.api_key",
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_a_literal_that_is_a_secret_goes_into_no_box(armed: Callable[[str], Any], text: str) -> None:
    with pytest.raises(NotShippable, match="looks like a secret") as refused:
        ship_function(armed(text).TOOLS[0])
    assert "x7Qp2kk" not in str(refused.value)


def test_names_of_secrets_travel(armed: Callable[[str], Any], box: Path) -> None:
    module = armed(
        """
        import os
        API_KEY = ""
        HEADERS = {"token": None, "tokens": 3}
        @given
        def tool(api_key=None, *, password=""):
            token = os.environ.get("API_KEY") or os.getenv("API_TOKEN", "")
            secret = {"password": token}
            secret["password"] = f"{token}"
            headers = {"Authorization": f"Bearer {token}"}
            headers["Authorization"] = "Bearer " + token
            return [API_KEY, HEADERS, api_key, password, token, secret]
        """
    )
    given = ["", {"token": None, "tokens": 3}, None, "", "", {"password": ""}]
    assert run_parcel(ship_function(module.TOOLS[0]), box) == given
