import assert from 'node:assert/strict';
import type { Pair } from '../support/pair.js';

/** The addresses that a browser gets behind the floating address. The addresses in the pages of items are the crawl's matter. */
export async function assertAddresses(pair: Pair): Promise<void> {
  const curl = "curl -s -m 60 -H 'Host: www.example.org'";
  // A visitor from anywhere; the router has no place for his cookies.
  const run = (text: string): Promise<string> => pair.m2.ok(text, { timeoutMs: 300_000 });
  const base = 'http://192.168.1.10';

  const page = await run(`${curl} -c /tmp/cookies ${base}/`);
  const route = await run('awk \'$6 == "ROUTEID" { print $7 }\' /tmp/cookies');
  assert.match(route, /^\.m[12]$/);
  const again = await run(`for n in 1 2 3 4 5 6 7 8 9 10; do ${curl} -b /tmp/cookies -o /dev/null -D - ${base}/; done`);
  assert.equal(again.match(/^HTTP\/1.1 200/gm)?.length, 10);
  assert.doesNotMatch(again, /ROUTEID/, 'a visitor with a cookie stays where he is');
  // A client whose host is busy is left out for some seconds.
  const seen = new Set<string>();
  await pair.eventually(
    'visitors without a cookie come to both clients',
    async () => {
      seen.add(/ROUTEID=\.m[12]/.exec(await run(`${curl} -o /dev/null -D - ${base}/`))?.[0] ?? '');
      return seen.has('ROUTEID=.m1') && seen.has('ROUTEID=.m2');
    },
    120,
  );

  const styles = [...page.matchAll(/"http:\/\/www\.example\.org(\/[^"]*\.(?:css|js))"/g)].map(([, path]) => path ?? '');
  assert.ok(styles.length > 2, page.slice(0, 3000));
  for (const path of styles)
    assert.equal(await run(`${curl} -o /dev/null -w '%{http_code}' '${base}${path}'`), '200', path);

  const form = "-d __ac_name=admin -d __ac_password=secret -d came_from= -d 'buttons.login=Log in'";
  const login = await run(`${curl} -c /tmp/cookies -D - -o /dev/null ${form} ${base}/login`);
  assert.match(login, /^Location: http:\/\/www\.example\.org\/?\s*$/m);
  // The cookie of the login holds on either client.
  for (const member of ['m1', 'm2']) {
    await run(`sed -i 's/\\(ROUTEID\\t\\).*/\\1.${member}/' /tmp/cookies`);
    assert.match(await run(`${curl} -b /tmp/cookies ${base}/`), /http:\/\/www\.example\.org\/logout/, member);
  }
  assert.equal(
    await run(`${curl} -o /dev/null -w '%{http_code}' ${base}/VirtualHostBase/http/evil.example:80/Plone`),
    '403',
  );
}
