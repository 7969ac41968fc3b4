/**
 * Creates a session on a node. The leader gives the id. Its checks must exist and not be critical: a session that could
 * not be invalidated would never end.
 */
import { formatDuration, hour, parseDuration } from '../../std/duration.ts';
import type { Session } from '../../structs/index.ts';
import { command } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { checksOf } from './session-end.ts';

export type SessionCreate = Omit<Session, 'CreateIndex' | 'ModifyIndex'>;

const ttlMaxNs = 24 * hour;

export const sessionCreate = command<SessionCreate, string>({
  name: 'session.create',
  version: 1,
  prepare(args, leader) {
    if (args.Node === '') throw new Refusal('failed', 'Must provide Node');
    if (!['', 'release', 'delete'].includes(args.Behavior)) {
      throw new Refusal('failed', `Invalid Behavior setting '${args.Behavior}'`);
    }
    checkTtl(args.TTL, leader.sessionTtlMinNs);
    return { ...args, ID: leader.uuid(), Behavior: args.Behavior === '' ? 'release' : args.Behavior };
  },
  apply(tx, args) {
    const node = tx.table('nodes').get([args.Node]);
    if (node === undefined) throw new Refusal('failed', 'Missing node registration');
    for (const id of checksOf(args)) {
      const check = tx.table('checks').get([args.Node, id]);
      if (check === undefined) throw new Refusal('failed', `Missing check '${id}' registration`);
      if (check.Status === 'critical') throw new Refusal('failed', `Check '${id}' is in critical state`);
    }
    tx.table('sessions').put([args.ID], { ...args, CreateIndex: tx.index, ModifyIndex: tx.index });
    return args.ID;
  },
});

/** The TTL of a session in nanoseconds, 0 for none. Throws a Refusal for a TTL that is out of bounds or no duration. */
function checkTtl(text: string, minNs: number): void {
  if (text === '') return;
  const ttl = parseDuration(text);
  if (!ttl.ok) throw new Refusal('failed', `Session TTL '${text}' invalid: ${ttl.error}`);
  if (ttl.value !== 0 && (ttl.value < minNs || ttl.value > ttlMaxNs)) {
    const bounds = `[${formatDuration(minNs)}=${formatDuration(ttlMaxNs)}]`;
    throw new Refusal('failed', `Invalid Session TTL '${ttl.value}', must be between ${bounds}`);
  }
}
