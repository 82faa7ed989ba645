"""A team's desk on one machine: four processes behind the real haproxy, with the real Redis and PostgreSQL, each with
the configuration that the desk ships for it, on ports of their own, and one paper broker in the place of Upstox."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import requests
from cryptography.fernet import Fernet

from dashboard.options import free_port
from tests.checks import stage_environment
from tests.support.broker_process import Broker
from tests.support.servers import Program, admin, program, until
from tests.support.shared_data import ROOT
from tests.support.shipped import MANY, health_check, replaced, services, unit_command, variables, write_to
from tests.support.tls import certificate

PASSWORD = "correct horse battery"  # of asha, who trades, and olga, who operates
IN_SESSION = "2026-11-20T10:00:00+05:30"  # the token of a paper broker, too, ends at 03:30 by its own clock


class Team:
    """`with Team(folder) as team:` is entered when the balancer sees every process as ready."""

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

    # -- going on and off -----------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.callback(self.close)
            self.data = Path(tempfile.mkdtemp(prefix="desk-pg-"))  # of a user who may not look into pytest's folder
            self.broker.start()
            self.start("redis", self._redis())
            self.start("postgres", self._postgres())
            until("PostgreSQL answers", lambda: self.healthy("postgres"))
            until("Redis answers", lambda: self.healthy("redis"))
            self._make_database()
            self._add_users()
            for name in self.names:
                self.start(name, self._desk(name))
            self.start("haproxy", self._haproxy())
            until("every process is ready", self.all_ready)
            opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self, name: str, made: Program | None = None) -> Program:
        """Start that program, for the first time or again."""
        started = made or self.programs[name]
        self.programs[name] = started
        started.start()
        return started

    def close(self) -> None:
        for one in reversed(list(self.programs.values())):
            one.stop()
        self.broker.stop()
        if self.data != Path():
            shutil.rmtree(self.data, ignore_errors=True)

    def sql(self, *words: str, database: str = "postgres", environment: Mapping[str, str] | None = None) -> str:
        """What psql says, over the server's own socket."""
        done = subprocess.run(
            [self.psql, "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.data), "-U", "postgres",
             "-p", str(self.ports["postgres"]), "-d", database, *words],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _make_database(self) -> None:
        environment = {**os.environ, "DESK_DATABASE_PASSWORD": self.secrets["postgres"]}
        script = write_to(self.folder, "database.sql", {})
        self.sql("--file", str(script), environment=environment)

    def healthy(self, name: str) -> bool:
        """Does the health check of the container find this program well?"""
        self.programs[name].lives()
        command = health_check(name)
        environment = {**os.environ, "DESK_METRICS_TOKEN": self.probe, "DESK_PROBE_CA": str(self.pem)}
        if name == "postgres":
            command = [program("pg_isready", "postgresql"), *command[1:], "-h", str(self.data)]
            command += ["-p", str(self.ports[name])]
        elif name == "redis":
            ways = {"redis-cli": program("redis-cli", "redis-tools"), "10.0.0.21": "127.0.0.1"}
            command = replaced(command, ways | {"/etc/redis/desk-ca.pem": str(self.pem)})
            command[1:1] = ["-p", str(self.ports[name])]
            environment["REDISCLI_AUTH"] = self.secrets["redis"]
        elif name == "haproxy":
            config = {"/usr/local/etc/haproxy/haproxy.cfg": str(self.folder / "haproxy.cfg")}
            command = replaced(command, config | {"haproxy": self.haproxy})
        else:
            ways = {"python3": sys.executable, "/etc/upstox-desk/probe.py": str(MANY / "probe.py")}
            ways["https://desk.example.com:8501/livez"] = f"https://localhost:{self.ports[name]}/livez"
            command = replaced(command, ways)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)
        return done.returncode == 0

    def _add_users(self) -> None:
        """As the document says: by the command, once for all processes."""
        environment = self.environment(self.names[0])
        for name, role in (("asha", "trader"), ("olga", "operator")):
            done = subprocess.run(
                [sys.executable, "-m", "dashboard", "users", "add", name, "--role", role],
                input=f"{PASSWORD}\n", capture_output=True, text=True, cwd=ROOT, check=False,
                env={**stage_environment(os.environ), **environment, "DESK_DATA_DIR": str(self.folder / "desk-1")},
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr

    # -- asking ---------------------------------------------------------------------------------------------------

    def browser(self) -> requests.Session:
        """A browser without scripts, that trusts the team's certificate."""
        session = requests.Session()
        session.trust_env = False  # a bundle that the environment names would win
        session.verify = str(self.pem)
        return session

    def own(self, name: str, path: str, **given: Any) -> requests.Response:  # Any: passed on
        """Ask process `name` itself, as a program inside."""
        with self.browser() as asking:
            asking.headers["Authorization"] = f"Bearer {self.probe}"
            return asking.get(f"https://localhost:{self.ports[name]}{path}", timeout=5, **given)

    def all_ready(self) -> bool:
        """Does the balancer hold every process for ready? One that has ended is an error."""
        for name in self.names:
            self.programs[name].lives()
        return len(self.ready()) == len(self.names)

    def ready(self) -> dict[str, str]:
        """The processes that the balancer holds for ready."""
        self.programs["haproxy"].lives()
        return {name: state for name, state in self.servers("ready").items() if state.startswith("UP")}

    def servers(self, backend: str) -> dict[str, str]:
        """The balancer's view of its servers, by name."""
        try:
            rows = admin(self.admin_socket, "show stat").splitlines()
        except OSError:
            return {}
        columns = rows[0].lstrip("# ").split(",")
        told = [dict(zip(columns, row.split(","), strict=False)) for row in rows[1:] if row]
        return {
            row["svname"]: row["status"] for row in told if row["pxname"] == backend and row["svname"] in self.names
        }

    def figures(self, name: str) -> dict[str, float]:
        """The measures of process `name`, without those that carry labels; empty while it does not answer."""
        try:
            answer = self.own(name, "/metrics")
        except requests.RequestException:
            return {}
        lines = (line.split(" ") for line in answer.text.splitlines() if line and line[0] != "#" and "{" not in line)
        return {words[0]: float(words[1]) for words in lines} if answer.status_code == 200 else {}

    def labelled(self, name: str, measure: str) -> float:
        """The sum of a measure of process `name` over its labels."""
        told = self.own(name, "/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in told if line.startswith(f"{measure}{{"))

    def holder(self, among: Sequence[str] = ()) -> str | None:
        """Who holds the feed, as the processes themselves say; `None`: nobody, or more than one does."""
        held = [name for name in among or self.names if self.figures(name).get("desk_lease_held") == 1.0]
        return held[0] if len(held) == 1 else None

    def upstream(self) -> dict[str, Any]:  # Any: JSON
        """Who is connected to the broker's feeds."""
        answer = requests.get(
            f"{self.broker.url}/_paper/feeds",
            headers={"Authorization": f"Bearer {self.broker.token}"},
            timeout=10,
        )
        found: dict[str, Any] = orjson.loads(answer.content)["data"]
        return found


class Upstream:
    """Looks ten times a second who is connected to the broker's feeds, and keeps the most that it has seen at once."""

    def __init__(self, team: Team) -> None:
        self._team = team
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)
        self.most: dict[str, int] = {"market": 0, "portfolio": 0}
        self.looks = 0
        self.failed: list[str] = []

    def _run(self) -> None:
        while not self._end.wait(0.1):
            try:
                seen = self._team.upstream()
            except (requests.RequestException, ValueError, KeyError) as error:
                self.failed.append(repr(error))
                continue
            self.looks += 1
            for feed, most in self.most.items():
                self.most[feed] = max(most, len(seen[feed]))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._thread.join(30)
