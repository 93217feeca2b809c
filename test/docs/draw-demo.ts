import { writeFileSync } from 'node:fs';
import { drawTerminal, PICTURE, recordDemo, takeoverLines } from './picture.js';

/** `npm run picture`: plays the demo and draws docs/demo.svg. */
writeFileSync(PICTURE, drawTerminal(takeoverLines(recordDemo())));
process.stdout.write(`${PICTURE} was drawn\n`);
