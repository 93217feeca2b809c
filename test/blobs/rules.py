"""The rules for the files of a slave, each judged from outside, after every sync however it ended."""
import os

from oracle import Violation, committed_bytes, lost_on_master, Visible
from program import KILLED
from tree import Tree, key_of, name_of, read, shown


class Verdict:
    """All rules for one sync; raises a Violation. `packs`: the master was packed meanwhile; `repairs`: the test
    has damaged the slave's files."""

    def __init__(self, world, moment, outcome, what, packs=False, repairs=False):
        self.world, self.before, self.outcome = world, moment, outcome
        self.what = f'{what}: {outcome}'
        self.packs, self.repairs = packs, repairs
        self.tree = Tree(world.slave_blobs, world.layout)
        self.lost = moment.lost | lost_on_master(world)
        self.visible = Visible(world, self.what)

    def judge(self):
        world, code = self.world, self.outcome.code
        self.absent_are_lost()
        self.foreign_files_stay()
        self.nothing_foreign_copied()
        self.no_links_to_the_master()
        self.layout_is_the_masters()
        if self.before.quiet:
            self.master_untouched()
        if world.keeps:
            self.nothing_kept_is_gone()
        if code == KILLED:
            return
        self.exit_code_is_right()
        if code in (0, 4):
            self.tree_is_exact()
            if self.before.quiet:
                self.equals_master()
                self.figures_are_right()

    def fail(self, rule, detail=''):
        raise Violation(rule, f'{detail} after {self.what}')

    def absent_are_lost(self):
        """What is visible and has no file: only what the master has lost as well, and what the slave never had."""
        had = set(self.before.slave_tree.blobs)
        # A run that did not end may have left what an earlier one has reported; the master may have packed it since.
        excused = self.lost | (set() if self.outcome.code in (0, 4) else self.world.missing)
        for key in sorted(self.visible.absent):
            if key in had:
                self.fail('a visible blob was removed', shown(key))
            if key not in excused:
                self.fail('a visible blob has no file', f'{shown(key)}, one of {len(self.visible.absent)} of {len(self.visible.keys)},')

    def exit_code_is_right(self):
        code, absent = self.outcome.code, self.visible.absent
        allowed = (0, 1, 4) if self.packs else (0, 4)
        if code not in allowed:
            self.fail(f'exit {code}', f'one of {allowed} was expected')
        if code == 0 and absent:
            self.fail('exit 0 with a blob missing', f'{len(absent)} are missing')
        if code == 4:
            # Where the slave still holds what the master has lost, either count is true.
            most = len(absent | (self.lost & set(self.visible.keys)))
            counted = (self.outcome.blobs or {}).get('missing')
            if counted is None or not max(1, len(absent)) <= counted <= max(1, most) or most == 0:
                self.fail('exit 4 with a wrong count', f'{counted} missing, {len(absent)} to {most} are')
        if code in (0, 4) and self.outcome.blobs is None:
            self.fail('no blobs in the result')

    def equals_master(self):
        if read(self.world.slave) != committed_bytes(self.world.master):
            self.fail("Data.fs is not the master's")

    def foreign_files_stay(self):
        for name, content in self.world.foreign.items():
            path = os.path.join(self.world.slave_blobs, name)
            if not os.path.exists(path):
                self.fail("a foreign file was removed from the slave's tree", name)
            if read(path) != content:
                self.fail("a foreign file in the slave's tree was changed", name)

    def nothing_foreign_copied(self):
        """Nothing but committed blobs and the layout comes from the master; temporary files only after a SIGKILL."""
        world = self.world
        strangers = self.tree.others - set(world.foreign) - {'.layout'}
        strangers -= {name for name in strangers if name.partition('.replaced')[0] in world.spoiled}
        for name in sorted(strangers & set(world.junk)):
            self.fail("a foreign file of the master's was copied", name)
        for key, name in self.tree.blobs.items():
            if key not in world.registry.contents and name not in world.foreign and not world.by_tree:
                self.fail('a file of no committed blob was copied', shown(key))
        if strangers and self.outcome.code != KILLED and not world.disturbed:
            self.fail("unknown files in the slave's tree", sorted(strangers)[:4])
        if strangers and self.outcome.code == 0:
            world.count('syncs with exit 0 that leave temporary files of a killed one')

    def no_links_to_the_master(self):
        inodes = {entry.inode for entry in self.before.master_tree.entries.values()}
        linked = [name for name, entry in self.tree.entries.items() if entry.inode in inodes]
        if linked:
            self.fail("hard links to the master's files, which nobody asked for", linked[:3])

    def layout_is_the_masters(self):
        if not self.visible.keys and '.layout' not in self.tree.others:
            return
        ours = read(os.path.join(self.world.slave_blobs, '.layout')) if '.layout' in self.tree.others else None
        if ours is None or ours.strip() != self.world.layout.encode():
            self.fail("the layout is not the master's", ours)

    def master_untouched(self):
        after = Tree(self.world.master_blobs, self.world.layout)
        if after.entries != self.before.master_tree.entries:
            names = {name for name in set(after.entries) | set(self.before.master_tree.entries)
                     if after.entries.get(name) != self.before.master_tree.entries.get(name)}
            self.fail("the master's tree was changed", sorted(names)[:4])

    def tree_is_exact(self):
        """Without interference, the slave has exactly the files that its Data.fs names."""
        world = self.world
        expected = set(self.visible.keys) - self.visible.absent
        extra = {key for key, name in self.tree.blobs.items() if name not in world.foreign} - expected
        if not extra:
            return
        if self.packs and (self.outcome.result.get('action') == 'full' or 'starting over' in self.outcome.errors):
            # A copy that starts over beside a pack knows nothing of what its first attempt has copied.
            world.disturbed = True
        if world.disturbed or world.by_tree:
            world.count('syncs with blobs left behind after an interference')
        elif not any('.only-here-' in name for name in os.listdir(os.path.dirname(world.slave))):
            self.fail('blobs that Data.fs does not name', [shown(key) for key in sorted(extra)][:4])

    def nothing_kept_is_gone(self):
        kept = self.kept()
        for key, content in self.world.held.items():
            if key in self.tree.blobs:
                continue
            if content not in kept.get(os.path.basename(name_of(key, self.world.layout)), ()):
                self.fail('--keep-blobs lost a blob', shown(key))

    def kept(self):
        """{base name: contents} of all that was moved aside."""
        found = {}
        for path, _, names in os.walk(self.world.slave_blobs + '.old'):
            for name in names:
                found.setdefault(name, []).append(read(os.path.join(path, name)))
        return found

    def figures_are_right(self):
        """`copied`, `bytes` and `removed`, where nothing but this sync explains what came and went."""
        world, blobs = self.world, self.outcome.blobs
        if world.disturbed or self.repairs or world.by_tree or self.outcome.result.get('action') not in ('none', 'append', 'rebuild', 'full'):
            return
        old, new = self.before.slave_tree, self.tree
        fresh = [entry for name, entry in new.entries.items()
                 if key_of(name, world.layout) and (name not in old.entries or old.entries[name].inode != entry.inode)]
        figures = {'copied': len(fresh), 'bytes': sum(entry.size for entry in fresh)}
        if not world.keeps:
            figures['removed'] = len(set(old.blobs) - set(new.blobs))
        told = {name: blobs.get(name) for name in figures}
        if told != figures:
            self.fail('wrong figures', f'{told}, seen were {figures}')
