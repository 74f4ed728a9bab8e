"""Threads share a few heaps, so that free memory is not hoarded by each."""

import subprocess
import sys

import pytest

#: Eight threads, one after another alive together, ask for memory; glibc prints each heap that there is.
COUNT = """
import ctypes, threading
from mmdemo.ui.serve.heap import share_heaps
if {share}:
    assert share_heaps()
libc, ready = ctypes.CDLL(None), threading.Barrier(9)
libc.malloc.restype = ctypes.c_void_p
def ask():
    libc.malloc(1000)
    ready.wait()
    ready.wait()
threads = [threading.Thread(target=ask) for _ in range(8)]
[thread.start() for thread in threads]
ready.wait()
libc.malloc_stats()
ready.wait()
"""


def heaps(*, share: bool) -> int:
    found = subprocess.run(
        [sys.executable, "-c", COUNT.format(share=share)], capture_output=True, text=True, check=True
    )
    return found.stderr.count("Arena ")


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heaps")
def test_threads_share_two_heaps():
    assert heaps(share=True) <= 2 < heaps(share=False)
