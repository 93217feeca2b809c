import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { attempt } from './fault.js';

/** The status page of a watch. The bundled program embeds the same text (see package.json). */
export default readPage();

function readPage(): string {
  const path = fileURLToPath(new URL('../../../src/monitor/page.html', import.meta.url));
  return attempt('read', path, () => fs.readFileSync(path, 'utf8'));
}
