"""What functions give that are known by name: paths, addresses, files, parsed data, modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling import methods, sources
from agentcop_scanner.engine.flow.strings import is_path
from agentcop_scanner.engine.flow.text import joined_path
from agentcop_scanner.engine.values.value import CONSTANT, Value, add, cleared, combined, marked
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_scanner.engine.calling.callsite import CallSite
    from agentcop_scanner.engine.flow.frame import Frame

TYPES: dict[str, str] = {
    "open": "file",
    "io.open": "file",
    "aiofiles.open": "file",
    "sqlite3.connect": "sqlite3.Connection",
    "duckdb.connect": "duckdb.Connection",
    "psycopg2.connect": "psycopg2.Connection",
    "psycopg.connect": "psycopg.Connection",
    "pymysql.connect": "pymysql.Connection",
    "sqlalchemy.create_engine": "sqlalchemy.Engine",
    "pathlib.Path.cwd": "pathlib.Path",
    "pathlib.Path.home": "pathlib.Path",
    "tarfile.open": "tarfile.TarFile",
    "docker.from_env": "docker.DockerClient",
    "requests.session": "requests.Session",
    "urllib.parse.urlparse": "urllib.parse.ParseResult",
    "urllib.parse.urlsplit": "urllib.parse.ParseResult",
    "logging.getLogger": "logging.Logger",
    "boto3.client": "boto3.Client",
    "ast.parse": "ast",
}
"""What calls of these names give an object of."""
_SAME_PATH = words(
    "os.path.abspath os.path.realpath os.path.normpath os.path.expanduser os.path.expandvars os.fspath"
    " os.path.dirname os.path.normcase"
)
_PATH_MAKERS = words("pathlib.Path pathlib.PurePath pathlib.PosixPath pathlib.PurePosixPath anyio.Path py.path.local")
_SAME_ELEMENTS = words("enumerate sorted list tuple set reversed iter next zip filter frozenset")
_PARSES = words("urllib.parse.urlparse urllib.parse.urlsplit httpx.URL yarl.URL")


def known(frame: Frame, site: CallSite) -> Value | None:
    """The result of a call that is known by its name; None if it is not."""
    handler = _FUNCTIONS.get(site.dotted)
    if handler is not None:
        return handler(frame, site)
    found = sources.named(site)
    return found if found is not None or site.receiver is None else methods.known(frame, site)


def _text(_frame: Frame, site: CallSite) -> Value:
    given = site.first()
    return Value(given.taints, is_a="" if is_path(given) else given.is_a, const=given.const, text=given.text)


def _same_path(_frame: Frame, site: CallSite) -> Value:
    given = site.first()
    return Value(given.taints, is_a=given.is_a, text=given.text)


def _path(_frame: Frame, site: CallSite) -> Value:
    return joined_path(site.first(), site.args[1:])


def _os_join(_frame: Frame, site: CallSite) -> Value:
    rest = [*site.args[1:], *([site.rest] if site.rest is not None else [])]
    return joined_path(site.first(), rest, "")


def _splitext(_frame: Frame, site: CallSite) -> Value:
    return Value(site.first().taints, is_a="splitext")


def _parsed(_frame: Frame, site: CallSite) -> Value:
    return Value(site.first().taints, is_a="urllib.parse.ParseResult", text=site.first().text)


def _url_join(_frame: Frame, site: CallSite) -> Value:
    base, piece = site.first(), site.argument(1, "url") or CONSTANT
    taints = dict(base.taints)
    add(taints, piece.taints)  # an absolute address replaces the base
    return Value(taints, text=base.text)


def _opened(_frame: Frame, site: CallSite) -> Value:
    return sources.source(site, "content", "a file", "file")


def _in_memory(_frame: Frame, site: CallSite) -> Value:
    return marked(site.first() if site.args else CONSTANT, cleared("path"), "file")


def _loaded(_frame: Frame, site: CallSite) -> Value:
    given = site.first()
    if given.is_a == "file" or given.taints:
        return Value(given.taints)
    return CONSTANT if given.is_constant else Value(sources.unknown_taints(site.node.lineno))


def _temporary(_frame: Frame, _site: CallSite) -> Value:
    return Value(is_a="temporary")


def _dumped(_frame: Frame, site: CallSite) -> Value:
    given = combined(site.args)
    return Value(marked(given, frozenset({"~code", "code"})).taints)


def _getattr(frame: Frame, site: CallSite) -> Value | None:
    name = site.argument(1)
    target = site.first()
    # where the module is from outside too, loading it is what is dangerous
    if (
        name is not None
        and name.taints
        and not target.taints
        and (target.is_a == "module" or _is_module(frame, target))
    ):
        rule = frame.world.tables.rules.get("AC108")
        if rule is not None:
            frame.arrive(rule, site.node, site.shown, name)
    if name is None or not isinstance(name.const, str):
        return None
    if target.is_a.startswith("="):
        return Value(is_a=f"{target.is_a}.{name.const}".replace("=builtins.", "="))
    return target.field(name.const)


def _is_module(frame: Frame, value: Value) -> bool:
    """Whether a value is a module, as far as its name says."""
    name = value.is_a.removeprefix("=")
    return value.is_a.startswith("=") and value.ref is None and name in frame.module.modules


def _module(_frame: Frame, site: CallSite) -> Value:
    return Value(site.first().taints, is_a="module")


def _shlex_split(_frame: Frame, site: CallSite) -> Value:
    return Value(site.first().taints, is_a="tokens", text=site.first().text)


def _each(_frame: Frame, site: CallSite) -> Value:
    """`enumerate`, `sorted`, `list` and their like: the same elements."""
    given = combined(site.args)
    first = site.first()
    return Value(
        given.taints,
        is_a=first.is_a if len(site.args) == 1 else "",
        items=first.items,
        facts=first.facts,
        text=first.text,
    )


def _ast_walk(_frame: Frame, site: CallSite) -> Value:
    return Value(site.first().taints, is_a="ast")


def _dict_made(_frame: Frame, site: CallSite) -> Value:
    fields = {**(site.first().fields or {}), **site.keywords} if site.args else dict(site.keywords)
    given = combined(site.everything())
    return Value(given.taints, fields=fields if fields and site.rest is None else None, is_a="dict")


_FUNCTIONS: dict[str, Callable[[Frame, CallSite], Value | None]] = {
    **dict.fromkeys(("str", "bytes"), _text),
    **dict.fromkeys(_SAME_PATH, _same_path),
    **dict.fromkeys(_PATH_MAKERS, _path),
    "os.path.join": _os_join,
    "posixpath.join": _os_join,
    "os.path.splitext": _splitext,
    "urllib.parse.urljoin": _url_join,
    **dict.fromkeys(_PARSES, _parsed),
    "open": _opened,
    "io.open": _opened,
    "aiofiles.open": _opened,
    "io.BytesIO": _in_memory,
    "io.StringIO": _in_memory,
    "json.load": _loaded,
    "json.loads": _loaded,
    "yaml.safe_load": _loaded,
    "tomllib.load": _loaded,
    "tomllib.loads": _loaded,
    "orjson.loads": _loaded,
    "json.dumps": _dumped,
    "repr": _dumped,
    "tempfile.NamedTemporaryFile": _temporary,
    "tempfile.mkstemp": _temporary,
    "tempfile.mkdtemp": _temporary,
    "tempfile.TemporaryDirectory": _temporary,
    "tempfile.gettempdir": _temporary,
    "getattr": _getattr,
    **dict.fromkeys(("importlib.import_module", "__import__", "importlib.util.module_from_spec"), _module),
    "shlex.split": _shlex_split,
    **dict.fromkeys(_SAME_ELEMENTS, _each),
    **dict.fromkeys(("ast.walk", "ast.parse", "ast.iter_child_nodes"), _ast_walk),
    "dict": _dict_made,
}
