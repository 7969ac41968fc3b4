/**
 * `raft/peers.json`: how operators bring a cluster back whose majority is lost for good. With all servers that are left
 * stopped, the same file is put on each, and each is started:
 *
 *     [ { "id": "adf4238a-…", "address": "10.1.0.1:8300", "non_voter": false }, … ]
 *
 * It is read once: applied, told in the log, and renamed to `peers.json.applied`. A file that makes no sense stops the start and
 * changes nothing. `raft/peers.info` explains this where it is needed.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Configuration, type RaftLog, recoverConfiguration } from '../../raft/index.ts';
import { HeddleError } from '../../std/errors.ts';

const explanation = `A peers.json put into this folder while the server is stopped brings a cluster back that has lost the majority of its
servers for good. It names those that are left, with the ids in their data_dir/node-id, and must be the same on each:

[
  { "id": "adf4238a-882b-9ddc-4a9d-5b6758e4159e", "address": "10.1.0.1:8300", "non_voter": false },
  { "id": "8b6dda82-3103-11e7-93ae-92361f002671", "address": "10.1.0.2:8300", "non_voter": false }
]

When the servers start they read it once and rename it to peers.json.applied. Whatever their logs hold is kept, committed or
not. Never use it while a majority lives: "heddle operator raft remove-peer" is for that.
`;

const idForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const addressForm = /^(\[[0-9a-f:.%]+\]|[^:\s]+):([1-9][0-9]{0,4})$/i;

export interface Recovery {
  readonly id: string;
  readonly log: RaftLog;
  readonly logger: { warn(message: string, fields: Record<string, unknown>): void };
}

/** Applies the file if there is one. Throws `PEERS_FILE` for one that makes no sense, RaftError for a log that does not fit. */
export async function recoverFromPeersFile(folder: string, { id, log, logger }: Recovery): Promise<void> {
  writeFileSync(join(folder, 'peers.info'), explanation, { mode: 0o600 });
  const path = join(folder, 'peers.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    const configuration = readPeers(text, id, path);
    const { index, term } = await recoverConfiguration(log, id, configuration);
    const { voters, learners, addresses } = configuration;
    logger.warn('the Raft configuration was replaced by peers.json', { voters, learners, addresses, index, term });
  } catch (error) {
    await log.close();
    throw error;
  }
  renameSync(path, `${path}.applied`);
  // Were the new name lost with the power, a later start would force an old membership on a cluster that has moved on.
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** The configuration that a file says, complete and without contradiction, with this server in it. */
export function readPeers(text: string, ownId: string, path: string): Configuration {
  const wrong = (reason: string): never => {
    throw new HeddleError('PEERS_FILE', `${path}: ${reason}; nothing was changed, correct or remove the file`);
  };
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    return wrong(`is not JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(list) || list.length === 0) return wrong('must be a list of servers that is not empty');
  const voters: string[] = [];
  const learners: string[] = [];
  const addresses = new Map<string, string>();
  for (const [i, each] of list.entries()) {
    const peer = readPeer(each);
    if (typeof peer === 'string') return wrong(`server ${i + 1} ${peer}`);
    if (addresses.has(peer.id)) return wrong(`has the id ${peer.id} twice`);
    if ([...addresses.values()].includes(peer.address)) return wrong(`has the address ${peer.address} twice`);
    addresses.set(peer.id, peer.address);
    (peer.nonVoter ? learners : voters).push(peer.id);
  }
  if (voters.length === 0) return wrong('names no voter');
  if (!addresses.has(ownId)) return wrong(`does not name this server, whose id is ${ownId}`);
  return {
    voters: voters.sort(),
    votersOutgoing: [],
    learners: learners.sort(),
    addresses: Object.fromEntries([...addresses].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function readPeer(value: unknown): { id: string; address: string; nonVoter: boolean } | string {
  if (typeof value === 'string')
    return `is only an address (${value}): the older form has no ids, write {"id", "address"}`;
  if (typeof value !== 'object' || value === null) return 'is not an object';
  const { id, address, non_voter: nonVoter = false, ...rest } = value as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return `has the key ${JSON.stringify(unknown)}, which is none of id, address, non_voter`;
  if (typeof id !== 'string' || !idForm.test(id.toLowerCase()))
    return `has no id of a server: ${JSON.stringify(id) ?? 'none'}`;
  if (typeof address !== 'string' || Number(addressForm.exec(address)?.[2] ?? 65_536) > 65_535)
    return `has no address of the form ip:port: ${JSON.stringify(address) ?? 'none'}`;
  if (typeof nonVoter !== 'boolean')
    return `has a non_voter that is neither true nor false: ${JSON.stringify(nonVoter)}`;
  return { id: id.toLowerCase(), address, nonVoter };
}
