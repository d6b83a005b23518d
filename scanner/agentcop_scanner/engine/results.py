"""What calls give that are known by name: paths, texts, replies of models, content of files and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.engine.callsite import CallSite, name_words, spelled
from agentcop_scanner.engine.strings import filled, is_path, noticed
from agentcop_scanner.engine.text import concatenated, joined_path
from agentcop_scanner.engine.value import (
    CONSTANT,
    UNKNOWN,
    Origin,
    OriginKind,
    Taint,
    Taints,
    Value,
    add,
    as_piece,
    cleared,
    combined,
    literal,
    marked,
    merge,
)
from agentcop_scanner.source.python.tools import last
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_scanner.engine.frame import Frame

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
_SAME_PATH = words(
    "os.path.abspath os.path.realpath os.path.normpath os.path.expanduser os.path.expandvars os.fspath os.path.dirname"
    " os.path.normcase str bytes"
)
_PATH_MAKERS = words("pathlib.Path pathlib.PurePath pathlib.PosixPath pathlib.PurePosixPath anyio.Path py.path.local")
_PATH_METHODS = words("resolve absolute expanduser with_suffix as_posix __str__ as_uri readlink")
_PATH_LISTS = words("iterdir glob rglob walk")
_PARSES = words("urllib.parse.urlparse urllib.parse.urlsplit httpx.URL yarl.URL")
_MODEL_METHODS = words(
    "invoke ainvoke predict apredict complete acomplete chat achat generate agenerate generate_content"
    " generate_content_async create acreate stream astream predict_messages call_model chat_completion"
    " structured_predict text_completion completion acompletion ask agenerate_text generate_text generate_reply query_llm"
    " llm_response llm_response_async get_response create_chat_completion batch abatch respond arespond run arun"
    " call acall __call__"
)
_SURE_MODEL_METHODS = words(
    "predict apredict generate_content generate_content_async predict_messages chat_completion structured_predict"
    " create_chat_completion llm_response llm_response_async generate_reply query_llm acomplete apredict_messages"
)
_MODEL_NAMES = words(
    "llm model chain chat predictor openai anthropic gpt claude gemini lm completions messages responses completion agent"
    " ollama mistral groq litellm bedrock cohere assistant brain generator"
)
_MODEL_CALLS = words(
    "litellm.completion litellm.acompletion openai.ChatCompletion.create openai.Completion.create ollama.chat"
    " ollama.generate dspy.Predict completion_with_retry"
)
_REPLY_METHODS = words("get post put patch request send head aget apost stream")
_REPLY_NAMES = words("requests httpx aiohttp session client http urllib3 scraper")
_REPLIES = words("urllib.request.urlopen urllib.request.urlretrieve requests.get requests.post httpx.get httpx.post")
_ROWS = words("fetchall fetchone fetchmany fetchval fetchrow scalars")
_READS = words("read readline readlines read_text read_bytes recv recv_string recv_pyobj recv_json getvalue")
_OPERATOR = words(
    "os.getenv os.environ.get input getpass.getpass sys.stdin.read click.prompt typer.prompt os.path.expanduser"
    " argparse.ArgumentParser.parse_args"
)
_KEEPS = words(
    "strip lstrip rstrip lower upper title capitalize casefold encode decode replace removeprefix removesuffix expandtabs"
    " zfill ljust rjust center swapcase splitlines translate copy tolist items values keys json group groups groupdict"
    " model_dump dict to_dict model_dump_json get_secret_value popitem pop"
)
_GROWS = words("append add insert extend update appendleft extendleft put put_nowait setdefault write writelines")
_UNREACHED = words("os.path.splitext")


def unknown_taints(line: int = 0) -> Taints:
    """The origin of what nothing is known of; `line` tells it from others."""
    return {Origin("unknown", "", "", line) if line else UNKNOWN: Taint()}


def _source(site: CallSite, kind: OriginKind, what: str = "", is_a: str = "") -> Value:
    return Value({Origin(kind, what or site.shown, "", site.node.lineno): Taint()}, is_a=is_a)


def known(frame: Frame, site: CallSite) -> Value | None:
    """The result of a call that is known by its name; None if it is not."""
    handler = _FUNCTIONS.get(site.dotted)
    if handler is not None:
        return handler(frame, site)
    if site.dotted in _OPERATOR:
        return _source(site, "operator", is_a="operator")
    if site.dotted in _SAME_PATH:
        return _same_path(site)
    if site.dotted in _PATH_MAKERS:
        return joined_path(site.first(), site.args[1:])
    if site.dotted in _MODEL_CALLS:
        return _source(site, "model")
    if site.dotted in _REPLIES:
        return _source(site, "content", is_a="reply")
    return _method(frame, site) if site.receiver is not None else None


def _same_path(site: CallSite) -> Value:
    given = site.first()
    if site.dotted in {"str", "bytes"}:
        return Value(given.taints, is_a="" if is_path(given) else given.is_a, const=given.const, text=given.text)
    return Value(given.taints, is_a=given.is_a, text=given.text)


def _method(frame: Frame, site: CallSite) -> Value | None:
    receiver = site.receiver or CONSTANT
    name = site.method
    if is_path(receiver):
        found = _of_path(site, receiver)
        if found is not None:
            return found
    if name == "get" and site.args and isinstance(site.args[0].const, str) and not _replies(site):
        return _get(site, receiver)
    if name == "join":
        return _join(frame, site, receiver)
    if name in {"format", "format_map"} and (receiver.text or receiver.taints):
        return noticed(frame, site.node, filled(receiver, tuple(site.everything())))
    if name in _GROWS:
        return _grown(frame, site, receiver)
    if name in {"split", "rsplit"}:
        return Value(receiver.taints, is_a="url:host" if receiver.is_a == "url:host" else "tokens", text=receiver.text)
    if name in _KEEPS and not receiver.is_a.startswith("="):
        return _kept(site, receiver)
    if name in _READS:
        return _read(site, receiver)
    if name in _ROWS:
        return _source(site, "content", "a row of a database")
    if _is_model(site):
        return _source(site, "model", f"the reply of {spelled(site.node.func)}"[:60])
    if _replies(site):
        return _source(site, "content", is_a="reply")
    if name == "getmembers":
        return Value(receiver.taints, is_a="tarfile.members")
    if name == "parse_args" or name == "parse_known_args":  # noqa: PLR1714  # two names of one thing
        return _source(site, "operator", "the command line")
    return None


def _kept(site: CallSite, receiver: Value) -> Value:
    name = site.method
    given = combined(site.args) if name in {"replace", "translate"} else CONSTANT
    taints: Taints = dict(receiver.taints)
    add(taints, given.taints)
    if name in {"items", "values"} and receiver.fields:
        return Value(taints, is_a="each")
    is_a = receiver.is_a if name not in {"json", "group", "groups", "splitlines", "values", "items"} else ""
    fields = receiver.fields if name in {"copy", "dict", "model_dump"} else None
    return Value(taints, is_a=is_a, text=receiver.text, fields=fields)


def _get(site: CallSite, receiver: Value) -> Value:
    from agentcop_scanner.engine.attributes import entry

    key = str(site.args[0].const)
    found = entry(receiver, key) if receiver.fields is None or key in receiver.fields else CONSTANT
    if receiver.is_a.startswith("=") or receiver.is_a == "table":
        return CONSTANT if receiver.is_a == "table" else Value(unknown_taints(site.node.lineno))
    return merge((found, site.args[1])) if len(site.args) > 1 else found


def _of_path(site: CallSite, receiver: Value) -> Value | None:
    name = site.method
    if name == "joinpath":
        return joined_path(receiver, site.args)
    if name in {"with_name", "with_stem"}:
        return joined_path(receiver, site.args)
    if name in _PATH_METHODS:
        return Value(receiver.taints, is_a="pathlib.Path" if name != "as_posix" else "", text=receiver.text)
    if name in _PATH_LISTS:
        return Value(as_piece(receiver.taints), is_a="paths")
    if name == "open":
        return _source(site, "content", "a file", "file")
    if name in {"read_text", "read_bytes"}:
        return _source(site, "content", "a file")
    return (
        CONSTANT if name in {"exists", "is_file", "is_dir", "stat", "is_symlink", "mkdir", "touch", "unlink"} else None
    )


def _join(frame: Frame, site: CallSite, receiver: Value) -> Value:
    given = site.first()
    if given.items is not None and len(given.items) > 0:
        pieces: list[Value] = []
        for item in given.items:
            pieces += [item, receiver] if receiver.text or receiver.taints else [item]
        return noticed(frame, site.node, concatenated(pieces))
    taints: Taints = dict(receiver.taints)
    add(taints, given.taints)
    return Value(taints, text=f"{given.text}{receiver.text}", is_a=given.is_a if given.is_a in {"sql"} else "")


def _grown(frame: Frame, site: CallSite, receiver: Value) -> Value:
    """A container, or a file, that something is put into."""
    target = spelled(site.node.func).rpartition(".")[0]
    names = frame.state.names
    if target not in names:
        return CONSTANT if receiver.taints else Value(unknown_taints(site.node.lineno))
    given = frame.state.settled(combined(site.everything()))
    items: tuple[Value, ...] | None = None
    if receiver.items is not None and site.method in {"append", "extend"} and len(receiver.items) < 200:  # noqa: PLR2004  # as long as a written list may be
        first = frame.state.settled(site.first())
        more = first.items if site.method == "extend" else (first,)
        items = (*receiver.items, *(more if more is not None else (Value(first.taints, is_a="*"),)))
    fields = dict(receiver.fields) if receiver.fields is not None and site.method == "update" else receiver.fields
    if site.method == "update" and fields is not None:
        fields = {**fields, **site.keywords, **(site.first().fields or {})}
    taints: Taints = dict(receiver.taints)
    add(taints, given.taints)
    is_a = receiver.is_a
    if receiver.is_a == "temporary":
        is_a = "written"
    names[target] = Value(
        taints,
        is_a=is_a,
        text=receiver.text or given.text,
        items=items,
        fields=fields if items is None else None,
        ref=receiver.ref,
    )
    return CONSTANT


def _read(site: CallSite, receiver: Value) -> Value | None:
    """What is read out of a file, a socket, a reply."""
    if any(origin.kind in {"upload", "request", "content", "model"} for origin in receiver.taints):
        return Value(receiver.taints)
    return _source(site, "content", "what is read there")


def _replies(site: CallSite) -> bool:
    if site.method not in _REPLY_METHODS:
        return False
    owner = last(site.receiver.is_a) if site.receiver is not None else ""
    if owner in {"Session", "AsyncClient", "Client", "ClientSession", "PoolManager"}:
        return True
    return bool(name_words(spelled(site.node.func).rpartition(".")[0]) & _REPLY_NAMES)


def _is_model(site: CallSite) -> bool:
    name = site.method
    if name in _SURE_MODEL_METHODS:
        return True
    if name not in _MODEL_METHODS:
        return False
    spoken = name_words(spelled(site.node.func).rpartition(".")[0])
    if name in {"run", "arun", "call", "acall", "batch", "abatch", "stream", "astream", "query", "__call__"}:
        return bool(spoken & {"llm", "chain", "chat", "agent", "predictor", "lm"})
    return bool(spoken & _MODEL_NAMES)


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
    return _source(site, "content", "a file", "file")


def _in_memory(_frame: Frame, site: CallSite) -> Value:
    return marked(site.first() if site.args else CONSTANT, cleared("path"), "file")


def _loaded(_frame: Frame, site: CallSite) -> Value:
    given = site.first()
    if given.is_a == "file" or given.taints:
        return Value(given.taints)
    return CONSTANT if given.is_constant else Value(unknown_taints(site.node.lineno))


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
    **dict.fromkeys(
        ("enumerate", "sorted", "list", "tuple", "set", "reversed", "iter", "next", "zip", "filter", "frozenset"), _each
    ),
    **dict.fromkeys(("ast.walk", "ast.parse", "ast.iter_child_nodes"), _ast_walk),
    "dict": _dict_made,
}
__all__ = ["TYPES", "known", "literal", "unknown_taints"]
