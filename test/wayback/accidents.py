"""What befalls an old master, or is done to it, between a takeover and the way back. Each is called with the world, both sides closed or serving."""
import os

import judge
from judge import require
from reading import read, state_of, transactions, write

BESIDE = ('.dat', '.index', '.role', '.scrub', '.blobs')


def remember(side):
    """The small files of this moment, for put_back."""
    side.earlier.append({suffix: read(side.path + suffix) for suffix in BESIDE if os.path.exists(side.path + suffix)})


def put_back(world, side):
    """An operator, or a backup, has brought back small files of an earlier life, or they are gone."""
    if side.earlier:
        files = world.rng.choice(side.earlier)
        for suffix in world.rng.sample(sorted(files), world.rng.randrange(len(files) + 1)):
            write(side.path + suffix, files[suffix])
            world.note(f'{side.name}: Data.fs{suffix} of an earlier life')
            side.knows = side.knows and suffix != '.role'
    if world.rng.random() < 0.3:
        remove(world, side, world.rng.choice(BESIDE))


def remove(world, side, suffix):
    if os.path.exists(side.path + suffix):
        os.remove(side.path + suffix)
        world.note(f'{side.name}: Data.fs{suffix} is gone')
        side.knows = side.knows and suffix != '.role'


def cut(world, side):
    """Its disk has lost the end of the file, or all but its beginning. What is gone with it nobody can keep."""
    found = transactions(side.path)
    kept = world.rng.choice(found[len(found) // 3:])
    size = os.path.getsize(side.path)
    os.truncate(side.path, min(size, kept.end + world.rng.choice([0, 0, 1, 30])))
    gone = {each.commit for each in found if each.end > kept.end}
    side.had -= gone
    world.packed |= gone
    world.note(f'{side.name}: cut from {size} to {os.path.getsize(side.path)} bytes, {len(gone)} transactions')


def rot(world, side):
    """A bit of the common history flips in an object's data: the file still reads well, and is not what the master has."""
    data = read(side.path)
    common = [each for each in transactions(side.path) if each.commit in world.serving.had]
    places = [data.find(stored, 0, each.end) for each in common for _, stored in each.sequence if stored]
    if not places:
        return False
    place = world.rng.choice(places)
    write(side.path, data[:place + 20] + bytes([data[place + 20] ^ 0x80]) + data[place + 21:])
    world.note(f'{side.name}: a bit at {place + 20} has flipped')
    return True


def swapped(world, master, slave):
    """At three in the morning a person takes the one side for the other: the serving side has to stay as it is."""
    slave.close()
    before = {side: state_of(side.directory) for side in world.sides}
    answer = world.program.rejoin(master, slave)
    world.note(f'rejoin with its arguments exchanged: {answer.code}')
    require(answer.code == 3, 'the serving side was rejoined to the one that it has superseded', answer)
    judge.only_notes_changed(before[slave], slave, answer)
    judge.untouched(before[master], master, answer)


def second_term(world, side):
    """Promoted once more: the old master knows of neither term."""
    side.close()
    codes = [world.program.call('demote', side.directory, '--json').code, world.program.promote(side).code]
    world.note(f'demote and promote {side.name}: {codes}')
    require(codes == [0, 0], 'a promotion after a demotion failed', codes)
