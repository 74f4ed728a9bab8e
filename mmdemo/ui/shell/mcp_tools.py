"""The named endpoints as tools of an MCP server (Model Context Protocol), which Gradio serves on request."""

import importlib.util
import json
from typing import Any

import gradio as gr

from mmdemo.types import InputError


def check_installed() -> None:
    """Raises InputError where the package that speaks the protocol is missing."""
    if importlib.util.find_spec("mcp") is None:
        raise InputError("MCP needs one package more: pip install 'gradio[mcp]'")


def answer_in_json(demo: gr.Blocks) -> None:
    """Make a launched page's tools answer in JSON: Gradio prints a dict as Python would."""
    server = demo.mcp_server_obj
    if server is None:
        return
    as_gradio_does = server.postprocess_output_data

    def in_json(data: list[Any], root_url: str) -> Any:
        return as_gradio_does([_text(value) for value in data], root_url)

    server.postprocess_output_data = in_json  # type: ignore[method-assign]  # the one hook there is


def _text(value: Any) -> Any:
    """A JSON answer as text; a file, which names itself by ``meta``, as it is."""
    if isinstance(value, dict) and "meta" not in value:
        return json.dumps(value, ensure_ascii=False)
    return value
