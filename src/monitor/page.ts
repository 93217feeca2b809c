import { createHash } from 'node:crypto';
import page from '#page';

/** The status page: a constant. It fetches `/status.json` by itself. */
export const PAGE: Buffer = Buffer.from(page, 'utf8');

/**
 * Only the style and the script in the page run, because the header names their hashes; whatever else got into it would not. It
 * talks to the server that it came from, and to nobody else.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src ${hashOf('style')}`,
  `script-src ${hashOf('script')}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function hashOf(element: string): string {
  const text = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(page)?.[1] ?? '';
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
