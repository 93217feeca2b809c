"""
Kills a rejoin before each of its calls that change something, one after the other, and then once more at random; each time the
next run ends as if nothing had happened.

    python test/wayback/sweep.py [--seed S] [--kinds blobs,tail] [--every N]
"""
import argparse
import logging
import os
import random
import shutil
import tempfile

import judge
from judge import require
from program import CHANGING, KILLED, Program
from reading import state_of
from world import World, remove


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seed', default='sweep')
    parser.add_argument('--kinds', default='blobs,tail')
    parser.add_argument('--every', type=int, default=1, help='kill only before every N-th call')
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    base = tempfile.mkdtemp(prefix='syncpozo-wayback-', dir='/dev/shm' if os.path.isdir('/dev/shm') else None)
    world = World(os.path.join(base, 'world'), Program(), options.seed, set(options.kinds.split(',')))
    try:
        print(f'{sweep(world, options.every)} kills, seed {options.seed}')
    finally:
        world.close()
        remove(base)


def sweep(world, every):
    world.begin()
    world.serve_and_sync()
    world.serving.commits(7)
    world.take_over()
    world.serving.commits(12)
    world.other.close()
    places = [world.other.directory, *([world.other.blobs] if world.other.blobs else [])]
    for place in places:
        shutil.copytree(place, place + '.before')
    kills = 0
    for call in CHANGING:
        number = random.Random(f'{world.directory} {call}').randrange(every) + 1
        while kill_and_finish(world, call, number):
            number, kills = number + every, kills + 1
            for place in places:
                shutil.rmtree(place)
                shutil.copytree(place + '.before', place)
    return kills


def kill_and_finish(world, call, number):
    """False if the rejoin has fewer calls of this kind."""
    master, slave = world.serving, world.other
    before, rejoin = state_of(master.directory), judge.Rejoin(world, master, slave)
    answer = world.program.rejoin_killed_at(call, number, master, slave)
    where = f'killed before {call} {number}: {world.phase()}'
    if answer.code != KILLED:
        require(answer.code == 0, 'a rejoin failed', answer)
        return False
    rejoin.after_kill()
    if world.rng.random() < 0.3:
        world.program.killed_rejoin(world.rng, master, slave)
        rejoin.after_kill()
    answer = world.program.rejoin(master, slave)
    answer.command = f'{where}\n{answer.command}'
    require(answer.code == 0, 'a rejoin failed after a kill', answer)
    rejoin.done(answer)
    judge.equal(master, slave, answer)
    judge.untouched(before, master, answer)
    return True


if __name__ == '__main__':
    main()
