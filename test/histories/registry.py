"""The list of events. Each belongs to a kind, has a weight and a condition, and makes one change to the world."""

EVENTS = []


def event(kind, weight, condition=lambda world: True):
    def register(function):
        EVENTS.append((kind, weight, condition, function))
        return function
    return register


def possible(world):
    """[(weight, function)] of the events that are possible now in a history of these kinds."""
    return [(weight, function) for kind, weight, condition, function in EVENTS
            if (kind == 'base' or kind in world.kinds) and condition(world)]


def can_serve(world):
    return bool(world.serving())


def plain_slave(world):
    """The slave's file exists, and the slave is not promoted."""
    return world.slave.exists() and not world.slave.promoted
