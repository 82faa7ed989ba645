"""The programs of a team's desk, each from the file that the desk ships for it, on ports of a test's own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from dashboard.options import free_port
from tests.support.broker_process import Broker
from tests.support.servers import Program, program
from tests.support.shipped import replaced, services, unit_command, variables, write_to
from tests.support.tls import certificate

USER, PASSWORD = "asha", "correct horse battery"
IN_SESSION = "2026-11-20T10:00:00+05:30"  # the token of a paper broker, too, ends at 03:30 by its own clock


class TeamParts:
    """What a team's programs are: commands, configurations, secrets. `Team` starts them."""

    def __init__(self, folder: Path, *, processes: int = 4, environment: Mapping[str, str] | None = None) -> None:
        self.haproxy, self.redis_server = program("haproxy", "haproxy"), program("redis-server", "redis-server")
        self.initdb, self.postgres = program("initdb", "postgresql"), program("postgres", "postgresql")
        self.psql = program("psql", "postgresql")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._given = dict(environment or {})
        self.names = [f"desk-{number}" for number in range(1, processes + 1)]
        self.ports = {name: free_port("127.0.0.1") for name in (*self.names, "public", "redis", "postgres")}
        self.url = f"https://localhost:{self.ports['public']}"
        self.probe = secrets.token_hex(24)
        self.secrets = {name: secrets.token_urlsafe(18) for name in ("redis", "postgres")}
        self.encryption_key = Fernet.generate_key().decode()
        self.pem = certificate(folder)
        self.broker = Broker(folder / "broker", "--clock", IN_SESSION, "--ping", "1.5")
        self.data = Path()
        self.programs: dict[str, Program] = {}

    # -- the parts, each from the file that is shipped ------------------------------------------------------------

    def _redis(self) -> Program:
        config = write_to(
            self.folder,
            "redis.conf",
            {
                "bind 10.0.0.21": "bind 127.0.0.1",
                "tls-port 6379": f"tls-port {self.ports['redis']}",
                "/etc/redis/redis.pem": str(self.pem),
                "/etc/redis/desk-ca.pem": str(self.pem),
                "requirepass CHANGE-ME": f"requirepass {self.secrets['redis']}",
            },
        )
        command = replaced(
            services()["redis"]["command"], {"redis-server": self.redis_server, "/etc/redis/redis.conf": str(config)}
        )
        return Program("redis", [*command, "--dir", str(self.folder)], self.folder / "redis.log")

    def _postgres(self) -> Program:
        """A new database cluster, and the server on it; by its own user where the test runs as root."""
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        data, pem = self.data / "main", self.data / "desk.pem"
        shutil.copy(self.pem, pem)
        pem.chmod(0o600)
        if as_user:
            for path in (self.data, pem):
                shutil.chown(path, "postgres", "postgres")
        done = subprocess.run(
            [*as_user, self.initdb, "--no-sync", "-U", "postgres", "--auth=trust", "-E", "UTF8", "-D", str(data)],
            capture_output=True, text=True, cwd="/", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        config = write_to(
            self.data,
            "postgresql.conf",
            {
                "listen_addresses = '10.0.0.20'": "listen_addresses = '127.0.0.1'",
                "port = 5432": f"port = {self.ports['postgres']}",
                "/etc/postgresql/desk.crt": str(pem),
                "/etc/postgresql/desk.key": str(pem),
            },
        )
        hba = write_to(self.data, "pg_hba.conf", {"10.0.0.0/24": "127.0.0.1/32", "peer": "trust"})
        command = replaced(
            services()["postgres"]["command"],
            {
                "postgres": self.postgres,
                "config_file=/etc/postgresql/postgresql.conf": f"config_file={config}",
                "hba_file=/etc/postgresql/pg_hba.conf": f"hba_file={hba}",
            },
        )
        command += ["-D", str(data), "-c", f"unix_socket_directories={self.data}"]
        return Program("postgres", [*as_user, *command], self.folder / "postgres.log", ends_by=signal.SIGINT)

    def _haproxy(self) -> Program:
        changes = {
            "bind :443": f"bind 127.0.0.1:{self.ports['public']}",
            "/etc/haproxy/desk.pem": str(self.pem),
            "/etc/haproxy/desk-ca.pem": str(self.pem),
            "/run/haproxy/admin.sock": str(self.admin_socket),
            "desk.example.com": "localhost",
        }
        for number, name in enumerate(self.names, 11):
            changes[f"10.0.0.{number}:8501"] = f"127.0.0.1:{self.ports[name]}"
        config = write_to(self.folder, "haproxy.cfg", changes)
        command = replaced(
            services()["haproxy"]["command"],
            {"haproxy": self.haproxy, "/usr/local/etc/haproxy/haproxy.cfg": str(config)},
        )
        return Program("haproxy", command, self.folder / "haproxy.log", {"DESK_METRICS_TOKEN": self.probe})

    @property
    def admin_socket(self) -> Path:
        return self.data / "haproxy.sock"  # short enough for a socket's name

    def environment(self, name: str) -> dict[str, str]:
        """What the unit of process `name` finds in its environment file."""
        found = variables()
        # A paper broker stands in the place of Upstox, whose keys nobody needs then.
        for of_upstox in ("UPSTOX_CLIENT_ID", "UPSTOX_CLIENT_SECRET", "UPSTOX_REDIRECT_URI"):
            del found[of_upstox]
        for given, value in {
            "LISTEN_ADDRESS": "127.0.0.1",
            "DESK_PROCESS_NAME": name,
            "DESK_MODE": "paper",
            "DESK_PUBLIC_URL": self.url,
            "DESK_TLS_CERT": str(self.pem),
            "DESK_TLS_KEY": str(self.pem),
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
            "ENCRYPTION_KEY": self.encryption_key,
            "DESK_METRICS_TOKEN": self.probe,
            "DESK_LEDGER_URL": found["DESK_LEDGER_URL"]
            .replace("CHANGE-ME@10.0.0.20/", f"{self.secrets['postgres']}@127.0.0.1:{self.ports['postgres']}/")
            .replace("/etc/upstox-desk/desk-ca.pem", str(self.pem)),
            "DESK_REDIS_URL": found["DESK_REDIS_URL"]
            .replace("CHANGE-ME@10.0.0.21:6379/", f"{self.secrets['redis']}@127.0.0.1:{self.ports['redis']}/")
            .replace("/etc/upstox-desk/desk-ca.pem", str(self.pem)),
        }.items():
            assert given in found, f"desk.env does not set {given} any more"
            found[given] = value
        return found | {"DESK_API_BASE": self.broker.url, "DESK_ACCESS_TOKEN": self.broker.token} | self._given

    def command(self, name: str, environment: Mapping[str, str]) -> list[str]:
        """The command line of the unit, as systemd would fill it in."""
        return replaced(
            unit_command(),
            {
                "/opt/upstox-desk/.venv/bin/python": sys.executable,
                "${LISTEN_ADDRESS}": environment["LISTEN_ADDRESS"],
                "%i": str(self.ports[name]),
                "/var/lib/upstox-desk/%i": str(self.folder / name),
            },
        )

    def _desk(self, name: str) -> Program:
        environment = self.environment(name)
        return Program(name, self.command(name, environment), self.folder / f"{name}.log", environment)
