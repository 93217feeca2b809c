import { removeIfThere } from '../io/directory.js';
import { factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { OpenFile } from '../io/open-file.js';
import { applyOwnership } from '../io/replace.js';
import type { SlavePaths } from '../standby/paths.js';

const COPY_BYTES = 1 << 20;

/**
 * Copies the bytes from `position` on into a separate file, under the name that FileStorage gives a cut end (`.tr0`,
 * `.tr1`, ...). A file that has these bytes already, from a run that was killed, is used.
 */
export function keepCutBytes(file: OpenFile, position: number, paths: SlavePaths): string {
  const { size, uid, gid } = file.facts();
  for (let number = 0; ; number++) {
    const path = `${paths.data}.tr${number}`;
    const there = factsOfPath(path);
    if (there && !(there.kind === 'file' && there.size === size - position)) continue;
    const kept = there ? OpenFile.openToWrite(path) : OpenFile.createNew(path);
    try {
      if (there && !isCopy(kept, file, position)) continue;
      if (!there) {
        const piece = new Uint8Array(COPY_BYTES);
        for (let at = position; at < size; at += piece.length)
          kept.write(piece.subarray(0, file.read(piece, Math.min(piece.length, size - at), at)), at - position);
        applyOwnership(kept, { mode: 0o600, uid, gid });
      }
      kept.sync();
      return path;
    } catch (error) {
      if (!there) removeUnfinished(path);
      throw error;
    } finally {
      kept.close();
    }
  }
}

/** It would take up space that there may be too little of, and the next run would make another one beside it. */
function removeUnfinished(path: string): void {
  try {
    removeIfThere(path);
  } catch (error) {
    if (!(error instanceof IoFault)) throw error;
  }
}

function isCopy(kept: OpenFile, file: OpenFile, position: number): boolean {
  const [a, b] = [new Uint8Array(COPY_BYTES), new Uint8Array(COPY_BYTES)];
  for (let at = 0; ; at += COPY_BYTES) {
    const length = kept.read(a, COPY_BYTES, at);
    const other = file.read(b, COPY_BYTES, position + at);
    if (Buffer.compare(a.subarray(0, length), b.subarray(0, other)) !== 0) return false;
    if (length < COPY_BYTES) return true;
  }
}
