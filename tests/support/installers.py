"""Stand-ins for uv and for a Python with pip: small programs that note how they were called and install nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

_PYTHON = """#!{python}
import json, os, sys
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(["python", *arguments]) + "\\n")
if "-c" in arguments:  # "which Python are you, and are you an environment?"
    print("{major} {minor} True")
elif "--version" in arguments:
    sys.exit(0 if os.path.exists({pip!r}) else 1)
elif "ensurepip" in arguments:
    open({pip!r}, "w").close()
elif "install" in arguments:
    print(open({answer!r}).read())
    sys.exit(1 if os.path.getsize({answer!r}) else 0)
"""

_UV = """#!{python}
import json, os, sys
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(["uv", *arguments]) + "\\n")
if os.path.exists({broken!r}):
    print("error: no registry is known to uv")
    sys.exit(2)
if arguments[0] == "venv":
    program = os.path.join(arguments[-1], "bin", "python")
    os.makedirs(os.path.dirname(program))
    with open(program, "w") as out:
        out.write({python_source!r})
    os.chmod(program, 0o755)
else:
    if os.path.exists({uv_install_fails!r}):
        print("error: not found in the registry")
        sys.exit(1)
"""


class FakeInstallers:
    """`uv` is the program to hand over; the switches below make it, or pip, fail; `calls()` tells what was asked."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.uv = folder / "uv"
        self._log = folder / "calls"
        self._log.touch()
        self._pip = folder / "pip-is-there"
        self._answer = folder / "pip-answers"
        self._answer.touch()
        self._broken = folder / "uv-is-broken"
        self._uv_install_fails = folder / "uv-install-fails"
        python = _PYTHON.format(
            python=sys.executable,
            log=str(self._log),
            pip=str(self._pip),
            answer=str(self._answer),
            major=sys.version_info[0],
            minor=sys.version_info[1],
        )
        source = _UV.format(
            python=sys.executable,
            log=str(self._log),
            broken=str(self._broken),
            uv_install_fails=str(self._uv_install_fails),
            python_source=python,
        )
        self.uv.write_text(source)
        self.uv.chmod(0o755)

    def break_uv_install(self) -> None:
        self._uv_install_fails.touch()

    def pip_fails_saying(self, text: str) -> None:
        self.break_uv_install()
        self._answer.write_text(text)

    def mend(self) -> None:
        self._answer.write_text("")
        self._uv_install_fails.unlink(missing_ok=True)

    def calls(self, program: str) -> list[list[str]]:
        """The arguments of every call of `uv` or `python`, oldest first."""
        calls = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [arguments for name, *arguments in calls if name == program]
