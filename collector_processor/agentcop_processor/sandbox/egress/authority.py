"""The certificates that a box trusts: the system's, and those this process makes for places that have a secret."""

from __future__ import annotations

import datetime as dt
import os
import re
import ssl
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_core.locks import IMPORTING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from agentcop_policies.document.places import Place

_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_LIFE: Final = dt.timedelta(days=3_650)
_SLACK: Final = dt.timedelta(days=1)


def system_certificates() -> str:
    """The machine's certificate authorities in PEM form, `SSL_CERT_FILE` first; "" where none are found."""
    paths = ssl.get_default_verify_paths()
    for name in (os.environ.get("SSL_CERT_FILE"), paths.cafile, *_BUNDLES):
        try:
            text = Path(name).read_text("ascii", "ignore") if name else ""
        except OSError:
            continue
        if found := _CERTIFICATE.findall(text):
            return "\n".join(found) + "\n"
    return ""


class Authority:
    """A certificate authority that lives as long as this object; its key is never on a disk.

    It may sign for the places it was made for and for no others, should its certificate ever be trusted elsewhere.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        """Makes the key and the certificates of all places: some milliseconds."""
        with IMPORTING:
            from cryptography import x509
            from cryptography.hazmat.primitives import hashes, serialization
            from cryptography.hazmat.primitives.asymmetric import ec
            from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        hosts = sorted({place.host for place in places})
        key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "AgentCop sandbox egress")])
        usage = {
            "digital_signature": False,
            "content_commitment": False,
            "key_encipherment": False,
            "data_encipherment": False,
            "key_agreement": False,
            "encipher_only": False,
            "decipher_only": False,
        }
        own = (
            _started(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.NameConstraints([_constraint(host) for host in hosts], excluded_subtrees=None), critical=True
            )
            .sign(key, hashes.SHA256())
        )
        self.pem = own.public_bytes(serialization.Encoding.PEM).decode()
        """Its certificate."""
        secret = leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._contexts: dict[str, ssl.SSLContext] = {}
        for host in hosts:
            subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "AgentCop sandbox egress")])
            leaf = (
                _started(subject, name, leaf_key.public_key())
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(x509.SubjectAlternativeName([_named(host)]), critical=True)
                .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf_key.public_key()), critical=False)
                .sign(key, hashes.SHA256())
            )
            self._contexts[host] = _serving(secret + leaf.public_bytes(serialization.Encoding.PEM))

    def context(self, place: Place) -> ssl.SSLContext:
        """What to speak to a box with in the name of `place`, one it was made for."""
        return self._contexts[place.host]


def upstream(cafile: str | None) -> ssl.SSLContext:
    """What to speak to a place with: its certificate is checked against the system's, or `cafile`'s, authorities."""
    context = ssl.create_default_context(cafile=cafile)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _serving(pem: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    # The module reads keys from files only; this one is memory with a name.
    descriptor = os.memfd_create("agentcop-egress", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    return context


def _started(subject: x509.Name, issuer: x509.Name, key: object) -> x509.CertificateBuilder:
    from cryptography import x509

    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)  # type: ignore[arg-type]  # one of our own elliptic-curve keys
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _LIFE)
    )


def _named(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _constraint(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_network(host))
    except ValueError:
        return x509.DNSName(host)
