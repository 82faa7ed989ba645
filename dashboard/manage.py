"""`python3 -m dashboard users …` and `… keys …`: who may sign in, and the key of the token store. The desk may run."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.progress import refuse, say
from services.acting import local_user
from services.domain.actors import PERSONS, Role
from services.domain.errors import UpstoxError
from services.runtime.doors import rotate_keys_in, sign_ins_in
from services.settings import load_settings

if TYPE_CHECKING:
    from services.sign_in import SignIns

_ROLES = [role.value for role in PERSONS]


def manage(words: Sequence[str], *, ask: Callable[[str], str] = getpass.getpass) -> int:
    """Do what the command line says. What cannot be done ends in one line, with exit code 2."""
    read = _parser().parse_args(words)
    if read.data_dir:
        os.environ["DESK_DATA_DIR"] = str(read.data_dir.expanduser().absolute())
    if read.mode:
        os.environ["DESK_MODE"] = read.mode
    try:
        settings = load_settings()
        if read.what == "keys":
            say(rotate_keys_in(settings))
            return 0
        with sign_ins_in(settings) as sign_ins:
            read.do(sign_ins, read, ask)
    except UpstoxError as error:
        refuse(f"{str(error)[:1].upper()}{str(error)[1:]}.", 2)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m dashboard", description=__doc__)
    parts = parser.add_subparsers(dest="what", required=True)
    users = parts.add_parser("users", help="who may sign in")
    keys = parts.add_parser("keys", help="the key that the stored tokens are encrypted with")
    for part in (users, keys):
        part.add_argument("--data-dir", type=Path, metavar="FOLDER", help="as for the desk")
        part.add_argument("--mode", choices=("paper", "live"), help="as for the desk; each has users of its own")
    keys.add_argument("order", choices=("rotate",), help="make a new key and encrypt everything anew with it")
    orders = users.add_subparsers(required=True)
    add = orders.add_parser("add", help="a new user; the password is asked for")
    add.add_argument("name")
    add.add_argument("--role", choices=_ROLES, default=Role.VIEWER.value)
    add.add_argument(
        "--issuer", action="store_true", help="signs in by the OpenID Connect issuer; the name is an e-mail"
    )
    add.set_defaults(do=_add)
    orders.add_parser("list", help="everybody, and who is signed in").set_defaults(do=_list)
    role = orders.add_parser("role", help="what somebody may do")
    role.add_argument("name")
    role.add_argument("role", choices=_ROLES)
    role.set_defaults(do=_role)
    for name, do, told in (
        ("password", _password, "another password; signs them out"),
        ("sign-out", _sign_out, "end all sign-ins of somebody"),
        ("remove", _remove, "they sign in no more"),
    ):
        order = orders.add_parser(name, help=told)
        order.add_argument("name")
        order.set_defaults(do=do)
    return parser


def _add(sign_ins: SignIns, read: argparse.Namespace, ask: Callable[[str], str]) -> None:
    password = None if read.issuer else _asked(ask)
    user = sign_ins.add(read.name, Role(read.role), password, actor=local_user("command line"))
    say(f"{user.name} may sign in now, as {user.role.value}.")


def _list(sign_ins: SignIns, read: argparse.Namespace, ask: Callable[[str], str]) -> None:
    here = [one.user for one in sign_ins.everybody()]
    for user in sign_ins.users():
        signed_in = f", signed in {here.count(user.name)} times" if user.name in here else ""
        say(f"{user.name}  {user.role.value}  by {user.proof.value}{signed_in}")
    if not sign_ins.users():
        say("There are no users yet.")


def _role(sign_ins: SignIns, read: argparse.Namespace, ask: Callable[[str], str]) -> None:
    user = sign_ins.set_role(read.name, Role(read.role), actor=local_user("command line"))
    say(f"{user.name} is {user.role.value} now; open tabs notice it within seconds.")


def _password(sign_ins: SignIns, read: argparse.Namespace, ask: Callable[[str], str]) -> None:
    user = sign_ins.set_password(read.name, _asked(ask), actor=local_user("command line"))
    say(f"{user.name} has another password and is signed out everywhere.")


def _sign_out(sign_ins: SignIns, read: argparse.Namespace, ask: Callable[[str], str]) -> None:
    ended = sign_ins.sign_out(read.name, actor=local_user("command line"))
    say(f"{ended} sign-ins ended.")


def _remove(sign_ins: SignIns, read: argparse.Namespace, ask: Callable[[str], str]) -> None:
    user = sign_ins.remove(read.name, actor=local_user("command line"))
    say(f"{user.name} signs in no more.")


def _asked(ask: Callable[[str], str]) -> str:
    """The password: typed twice at a terminal, else the first line of the input."""
    if not sys.stdin.isatty() and ask is getpass.getpass:
        return sys.stdin.readline().rstrip("\r\n")
    first = ask("Password (12 letters or more): ")
    if ask("Again: ") != first:
        refuse("The two are not the same.", 2)
    return first
