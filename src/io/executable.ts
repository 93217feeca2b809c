import fs from 'node:fs';
import { attempt } from './fault.js';

/** Throws an IoFault if a program cannot be run: it is missing, or this user may not execute it. */
export function checkExecutable(path: string): void {
  attempt('run', path, () => fs.accessSync(path, fs.constants.X_OK));
}
