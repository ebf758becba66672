"""An event loop whose blocking work stops at every step, and goes on when it is told to: threads that take turns.

Where laurel would wait for Kafka or a disk in a thread, the work runs in a thread here too, but only between two `resume`s: up to
its next `pause`, or to its end. So whoever drives the loop decides what happens next, and the same decisions lead to the same end.
"""

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

owner: ContextVar[object] = ContextVar("owner", default=None)  # whose tasks these are
_here = threading.local()


class Crashed(BaseException):
    """The process that did the work is no more."""


class Work:
    """A piece of blocking work of an owner. `doing` says what it is about to do, `ready` whether it can."""

    def __init__(self, future: asyncio.Future[Any], call: Callable[[], Any]) -> None:
        self.owner, self.doing = owner.get(), "begin"
        self._future, self._call = future, call
        self._until: Callable[[], bool] | None = None
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._killed = self.ended = False
        self._result: Any = None
        self._error: BaseException | None = None

    @property
    def ready(self) -> bool:
        return self._until is None or self._until()

    def resume(self) -> None:
        """Lets it go on to its next pause or its end, and waits for that."""
        if self.doing == "begin":
            self.doing = "run"
            self._thread.start()
        else:
            self._go.release()
        self._back.acquire()
        if not self.ended:
            return
        self._thread.join()
        if self._future.done():
            return
        if self._error is None:
            self._future.set_result(self._result)
        else:
            self._future.set_exception(self._error)

    def kill(self) -> None:
        """Ends it where it is."""
        self._killed = True
        if self.doing == "begin":
            self.ended = True
            if not self._future.done():
                self._future.set_exception(Crashed())
        else:
            while not self.ended:
                self.resume()

    def _run(self) -> None:
        _here.work = self
        try:
            self._result = self._call()
        except BaseException as error:
            self._error = error
        self.ended = True
        self._back.release()

    def pause(self, doing: str, until: Callable[[], bool] | None) -> None:
        if not self._killed:
            self.doing, self._until = doing, until
            self._back.release()
            self._go.acquire()
        if self._killed:
            raise Crashed


def pause(doing: str, until: Callable[[], bool] | None = None) -> None:
    """Called by what is about to do something that others can see, or that can be waited for (`until`).

    Outside of any work it goes on at once.
    """
    work: Work | None = getattr(_here, "work", None)
    if work is not None:
        work.pause(doing, until)
    else:
        assert until is None or until(), f"{doing} would wait for ever"


class Loop(asyncio.SelectorEventLoop):
    """Runs tasks until all of them wait; blocking work is collected in `works`."""

    def __init__(self) -> None:
        super().__init__()
        self._works: list[Work] = []
        self._tasks: list[tuple[object, asyncio.Task[Any]]] = []
        self.set_task_factory(self._begin)

    def _begin(self, _loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=self, **options)
        self._tasks = [(of, other) for of, other in self._tasks if not other.done()]
        self._tasks.append((owner.get(), task))
        return task

    def cancel(self, of: object) -> None:
        """Ends all tasks of an owner."""
        for its, task in self._tasks:
            if its is of:
                task.cancel()
        self.settle()

    def run_in_executor(self, _executor: Any, call: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """The work waits for `resume`, whatever executor it was for."""
        future = self.create_future()
        self._works.append(Work(future, lambda: call(*arguments)))
        return future

    @property
    def works(self) -> list[Work]:
        """What can go on, oldest first."""
        self._works = [work for work in self._works if not work.ended]
        return [work for work in self._works if work.ready]

    @property
    def waiting(self) -> list[str]:
        """What is under way, ready or not."""
        return [f"{work.owner}: {work.doing}" for work in self._works if not work.ended]

    def under_way(self, of: object) -> list[Work]:
        """The work of an owner that has begun."""
        return [work for work in self._works if work.owner is of and not work.ended and work.doing != "begin"]

    def kill(self, of: object) -> None:
        """Ends all work of an owner."""
        for work in self._works:
            if work.owner is of and not work.ended:
                work.kill()

    def end(self) -> None:
        """Ends everything."""
        for of in {of for of, _ in self._tasks} | {work.owner for work in self._works}:
            self.kill(of)
            self.cancel(of)
        self.close()

    def settle(self) -> None:
        """Runs every task until it waits for something."""
        while True:
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready:
                return
