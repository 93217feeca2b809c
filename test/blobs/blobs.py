"""
Random histories of a master with blobs and its slave, judged by real ZODB.

    python test/blobs/blobs.py [--count N | --seconds S] [--seed S] [--storage file,zlib] [--kinds kill,pack] [--length N]
    python test/blobs/blobs.py --replay SEED-NUMBER [--storage ...] [--kinds ...] --verbose

Run `npm run build` first. Without --storage and --kinds each history draws its own. A replay makes the same commits and events; the moments of
a SIGKILL and of what runs beside a sync are drawn the same, but fall as the machine lets them. Prints each failed history with its events and
the command that replays it, and a table of what happened. Exit status 1: some failed.
"""
import argparse
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter

import accidents
import chances
import events  # noqa: F401  (registers its events)
import storages
from oracle import TestFault, Violation
from program import Program
from world import World

KINDS = ('pack', 'beside', 'kill', 'full', 'dat', 'manifest', 'loss', 'rot', 'junk', 'empty', 'keep', 'tree')
CHANCES = (0.85, 0.5, 0.6, 0.3, 0.25, 0.2, 0.3, 0.3, 0.3, 0.08, 0.2, 0.08)
STORAGE_WEIGHTS = {'file': 70, 'zlib': 8, 'zeo shared': 12, 'zeo cache': 10}


class Design:
    """What a history is made of: drawn from its name, or asked for."""

    def __init__(self, name, options):
        rng = random.Random(f'design {name}')
        asked = options.storage.split(',') if options.storage else list(STORAGE_WEIGHTS)
        self.storage, = rng.choices(asked, [STORAGE_WEIGHTS[kind] for kind in asked])
        self.layout = rng.choice(['bushy', 'bushy', 'lawn'])
        drawn = {kind for kind, chance in zip(KINDS, CHANCES) if rng.random() < chance}
        self.kinds = drawn if options.kinds is None else set(filter(None, options.kinds.split(',')))

    def __str__(self):
        return f"{self.storage}, {self.layout}, kinds {','.join(sorted(self.kinds))}"


def play(program, directory, name, design, length):
    """One history; (world, violation or None)."""
    os.mkdir(directory)
    world = World(directory, program, name, design.storage, design.layout, design.kinds)
    try:
        world.open()
        steps(world, length)
        return world, None
    except Violation as violation:
        return world, violation
    except Exception as error:
        # A fault of the test, not of the program: counted in its own row, with the place.
        return world, Violation('THE TEST ITSELF FAILED', f'{error!r}' if isinstance(error, TestFault) else traceback.format_exc())
    finally:
        world.close()


def steps(world, length):
    world.commit(world.rng.choice([0, 3, 12, 25]))
    for _ in range(length):
        weights, functions = zip(*chances.possible(world))
        world.rng.choices(functions, weights)[0](world)
    if world.aside:
        accidents.put_all_back(world)
    # The end of any history: in step, and then nothing to do.
    for _ in range(2):
        world.sync()


def main():
    options = parsed()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter('ignore')
    program = Program()
    base = tempfile.mkdtemp(prefix='syncpozo-blobs-', dir='/dev/shm' if os.path.isdir('/dev/shm') else None)
    began = time.monotonic()
    counts, causes, failed, played = Counter(), Counter(), 0, 0
    for number in numbers(options, began):
        name = f'{options.seed}-{number}'
        design = Design(name, options)
        directory = os.path.join(base, name)
        world, violation = play(program, directory, name, design, options.length)
        played += 1
        counts.update(world.counts)
        counts[f'histories with {design.storage}'] += 1
        if options.verbose or violation and failed < options.show:
            print(describe(options, name, design, world, violation), flush=True)
        if violation:
            failed += 1
            causes[violation.rule] += 1
        if violation and options.keep:
            print(f'kept: {directory}')
        else:
            shutil.rmtree(directory)
        if violation and options.first:
            break
    if not os.listdir(base):
        os.rmdir(base)
    for what, count in sorted(counts.items()):
        print(f'{count:7} {what}')
    for cause, count in causes.most_common():
        print(f'{count:7} FAILED: {cause}')
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({'histories': played, 'failed': failed, 'syncs': sum(number for what, number in counts.items() if 'sync' in what.split(',')[0].split()),
                      'kills': sum(number for what, number in counts.items() if what.startswith('killed')), 'seed': options.seed, 'seconds': seconds}))
    sys.exit(1 if failed else 0)


def numbers(options, began):
    if options.only is not None:
        yield options.only
        return
    for number in range(options.count):
        if options.seconds and time.monotonic() - began > options.seconds:
            return
        yield number


def describe(options, name, design, world, violation):
    lines = [f'--- history {name}: {design}', *(f'  {line}' for line in world.log)]
    if violation:
        lines.append(f'  FAILED: {violation}')
    asked = ''.join(f" --{option} '{value}'" for option, value in (('storage', options.storage), ('kinds', options.kinds)) if value is not None)
    lines.append(f'  replay: .venv/bin/python test/blobs/blobs.py --replay {name}{asked} --length {options.length} --verbose')
    return '\n'.join(lines)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--count', type=int, default=1_000_000_000, help='histories; without it, as many as --seconds allow')
    parser.add_argument('--seconds', type=float, help='begins no history after this time')
    parser.add_argument('--seed', default=os.environ.get('SYNCPOZO_SEED') or str(int(time.time())))
    parser.add_argument('--storage', help=f"some of {','.join(storages.KINDS)}")
    parser.add_argument('--kinds', help=f"some of {','.join(KINDS)}")
    parser.add_argument('--length', type=int, default=14, help='events a history')
    parser.add_argument('--replay', metavar='SEED-NUMBER')
    parser.add_argument('--show', type=int, default=2, help='how many failed histories are printed with their events')
    parser.add_argument('--first', action='store_true', help='ends at the first failed history')
    parser.add_argument('--verbose', action='store_true', help='prints every history')
    parser.add_argument('--keep', action='store_true', default=bool(os.environ.get('SYNCPOZO_KEEP')))
    options = parser.parse_args()
    if options.count == 1_000_000_000 and not options.seconds:
        options.count = 30
    options.only = None
    if options.replay:
        options.seed, number = options.replay.rsplit('-', 1)
        options.only = int(number)
    return options


if __name__ == '__main__':
    main()
