"""The first signal interrupts, impatient ones do not, and what must be finished is."""

import contextlib
import os
import signal
import threading

import pytest

from fadn_cli.system import signals


@pytest.fixture
def listening(monkeypatch):
    """Listen to a process that has heard nothing yet; put everything back afterwards."""
    before = {number: signal.getsignal(number) for number in signals.ENDING}
    monkeypatch.setattr(signals, "_heard", None)
    for number in signals.ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals.listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def kill(number):
    os.kill(os.getpid(), number)


def test_the_first_interrupts_and_names_the_exit_code(listening):
    assert (False, 130) == (signals.was_heard(), signals.exit_code())
    with pytest.raises(KeyboardInterrupt):
        kill(signal.SIGTERM)
    kill(signal.SIGINT)

    assert (True, 143) == (signals.was_heard(), signals.exit_code())


def test_one_that_was_lost_is_heard_all_the_same(listening):
    class Dropping:
        def __del__(self):
            with contextlib.suppress(KeyboardInterrupt):
                kill(signal.SIGTERM)

    signals.raise_if_heard()
    Dropping()

    with pytest.raises(KeyboardInterrupt):
        signals.raise_if_heard()


def test_what_hangs_can_be_interrupted_again(listening, monkeypatch):
    monkeypatch.setattr(signals, "PATIENCE", -1)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            kill(signal.SIGINT)


def test_what_is_being_finished_is_finished(listening):
    with signals.finishing(), signals.finishing():
        kill(signal.SIGTERM)
        done = True

    assert done
    assert 143 == signals.exit_code()


def test_a_step_is_done_whole_and_the_signal_heard_after_it(listening):
    made = None
    with pytest.raises(KeyboardInterrupt), signals.undivided():
        kill(signal.SIGTERM)
        made = "whole"
    with signals.undivided():  # the signal has been heard
        pass

    assert "whole" == made


def test_in_what_is_being_finished_a_step_interrupts_nothing(listening):
    with signals.finishing(), signals.undivided():
        kill(signal.SIGTERM)

    assert signals.was_heard()


def test_what_was_ignored_stays_ignored(listening):
    kill(signal.SIGHUP)

    assert not signals.was_heard()


def test_in_another_s_program_only_ctrl_c_waits():
    before = signal.getsignal(signal.SIGINT)
    with signals.finishing():
        kill(signal.SIGINT)

    assert before == signal.getsignal(signal.SIGINT)


def test_other_threads_change_nothing():
    def work():
        with signals.finishing():
            seen.append(signal.getsignal(signal.SIGINT))

    seen = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert [signal.getsignal(signal.SIGINT)] == seen
