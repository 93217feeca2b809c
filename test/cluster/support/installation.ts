import type { Host } from './host.js';

/** What an installer of Debian asks for: a script for the new disk, and /etc/network/interfaces as its standard input. */
export function installation({ name, address, heartbeatAddress }: Host): { script: string; interfaces: string } {
  const card = (card: string, at: string): string => `auto ${card}\niface ${card} inet static\n  address ${at}/24\n`;
  return {
    script: `
      echo ${name} >/etc/hostname
      tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
      printf '%s\\n' '127.0.0.1 localhost' '192.168.1.1 router' '192.168.1.10 cluster' \
        '192.168.1.11 m1' '192.168.1.12 m2' >/etc/hosts
      cat >/etc/network/interfaces
      ln -sf /opt/syncpozo/dist/app/cli.cjs /usr/local/bin/syncpozo`,
    interfaces: `auto lo\niface lo inet loopback\n${card('eth0', address)}${card('eth1', heartbeatAddress)}`,
  };
}
