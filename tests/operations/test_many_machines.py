"""The configurations for several machines: sound by themselves, of one mind with each other, and told of in the
document. That they work is tried by `tests/browser/test_many.py`, which runs these very files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.measures.exposition import Exposition
from services.settings import Settings
from tests.support.measures import SHARED
from tests.support.prometheus import PROMTOOL
from tests.support.servers import program
from tests.support.shipped import DOCUMENT, MANY, health_check, services, unit_command, variables, write_to
from tests.support.tls import certificate

DESKS = [f"desk-{number}" for number in range(1, 5)]
UNITS = ("desk@.service", "desk-backup.service", "desk-backup.timer")
OWN_OF_ONE = {"LISTEN_ADDRESS", "DESK_PROCESS_NAME"}


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    for name in UNITS:
        ours = {"/opt/upstox-desk/.venv/bin/python": sys.executable, "/usr/local/sbin/desk-backup": sys.executable}
        text = (MANY / name).read_text(encoding="utf-8")
        write_to(tmp_path, name, {old: new for old, new in ours.items() if old in text})

    done = subprocess.run(
        [analyze, "verify", *(str(tmp_path / name) for name in UNITS)], capture_output=True, text=True, check=False
    )

    told = [line for line in done.stderr.splitlines() if str(tmp_path) in line or line.startswith("desk")]
    assert (done.returncode, told) == (0, [])


def test_the_unit_waits_for_what_the_desk_tells_and_lets_it_do_little() -> None:
    unit = (MANY / "desk@.service").read_text(encoding="utf-8")

    for line in ("Type=notify", "WatchdogSec=20", "Restart=always", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert f"\n{line}\n" in unit
    assert "--data-dir" in unit_command()


def test_haproxy_takes_its_configuration(tmp_path: Path) -> None:
    pem = str(certificate(tmp_path))
    config = write_to(tmp_path, "haproxy.cfg", {"/etc/haproxy/desk.pem": pem, "/etc/haproxy/desk-ca.pem": pem})

    done = subprocess.run(
        [program("haproxy", "haproxy"), "-c", "-q", "-f", str(config)],
        env={**os.environ, "DESK_METRICS_TOKEN": "x" * 32}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_both_backends_know_the_same_desks_by_the_addresses_that_the_containers_have() -> None:
    text = (MANY / "haproxy.cfg").read_text(encoding="utf-8")
    servers = re.findall(r"^ +server (\S+) (\S+) cookie (\S+)$", text, re.MULTILINE)
    networks = {name: services()[name]["networks"]["desks"]["ipv4_address"] for name in services()}

    assert servers == [(name, f"{networks[name]}:8501", name) for name in DESKS] * 2
    assert f"listen_addresses = '{networks['postgres']}'" in (MANY / "postgresql.conf").read_text(encoding="utf-8")
    assert f"bind {networks['redis']}\n" in (MANY / "redis.conf").read_text(encoding="utf-8")
    assert f"@{networks['postgres']}/" in variables()["DESK_LEDGER_URL"]
    assert f"@{networks['redis']}:6379/" in variables()["DESK_REDIS_URL"]
    assert variables()["FORWARDED_ALLOW_IPS"] == networks["haproxy"]


@pytest.mark.parametrize("name", DESKS)
def test_a_container_of_the_desk_runs_the_command_of_the_unit_with_its_environment(name: str) -> None:
    made = services()[name]
    address = made["networks"]["desks"]["ipv4_address"]
    filled = {"${LISTEN_ADDRESS}": address, "%i": "8501", "/var/lib/upstox-desk/%i": "/var/lib/upstox-desk/8501"}

    assert made["command"] == [filled.get(word, word) for word in unit_command()]
    assert made["env_file"] == ["desk.env"]
    assert made["environment"].keys() - {"PROBE_CA"} == OWN_OF_ONE
    assert made["environment"]["LISTEN_ADDRESS"] == address
    assert made["environment"]["DESK_PROCESS_NAME"] == name
    assert health_check(name) == ["python3", "/etc/upstox-desk/probe.py", "https://desk.example.com:8501/livez"]
    assert made["extra_hosts"] == [f"desk.example.com:{address}"]


def test_every_variable_of_the_environment_file_is_a_setting_of_the_desk() -> None:
    foreign = {"LISTEN_ADDRESS", "FORWARDED_ALLOW_IPS"}  # of the unit's command line, of the page server
    known = {f"DESK_{name.upper()}" for name in Settings.model_fields}
    known |= {"UPSTOX_CLIENT_ID", "UPSTOX_CLIENT_SECRET", "UPSTOX_REDIRECT_URI", "ENCRYPTION_KEY"}

    assert variables().keys() - foreign <= known
    for name, service in services().items():
        for file in mounted(service):
            assert (MANY / file).is_file(), f"{name} mounts {file}"


def mounted(service: dict[str, Any]) -> list[str]:
    """The shipped files that a container is given."""
    sources = [volume.split(":")[0] for volume in service.get("volumes", ())]
    return [source.removeprefix("./") for source in sources if source.startswith("./") and "/tls" not in source]


def test_every_shipped_file_is_told_of_in_the_document() -> None:
    told = DOCUMENT.read_text(encoding="utf-8")

    assert [path.name for path in sorted(MANY.iterdir()) if f"`{path.name}`" not in told] == []


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool here (apt install prometheus)")
def test_the_rules_for_several_processes_are_sound_and_about_measures_that_there_are() -> None:
    rules = MANY / "desk-many-rules.yml"
    done = subprocess.run([str(PROMTOOL), "check", "rules", str(rules)], capture_output=True, text=True, check=False)
    content, _ = Exposition(lambda: SHARED, tuple, mode="paper", version="0.1.0").text()
    told = set(re.findall(r"^# TYPE (\S+)", content.decode(), re.MULTILINE))

    assert done.returncode == 0, done.stdout + done.stderr
    assert set(re.findall(r"\bdesk_[a-z0-9_]+", rules.read_text(encoding="utf-8"))) - told == set()


def test_a_backup_counts_only_when_it_can_be_read_back(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    kept = tmp_path / "backups"
    kept.mkdir()
    (tools / "pg_dump").write_text(
        '#!/bin/sh\nfor word; do case "$word" in --file=*) echo x > "${word#--file=}";; esac; done\n'
    )
    (tools / "pg_restore").write_text("#!/bin/sh\nexit $BAD\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    for hour in range(75):
        (kept / f"ledger-20261101T{hour:06d}Z.dump").touch()

    def run(bad: int) -> int:
        path = f"{tools}:{os.environ['PATH']}"
        command = [shutil.which("sh") or "sh", str(MANY / "desk-backup"), "desk", str(kept)]
        return subprocess.run(command, env={"PATH": path, "BAD": str(bad)}, check=False, capture_output=True).returncode

    assert run(bad=1) == 1
    assert len(list(kept.iterdir())) == 75
    assert run(bad=0) == 0
    names = sorted(path.name for path in kept.iterdir())
    assert len(names) == 72
    assert names[0] == "ledger-20261101T000004Z.dump"
    assert not [name for name in names if name.endswith(".part")]
