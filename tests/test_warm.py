from __future__ import annotations

import signal

import pytest

from tests.support.warm import start


@pytest.mark.parametrize(("given", "said", "code"), [('["word"]', '[\n    "word"\n]\n', 0), ("{", "", 1)])
def test_a_forked_program_has_its_own_input_output_and_exit_code(given: str, said: str, code: int) -> None:
    program = start("json.tool", environment={"PATH": ""})
    program.stdin.write(given)
    program.stdin.close()

    assert program.communicate(timeout=60) == (said, None)
    assert program.returncode == code


def test_one_is_killed_while_another_goes_on() -> None:
    one, other = (start("json.tool", environment={"PATH": ""}) for _ in range(2))
    one.kill()

    assert one.communicate(timeout=60) == ("", None)
    assert one.returncode == -signal.SIGKILL
    assert other.poll() is None
    other.stdin.write("1")
    other.stdin.close()
    assert other.communicate(timeout=60) == ("1\n", None)
