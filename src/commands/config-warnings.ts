import { dirname } from 'node:path';
import type { Configuration, StorageSettings } from '../config/configuration.js';
import { sideOf } from '../standby/paths.js';
import { clusterWarnings } from './cluster-warnings.js';
import { factsAt, realPathAt } from './facts-at.js';
import type { Warning } from './warning.js';

const WRITABLE_FOR_OTHERS = 0o002;
const EXECUTABLE = 0o111;

/** Probes the paths on the side of the slave. Never touches a master, whose mount may hang. */
export function warningsOf(configuration: Configuration): readonly Warning[] {
  const { path, storages, watch, hooks } = configuration;
  const common: Warning[] = [];
  const warn = (of: string, message: string): void => void common.push({ storage: null, path: of, message });
  if ((factsAt(path)?.mode ?? 0) & WRITABLE_FOR_OTHERS)
    warn(path, `${path} can be written by every user of this machine, and it names commands and files`);
  if (watch.textfile !== undefined && !isDirectory(dirname(watch.textfile)))
    warn(watch.textfile, `the directory of the text file ${watch.textfile} does not exist`);
  for (const [event, [program = '']] of Object.entries(hooks.commands)) {
    const facts = factsAt(program);
    if (!facts) warn(program, `the program ${program} of the hook ${event} does not exist`);
    else if (facts.kind !== 'file' || !(facts.mode & EXECUTABLE))
      warn(program, `the program ${program} of the hook ${event} cannot be executed`);
  }
  return [...storages.flatMap(ofStorage), ...sharedBlobs(storages), ...common, ...clusterWarnings(configuration)];
}

function ofStorage({ name, slave, file, blobs, statusFile }: StorageSettings): Warning[] {
  const warnings: Warning[] = [];
  const warn = (path: string, what: string): void =>
    void warnings.push({ storage: name, path, message: `${what} does not exist` });
  const isFile = sideOf(slave, file, factsAt(slave)).name !== undefined;
  const directory = isFile ? dirname(slave) : slave;
  if (!isDirectory(directory)) warn(slave, `the slave's directory ${directory}`);
  if (blobs && !isDirectory(blobs.slave)) warn(blobs.slave, `the slave's blob directory ${blobs.slave}`);
  if (!isDirectory(dirname(statusFile))) warn(statusFile, `the directory of the status file ${statusFile}`);
  return warnings;
}

/** The configuration compares paths as they are written: links lead two of them to one directory. */
function sharedBlobs(storages: readonly StorageSettings[]): Warning[] {
  const known = storages.flatMap(({ name, blobs }) => {
    const path = blobs && realPathAt(blobs.slave);
    return blobs && path !== undefined ? [{ name, path, given: blobs.slave }] : [];
  });
  return known.flatMap(({ name, path, given }, number) =>
    known.slice(0, number).flatMap((other) => {
      if (!`${path}/`.startsWith(`${other.path}/`) && !`${other.path}/`.startsWith(`${path}/`)) return [];
      const what = other.path === path ? 'is' : 'overlaps';
      const message = `the slave's blob directory ${given} ${what} that of ${other.name} (${other.given}): a pack of the one master removes what the other slave needs`;
      return [{ storage: name, path: given, message }];
    }),
  );
}

function isDirectory(path: string): boolean {
  return factsAt(path)?.kind === 'directory';
}
