"""Who does the work of a batch: threads of this process, or a cluster; and how they are stopped.

`batch` calls it. The one thing to know: threads share the networks' memory and are as fast as
processes would be, since nearly all the time is spent in code that lets other threads run; and the
main thread only waits, so that Ctrl-C is heard at once, however long one call takes inside a file.
"""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from fadn_cli.batch import cluster, worker
from fadn_cli.batch.results import Event, FileResult, FileStarted, TileFinished
from fadn_cli.batch.worker import Task
from fadn_cli.system.signals import finishing, raise_if_heard
from fadn_cli.system.temporary import remove_own

GRACE = 0.7
"""Seconds that the files at work have to stop by themselves."""
_POLL = 0.2  # seconds; some systems do not hear Ctrl-C while they wait

Given = tuple[Task, Future[FileResult]]
"""A task, and what is to come of it."""


class Crew:
    """Tasks given out, here or on a cluster.

    Parameters
    ----------
    jobs : int
        Threads, if they are given out here: files at once.
    scheduler : str or None
        Address of a Dask scheduler; None: here.
    """

    def __init__(self, *, jobs: int, scheduler: str | None) -> None:
        self._jobs = jobs
        self._scheduler = scheduler
        self._inbox: queue.SimpleQueue[Event | Given] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._given: list[Given] = []
        self._at_work: set[Path] = set()  # outputs that threads of this process are making

    @property
    def given(self) -> tuple[Given, ...]:
        """All tasks, in the order in which they were given."""
        return tuple(self._given)

    @property
    def finished(self) -> tuple[Given, ...]:
        """The tasks that ended by themselves, before they were stopped."""
        done = (given for given in self._given if given[1].done() and not given[1].cancelled())
        return tuple(
            given for given in done if not isinstance(given[1].exception(), KeyboardInterrupt)
        )

    def run(
        self, tasks: Sequence[Task], tell: Callable[[Event], None]
    ) -> Generator[Given, None, None]:
        """Yield each task as it is settled, and pass on what the others tell meanwhile.

        Parameters
        ----------
        tasks : sequence of Task
            At least one.
        tell : callable
            Called in this thread.

        Raises
        ------
        FadnError
            The cluster cannot be reached.
        KeyboardInterrupt
            Ctrl-C. Then, and if the iterator is closed, what has not begun is dropped, and what
            has gets `GRACE` to stop.
        """
        with self._executor(len(tasks)) as pool:
            for task in tasks:
                self._give(pool, task)
            left = len(tasks)
            while left:
                raise_if_heard()
                try:
                    item = self._inbox.get(timeout=_POLL)
                except queue.Empty:
                    continue
                if isinstance(item, tuple):
                    left -= 1
                    yield item
                else:
                    tell(item)

    def _give(self, pool: Executor, task: Task) -> None:
        """Give out one task."""
        if self._scheduler is None:
            future = pool.submit(self._work, task)
        else:
            future = pool.submit(cluster.work, cluster.absolute(task))
        self._given.append((task, future))
        future.add_done_callback(lambda future: self._inbox.put((task, future)))

    @contextmanager
    def _executor(self, count: int) -> Iterator[Executor]:
        """Give what runs the tasks: a cluster, or threads, ended without waiting for long calls."""
        if self._scheduler is not None:
            with cluster.connect(self._scheduler) as pool:
                yield pool
            return
        threads = ThreadPoolExecutor(min(self._jobs, count), thread_name_prefix="file")
        try:
            yield threads
        finally:
            self._stop.set()
            with finishing():  # whatever impatient fingers do
                threads.shutdown(wait=False, cancel_futures=True)
                self._wait_or_give_up()

    def _work(self, task: Task) -> FileResult:
        """Do a task in this process, until told to stop."""
        source, output = task.job.source, task.job.output

        def on_tile(done: int, total: int) -> None:
            if self._stop.is_set():
                raise KeyboardInterrupt
            self._inbox.put(TileFinished(source=source, done=done, total=total))

        self._at_work.add(output)
        try:
            self._inbox.put(FileStarted(source=source))
            return worker.work(task, on_tile=on_tile)
        finally:
            self._at_work.discard(output)

    def _wait_or_give_up(self) -> None:
        """Give the files at work a moment to stop; remove what the others have written so far."""
        end = time.perf_counter() + GRACE
        while time.perf_counter() < end and (
            self._at_work or any(future.running() for _, future in self._given)
        ):
            time.sleep(0.01)
        for output in tuple(self._at_work):  # inside one long call: the process will end before it
            remove_own(output)
