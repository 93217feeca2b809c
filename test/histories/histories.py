"""
Random histories of two data directories, judged by real ZODB.

    python test/histories/histories.py [--count N] [--seed S] [--kinds fork,pack] [--length N] [--jobs N]
    python test/histories/histories.py --replay SEED-NUMBER [--kinds ...] --verbose

Run `npm run build` first. Seed and kinds determine a history. Without --kinds each history draws its own; `--kinds innocent` runs the
innocents only. Prints each failed history with its events and the command that replays it, and a table of causes. Exit status 1: some failed.
"""
import argparse
import contextlib
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter

import accidents  # noqa: F401  (registers its events)
import events
import kinds as kinds_
import registry
import slave_accidents  # noqa: F401
from client import Program
from oracle import Violation
from world import World


def play(program, directory, seed, kinds, length):
    """One history; (world, violation or None)."""
    os.mkdir(directory)
    world = World(directory, program, seed, kinds)
    try:
        steps(world, length)
        return world, None
    except Violation as violation:
        return world, violation
    except Exception as error:
        # A fault of the test, not of the program: counted in its own row, with the place.
        place = traceback.extract_tb(error.__traceback__)[-1]
        return world, Violation('THE TEST ITSELF FAILED', f'{type(error).__name__} in {place.name}', traceback.format_exc())
    finally:
        world.close()


def steps(world, length):
    for _ in range(length):
        weights, functions = zip(*registry.possible(world))
        world.rng.choices(functions, weights)[0](world)
    # In any history: packs between syncs lift no refusal, and the right mount does.
    for _ in range(2):
        if 'pack' in world.kinds:
            events.pack_host(world, world.source)
        world.sync()
    if world.source is not world.master:
        accidents.right_mount(world)


def main():
    options = parsed()
    logging.disable(logging.CRITICAL)
    program = Program()
    base = tempfile.mkdtemp(prefix='syncpozo-histories-', dir='/dev/shm' if os.path.isdir('/dev/shm') else None)
    began = time.monotonic()
    counts, causes, examples, failed = Counter(), Counter(), {}, 0
    numbers = [options.only] if options.only is not None else range(options.count)
    try:
        for number in numbers:
            name = f'{options.seed}-{number}'
            kinds = kinds_.chosen(options.kinds, random.Random(f'kinds {name}'))
            directory = os.path.join(base, name)
            world, violation = play(program, directory, name, kinds, options.length)
            counts.update(world.counts)
            if options.verbose:
                print(describe(options, name, world, violation))
            if violation:
                failed += 1
                causes[f'{violation.rule} | {violation.cause}'] += 1
                examples.setdefault(f'{violation.rule} | {violation.cause}', name)
                if not options.verbose and failed <= options.show:
                    print(describe(options, name, world, violation))
            if violation and options.keep:
                print(f'kept: {directory}')
            else:
                shutil.rmtree(directory)
    finally:
        program.close()
        with contextlib.suppress(OSError):
            os.rmdir(base)
    table(counts, causes, examples)
    seconds = time.monotonic() - began
    print(json.dumps({'histories': len(numbers), 'failed': failed, 'seed': options.seed, 'seconds': round(seconds, 1)}))
    sys.exit(1 if failed else 0)


def describe(options, name, world, violation):
    lines = [f'--- history {name}, kinds {",".join(sorted(world.kinds))}']
    lines += [f'  {line}' for line in world.log]
    if violation:
        lines.append(f'  FAILED: {violation}')
    lines.append(f'  replay: .venv/bin/python test/histories/histories.py --replay {name} --kinds {options.kinds} --length {options.length} --verbose')
    return '\n'.join(lines)


def table(counts, causes, examples):
    for what, count in sorted(counts.items()):
        print(f'{count:7} {what}')
    if causes:
        print('failed histories by rule and cause:')
        for cause, count in causes.most_common():
            print(f'{count:7} {cause}   (e.g. {examples[cause]})')


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--count', type=int, default=100)
    parser.add_argument('--seed', default=os.environ.get('SYNCPOZO_SEED') or str(int(time.time())))
    parser.add_argument('--kinds', default='any', help=f"any, innocent, or some of {','.join(kinds_.KINDS)}")
    parser.add_argument('--length', type=int, default=30, help='events a history')
    parser.add_argument('--replay', metavar='SEED-NUMBER')
    parser.add_argument('--show', type=int, default=3, help='how many failed histories are printed with their events')
    parser.add_argument('--verbose', action='store_true', help='prints every history')
    parser.add_argument('--keep', action='store_true', default=bool(os.environ.get('SYNCPOZO_KEEP')))
    options = parser.parse_args()
    options.only = None
    if options.replay:
        options.seed, number = options.replay.rsplit('-', 1)
        options.only = int(number)
    return options


if __name__ == '__main__':
    main()
