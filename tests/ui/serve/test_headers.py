"""The policy of a page: the scripts that stand in it by their hash, and no other."""

import base64
import hashlib

import pytest

from mmdemo.ui.serve.headers import content_security_policy, script_hashes


def of(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@pytest.mark.parametrize(
    ("html", "scripts"),
    [
        ("<p>no script</p>", ()),
        ("<script>a</script><p><script data-x>b\n</script>", ("a", "b\n")),
        ("<SCRIPT>a</SCRIPT><script>a</script>", ("a",)),
        ('<script src="x.js"></script><script type="module">c</script>', ("c",)),
        ("<script></script>", ("",)),
        ("<scripted>a</scripted>", ()),
    ],
)
def test_each_inline_script_is_named_once(html, scripts):
    assert script_hashes(html.encode()) == tuple(map(of, scripts))


def test_only_the_named_scripts_run_and_only_the_hub_may_frame_a_space():
    here = content_security_policy(("'sha256-x'",), on_space=False)
    assert "script-src 'self' 'unsafe-eval' 'sha256-x';" in here and "huggingface" not in here
    there = content_security_policy((), on_space=True)
    assert "frame-ancestors 'self' https://huggingface.co" in there
