from __future__ import annotations

import os
import signal
import threading

import pytest

from agentcop_core.locks import safe_lock


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_finds_the_lock_free_though_a_thread_of_the_parent_held_it() -> None:
    lock = safe_lock()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait(30)

    holding = threading.Thread(target=hold)
    holding.start()
    held.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        lock.acquire()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    done.set()
    holding.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_the_thread_that_holds_it_may_take_it_again() -> None:
    lock = safe_lock()
    with lock, lock:
        assert True
