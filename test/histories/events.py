"""The events of a history: each has a kind, a weight, a condition, and does one thing to the world."""
import os

import commits

EVENTS = []


def event(kind, weight, condition=lambda world: True):
    def register(function):
        EVENTS.append((kind, weight, condition, function))
        return function
    return register


def pick_host(world):
    return world.rng.choice(world.serving())


@event('base', 40, lambda world: world.serving())
def commit(world):
    host = pick_host(world)
    for _ in range(world.rng.choice([1, 1, 2, 3, 5])):
        world.note(f'{host.name}: commit {commits.commit(host, world.rng)}')
    if world.rng.random() < 0.3:
        host.save_backup()


@event('base', 25)
def sync(world):
    world.sync()


@event('base', 3, lambda world: world.serving())
def sync_in_flight(world):
    """A sync while a transaction is in flight on the source."""
    host = world.source
    if host not in world.serving():
        return
    vote, name = commits.begin(host, world.rng)
    if vote is None:
        return
    vote.vote()
    world.note(f'{host.name}: vote {name} T{vote.commit:06d}')
    try:
        world.sync()
    finally:
        done = world.rng.random() < 0.6
        vote.finish() if done else vote.abort()
        world.note(f"{host.name}: {'finished' if done else 'aborted'}")


@event('base', 3)
def other_inode(world):
    host = world.source
    host.put(host.committed_bytes(), 'rename')
    world.note(f'{host.name}: the file moved to another inode')


def pack_host(world, host):
    rng = world.rng
    tids = sorted({each.tid for each in host.contents().transactions}
                  | ({each.tid for each in world.slave.contents().transactions} if world.slave.exists() else set()))
    tid = tids[-1] if rng.random() < 0.5 else rng.choice(tids)
    gc, keep_old = rng.random() < 0.7, rng.random() < 0.5
    outcome = pack_with_books(host, tid, gc, keep_old)
    host.tags.add('pack, Data.fs.old ' + ('present' if os.path.exists(host.path + '.old') else 'absent'))
    world.note(f'{host.name}: pack to {tid.hex()}{" gc" if gc else ""}{" old" if keep_old else ""}: {outcome}')


def pack_with_books(host, tid, gc, keep_old):
    """
    A pack, and what it means for commits that fsrecover or rot had dropped from the file: where a newer revision not newer than
    the pack time stands for each of their records, the pack would have dropped them as well.
    """
    dropped = [commit for commit in host.world.middle_drops if commit in host.removed]
    revisions = host.contents().revisions() if dropped else {}
    outcome = commits.pack(host, tid, gc, keep_old)
    if not dropped or outcome.startswith('failed'):
        return outcome
    after = {oid for _, oid in host.contents().revisions()}
    for commit in dropped:
        commit_tid, oids = host.world.middle_drops[commit]
        if commit_tid > tid:
            continue
        superseded = {oid for oid in oids if any(o == oid and commit_tid < t <= tid for t, o in revisions)}
        if superseded == oids:
            host.pardoned.add(commit)
        elif oids - superseded <= {oid for oid in oids if oid not in after}:
            host.holes.add(commit)
    return outcome


@event('pack', 12, lambda world: world.serving())
def pack(world):
    host = pick_host(world)
    for _ in range(world.rng.choice([1, 1, 1, 2])):
        pack_host(world, host)


@event('fork', 6, lambda world: world.slave.exists() and not world.slave.promoted)
def takeover(world):
    if world.promote()['exitCode'] in (0, 4):
        world.master_alive = world.rng.random() < 0.5
        world.note(f"{world.master.name}: {'lives on' if world.master_alive else 'is dead'}")
        if world.rng.random() < 0.8:
            world.slave.save_backup()
            for _ in range(world.rng.randrange(1, 5)):
                world.note(f'{world.slave.name}: commit {commits.commit(world.slave, world.rng)}')


@event('fork', 14, lambda world: world.slave.promoted and world.source is world.master)
def way_back(world):
    world.swap()
    world.note(f'way back: {world.slave.name} follows {world.master.name}')
    if world.slave.promoted and world.rng.random() < 0.8:
        world.demote()
    if world.rng.random() < 0.5:
        world.sync()


@event('fork', 3, lambda world: world.slave.promoted)
def demote(world):
    """In place: what was committed on the slave stays there, whatever its source has become."""
    world.demote()
    world.master_alive = True


@event('rogue', 3, lambda world: world.slave.exists() and not world.slave.promoted)
def rogue(world):
    """A server on a slave that was not promoted."""
    host = world.slave
    for _ in range(world.rng.randrange(1, 4)):
        world.note(f'{host.name}: rogue commit {commits.commit(host, world.rng)}')
    host.close()


@event('full', 3)
def full(world):
    world.sync(full=True)
