import { readFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostSample, Sample, SamplerSettings } from './samples.js';

/**
 * sampler-main.js SETTINGS-FILE: four times a second, who serves? It runs in the router's network namespace, and asks the floating
 * address as a client would. A host's own tables and disk are read through /proc, so a host that is cut off is seen as well, and
 * no host notices. Runs until its standard input ends.
 */
const settingsFile = process.argv[2] ?? '';
const EVERY_MS = 250;
const ANSWER_MS = 200;
let running = true;
process.stdin.resume().on('end', () => {
  running = false;
});

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function look(pid: number, { address, port, role }: SamplerSettings): HostSample {
  const tables = text(`/proc/${pid}/net/tcp`) + text(`/proc/${pid}/net/tcp6`);
  const listens = new RegExp(`^ *\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+ 0A `, 'm');
  const facts = text(`/proc/${pid}/root${role}`);
  // Each address of the host itself is a leaf `|-- ADDRESS` with `/32 host LOCAL`.
  const local = new RegExp(`-- ${address.replaceAll('.', '\\.')}\\n\\s+/32 host LOCAL`);
  return {
    alive: tables !== '',
    zeo: listens.test(tables),
    address: local.test(text(`/proc/${pid}/net/fib_trie`)),
    role: /^role (\S+)/m.exec(facts)?.[1] ?? 'plain',
    term: Number(/^term (\d+)/m.exec(facts)?.[1] ?? 0),
  };
}

/** Whether ZEO greets at the floating address. */
function greets({ address, port }: SamplerSettings): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (greeted: boolean): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(greeted);
    };
    const limit = setTimeout(() => end(false), ANSWER_MS);
    socket.on('data', () => end(true));
    socket.on('error', () => end(false));
    socket.on('end', () => end(false));
  });
}

function whoHas({ address, hosts }: SamplerSettings): string {
  const neighbours = text('/proc/self/net/arp');
  const mac = new RegExp(`^${address.replaceAll('.', '\\.')} +\\S+ +\\S+ +(\\S+)`, 'm').exec(neighbours)?.[1];
  return Object.entries(hosts).find(([, host]) => host.mac === mac)?.[0] ?? 'none';
}

while (running) {
  const began = Date.now();
  const settings = JSON.parse(readFileSync(settingsFile, 'utf8')) as SamplerSettings;
  const answers = (await greets(settings)) ? whoHas(settings) : 'none';
  const hosts = Object.fromEntries(
    Object.entries(settings.hosts).map(([name, { pid }]) => [name, look(pid, settings)]),
  );
  const sample: Sample = { t: began / 1000, answers, hosts };
  writeSync(1, `${JSON.stringify(sample)}\n`);
  await sleep(Math.max(10, EVERY_MS - (Date.now() - began)));
}
