"""
The one oracle. It knows what was committed where (the books of host.py) and reads files by byte search and by ZODB's own iterator; it shares nothing
with the program, and in particular not its idea of what a pack is.
"""
from files import Snapshot, loads


class Violation(Exception):
    """`rule` and `cause` name the row of the table; the rest of the message is for a person."""

    def __init__(self, rule, cause, detail):
        super().__init__(f'{rule} ({cause}): {detail}')
        self.rule, self.cause = rule, cause


class Round:
    """One call of the program on a slave, between two snapshots."""

    def __init__(self, slave, source, full=False):
        self.slave, self.source, self.full = slave, source, full
        self.before = Snapshot(slave.directory)
        self.source_before = None if source is None else source.contents()
        self.source_bytes = None if source is None else source.committed_bytes()
        self.own = set()
        if source is not None:
            self.own = self.before.committed() - source.lineage
        self.answer = None

    def end(self, answer):
        self.answer = answer
        self.after = Snapshot(self.slave.directory)
        self.what = f"{'--full' if self.full else 'sync'} {answer['action']} {answer['exitCode']}"
        if answer['exitCode'] not in (0, 1, 3, 4, 5):
            self.fail('exception', answer['reason'][:600])

    def fail(self, rule, detail, cause=None):
        answer = self.answer
        raise Violation(rule, cause or self.what, f"{detail}; answer: {answer['exitCode']} {answer['action']}: {answer['reason'][:200]}")

    def unchanged(self, names=None):
        names = names or [name for name in self.before.bytes if is_kept_as_it_is(name)]
        return [name for name in names if self.before.bytes[name] != self.after.bytes.get(name)]

    # The rules.

    def nothing_lost(self, lineage, lost_end=None):
        """No marker that the slave's directory held, and that is not in the lineage, has vanished."""
        known = self.slave.world.committed
        vanished = [
            marker for marker in self.before.markers() - self.after.markers()
            if commit_of(marker) in known and commit_of(marker) not in lineage
        ]
        if vanished:
            self.fail_lost('destroyed', sorted({commit_of(marker) for marker in vanished}), sorted(vanished)[:6])
        after = self.after.transactions()
        for key, versions in self.before.transactions().items():
            if key[1] is None or key[1] in lineage:
                continue
            for records in versions:
                if not any(records <= found for found in after.get(key, [])):
                    self.fail_lost('unreadable', [key[1]], f'T{key[1]:06d} {key[0].hex()} is in no file that ZODB reads')

    def fail_lost(self, rule, commits, detail):
        removed = {} if self.source is None else self.source.removed
        reasons = sorted({removed.get(commit, 'fork') for commit in commits})
        holes = set() if self.source is None else self.source.holes
        if self.slave.refused:
            reasons.append('after a refusal')
        if set(commits) <= holes and not self.slave.refused and not self.slave.damage_reported:
            rule = f'{rule}, not to be known from the files'
        self.fail(rule, f'{len(commits)} commits, {detail}', f"{', '.join(reasons)}; {self.what}")

    def source_untouched(self):
        if self.source.committed_bytes() != self.source_bytes:
            self.fail('the source was written', self.source.name)

    def refusal_changes_nothing(self):
        changed = self.unchanged()
        if changed:
            self.fail('a refusal changed files', changed)
        if 'Data.fs.new' in self.after.bytes and 'Data.fs.new' not in self.before.bytes:
            self.fail('a refusal left files', 'Data.fs.new')

    def equals_source(self):
        if self.after.data() != self.source_bytes:
            ours = self.after.data() or b''
            same = next((i for i, (a, b) in enumerate(zip(ours, self.source_bytes)) if a != b), min(len(ours), len(self.source_bytes)))
            self.fail('exit 0, not equal to the source', f'{len(ours)} and {len(self.source_bytes)} bytes, equal up to {same}')

    def no_rot_copied(self):
        """Where a record was right on the slave, it is right afterwards, or a pack has dropped it."""
        world = self.slave.world
        before = self.before.contents['Data.fs'].revisions() if 'Data.fs' in self.before.contents else {}
        after = self.after.contents['Data.fs'].revisions() if 'Data.fs' in self.after.contents else {}
        for key, data in before.items():
            if data in world.data and key in after and after[key] not in world.data:
                self.fail('rot copied over good data', f'{key[0].hex()} {key[1].hex()}')

    def serves(self):
        """FileStorage serves every object, with the index that stands beside, as the file has it."""
        newest = {}
        for transaction in self.after.contents['Data.fs'].transactions:
            for oid, data in transaction.sequence:
                newest[oid] = data
        try:
            served = loads(self.slave.path)
        except Exception as error:
            self.fail('FileStorage does not open the slave', repr(error))
        for oid, data in newest.items():
            got = served.get(oid)
            if (got[0] if got else None) != data:
                self.fail('FileStorage serves wrong data', oid.hex())


def is_kept_as_it_is(name):
    """Files that a refusal must leave as they are; the program may note the refusal in its own small ones."""
    return not name.endswith(('.dat', '.role', '.scrub', '.lock', '.refused', '.dat.new', '.role.new'))


def commit_of(marker):
    return int(marker[2:8])
