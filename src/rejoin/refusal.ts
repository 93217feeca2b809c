import { EXIT, type ExitCode } from '../round/exit.js';

/** A rejoin must not go on: a person decides, or one of the files is damaged. */
export class RejoinRefusal extends Error {
  override readonly name = 'RejoinRefusal';
  constructor(
    message: string,
    readonly hint: string,
    readonly exitCode: ExitCode = EXIT.refused,
  ) {
    super(message);
  }
}
