"""Events of every site: commits, syncs, packs, takeovers and ways back."""
import os

import commits
from registry import can_serve, event, plain_slave


def commit_some(world, host, count):
    for _ in range(count):
        world.note(f'{host.name}: commit {commits.commit(host, world.rng)}')


@event('base', 40, can_serve)
def commit(world):
    host = world.rng.choice(world.serving())
    commit_some(world, host, world.rng.choice([1, 1, 2, 3, 5]))
    if world.rng.random() < 0.3:
        host.save_backup()


@event('base', 25)
def sync(world):
    world.sync()


@event('base', 3, can_serve)
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
    finishes = world.rng.random() < 0.6
    try:
        world.sync()
    finally:
        vote.finish() if finishes else vote.abort()
        world.note(f"{host.name}: {'finished' if finishes else 'aborted'}")


@event('base', 3)
def other_inode(world):
    host = world.source
    host.put(host.committed_bytes())
    host.tags.add('other inode')
    world.note(f'{host.name}: the file moved to another inode')


def pack_host(world, host):
    rng = world.rng
    tids = {each.tid for each in host.contents().transactions}
    if world.slave.exists():
        tids |= {each.tid for each in world.slave.contents().transactions}
    if not tids:
        return
    tid = max(tids) if rng.random() < 0.5 else rng.choice(sorted(tids))
    gc, keep_old = rng.random() < 0.7, rng.random() < 0.5
    outcome = pack_with_books(host, tid, gc, keep_old)
    if not outcome.startswith('failed'):
        host.tags.add(f"pack, Data.fs.old {'present' if os.path.exists(host.path + '.old') else 'absent'}")
    world.note(f"{host.name}: pack to {tid.hex()}{' gc' if gc else ''}{' old' if keep_old else ''}: {outcome}")


def pack_with_books(host, tid, gc, keep_old):
    """
    A pack, and its effect on commits that fsrecover dropped from the file: where a newer revision, not newer than the
    pack time, replaces each of their records, the pack would have dropped them as well.
    """
    book, dropped = host.book, host.world.dropped
    missing = [commit for commit in book.removed if commit in dropped]
    revisions = host.contents().revisions() if missing else {}
    outcome = commits.pack(host, tid, gc, keep_old)
    if not missing or outcome.startswith('failed'):
        return outcome
    left = {oid for _, oid in host.contents().revisions()}
    for commit in missing:
        commit_tid, oids = dropped[commit]
        if commit_tid > tid:
            continue
        superseded = {oid for oid in oids if any(o == oid and commit_tid < t <= tid for t, o in revisions)}
        if superseded == oids:
            book.pardoned.add(commit)
        elif not (oids - superseded) & left:
            book.holes.add(commit)
    return outcome


@event('pack', 12, can_serve)
def pack(world):
    host = world.rng.choice(world.serving())
    for _ in range(world.rng.choice([1, 1, 1, 2])):
        pack_host(world, host)


def fit_to_serve(world):
    slave = world.slave
    return plain_slave(world) and not slave.book.rotten and bool(slave.contents().transactions)


@event('fork', 8, fit_to_serve)
def takeover(world):
    world.promote()
    world.master_alive = world.rng.random() < 0.5
    world.note(f"{world.master.name}: {'lives on' if world.master_alive else 'is dead'}")
    if world.rng.random() < 0.8:
        world.slave.save_backup()
        commit_some(world, world.slave, world.rng.randrange(1, 5))


@event('fork', 30, lambda world: world.slave.promoted)
def way_back(world):
    world.swap()
    if world.slave.promoted and world.rng.random() < 0.8:
        world.demote()
    if world.rng.random() < 0.5:
        world.sync()


@event('fork', 5, lambda world: world.slave.promoted)
def demote(world):
    """In place: commits on the slave stay there, whatever its source contains now."""
    world.demote()
    world.master_alive = True


@event('rogue', 3, plain_slave)
def rogue(world):
    """A server on a slave that was not promoted."""
    commit_some(world, world.slave, world.rng.randrange(1, 4))
    world.slave.close()


@event('full', 3)
def full(world):
    world.sync(full=True)


@event('third', 8)
def other_slave(world):
    """Switches to the other standby."""
    world.slave.close()
    world.slave, world.spare = world.spare, world.slave
    world.note(f'{world.slave.name} is the slave now')
