"""Pressing the one button of the paper broker's login page, without a browser."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import requests


def press_login(url: str) -> dict[str, str]:
    """Open the login dialog at `url`, press its button, and return what the browser is sent back with."""
    page = requests.get(url, timeout=30)
    page.raise_for_status()
    action = re.search(r'<form[^>]*action="([^"]*)"', page.text)
    assert action is not None, "the dialog has a form"
    assert page.text.count("<button") == 1, "and one button"
    fields = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', page.text)
    }
    answer = requests.post(
        urljoin(url, unescape(action[1])),
        data=fields,
        headers={"Origin": "{0.scheme}://{0.netloc}".format(urlsplit(url))},
        allow_redirects=False,
        timeout=5,
    )
    assert answer.status_code == 302, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}
