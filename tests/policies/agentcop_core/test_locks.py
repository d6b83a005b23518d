from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from agentcop_core.locks import IMPORTING, safe_lock


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_waits_for_an_import_in_another_thread_and_leaves_the_lock_free_on_both_sides() -> None:
    order: list[str] = []
    held = threading.Event()

    def imports() -> None:
        with IMPORTING:
            held.set()
            time.sleep(0.2)
            order.append("imported")

    importing = threading.Thread(target=imports)
    importing.start()
    held.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        with IMPORTING:
            os._exit(0)
    order.append("forked")
    _, status = os.waitpid(child, 0)
    importing.join()
    assert order == ["imported", "forked"]
    assert os.waitstatus_to_exitcode(status) == 0
    assert IMPORTING.acquire(blocking=False)
    IMPORTING.release()
