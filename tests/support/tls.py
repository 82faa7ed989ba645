"""TLS in front of a plain server on this machine, with a certificate made for the test."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path) -> Path:
    """A key and a certificate for `localhost` and 127.0.0.1 in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(_names()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "localhost.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _names() -> list[x509.GeneralName]:
    return [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]


@contextmanager
def tls_in_front(base: str, folder: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A port that speaks TLS and leads to `base`, and a client context that trusts it."""
    path = certificate(folder)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(path)
    behind = (urlsplit(base).hostname or "", urlsplit(base).port or 0)
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def run(target: object, *given: object) -> None:
        thread = threading.Thread(target=target, args=given, daemon=True)  # type: ignore[arg-type]
        thread.start()
        threads.append(thread)

    def accept() -> None:
        with suppress(OSError):
            while True:
                run(_carry, served, listener.accept()[0], behind)

    run(accept)
    try:
        yield listener.getsockname()[1], ssl.create_default_context(cafile=str(path))
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join(30)


def _carry(context: ssl.SSLContext, outside: socket.socket, behind: tuple[str, int]) -> None:
    """Carry bytes both ways until one side ends. One thread serves both, because a TLS socket must not be shared."""
    with outside, suppress(OSError):
        outside.settimeout(5)
        with context.wrap_socket(outside, server_side=True) as front, socket.create_connection(behind) as back:
            front.settimeout(0.01)
            back.settimeout(0.01)
            while True:
                for source, sink in ((front, back), (back, front)):
                    with suppress(TimeoutError):
                        piece = source.recv(65536)
                        if not piece:
                            return
                        sink.settimeout(5)
                        sink.sendall(piece)
                        sink.settimeout(0.01)
