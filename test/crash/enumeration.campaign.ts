import { describe } from '../support/apart.js';
import { enumerateAll } from './all-scenarios.js';
import { reportOf } from './report.js';
import { SCENARIOS } from './scenarios/index.js';

describe(import.meta.url, 'every crash during the recovery from every crash', () => {
  enumerateAll(
    ({ large }) => ({ large: true, everyState: !large, everySync: true }),
    SCENARIOS,
    (t, line) => t.diagnostic(reportOf([line])[0]!),
  );
});
