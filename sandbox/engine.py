"""What happens by itself when its time has come: outcomes, ends of reviews and story steps."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter

from sandbox import player
from sandbox.bakkt import events, linking, transfers, updates
from sandbox.state import Update
from sandbox.world import World


def fire_due(world: World) -> None:
    """Do everything that is due by the sandbox's clock, in the order it fell due."""
    with world.change():
        while True:
            now = world.clock.now()
            over = [update for update in _reviews(world) if update.due <= now]
            for update in over:
                updates.end(world, update, update.outcome)
            due, act = min(_to_come(world), key=itemgetter(0), default=(now + 1, None))
            if act is None or due > now:
                return
            act()


def fire_outcomes(world: World) -> None:
    """The next outcome of every account, link and transfer at once, without waiting for its time; reviews of updates
    end first."""
    with world.change() as state:
        for update in _reviews(world):
            updates.end(world, update, update.outcome)
        for plan in list(state.plans):
            events.fire(world, plan)
        for bank in [bank for bank in state.banks if bank.due is not None]:
            linking.fire(world, bank)
        for movement in [movement for movement in state.movements if movement.due is not None]:
            transfers.fire(world, movement)


def _to_come(world: World) -> Iterator[tuple[float, Callable[[], object]]]:
    """What has its time, and how it is done; of two at the same time the first comes first."""
    state = world.state
    yield from ((plan.due, partial(events.fire, world, plan)) for plan in state.plans)
    for bank in state.banks:
        if bank.due is not None:
            yield bank.due, partial(linking.fire, world, bank)
    for movement in state.movements:
        if movement.due is not None:
            yield movement.due, partial(transfers.fire, world, movement)
    yield from ((run.due, partial(player.play, world, run)) for run in state.runs if run.state == "playing")


def _reviews(world: World) -> list[Update]:
    """The updates whose review ends by itself."""
    return [update for update in world.state.updates if not updates.held(world, update)]


# The longest wait a lock takes is shorter than some stories.
LONGEST_REST = 3600.0


class Clockwork(threading.Thread):
    """Sleeps until the next thing is due."""

    def __init__(self, world: World) -> None:
        super().__init__(name="clockwork", daemon=True)
        self.world = world

    def run(self) -> None:
        while True:
            with self.world.moved:
                rest = self._rest()
                if rest is None or rest > 0:
                    self.world.moved.wait(rest)
                    continue
            fire_due(self.world)

    def _rest(self) -> float | None:
        dues = [due for due, _ in _to_come(self.world)]
        dues += [update.due for update in _reviews(self.world)]
        return min(min(dues) - self.world.clock.now(), LONGEST_REST) if dues else None
