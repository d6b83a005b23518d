"""What a function does to the world: which of its calls write, delete, send, pay, deploy or run something."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from agentcop_scanner.source.python.nodes import under
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.source.module import Module

Kind = Literal["write", "delete", "send", "pay", "run", "change"]
"""`write`: a file. `delete`: files, rows, resources. `send`: a message. `pay`: money. `run`: a command or code.
`change`: something elsewhere, over the network or in a database."""

_DELETES: Final = words(
    "shutil.rmtree os.remove os.unlink os.rmdir os.removedirs send2trash.send2trash aiofiles.os.remove"
)
_WRITES: Final = words("shutil.move shutil.copytree os.rename os.replace os.truncate os.chmod os.symlink")
_RUNS: Final = words(
    "os.system os.popen subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen"
    " subprocess.getoutput asyncio.create_subprocess_shell asyncio.create_subprocess_exec pty.spawn eval exec"
)
_WEB: Final = words("requests httpx aiohttp urllib3")
_WEB_OWNERS: Final = re.compile(r"(?:^|[._])(?:requests|httpx|session|http|http_client|client|aclient)$")
_PATH_METHODS: Final = {
    "write_text": "write",
    "write_bytes": "write",
    "unlink": "delete",
    "rmdir": "delete",
}
_MESSAGES: Final = words(
    "send_message sendmail send_mail send_email chat_postMessage send_raw_email send_sms create_tweet"
    " send_templated_email"
)
_MONEY: Final = re.compile(
    r"(?:^|\.)(?:PaymentIntent|Charge|Refund|Transfer|Payout|Checkout|Invoice)\.(?:create|pay|capture)$"
)
_CLOUD: Final = re.compile(
    r"^(?:delete|terminate|destroy|drop|purge|deregister|stop|reboot|revoke|detach)_(?!cookie|header"
    r"|later)[a-z_]{3,60}$"
    r"|^delete$|^drop_all$|^delete_many$|^delete_one$"
)
_SQL: Final = re.compile(r"\s*(insert|update|delete|drop|truncate|alter|create|grant|replace|merge)\b", re.IGNORECASE)
_SQL_DELETES: Final = words("delete drop truncate")
_READING_URL: Final = re.compile(
    r"search|query|graphql|lookup|_msearch|/find|rpc|embed|completions|tokenize|/token", re.IGNORECASE
)
_WRITING_WORDS: Final = words(
    "restart stop start reload rm mv cp install uninstall push commit apply delete kill reset checkout merge"
    " rebase upgrade"
    " remove create destroy deploy rollout scale drop exec shutdown reboot chmod chown enable disable rmdir tee dd mkfs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One call that does something."""

    kind: Kind
    node: ast.Call
    what: str
    """In words: `calls shutil.rmtree`."""


def effects(module: Module, function: ast.AST) -> Iterator[Effect]:
    """The effects of a function's own calls, in the order of the source; what its callees do is not looked at."""
    for node in under(function):
        if isinstance(node, ast.Call):
            kind = _kind(module, node)
            if kind is not None:
                yield Effect(kind=kind, node=node, what=f"calls {_name(module, node)}")


def _name(module: Module, call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return module.resolve(call.func) or f"….{call.func.attr}"
    return module.resolve(call.func)


def _kind(module: Module, call: ast.Call) -> Kind | None:
    name = module.resolve(call.func)
    if name in _DELETES or name in _WRITES:
        return "delete" if name in _DELETES else "write"
    if name in _RUNS:
        return "run" if _runs(module, call, name) else None
    if _MONEY.search(name):
        return "pay"
    if name == "open" or name.endswith((".open", "aiofiles.open")):
        return "write" if _opens_to_write(module, call, name) else None
    if isinstance(call.func, ast.Attribute):
        return _method(module, call, call.func, name)
    return None


def _method(module: Module, call: ast.Call, func: ast.Attribute, name: str) -> Kind | None:
    method = func.attr
    if method in _MESSAGES:
        return "send"
    if method in {"post", "put", "patch", "delete"} and _is_web(name):
        return _request(module, call, method)
    if method in _PATH_METHODS:
        return "delete" if _PATH_METHODS[method] == "delete" else "write"
    if method in {"execute", "executemany", "executescript"}:
        return _sql(module, call)
    if _CLOUD.match(method) and name.partition(".")[0] not in {"self", "cls"}:
        return "delete" if (method != "delete" or len(call.args) < 2) and not _is_local(func) else None  # noqa: PLR2004
    return None


def _is_local(func: ast.Attribute) -> bool:
    """`cache.delete(key)` and its like keep their own things in order."""
    owner = func.value.id if isinstance(func.value, ast.Name) else getattr(func.value, "attr", "")
    return any(
        word in str(owner).lower() for word in ("cache", "tmp", "temp", "session", "state", "memo", "lock", "queue")
    )


def _is_web(name: str) -> bool:
    owner = name.rpartition(".")[0]
    return owner.partition(".")[0] in _WEB or bool(_WEB_OWNERS.search(owner))


def _request(module: Module, call: ast.Call, method: str) -> Kind | None:
    url = module.argument(call, "url", 0)
    text = "".join(
        node.value
        for node in (ast.walk(url) if url is not None else ())
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    if method == "post" and (not text or _READING_URL.search(text)):
        return None  # many a search is a POST
    return "delete" if method == "delete" else "change"


def _sql(module: Module, call: ast.Call) -> Kind | None:
    query = module.argument(call, "query", 0)
    if isinstance(query, ast.JoinedStr) and query.values:
        query = query.values[0] if isinstance(query.values[0], ast.Constant) else None
    if isinstance(query, ast.Call) and query.args:  # text("…")
        query = query.args[0]
    text = module.constant(query)
    found = _SQL.match(text) if isinstance(text, str) else None
    if found is None:
        return None
    return "delete" if found[1].lower() in _SQL_DELETES else "change"


def _opens_to_write(module: Module, call: ast.Call, name: str) -> bool:
    position = 1 if name in {"open", "io.open", "aiofiles.open", "codecs.open"} else 0
    mode = module.constant(module.argument(call, "mode", position))
    return isinstance(mode, str) and len(mode) <= 4 and any(char in mode for char in "wax+")  # noqa: PLR2004  # modes


def _runs(module: Module, call: ast.Call, name: str) -> bool:
    """Whether a command changes things: it says a changing word, or its program is not fixed."""
    if not call.args:
        return False
    first = call.args[0]
    if name in {"eval", "exec"}:
        return not isinstance(first, ast.Constant)
    items = (
        first.elts
        if isinstance(first, ast.List | ast.Tuple)
        else [first, *call.args[1:]]
        if "exec" in name
        else [first]
    )
    said = [word for item in items if isinstance(text := module.constant(item), str) for word in text.split()]
    if any(word in _WRITING_WORDS for word in said):
        return True
    return bool(items) and _is_handed_in(module, call, items[0])


def _is_handed_in(module: Module, call: ast.Call, program: ast.expr) -> bool:
    """Whether the program that runs is what the function was given."""
    scope = module.function(call)
    if scope is None or isinstance(scope.node, ast.ClassDef):
        return False
    arguments = scope.node.args
    names = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(program))
