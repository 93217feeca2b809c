import { dirname } from 'node:path';
import { refuseDataFile } from '../io/data-file.js';
import { removeIfThere, syncDirectory } from '../io/directory.js';
import { type FileFacts, factsOfPath } from '../io/facts.js';
import { durableReplace, type Ownership, ownTemporaryOf, readSmallText } from '../io/replace.js';

/** The status file: one line, `SYNCING=0` or `SYNCING=1`. A failover sets it to 0, a person sets it back to 1. */
export type Switch = 'on' | 'off';

export const DEFAULT_STATUS_FILE = '/var/run/syncPozo.status';

/** The status file holds something else: no sync may run until a person has checked it. */
export class SwitchUnclear extends Error {
  override readonly name = 'SwitchUnclear';
  constructor(
    readonly path: string,
    readonly found: string,
  ) {
    super(`status file ${path} holds ${JSON.stringify(found)}, expected SYNCING=0 or SYNCING=1`);
  }
}

const LARGEST = 4096;
const SHOWN = 80;
const FORM = /^SYNCING=([01])\s*$/;

/** Whether a status file with this text stops every sync that reads it. */
export function isOff(text: string): boolean {
  return FORM.exec(text)?.[1] === '0';
}

/** Reads the switch; a missing file means on. Throws SwitchUnclear, or an IoFault. */
export function readSwitch(path: string): Switch {
  if (factsOfPath(path)?.kind === 'directory') throw new SwitchUnclear(path, 'a directory');
  const text = readSmallText(path, LARGEST);
  if (text === undefined) return 'on';
  const match = FORM.exec(text);
  if (!match) throw new SwitchUnclear(path, text.slice(0, SHOWN));
  return match[1] === '1' ? 'on' : 'off';
}

/** Writes the switch durably; a Data.fs at the path is refused. A takeover and a person may write at the same time: the last one wins. */
export function writeSwitch(path: string, value: Switch): void {
  replace(path, `SYNCING=${value === 'on' ? 1 : 0}\n`, { mode: 0o644 });
}

/** Restores durably what was there before a writeSwitch; `text` undefined: no file. */
export function restoreSwitch(path: string, text: string | undefined, facts: FileFacts | undefined): void {
  if (text !== undefined) return replace(path, text, facts ?? { mode: 0o644 });
  removeIfThere(path);
  syncDirectory(dirname(path));
}

function replace(path: string, text: string, ownership: Ownership): void {
  refuseDataFile(path);
  durableReplace(path, text, ownership, ownTemporaryOf(path));
}
