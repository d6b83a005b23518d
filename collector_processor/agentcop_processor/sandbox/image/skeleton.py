"""What every image has, wherever its interpreter comes from: users, folders to mount on, certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.engine import EGRESS, INSIDE
from agentcop_processor.sandbox.image import VERSION
from agentcop_processor.sandbox.image.tree import MERGED, Folder, Symlink, Text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from agentcop_processor.sandbox.image.tree import Tree

_USERS: Final = (
    "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
    "agent:x:10001:10001:agent:/tmp:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/tmp:/usr/sbin/nologin\n"
)
_GROUPS: Final = "root:x:0:\nagent:x:10001:\nnogroup:x:65534:\n"
_NSSWITCH: Final = "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n"
_BUNDLE: Final = "/etc/ssl/certs/ca-certificates.crt"
_TEXTS: Final = {
    "etc/passwd": _USERS,
    "etc/group": _GROUPS,
    "etc/nsswitch.conf": _NSSWITCH,
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "etc/resolv.conf": "",
    "etc/hostname": "box\n",
    "etc/agentcop-sandbox": f"{VERSION}\n",
}
_LINKS: Final = {
    "etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
    "usr/lib/ssl/cert.pem": _BUNDLE,
    "usr/lib/ssl/certs": "/etc/ssl/certs",
}
_FOLDERS: Final = ("dev", "proc", "sys", "run", "var/tmp", "usr/local/bin", INSIDE, EGRESS)


def put_skeleton(tree: Tree) -> None:
    """Users 10001 and 65534 without a shell, and the folders that a box mounts on: its root is read-only by then."""
    for path, text in _TEXTS.items():
        tree.put(path, Text(data=text.encode()))
    for path, target in _LINKS.items():
        tree.put(path, Symlink(target=target))
    for path in _FOLDERS:
        tree.put(path, Folder())
    tree.put("tmp", Folder(mode=0o1777))
    for top in MERGED & {"bin", "sbin", "lib", "lib64"}:
        tree.put(f"usr/{top}", Folder())
        tree.entries[top] = Symlink(target=f"usr/{top}")


def put_certificates(tree: Tree, certificates: Iterable[Path]) -> None:
    """Write the bundle that OpenSSL and requests look for, of PEM files in the order of their names."""
    texts = [file.read_bytes().strip() for file in sorted(certificates)]
    tree.put(_BUNDLE, Text(data=b"\n".join([*texts, b""])))
