"""Which kinds of events a history has, beside those that each has."""

INNOCENT = ('pack', 'dat', 'crash')
HARMFUL = ('fork', 'rogue', 'full', 'ties', 'rollback', 'clone', 'foreign', 'fsrecover', 'rot', 'third')
KINDS = INNOCENT + HARMFUL


def chosen(wanted, rng):
    """The kinds of one history: those that were asked for, or some that are drawn."""
    if wanted not in ('any', 'innocent'):
        return set(wanted.split(','))
    kinds = {kind for kind, chance in zip(INNOCENT, (0.8, 0.4, 0.3)) if rng.random() < chance}
    if wanted == 'any' and rng.random() < 0.85:
        kinds |= set(rng.sample(HARMFUL, rng.randrange(1, 4)))
    return kinds
