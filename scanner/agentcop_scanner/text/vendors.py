"""Keys of vendors that agents use, by their shape, beside those that the redactor knows."""

from __future__ import annotations

import re
from typing import Final

from agentcop_core.redact.secrets import Shape


def _shape(kind: str, prefix: str, rest: str) -> Shape:
    return Shape(kind=kind, needle=prefix, pattern=re.compile(rf"(?<![A-Za-z0-9_]){re.escape(prefix)}{rest}"))


VENDORS: Final = (
    _shape("Groq key", "gsk_", r"[A-Za-z0-9]{40,}+"),
    _shape("xAI key", "xai-", r"[A-Za-z0-9]{40,}+"),
    _shape("Replicate token", "r8_", r"[A-Za-z0-9]{30,}+"),
    _shape("NVIDIA key", "nvapi-", r"[A-Za-z0-9_-]{40,}+"),
    _shape("Tavily key", "tvly-", r"[A-Za-z0-9_-]{20,}+"),
    _shape("LangSmith key", "lsv2_", r"(?:pt|sk)_[a-f0-9_]{30,}+"),
    _shape("Pinecone key", "pcsk_", r"[A-Za-z0-9_]{40,}+"),
    _shape("Perplexity key", "pplx-", r"[A-Za-z0-9]{30,}+"),
    _shape("DigitalOcean token", "dop_v1_", r"[a-f0-9]{40,}+"),
    _shape("Shopify token", "shpat_", r"[a-fA-F0-9]{30,}+"),
    _shape("Grafana token", "glsa_", r"[A-Za-z0-9_]{30,}+"),
    _shape("Figma token", "figd_", r"[A-Za-z0-9_-]{30,}+"),
    _shape("Notion token", "ntn_", r"[A-Za-z0-9]{30,}+"),
    _shape("Linear key", "lin_api_", r"[A-Za-z0-9]{30,}+"),
    _shape("Atlassian token", "ATATT3", r"[A-Za-z0-9_=-]{40,}+"),
    _shape("Databricks token", "dapi", r"[a-f0-9]{32}(?![a-f0-9])"),
    _shape("Docker token", "dckr_pat_", r"[A-Za-z0-9_-]{20,}+"),
    _shape("Vault token", "hvs.", r"[A-Za-z0-9_-]{40,}+"),
    _shape("age secret key", "AGE-SECRET-KEY-1", r"[A-Z0-9]{50,}+"),
    _shape("Azure storage key", "AccountKey=", r"[A-Za-z0-9+/]{60,}+={0,2}"),
)
"""Further vendors, of what agents use; not in the redactor, which has their names before them to go by."""
