"""The kinds of events in a history, beside the common ones."""

INNOCENT = ('pack', 'dat', 'crash')
HARMFUL = ('fork', 'rogue', 'full', 'ties', 'rollback', 'clone', 'foreign', 'fsrecover', 'rot', 'third')
KINDS = INNOCENT + HARMFUL


def chosen(requested, rng):
    """The kinds of one history: the requested ones, or a random choice."""
    if requested not in ('any', 'innocent'):
        return set(requested.split(','))
    kinds = {kind for kind, chance in zip(INNOCENT, (0.8, 0.4, 0.3)) if rng.random() < chance}
    if requested == 'any' and rng.random() < 0.85:
        kinds |= set(rng.sample(HARMFUL, rng.randrange(1, 4)))
    return kinds
