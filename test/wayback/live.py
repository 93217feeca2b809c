"""Takeovers and ways back beside a real ZEO with clients that write all the time."""
import os
import signal
import threading
import time

import judge
from judge import require
from program import KILLED, blobs
from reading import lost_files, read, transactions
from server import Server, Writer
from side import first_commit
from world import CHUNKS, HOURS, World

WRITERS = 2
WAITS = (0, 0.1, 0.5, 1.5)
# Bytes of each round of a rejoin beside a busy server: where its file ended before, and a transaction in flight there.
PROBES = 64 * 1024


class LiveWorld(World):
    def __init__(self, *args):
        super().__init__(*args)
        self.lock = threading.Lock()
        self.servers, self.writers = {}, []

    def close(self):
        for side in list(self.servers):
            self.stop(side, signal.SIGKILL)
        super().close()

    def start(self, side):
        self.servers[side] = Server(side)
        for number in range(WRITERS):
            self.writers.append(Writer(self.servers[side], f'{self.rng.random()} {number}'))

    def stop(self, side, how=signal.SIGTERM):
        """Under load: its clients learn it from their broken connections."""
        server = self.servers.pop(side)
        server.end(how)
        for writer in [each for each in self.writers if each.server is server]:
            writer.stopped.set()
            writer.join()
            self.writers.remove(writer)

    def play(self, rounds, most_new):
        first_commit(self.serving)
        self.serving.close()
        self.start(self.serving)
        for _ in range(rounds):
            self.run_and_sync()
            self.rng.choice([self.handed_over] if 'switchover' in self.kinds else [self.dies, self.dies, self.handed_over, self.both_serve])()
            time.sleep(self.rng.choice(WAITS))
            self.way_back()
        self.stop(self.serving)
        self.sync()
        judge.nothing_lost(self, judge.serving_or_lost(self, self.serving))

    def run_and_sync(self):
        for _ in range(self.rng.randrange(1, 4)):
            time.sleep(self.rng.choice(WAITS))
            answer = self.program.sync(self.serving, self.other, '--chunk-size', self.rng.choice(CHUNKS))
            self.note(f"sync {self.other.name} <- {self.serving.name}: {answer.code} {answer.json.get('action')}")
            require(answer.code == 0, 'a sync beside a busy server failed', answer)
        time.sleep(self.rng.choice(WAITS[:3]))

    def promote(self, *options):
        old, new = self.serving, self.other
        answer = self.program.promote(new, *options)
        self.note(f"promote {new.name}: {answer.code}, caught up: {answer.json.get('caughtUp')}")
        require(answer.code == 0, 'a promotion failed', answer)
        new.had, new.knows = commits_in(new.path), False
        if 'skew' in self.kinds:
            new.skew = 3600 * self.rng.choice(HOURS)
        self.serving, self.other = new, old
        return answer

    def dies(self):
        self.stop(self.serving, signal.SIGKILL)
        self.note(f'{self.serving.name}: SIGKILL')
        self.promote()
        self.start(self.serving)

    def handed_over(self):
        """A planned switchover: its clients write until the server has ended."""
        old = self.serving
        self.stop(old)
        self.note(f'{old.name}: stopped for a switchover')
        answer = self.promote('--master', old.directory, '--catch-up', '20', '--patience', '10', *blobs(old, self.other))
        missing = {number for number in self.acknowledged if number in old.had and number not in self.serving.had}
        lost = commits_in_lost_files(self)
        require(missing <= lost, 'a planned switchover lost acknowledged transactions', f'{len(missing - lost)} of {len(old.had)}\n{answer}')
        self.ask_new()
        self.start(self.serving)

    def both_serve(self):
        """The old server was only out of reach: both have clients for a while."""
        old = self.serving
        self.promote()
        self.start(self.serving)
        self.note(f'{old.name}: goes on')
        time.sleep(self.rng.choice(WAITS[1:]))
        self.refuses_beside_a_server()
        self.stop(old, self.rng.choice([signal.SIGTERM, signal.SIGKILL]))

    def refuses_beside_a_server(self):
        answer = self.program.rejoin(self.serving, self.other)
        self.note(f'rejoin beside a running server: {answer.code}')
        require(answer.code == 5, 'a rejoin of a directory in which ZEO runs', answer)

    def way_back(self):
        master, slave = self.serving, self.other
        rejoin = judge.Rejoin(self, master, slave)
        rejoin.only_here = commits_in(slave.path) - master.had
        self.note(f'the way back of {slave.name}: {len(rejoin.expected())} lost')
        self.count('transactions that were lost', len(rejoin.expected()))
        kills = self.rng.randrange(0, 3) if 'kill' in self.kinds else 0
        for _ in range(kills):
            self.kill(rejoin)
        fork, before = rejoin.fork(), names(master)
        answer, count, log = self.program.counted_rejoin(master, slave)
        copied = os.path.getsize(slave.path) - fork
        self.note(f"rejoin {slave.name} <- {master.name}: {answer.code} {answer.json.get('action')}, {count} bytes read for {copied}")
        require(answer.code == 0, 'a rejoin under load failed', answer)
        require(names(master) == before, "the serving side's directory was changed", answer)
        require(read(master.path).startswith(read(slave.path)), 'the slave is no beginning of the master', answer)
        slave.had, slave.knows = set(master.had), True
        with self.lock:
            rejoin.done(answer)
        if kills == 0:
            judge.reported(rejoin, answer)
            require(count <= judge.READ_BUDGET * copied + PROBES, f'{count} bytes read for {copied}', f'{log}\n{answer}')
        self.count('rejoins under load')

    def kill(self, rejoin):
        answer = self.program.killed_rejoin(self.rng, self.serving, self.other)
        self.note(f"rejoin {'killed' if answer.code == KILLED else answer.code}: {self.phase()}")
        self.count('rejoins killed')
        with self.lock:
            rejoin.after_kill()
        if self.rng.random() < 0.5:
            self.ask_old()


def names(side):
    """But for the files that its own server makes and removes."""
    return {name for name in os.listdir(side.directory) if not name.endswith(('.tmp', '.index', '.lock', 'index_tmp'))}


def commits_in(path):
    return {each.commit for each in transactions(path)}


def commits_in_lost_files(world):
    return {number for side in world.sides for name in lost_files(side.directory) for number in commits_in(os.path.join(side.directory, name))}
