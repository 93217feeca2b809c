/** The section `cluster` of a configuration: the sample's, with other lines in the place of its own by their first word. */
export function clusterText(changes: Readonly<Record<string, string>> = {}): string {
  const lines: Readonly<Record<string, string>> = {
    hosts:
      '{ m1: { address: 192.168.1.11, heartbeat: 10.0.0.11 }, m2: { address: 192.168.1.12, heartbeat: 10.0.0.12 } }',
    address: '192.168.1.10/24',
    interface: 'eth0',
    'heartbeat-interface': 'eth1',
    zeo: '{ control: /srv/zeo/bin/zeoctl }',
    ...changes,
  };
  const set = Object.entries(lines).filter(([, value]) => value !== '');
  return ['cluster:', ...set.map(([key, value]) => `  ${key}: ${value}`)].join('\n');
}
