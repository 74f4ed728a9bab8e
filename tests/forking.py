"""A Python that has imported already what commands import: each command it is given runs in a fork of it.

Imports take a command many seconds of a slow machine; a script of seventeen pays for them once this way.
"""

import json
import os
import runpy
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: What stands for ``python`` in the script: hands over its arguments, place, environment, input and outputs.
CLIENT = """
import json, os, socket, sys
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(asked)
    sys.exit((server.recv(1) or b"\\1")[0])
"""


@contextmanager
def forking_python(folder: Path) -> Iterator[Path]:
    """The path of a program in ``folder``, a short one, that does what ``python -m MODULE …`` does."""
    address, client, program = folder / "socket", folder / "client.py", folder / "python"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        number = listener.fileno()
        command = [sys.executable, "-m", "tests.forking", str(number)]
        server = subprocess.Popen(command, cwd=ROOT, pass_fds=[number])
    try:
        client.write_text(CLIENT.format(address=str(address)), encoding="utf-8")
        started = shlex.join([sys.executable, "-IS", str(client)])
        program.write_text(f'#!/bin/sh\nexec {started} "$@"\n', encoding="utf-8")
        program.chmod(0o700)
        yield program
    finally:
        server.kill()
        server.wait()


def serve(listener: socket.socket) -> None:
    """Run one command after the other, each in a fork, and tell its exit status."""
    while True:
        connection, _ = listener.accept()
        with connection:
            head, outputs, *_ = socket.recv_fds(connection, 4, 3)
            asked = connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
            child = os.fork()
            if child == 0:
                for number, given in enumerate(outputs):
                    os.dup2(given, number)
                return run(*json.loads(asked))
            for given in outputs:
                os.close(given)
            _, status = os.waitpid(child, 0)
            connection.sendall(bytes([min(abs(os.waitstatus_to_exitcode(status)), 255)]))


def run(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """``-m MODULE ARGUMENTS``, as Python would begin it."""
    dash, module, *rest = arguments
    assert dash == "-m", arguments
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    from mmdemo.answer import predict  # noqa: F401
    from mmdemo.review.store import reviews  # noqa: F401
    from train.cells import run as training  # noqa: F401

    serve(socket.socket(fileno=int(sys.argv[1])))
