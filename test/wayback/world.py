"""One random history of two sides: takeovers at random moments, the way back, and the same in the other direction."""
import os

import judge
from judge import require
from program import KILLED
from reading import lost_files, read, state_of
from takeovers import Takeovers


class World(Takeovers):
    def play(self, rounds, most_new):
        self.begin()
        for _ in range(rounds):
            self.serve_and_sync()
            self.take_over()
            self.between()
            self.serving_goes_on(most_new)
            self.way_back()

    def way_back(self):
        master, slave = self.serving, self.other
        slave.close()
        rejoin = judge.Rejoin(self, master, slave)
        self.note(f'the way back of {slave.name}: {len(rejoin.expected())} lost, {rejoin.difference()} bytes new')
        self.count('transactions that were lost', len(rejoin.expected()))
        if self.rng.random() < 0.3:
            self.dry_run(rejoin)
        if self.both_promoted and not self.packs and not self.is_rotten and not self.has_ties:
            judge.compared(rejoin, self.program.compare(master, slave))
        kills = self.kill_some(rejoin) if 'kill' in self.kinds else 0
        answer = self.finish(rejoin, kills)
        slave.had, slave.knows = set(master.had), True
        self.after(answer)

    def dry_run(self, rejoin):
        before = {side: state_of(side.directory) for side in self.sides}
        answer = self.program.rejoin(self.serving, self.other, '--dry-run')
        self.note(f'dry run: {answer.code}')
        judge.untouched(before[self.serving], self.serving, answer)
        after = state_of(self.other.directory)
        changed = [name for name in {*before[self.other], *after} if not name.endswith('.lock') and before[self.other].get(name) != after.get(name)]
        require(not changed, 'a dry run changed files', f'{changed}\n{answer}')
        if answer.code == 0 and not self.packs:
            judge.reported(rejoin, answer)

    def kill_some(self, rejoin):
        killed = 0
        for _ in range(self.rng.randrange(0, 4)):
            before = state_of(self.serving.directory)
            answer = self.program.killed_rejoin(self.rng, self.serving, self.other)
            judge.untouched(before, self.serving, answer)
            rejoin.after_kill()
            killed += 1
            self.note(f"rejoin {'killed' if answer.code == KILLED else answer.code}: {self.phase()}")
            self.count('rejoins killed')
            self.in_the_middle(rejoin)
            if self.chance('live', 0.5):
                self.serving.commits(self.rng.randrange(0, 10))
            if self.chance('pack', 0.2):
                self.note(f'{self.serving.name}: pack in the middle, {self.serving.pack()}')
                self.packs += 1
        return killed

    def in_the_middle(self, rejoin):
        """Of a rejoin that was killed: start scripts and cron jobs of both hosts."""
        began = 'role rejoining' in self.phase() or 'role slave' in self.phase()
        if self.rng.random() < 0.6:
            self.other.knows = self.other.knows or began
            self.ask_old()
        if self.rng.random() < 0.2:
            self.round_on_old()
        if self.rng.random() < 0.2:
            answer = self.program.sync(self.serving, self.other)
            self.note(f"a sync in the middle: {answer.code} {answer.json.get('action')}")
            # It had nothing of its own, and has followed, over a pack as well.
            rejoin.followed = rejoin.followed or answer.code == 0
            judge.nothing_lost(self, judge.anywhere(self))

    def finish(self, rejoin, kills):
        """The run that nobody kills; with --full if a pack forbids the short way."""
        master, slave = self.serving, self.other
        before, own = state_of(master.directory), state_of(slave.directory)
        difference = rejoin.difference()
        answer, count, log = self.program.counted_rejoin(master, slave)
        self.note(f"rejoin {slave.name} <- {master.name}: {answer.code} {answer.json.get('action')}, {count} bytes read of {difference}")
        judge.untouched(before, master, answer)
        if answer.code == 3 and (self.packs or self.by_hand) or answer.code in (3, 4) and self.is_rotten:
            judge.only_notes_changed(own, slave, answer)
            return self.finish_full(rejoin)
        require(answer.code == 0, 'a rejoin failed', answer)
        require(rejoin.followed or rejoin.is_common_history_equal(), 'a rejoin without --full beside a pack', answer)
        rejoin.done(answer, exact=not self.packs and not self.is_rotten)
        judge.equal(master, slave, answer)
        if kills == 0 and not self.packs and not self.is_rotten:
            judge.reported(rejoin, answer)
            # A stale claim, a piece that was cut, or another transaction of the same tid at the fork costs some more; a side
            # that was promoted without having been a slave has no hashes.
            if not self.kinds & {'stale', 'ties', 'cut'} and not self.old_won:
                judge.within_budget(rejoin, difference, count, log, answer)
        self.count(f"rejoin: {answer.json.get('action')}")
        return answer

    def finish_full(self, rejoin):
        """After a pack, or beside rot."""
        before, data = state_of(self.serving.directory), read(self.other.path)
        answer = self.program.rejoin(self.serving, self.other, '--full')
        self.note(f"rejoin --full: {answer.code} {answer.json.get('action')}")
        judge.untouched(before, self.serving, answer)
        if answer.code == 4 and self.is_rotten:
            return self.set_aside(rejoin, data, answer)
        require(answer.code == 0, 'a rejoin --full failed', answer)
        rejoin.done(answer, exact=False)
        judge.equal(self.serving, self.other, answer)
        self.count('rejoin: --full')
        return answer

    def set_aside(self, rejoin, data, answer):
        """Nobody can know which side is right: a person moves the rotten file away, with all that only it has."""
        require(read(self.other.path) == data, 'a refusal changed the data', answer)
        os.rename(self.other.path, os.path.join(self.directory, f'rotten-{self.number}'))
        self.packed |= {each.commit for each in rejoin.expected()}
        answer = self.program.rejoin(self.serving, self.other, '--full')
        self.note(f"rejoin --full without the rotten file: {answer.code} {answer.json.get('action')}")
        require(answer.code == 0, 'a rejoin --full failed, without any file', answer)
        judge.equal(self.serving, self.other, answer)
        self.count('rejoin: rotten')
        return answer

    def after(self, answer):
        """From here on the ordinary sync goes on."""
        if self.rng.random() < 0.5:
            self.ask_old()
        lost = lost_files(self.other.directory)
        self.serving.commits(self.rng.randrange(0, 6))
        self.sync()
        judge.serves(self.other, answer)
        require(lost <= lost_files(self.other.directory), 'a sync removed a lost file', answer)
        judge.nothing_lost(self, judge.serving_or_lost(self, self.serving))
        if not self.has_blobs or self.rng.random() < 0.5:
            return
        # The lost file has its own blobs: the ordinary life of the tree does not touch them.
        self.sync()
