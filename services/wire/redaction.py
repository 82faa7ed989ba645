"""Takes what looks like a secret out of a text. Pure patterns; literal secrets are known to `services.logs` only."""

from __future__ import annotations

import re

HIDDEN = "***"
"""Stands where a secret stood. Plain characters, so that hiding twice changes nothing."""

_QUOTED = r"""b?"(?:\\.|[^"\\])*"?|b?'(?:\\.|[^'\\])*'?|\\+"[^"]*?\\+"|\\+'[^']*?\\+'"""
_BARE = r"""[^\s&"'\\,;)}\]<>#|]+"""
_ASSIGNED = r"""(?:\\*["']?\s*(?:=>|[:=]|%3D|%3A)\s*|["']\s*,\s*(?=b?["']))[\[(]?\s*"""
_LONG_NAMES = (
    r"access[_-]?token|extended[_-]?token|refresh[_-]?token|read[_-]?token|client[_-]?secret|api[_-]?secret"
    r"|encryption[_-]?key|password|passwd|authorization[_-]?code|auth[_-]?code"
)
_START = r"(?:(?<![\w-])|(?<=%3F)|(?<=%26)|(?<=%22))"
_SHORT_NAMES = rf"{_START}(?:token|secret|otp|totp|pin)(?!:\s(?-i:[a-z]{{1,5}})[\s,.])"
"""What follows may be the next word of a sentence: `no token: log in first`."""
_CODE = rf"""{_START}code(?=\\*["']|\s?=|%3D)"""

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A JSON web token, whole or cut: every one begins with the base64 of '{"'.
    (re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,4}"), HIDDEN),
    # `Authorization: Bearer x`, {'authorization': b'x'}, ('Authorization', 'Basic x')
    (
        re.compile(
            rf"((?:proxy-)?authorization{_ASSIGNED})(?!\s)(?:(?:bearer|basic|token)(?:\s+|%20)[^\s\"',;)}}\]]+|{_QUOTED}|{_BARE})",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic)((?:\s|%20|\+)+)[A-Za-z0-9._~+/%=-]{4,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    # `code=x`, `"access_token": "x"`, `('client_secret', 'x')`, `client_secret%3Dx`; never `status_code` or `UDAPI...`
    (
        re.compile(
            rf"((?:{_LONG_NAMES}|{_SHORT_NAMES}|{_CODE}){_ASSIGNED})(?![\"']?UDAPI\d{{3,6}}(?!\w))(?:{_QUOTED}|{_BARE})",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # A Fernet key: 32 bytes in URL-safe base64. And what was encrypted with one.
    (re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?:=|%3D)(?![A-Za-z0-9=])"), HIDDEN),
    (re.compile(r"gAAAAA[A-Za-z0-9_-]{20,}={0,2}"), HIDDEN),
)


def remove_secrets(text: str) -> str:
    """`text` without anything that has the form of a token, a code, a client secret or a key."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
