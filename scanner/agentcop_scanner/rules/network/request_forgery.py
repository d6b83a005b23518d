"""Text from outside chooses the address that is fetched.

## What it does
Follows arguments of tools and endpoints, replies of models and requests to `requests`, `httpx`, `aiohttp`,
`urlopen`, browsers and the like, where nothing shows which host it is.

## Why is this bad?
The agent stands inside: it reaches the metadata service of the cloud with its keys, databases, and the ports of its
own machine. `file:` addresses read files with some of these functions.

## Example
    @tool
    def read_page(url: str) -> str:
        return requests.get(url, timeout=10).text

## Use instead
    @tool
    def read_page(url: str) -> str:
        if urlsplit(url).hostname not in ALLOWED_HOSTS:
            raise ValueError("this host is not allowed")
        return requests.get(url, timeout=10, allow_redirects=False).text

## References
- https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
- https://cwe.mitre.org/data/definitions/918.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC131",
    slug="request-forgery",
    severity="HIGH",
    cwe=(918,),
    asi=(2,),
    doc=__doc__,
    danger="url",
    sinks=(
        Sink(
            calls=tuple(
                f"{module}.{verb}"
                for module in (
                    "requests",
                    "httpx",
                    "requests.Session",
                    "httpx.Client",
                    "httpx.AsyncClient",
                    "aiohttp.ClientSession",
                )
                for verb in ("get", "post", "put", "patch", "delete", "head", "options")
            ),
            args=(0, "url"),
        ),
        Sink(
            calls=(
                "requests.request",
                "httpx.request",
                "httpx.stream",
                "requests.Session.request",
                "httpx.AsyncClient.request",
            ),
            args=(1, "url"),
        ),
        Sink(calls=("httpx.AsyncClient.stream", "httpx.Client.stream", "urllib3.PoolManager.request"), args=(1, "url")),
        Sink(
            calls=("urllib.request.urlopen", "urllib.request.urlretrieve", "urllib.request.Request", "urllib2.urlopen")
        ),
        Sink(calls=("wget.download", "newspaper.Article", "feedparser.parse", "trafilatura.fetch_url", "pycurl.Curl")),
        Sink(
            calls=(".get", ".post", ".put", ".patch", ".delete", ".head", ".aget", ".apost", ".fetch"),
            args=(0, "url"),
            receivers=frozenset({"session", "requests", "http", "httpx", "client", "scraper"}),
            looks="url",
        ),
        Sink(
            calls=(".request", ".stream"),
            args=(1, "url"),
            receivers=frozenset({"session", "requests", "http", "httpx", "client"}),
            looks="url",
        ),
        Sink(calls=(".goto", ".navigate"), args=(0, "url"), receivers=frozenset({"page", "browser", "tab", "driver"})),
        Sink(calls=(".get",), args=(0,), receivers=frozenset({"driver", "browser"}), looks="url"),
    ),
    whole={**at("HIGH", "tool endpoint model request"), **at("MEDIUM", "content upload public")},
    joined={**at("HIGH", "tool endpoint model request"), **at("MEDIUM", "content upload"), **at("LOW", "public")},
    message="{source} chooses the address that {sink} fetches",
    fix="Compare the parsed host with a list, resolve it, refuse private addresses, and follow no redirects unchecked.",
)
