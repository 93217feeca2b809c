"""Which kinds of events a history has."""

INNOCENT = ('pack',)
HARMFUL = ('fork', 'rogue', 'full', 'ties')
KINDS = INNOCENT + HARMFUL


def chosen(wanted, rng):
    """The kinds of one history: those that were asked for, or some that are drawn."""
    if wanted not in ('any', 'innocent'):
        return set(wanted.split(','))
    kinds = {kind for kind in INNOCENT if rng.random() < 0.7}
    if wanted == 'any' and rng.random() < 0.75:
        kinds |= set(rng.sample(HARMFUL, rng.randrange(1, 4)))
    return kinds
