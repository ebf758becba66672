"""Does what the schedule says, when the days have come to where it says."""

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, sleep

from laurel.streams.broker import EmbeddedBroker
from tests.soak.course import LOOK, Course
from tests.soak.crew import Crew, Member
from tests.soak.schedule import BROKER, FEWEST, FREEZE, JOIN, KILL, LEAVE, WIPE, Action


class Trouble(threading.Thread):
    """Carries out actions; one that is not possible yet is passed by until it is."""

    def __init__(
        self,
        actions: Sequence[Action],
        course: Course,
        crew: Crew,
        broker: EmbeddedBroker,
        folder: Path,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(name="trouble")
        self._left = list(actions)
        self._course, self._crew, self._broker, self._folder, self._tell = course, crew, broker, folder, tell
        self._ending = threading.Event()
        self._beside: list[threading.Thread] = []
        self._away = self._frozen = False
        self._began = monotonic()
        self.done: Counter[str] = Counter()
        self.failure: BaseException | None = None

    def begun(self, day: int) -> bool:
        """Whether all that belongs to a day and those before it was begun. Raises what went wrong with it."""
        if self.failure is not None:
            raise self.failure
        return all(action.day > day for action in self._left)

    @property
    def over(self) -> bool:
        """Whether all was done, and undone where it ends."""
        return self.begun(self._left[-1].day if self._left else 0) and not self._away and not self._frozen

    def run(self) -> None:
        try:
            while not self._ending.wait(LOOK / 4):
                self._crew.look()
                due = next(filter(self._is_due, self._left), None)
                if due is not None:
                    sleep(due.delay)
                    self._do(due)
                    self._left.remove(due)
                    self.done[due.kind] += 1
                    self._course.done()
        except BaseException as error:
            self.failure = error

    def end(self) -> None:
        """Does no more, and undoes what is not undone yet."""
        self._ending.set()
        self.join()
        for thread in self._beside:
            thread.join()

    def _is_due(self, action: Action) -> bool:
        if not self._course.reached(action):
            return False
        match action.kind:
            case "broker":
                return not self._away
            case "freeze":
                return not self._frozen and len(self._crew.awake) > 1
            case "leave":
                return len(self._crew.present) > FEWEST and len(self._crew.awake) > 1
            case _:
                return True

    def _do(self, action: Action) -> None:
        if action.kind == BROKER:
            self._away = True
            self._broker.kill()
            self._say(action, f"the broker is away for {action.seconds:.1f} s and its start")
            self._beside_it(self._bring_back, action)
            return
        if action.kind == JOIN:
            self._say(action, _name(self._crew.join()))
            return
        those = self._crew.awake if action.kind in (FREEZE, LEAVE) else self._crew.present
        member = those[int(action.victim * len(those))]
        if action.kind in (KILL, WIPE):
            self._crew.kill(member, wipe=action.kind == WIPE)
        elif action.kind == LEAVE:
            self._crew.leave(member)
        else:
            self._frozen = True
            self._crew.freeze(member)
            self._beside_it(self._wake, action, member)
        lasts = f" for {action.seconds:.1f} s" if action.seconds else ""
        self._say(action, f"{_name(member)}{lasts}")

    def _beside_it(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._beside.append(thread)
        thread.start()

    def _bring_back(self, action: Action) -> None:
        try:
            sleep(action.seconds)
            log = self._folder / "kafka" / "broker.log"
            shutil.copyfile(log, self._folder / f"broker-{self.done[BROKER]}.log")  # it begins anew at each start
            self._broker.restart()
            self._say(action, "the broker is back")
        except BaseException as error:
            self.failure = error
        finally:
            self._away = False
            self._course.done()

    def _wake(self, action: Action, member: Member) -> None:
        sleep(action.seconds)
        self._crew.thaw(member)
        self._frozen = False
        self._say(action, f"{_name(member)} goes on")
        self._course.done()

    def _say(self, action: Action, what: str) -> None:
        self._tell(f"{monotonic() - self._began:7.1f} s  {action}: {what}")


def _name(member: Member) -> str:
    return f"{member.worker.log.stem} with state-{member.number}"
