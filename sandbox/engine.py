"""What happens by itself when its time has come: outcomes, ends of reviews and story steps."""

import threading

from sandbox import player
from sandbox.bakkt import events, updates
from sandbox.state import Update
from sandbox.world import World


def fire_due(world: World) -> None:
    """Do everything that is due by the sandbox's clock, in the order it fell due."""
    with world.change() as state:
        while True:
            now = world.clock.now()
            over = [update for update in _reviews(world) if update.due <= now]
            for update in over:
                updates.end(world, update, update.outcome)
            plans = [plan for plan in state.plans if plan.due <= now]
            runs = [run for run in state.runs if run.state == "playing" and run.due <= now]
            plan = min(plans, key=lambda item: item.due, default=None)
            run = min(runs, key=lambda item: item.due, default=None)
            if plan and (run is None or plan.due <= run.due):
                events.fire(world, plan)
            elif run:
                player.play(world, run)
            else:
                return


def fire_outcomes(world: World) -> None:
    """The next outcome of every account at once, without waiting for its time; reviews of updates end first."""
    with world.change() as state:
        for update in _reviews(world):
            updates.end(world, update, update.outcome)
        for plan in list(state.plans):
            events.fire(world, plan)


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
        state, clock = self.world.state, self.world.clock
        dues = [plan.due for plan in state.plans]
        dues += [update.due for update in _reviews(self.world)]
        dues += [run.due for run in state.runs if run.state == "playing"]
        return min(min(dues) - clock.now(), LONGEST_REST) if dues else None
