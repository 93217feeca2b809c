import { type FileFacts, factsOfPath } from '../io/facts.js';
import { IoFault } from '../io/fault.js';
import { readSmallText } from '../io/replace.js';
import type { SwitchReport } from '../report/promotion.js';
import { isOff, restoreSwitch, writeSwitch } from '../standby/switch.js';

/** What was at the status file's path; `text` undefined: no file. */
type Found =
  | { readonly text: string | undefined; readonly facts: FileFacts | undefined }
  | { readonly problem: string };

/** The switch during a promotion: off first, so that no sync begins; restored if the promotion is refused. */
export class PromotionSwitch {
  private constructor(
    private readonly file: string,
    private readonly found: Found,
    private readonly problem: string | undefined,
  ) {}

  /** Turns the switch off. On failure the promotion continues: the role is the stronger guard. */
  static off(file: string): PromotionSwitch {
    const found = readStatusFile(file);
    try {
      writeSwitch(file, 'off');
      return new PromotionSwitch(file, found, undefined);
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      return new PromotionSwitch(file, found, error.message);
    }
  }

  /** The promotion has changed something: the switch stays off. */
  stays(): SwitchReport {
    const { file, problem } = this;
    if (problem === undefined) return { file, written: true, problem: null, left: 'off' };
    const left = isOff(textOf(readStatusFile(file)) ?? '') ? 'off' : 'as found';
    // If it was off before, the failed write does not matter.
    return { file, written: false, problem: isOff(textOf(this.found) ?? '') ? null : problem, left };
  }

  /** The promotion was refused and has changed nothing: restores the switch. */
  putBack(): SwitchReport {
    const { file, found } = this;
    if ('problem' in found) {
      if (this.problem === undefined) return { file, written: true, problem: found.problem, left: 'off' };
      return { file, written: false, problem: null, left: 'as found' };
    }
    try {
      const now = readStatusFile(file);
      if ('problem' in now || now.text !== found.text) restoreSwitch(file, found.text, found.facts);
      return { file, written: false, problem: null, left: 'as found' };
    } catch (error) {
      if (!(error instanceof IoFault)) throw error;
      return { file, written: true, problem: error.message, left: 'off' };
    }
  }
}

function textOf(found: Found): string | undefined {
  return 'text' in found ? found.text : undefined;
}

const LARGEST = 4096;

function readStatusFile(file: string): Found {
  try {
    return { text: readSmallText(file, LARGEST), facts: factsOfPath(file) };
  } catch (error) {
    if (error instanceof IoFault) return { problem: `what it held could not be read: ${error.message}` };
    throw error;
  }
}
