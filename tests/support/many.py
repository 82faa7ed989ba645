"""A team's desk on one machine: four processes behind the real haproxy, with the real Redis and PostgreSQL, each with
the configuration that the desk ships for it, on ports of their own, and one paper broker in the place of Upstox."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import requests

from tests.checks import stage_environment
from tests.support.many_parts import PASSWORD, USER, TeamParts
from tests.support.servers import Program, admin, program, until
from tests.support.shared_data import ROOT
from tests.support.shipped import MANY, health_check, replaced, write_to


class Team(TeamParts):
    """`with Team(folder) as team:` is entered when the balancer sees every process as ready."""

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
        ending = list(reversed(self.programs.values()))
        for one in ending:
            if one.name in (*self.names, "haproxy") and one.runs:
                one.send(signal.SIGTERM)  # all at once: each takes a moment
        for one in ending:
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
        environment = {**os.environ, "DATABASE_PASSWORD": self.secrets["postgres"]}
        script = write_to(self.folder, "database.sql", {})
        self.sql("--file", str(script), environment=environment)

    def healthy(self, name: str) -> bool:
        """Does the health check of the container find this program well?"""
        self.programs[name].lives()
        command = health_check(name)
        environment = {**os.environ, "DESK_METRICS_TOKEN": self.probe, "PROBE_CA": str(self.pem)}
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
        done = subprocess.run(
            [sys.executable, "-m", "dashboard", "users", "add", USER, "--role", "trader"],
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

    def sign_in(self, browser: requests.Session) -> requests.Response:
        """What the sign-in's form comes to."""
        page = browser.get(f"{self.url}/sign-in", timeout=30)
        mark = re.search(r'name="form" value="([0-9a-f]{64})"', page.text)
        fields = {"form": mark[1] if mark else "", "next": "/orders", "name": USER, "password": PASSWORD}
        return browser.post(
            f"{self.url}/sign-in", data=fields, headers={"Origin": self.url}, allow_redirects=False, timeout=30
        )

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
        found: dict[str, Any] = self._broker_says("/_paper/feeds")
        return found

    def orders(self) -> list[dict[str, Any]]:  # Any: JSON
        """The broker's own book."""
        found: list[dict[str, Any]] = self._broker_says("/v2/order/retrieve-all")
        return found

    def _broker_says(self, path: str) -> Any:  # Any: JSON
        with self.browser() as asking:
            asking.headers["Authorization"] = f"Bearer {self.broker.token}"
            return orjson.loads(asking.get(f"{self.broker.url}{path}", timeout=10).content)["data"]
