"""
Shows that the judge finds the faults of the stand-in, and finds nothing wrong in the stand-in without a fault.

    python test/wayback/prove.py [--seed S]
"""
import argparse
import logging
import os
import random
import sys
import tempfile
import time

from judge import Violation
from stand_in import StandIn
from world import World, remove

# Each fault with a part of the rule that finds it, and the kinds of history that show it.
FOUND_BY = {
    None: (None, ''),
    'exports nothing': ('is nowhere', ''),
    'not the last': ('is nowhere', ''),
    'cuts first': ('killed rejoin lost', 'kill'),
    'cuts too little': ('rejoin failed|not equal|no copy', ''),
    'another text': ('lost file as it was', ''),
    'one too many': ('not exactly', ''),
    'no blobs': ('blob of a lost transaction', 'blobs'),
    'no index': ('ZODB serves other objects', ''),
    'writes the master': ("serving side's directory", ''),
    'reads twice': ('bytes were read', ''),
}
MOST_HISTORIES = 12


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seed', default='prove')
    seed = parser.parse_args().seed
    logging.disable(logging.CRITICAL)
    failed, began = [], time.monotonic()
    for fault, (rule, kinds) in FOUND_BY.items():
        found = first_problem(seed, fault, set(filter(None, kinds.split(','))))
        is_right = found is None if rule is None else found is not None and any(each in found for each in rule.split('|'))
        print(f"{fault or 'no fault'}: {(found or 'nothing found').splitlines()[0][:150]}", flush=True)
        if not is_right:
            failed.append(fault)
    print(f'{len(FOUND_BY)} stand-ins, {len(failed)} judged wrongly, {time.monotonic() - began:.1f} s, seed {seed}')
    sys.exit(1 if failed else 0)


def first_problem(seed, fault, kinds):
    """Of some short histories; the stand-in without a fault plays as many kinds as it knows."""
    for number in range(2 if fault is None else MOST_HISTORIES):
        base = tempfile.mkdtemp(prefix='syncpozo-wayback-', dir='/dev/shm' if os.path.isdir('/dev/shm') else None)
        name = f'{seed}-{number}'
        played = kinds if fault else {'blobs', 'tail', 'kill', 'live', 'skew', 'split'} - ({'split'} if number else set())
        world = World(os.path.join(base, 'world'), StandIn(fault), random.Random(f'{name} {fault}').random(), played)
        try:
            world.play(1 if fault else 2, 20)
        except Violation as violation:
            return str(violation)
        finally:
            world.close()
            remove(base)
    return None


if __name__ == '__main__':
    main()
