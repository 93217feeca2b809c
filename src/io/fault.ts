import { constants } from 'node:os';

/** Errors of network file systems and quotas that libuv does not name. */
const UNNAMED: ReadonlyMap<number, { readonly code: string; readonly detail: string }> = new Map([
  [-constants.errno.ESTALE, { code: 'ESTALE', detail: 'stale file handle' }],
  [-constants.errno.EDQUOT, { code: 'EDQUOT', detail: 'disk quota exceeded' }],
]);

/** A fault of the machine or its file systems: operation, path, position and the system's own error code. */
export class IoFault extends Error {
  override readonly name = 'IoFault';
  constructor(
    readonly operation: string,
    readonly path: string,
    /**
     * The system's code, for example ENOSPC; or one of ours: ESHORT (fewer bytes than requested), ETIMEDOUT, EPOISONED.
     */
    readonly code: string,
    readonly detail: string,
    readonly position?: number,
  ) {
    super(`${operation} ${path}${position === undefined ? '' : ` at ${position}`}: ${detail} (${code})`);
  }

  static from(error: unknown, operation: string, path: string, position?: number): IoFault {
    if (error instanceof IoFault) return error;
    const unnamed = error instanceof Error && 'errno' in error ? UNNAMED.get(Number(error.errno)) : undefined;
    if (unnamed) return new IoFault(operation, path, unnamed.code, unnamed.detail, position);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN';
    const text = error instanceof Error ? error.message : String(error);
    // Node's messages read "ENOSPC: no space left on device, write": the middle part is the system's text.
    const detail = /^[A-Z0-9]+: ([^,]+)/.exec(text)?.[1] ?? text;
    return new IoFault(operation, path, code, detail, position);
  }
}

/** Runs `action` and rethrows whatever it throws as an IoFault that names the operation and the path. */
export function attempt<T>(operation: string, path: string, action: () => T, position?: number): T {
  try {
    return action();
  } catch (error) {
    throw IoFault.from(error, operation, path, position);
  }
}
