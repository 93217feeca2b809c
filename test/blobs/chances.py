"""The list of events. Each belongs to kinds, has a weight, and makes one change to the world."""

EVENTS = []


def event(kinds, weight, condition=lambda world: True):
    """`kinds`: names with blanks; a history has the event if it has all of them."""
    def register(function):
        EVENTS.append((set(kinds.split()), weight, condition, function))
        return function
    return register


def possible(world):
    """[(weight, function)] of the events that are possible now."""
    return [(weight, function) for kinds, weight, condition, function in EVENTS if kinds <= world.kinds and condition(world)]
