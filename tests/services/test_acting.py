"""Who acts where a call names nobody."""

from __future__ import annotations

import asyncio
import getpass
from threading import Thread

import anyio.to_thread
import pytest

from services import acting as module
from services.acting import acting, acting_as, acting_operator, acting_trader, ask_screen, local_user
from services.domain.actors import Actor, Role
from services.domain.errors import Forbidden

VIEWER = Actor("vina", Role.VIEWER)


@pytest.fixture(autouse=True)
def screens(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    monkeypatch.setattr(module, "_screens", [])
    return module._screens


def test_the_user_of_the_system_is_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "asha\n" + "x" * 100)

    actor = local_user("notebook")

    assert (actor.name, actor.role, actor.session) == ("asha" + "x" * 76, Role.OPERATOR, "notebook")
    assert acting("notebook") == actor


@pytest.mark.parametrize("error", [OSError, KeyError, ImportError])
def test_a_system_without_a_name_for_them_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail() -> str:
        raise error("no such user")

    monkeypatch.setattr(getpass, "getuser", fail)

    assert local_user().name == "local user"


def test_a_screen_knows_better_and_may_refuse() -> None:
    ask_screen(lambda: None)
    assert acting() == local_user()
    ask_screen(lambda: VIEWER)
    assert acting() == VIEWER
    with pytest.raises(Forbidden):
        acting_trader()
    with pytest.raises(Forbidden, match="only an operator may change the limits; vina is a viewer here"):
        acting_operator("change the limits")


def test_who_is_named_for_a_request_acts_in_its_worker_threads_and_in_no_other_request() -> None:
    async def request(actor: Actor) -> Actor:
        with acting_as(actor):
            await asyncio.sleep(0)
            return await anyio.to_thread.run_sync(acting)

    async def both() -> list[Actor]:
        return list(await asyncio.gather(request(VIEWER), request(Actor("asha"))))

    assert asyncio.run(both()) == [VIEWER, Actor("asha")]
    assert acting() == local_user()


def test_a_thread_that_is_nobodys_acts_for_the_desks_own_user() -> None:
    found: list[Actor] = []
    with acting_as(VIEWER):
        thread = Thread(target=lambda: found.append(acting()))
        thread.start()
        thread.join()

    assert found == [local_user()]
