import { IoFault } from '../io/fault.js';
import { durableReplace, readSmallText } from '../io/replace.js';
import { type Dat, formatDat, type OldRole, parseDat } from './dat.js';
import type { SlavePaths } from './paths.js';

/** Some 100 bytes a chunk of 32 MiB: room for 16 TiB. */
const LARGEST = 1 << 26;

/** `mayBePromoted`: it cannot be used, and what is left of it has the word that a promotion once left in a `.dat`. */
export type DatFile =
  | { readonly dat: Dat; readonly old?: OldRole }
  | { readonly missing: true }
  | { readonly problem: string; readonly mayBePromoted?: boolean };

/** Reads the slave's `.dat`. Unreadable ones are an IoFault; whatever it holds is an answer. */
export function readDatFile(paths: Pick<SlavePaths, 'dat'>): DatFile {
  let text: string | undefined;
  try {
    text = readSmallText(paths.dat, LARGEST);
  } catch (error) {
    if (error instanceof IoFault && (error.code === 'EISDIR' || error.code === 'EFBIG'))
      return { problem: error.message };
    throw error;
  }
  if (text === undefined) return { missing: true };
  const parsed = parseDat(text);
  if ('dat' in parsed) return parsed;
  return { problem: `${paths.dat} is not usable: ${parsed.problem}`, mayBePromoted: text.includes('promoted') };
}

/** Publishes a `.dat`: after the return it is what a crash leaves. */
export function publishDat(paths: SlavePaths, dat: Dat): void {
  const { uid, gid } = paths.directoryFacts;
  durableReplace(paths.dat, formatDat(dat), { mode: 0o644, uid, gid });
}
