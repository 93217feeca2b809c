"""
The way back of two sides, judged by real ZODB and by the book of what the writers were promised.

    python test/wayback/wayback.py [--count N] [--seed S] [--rounds N] [--new N] [--kinds kill,tail] [--program stand-in:FAULT]
    python test/wayback/wayback.py --replay SEED-NUMBER ...

Run `npm run build` first. Seed, rounds and kinds determine a history, but for the moments of kills by time. Without --kinds each history draws its
own. Prints each failed history with its events and the command that replays it. Exit status 1: some failed.
"""
import argparse
import json
import logging
import os
import random
import sys
import tempfile
import time
import traceback

import stand_in
from judge import Violation
from live import LiveWorld
from program import Program
from world import KINDS, World, chosen, remove


def play(options, base, name):
    """(world, problem or None)"""
    kinds = chosen(random.Random(f'kinds {name}')) if options.kinds is None else set(filter(None, options.kinds.split(',')))
    program = Program() if options.program is None else stand_in.program(options.program)
    world = (LiveWorld if options.zeo else World)(os.path.join(base, name), program, name, kinds)
    try:
        world.play(options.rounds, options.new)
        return world, None
    except Violation as violation:
        return world, str(violation)
    except Exception:
        return world, f'THE TEST ITSELF FAILED\n{traceback.format_exc()}'
    finally:
        world.close()


def main():
    options = parsed()
    logging.disable(logging.CRITICAL)
    began, failed, counts, played = time.monotonic(), 0, {}, 0
    numbers = [options.only] if options.only is not None else range(options.count)
    base = tempfile.mkdtemp(prefix='syncpozo-wayback-', dir='/dev/shm' if os.path.isdir('/dev/shm') else None)
    for number in numbers:
        if options.seconds and time.monotonic() - began > options.seconds:
            break
        name = f'{options.seed}-{number}'
        world, problem = play(options, base, name)
        played += 1
        for what, count in world.counts.items():
            counts[what] = counts.get(what, 0) + count
        if problem or options.verbose:
            print(describe(options, name, world, problem), flush=True)
        failed += problem is not None
        if problem and options.keep:
            print(f'kept: {world.directory}')
        else:
            remove(world.directory)
    if not os.listdir(base):
        os.rmdir(base)
    print(json.dumps({'histories': played, 'failed': failed, 'seed': options.seed, 'seconds': round(time.monotonic() - began, 1), **counts}))
    sys.exit(1 if failed else 0)


def describe(options, name, world, problem):
    again = [f'--replay {name}', f'--rounds {options.rounds}', f'--new {options.new}', f"--kinds '{','.join(sorted(world.kinds))}'"]
    again += ['--zeo'] * options.zeo + [f'--program {options.program}'] * bool(options.program)
    lines = [f"--- {name}, kinds {','.join(sorted(world.kinds))}", *(f'  {line}' for line in world.log)]
    lines += [f'  FAILED: {problem}', f"  replay: .venv/bin/python test/wayback/wayback.py {' '.join(again)} --verbose"] if problem else []
    return '\n'.join(lines)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--count', type=int, default=20)
    parser.add_argument('--seconds', type=float, help='no history begins later')
    parser.add_argument('--seed', default=os.environ.get('SYNCPOZO_SEED') or str(int(time.time())))
    parser.add_argument('--rounds', type=int, default=3, help='takeovers and ways back in a history')
    parser.add_argument('--new', type=int, default=300, help='most new transactions in a round (of one kind)')
    parser.add_argument('--kinds', help=f"some of {','.join(KINDS)}")
    parser.add_argument('--zeo', action='store_true', help='a real ZEO with writers under load')
    parser.add_argument('--program', help='stand-in, or stand-in:FAULT: proves the judge')
    parser.add_argument('--replay', metavar='SEED-NUMBER')
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('--keep', action='store_true', default=bool(os.environ.get('SYNCPOZO_KEEP')))
    options = parser.parse_args()
    options.only = None
    if options.replay:
        options.seed, number = options.replay.rsplit('-', 1)
        options.only = int(number)
    return options


if __name__ == '__main__':
    main()
