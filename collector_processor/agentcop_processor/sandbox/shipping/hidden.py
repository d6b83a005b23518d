"""What of a project no tool gets to see: dot-files, keys, policies, the state folder, sockets."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from agentcop_processor.protected.current import around

if TYPE_CHECKING:
    from agentcop_processor.protected.places import Place, Places

_KEYS: Final = re.compile(
    r".*\.(?:env|pem|key|p8|p12|pkcs12|pfx|jks|keystore|kdbx|ppk|asc|gpg|pgp|ovpn|kubeconfig|tfstate|tfvars)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?:\..*)?|kubeconfig|htpasswd|token\.(?:json|pickle)"
    r"|.*(?:credentials?|secrets?|service[-_]?account)[^/]*\.(?:json|ya?ml|toml|ini|cfg|conf|txt|properties)",
    re.IGNORECASE | re.DOTALL,
)


class Hidden:
    """What is hidden at this moment."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: Places = around().places

    @property
    def places(self) -> tuple[Place, ...]:
        """What belongs to the gate itself; two equal ones hide the same."""
        return self._places.places

    def hides(self, entry: os.DirEntry[str]) -> bool:
        """By name, by kind and by identity: another link to the policy file is the policy file. Raises OSError."""
        name = entry.name
        if self.hides_name(name):
            return True
        if entry.is_symlink():
            return False  # it leads to what is mounted or to nothing
        if not entry.is_dir(follow_symlinks=False) and not entry.is_file(follow_symlinks=False):
            return True  # a socket can be connected to from a read-only mount
        return self.is_the_gates(entry.path)

    def is_the_gates(self, path: str) -> bool:
        """Whether an absolute path is a policy's, under whatever name, or lies in the state folder. Raises OSError."""
        return self._places.at(path) is not None or self._places.identified(os.lstat(path)) is not None

    def hides_name(self, name: str) -> bool:
        """By name alone."""
        return name.startswith(".") or (_KEYS.fullmatch(name) is not None and not name.endswith(".py"))
