import { makeTemporaryDirectory, removeTree } from '../io/temporary.js';
import { StepRecorder, type StepReport } from './report.js';
import { type Commands, Stage } from './stage.js';
import { REPLICATION } from './steps.js';
import { TAKEOVER } from './takeover.js';
import { WAY_BACK } from './way-back.js';

export interface DemoReport {
  readonly ok: boolean;
  /** Where all files still are; null when they have been removed. */
  readonly directory: string | null;
  readonly steps: readonly StepReport[];
  readonly seconds: number;
}

export interface DemoOptions {
  readonly commands: Commands;
  /** Receives every line as soon as it is known. */
  readonly print: (line: string) => void;
  /** Keep the directory. */
  readonly keep: boolean;
}

/** Runs all steps in a temporary directory. A step that throws has failed, and ends the demo. */
export async function playDemo({ commands, print, keep }: DemoOptions): Promise<DemoReport> {
  const start = performance.now();
  const directory = makeTemporaryDirectory('syncpozo-demo-');
  print(`Everything happens in ${directory}`);
  const steps: StepReport[] = [];
  try {
    const stage = new Stage(directory, commands);
    for (const [number, { title, run }] of [...REPLICATION, ...TAKEOVER, ...WAY_BACK].entries()) {
      const step = new StepRecorder(`${number + 1}. ${title}`, print);
      let failed = false;
      try {
        await run(stage, step);
      } catch (error) {
        failed = true;
        step.check('the step runs to its end', false, String(error));
      }
      steps.push(step.report);
      if (failed) break;
    }
    stage.stopSite();
  } finally {
    if (!keep) await removeTree(directory);
  }
  return {
    ok: steps.every((step) => step.ok),
    directory: keep ? directory : null,
    steps,
    seconds: (performance.now() - start) / 1000,
  };
}
