"""The program under test, called as people and scripts call it: one process a call."""
import json
import os
import re
import signal
import subprocess
import time

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMAND = os.environ.get('SYNCPOZO_TEST_COMMAND', f"node {os.path.join(PROJECT, 'dist', 'app', 'cli.cjs')}").split()
STUCK_AFTER = 120
READS = 'read,pread64,readv,preadv,preadv2,copy_file_range,sendfile'
# Of a call that was reported in two pieces, the second has the result.
COUNT = re.compile(r'(?:\)|>.*) += (\d+)$', re.MULTILINE)
KILLED = -signal.SIGKILL
# Calls that change something: a kill before one of them is a kill between two steps.
CHANGING = ['fsync', 'fdatasync', 'rename', 'ftruncate', 'unlink', 'link', 'pwrite64']


class Answer:
    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err
        try:
            self.json = json.loads(out)
        except ValueError:
            self.json = {}

    def __str__(self):
        return f'{self.command}: exit {self.code}\n{self.out}{self.err}'.rstrip()[-6000:]


class Program:
    def call(self, *args, prefix=(), kill_after=None, threads='4'):
        process = subprocess.Popen([*prefix, *COMMAND, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, 'UV_THREADPOOL_SIZE': threads})
        if kill_after is not None:
            time.sleep(kill_after)
            process.kill()
        try:
            out, err = process.communicate(timeout=STUCK_AFTER)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += f'\nthe test ended it after {STUCK_AFTER} seconds'
        return Answer(' '.join(args), process.returncode, out, err)

    def sync(self, master, slave, *options):
        return self.call('sync', master.directory, slave.directory, *common(slave), *blobs(master, slave), *options)

    def promote(self, slave, *options):
        return self.call('promote', slave.directory, *common(slave), *options)

    def may_serve(self, side, peer=None):
        return self.call('may-serve', side.directory, '--json', *(['--peer', peer.directory] if peer else []))

    def rejoin(self, master, slave, *options, **how):
        return self.call('rejoin', master.directory, slave.directory, '--yes', *common(slave), *blobs(master, slave), *options, **how)

    def killed_rejoin(self, rng, master, slave, *options):
        """Ends by SIGKILL at a random moment, or between two steps; or after its last step, if it is quicker."""
        if rng.random() < 0.6:
            return self.rejoin(master, slave, *options, kill_after=rng.uniform(0.1, 0.6))
        return self.rejoin_killed_at(rng.choice(CHANGING), rng.randrange(1, 25), master, slave, *options)

    def rejoin_killed_at(self, call, number, master, slave, *options):
        """A thread's `number`-th such call is not made any more; with one thread, the order of the calls is always the same."""
        inject = f'inject={call}:signal=SIGKILL:when={number}'
        prefix = ['strace', '-f', '-o', '/dev/null', '-e', f'trace={call}', '-e', inject]
        return self.rejoin(master, slave, *options, prefix=prefix, threads='1')

    def counted_rejoin(self, master, slave, *options):
        """Also the number of bytes that it read of the master's Data.fs."""
        log = os.path.join(slave.world.directory, 'reads')
        prefix = ['strace', '-f', '-q', '--seccomp-bpf', '-s', '0', '-o', log, '-e', f'trace={READS}', '-P', master.path]
        answer = self.rejoin(master, slave, *options, prefix=prefix)
        with open(log, encoding='utf8') as file:
            text = file.read()
        return answer, sum(map(int, COUNT.findall(text))), text


def common(side):
    return '--json', '--status-file', side.status_file


def blobs(master, slave):
    return ('--blobs', f'{master.blobs}:{slave.blobs}') if master.blobs else ()
