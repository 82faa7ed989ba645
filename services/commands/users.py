"""`python -m services users …`: who may sign in. The desk may run."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from services.acting import local_user
from services.commands.command import DONE, PROGRAM, Parser, add_common, ended, parser, settings_of
from services.commands.telling import say, say_json, say_table
from services.domain.actors import PERSONS, Role
from services.domain.errors import InvalidRequest
from services.runtime.doors import sign_ins_in

if TYPE_CHECKING:
    from services.sign_in import SignIns

VERB = "users"
Ask = Callable[[str], str]
_ROLES = [role.value for role in PERSONS]


def main(words: Sequence[str], *, ask: Ask = getpass.getpass, program: str = PROGRAM) -> int:
    """Done with the ledger of the data folder, without a broker. A password is typed twice, or comes by a pipe."""
    given = _parser(program).parse_args(words)

    def tell() -> int:
        with sign_ins_in(settings_of(given)) as sign_ins:
            said = given.do(sign_ins, given, ask)
            if said:
                say(said) if not given.json else say_json({"done": said})
        return DONE

    return ended(VERB, tell, program=program)


def _parser(program: str) -> argparse.ArgumentParser:
    made = parser(VERB, "Who may sign in at the desk of this data folder.", program=program)
    orders = made.add_subparsers(required=True, parser_class=Parser)
    add = orders.add_parser("add", help="a new user; the password is asked for")
    add.add_argument("name")
    add.add_argument("--role", choices=_ROLES, default=Role.VIEWER.value)
    add.add_argument(
        "--issuer", action="store_true", help="signs in by the OpenID Connect issuer; the name is an e-mail"
    )
    add.set_defaults(do=_add)
    listing = orders.add_parser("list", help="everybody, and who is signed in")
    listing.set_defaults(do=_list)
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
    for order in orders.choices.values():
        add_common(order)
    return made


def _add(sign_ins: SignIns, given: argparse.Namespace, ask: Ask) -> str:
    password = None if given.issuer else _asked(ask)
    user = sign_ins.add(given.name, Role(given.role), password, actor=local_user("command line"))
    return f"{user.name} may sign in now, as {user.role.value}."


def _list(sign_ins: SignIns, given: argparse.Namespace, ask: Ask) -> str:
    here = Counter(one.user for one in sign_ins.everybody())
    users = sign_ins.users()
    if given.json:
        say_json(
            [
                {
                    "name": user.name,
                    "role": user.role,
                    "proof": user.proof,
                    "since": user.created_at,
                    "signed_in": here[user.name],
                }
                for user in users
            ]
        )
    elif users:
        rows = [(user.name, user.role.value, user.proof.value, user.created_at, here[user.name]) for user in users]
        say_table(("name", "role", "signs in by", "since (IST)", "signed in"), rows)
    return "" if users or given.json else "There are no users yet."


def _role(sign_ins: SignIns, given: argparse.Namespace, ask: Ask) -> str:
    user = sign_ins.set_role(given.name, Role(given.role), actor=local_user("command line"))
    return f"{user.name} is {user.role.value} now; open tabs notice it within seconds."


def _password(sign_ins: SignIns, given: argparse.Namespace, ask: Ask) -> str:
    user = sign_ins.set_password(given.name, _asked(ask), actor=local_user("command line"))
    return f"{user.name} has another password and is signed out everywhere."


def _sign_out(sign_ins: SignIns, given: argparse.Namespace, ask: Ask) -> str:
    ended_now = sign_ins.sign_out(given.name, actor=local_user("command line"))
    return f"{ended_now} sign-ins ended."


def _remove(sign_ins: SignIns, given: argparse.Namespace, ask: Ask) -> str:
    user = sign_ins.remove(given.name, actor=local_user("command line"))
    return f"{user.name} signs in no more."


def _asked(ask: Ask) -> str:
    """The password: typed twice at a terminal, else the first line of the input."""
    if not sys.stdin.isatty() and ask is getpass.getpass:
        return sys.stdin.readline().rstrip("\r\n")
    first = ask("Password (12 letters or more): ")
    if ask("Again: ") != first:
        raise InvalidRequest("the two are not the same")
    return first
