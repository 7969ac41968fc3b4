/** What an agent says of itself before the first line of its log: who it is, and what listens where. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { interfaceVersion, version } from '../version.ts';
import type { AgentConfig, Listen } from './config/index.ts';

export function banner(config: AgentConfig, nodeId: string, dataDir: string): string {
  const { settings } = config;
  const { ports } = settings;
  const port = (listens: readonly Listen[], configured: number): number =>
    listens.some((listen) => listen.kind === 'tcp') ? configured : -1;
  const client = `(HTTP: ${port(config.http, ports.http)}, HTTPS: ${port(config.https, ports.https)}, gRPC: -1, DNS: -1)`;
  const rows: [string, string][] = [
    ['Version', `'${version}' (interface of '${interfaceVersion}')`],
    ['Node ID', `'${nodeId}'`],
    ['Node name', `'${config.nodeName}'`],
    ['Datacenter', `'${config.datacenter}' (Segment: '<all>')`],
    ['Server', `${config.server} (Bootstrap: ${config.bootstrap})`],
    ['Client Addr', `[${config.clientAddresses.join(' ')}] ${client}`],
    ['Cluster Addr', `${config.advertiseAddress} (LAN: ${ports.serf_lan}, WAN: ${wanPort(config)})`],
    [
      'Encrypt',
      `Gossip: ${settings.encrypt !== '' || keyringFileExists(config, dataDir)}, TLS-Outgoing: false, TLS-Incoming: false, Auto-Encrypt-TLS: false`,
    ],
    ['Data', config.dev && settings.data_dir === '' ? `${dataDir} (until the agent stops)` : dataDir],
  ];
  return [
    '==> Starting Heddle agent...',
    ...rows.map(([name, value]) => `${name.padStart(18)}: ${value}`),
    '',
    '==> Log data will now stream in as it occurs:',
    '',
  ].join('\n');
}

/** Clients are in no WAN pool. */
function wanPort({ server, settings }: AgentConfig): number {
  return server && settings.ports.serf_wan > 0 ? settings.ports.serf_wan : -1;
}

/** Gossip is encrypted with the keys of this file, whether or not the configuration names one. */
function keyringFileExists({ settings, dev }: AgentConfig, dataDir: string): boolean {
  return !dev && !settings.disable_keyring_file && existsSync(join(dataDir, 'serf', 'local.keyring'));
}
