/**
 * proto/raft.proto to the core's own types and back. The only place where protobuf's idea of a number (Long) exists: it is
 * turned into a checked JavaScript number here, and what does not fit is refused.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { Message } from '../core/messages.ts';
import type { CheckpointMeta, Configuration, Entry, ServerId } from '../core/types.ts';
import { RaftError } from '../errors.ts';

/** The file beside the sources or beside the built output. */
function protoPath(name: string): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const path = join(at, 'proto', name);
    if (existsSync(path)) return path;
    if (at === dirname(at)) throw new Error(`${name} is missing from the installation`);
  }
}

const root = protobuf.loadSync(protoPath('raft.proto'));
export const frameType = root.lookupType('heddle.raft.v1.Frame');
export const partType = root.lookupType('heddle.raft.v1.CheckpointPart');
export const answerType = root.lookupType('heddle.raft.v1.CheckpointAnswer');

export interface Hello {
  readonly clusterId: string;
  readonly from: ServerId;
  readonly to: ServerId;
  readonly bulk: boolean;
}

export interface Frame {
  readonly hello?: Hello;
  readonly messages: readonly WireMessage[];
}

/** A message without sender and receiver, which are the stream's. */
type WireMessage = { readonly term: WireNumber; readonly body?: string } & Readonly<Record<string, unknown>>;
type WireNumber = number | { toNumber(): number };

export function toNumber(value: WireNumber): number {
  const number = typeof value === 'number' ? value : value.toNumber();
  if (!Number.isSafeInteger(number) || number < 0)
    throw new RaftError('badPeer', { detail: 'a number is out of range' });
  return number;
}

const kinds = ['command', 'noop', 'configuration'] as const;

export function toWire(message: Message): WireMessage {
  const { kind, from: _from, to: _to, term, ...body } = message;
  if (message.kind !== 'append') return { term, [kind]: body };
  const { prevIndex, prevTerm, entries, commitIndex, sentMs } = message;
  return { term, append: { prevIndex, prevTerm, entries: entries.map(entryToWire), commitIndex, sentMs } };
}

function entryToWire(entry: Entry): Record<string, unknown> {
  const { term } = entry;
  if (entry.kind === 'command') return { term, kind: 0, data: entry.data };
  return entry.kind === 'noop' ? { term, kind: 1 } : { term, kind: 2, configuration: entry.configuration };
}

/** Throws `badPeer` for what no server of this version sends. */
export function fromWire(wire: WireMessage, from: ServerId, to: ServerId): Message {
  const envelope = { from, to, term: toNumber(wire.term) };
  const kind = wire.body as Message['kind'] | undefined;
  if (kind === undefined) throw new RaftError('badPeer', { detail: 'a message of unknown kind' });
  const body = wire[kind] as Readonly<Record<string, never>>;
  const n = (name: string): number => toNumber(body[name] as unknown as WireNumber);
  const answer = (): { readonly logId?: number } => {
    const logId = n('logId');
    return logId === 0 ? {} : { logId };
  };
  const { granted, transfer, ok, sentMs } = body as unknown as Record<string, boolean> & { sentMs: number };
  switch (kind) {
    case 'preVoteRequest':
      return { kind, ...envelope, lastIndex: n('lastIndex'), lastTerm: n('lastTerm') };
    case 'voteRequest':
      return { kind, ...envelope, lastIndex: n('lastIndex'), lastTerm: n('lastTerm'), transfer: transfer === true };
    case 'preVoteResponse':
    case 'voteResponse':
      return { kind, ...envelope, ...answer(), granted: granted === true };
    case 'append': {
      const prevIndex = n('prevIndex');
      const list = body.entries as unknown as readonly Record<string, unknown>[];
      const entries = list.map((entry, i) => entryFromWire(entry, prevIndex + 1 + i));
      return { kind, ...envelope, prevIndex, prevTerm: n('prevTerm'), entries, commitIndex: n('commitIndex'), sentMs };
    }
    case 'appendResponse': {
      const indexes = { matchIndex: n('matchIndex'), rejectedIndex: n('rejectedIndex') };
      const hint = { hintIndex: n('hintIndex'), hintTerm: n('hintTerm') };
      return { kind, ...envelope, ...answer(), ok: ok === true, ...indexes, ...hint, sentMs };
    }
    case 'heartbeat':
      return {
        ...{ kind, ...envelope, commitIndex: n('commitIndex'), readRound: n('readRound'), sentMs },
        ...(n('lateMs') === 0 ? {} : { lateMs: n('lateMs') }),
      };
    case 'heartbeatResponse':
      return { kind, ...envelope, ...answer(), readRound: n('readRound'), sentMs };
    case 'timeoutNow':
      return { kind, ...envelope };
    default:
      throw new RaftError('badPeer', { detail: `a message of unknown kind ${String(kind)}` });
  }
}

function entryFromWire(wire: Readonly<Record<string, unknown>>, index: number): Entry {
  const term = toNumber(wire.term as WireNumber);
  const kind = kinds[wire.kind as number];
  if (kind === 'command') return { kind, index, term, data: wire.data as Uint8Array };
  if (kind === 'noop') return { kind, index, term };
  if (kind === 'configuration') return { kind, index, term, configuration: configurationFromWire(wire.configuration) };
  throw new RaftError('badPeer', { detail: `entry ${index} is of unknown kind` });
}

function configurationFromWire(wire: unknown): Configuration {
  if (wire === null || wire === undefined) throw new RaftError('badPeer', { detail: 'a configuration is missing' });
  const { voters, votersOutgoing, learners, addresses } = wire as Configuration;
  const { logIds } = wire as { readonly logIds: Readonly<Record<ServerId, WireNumber>> };
  const known = Object.entries(logIds).map(([id, logId]) => [id, toNumber(logId)] as const);
  return {
    voters: [...voters],
    votersOutgoing: [...votersOutgoing],
    learners: [...learners],
    addresses: { ...addresses },
    ...(known.length === 0 ? {} : { logIds: Object.fromEntries(known) }),
  };
}

export interface WireOffer {
  readonly hello: Hello;
  readonly term: WireNumber;
  readonly id: string;
  readonly index: WireNumber;
  readonly entryTerm: WireNumber;
  readonly configuration: unknown;
  readonly sizeBytes: WireNumber;
  readonly checksum: string;
}

export function checkpointFromWire(offer: WireOffer): CheckpointMeta {
  return {
    id: offer.id,
    index: toNumber(offer.index),
    term: toNumber(offer.entryTerm),
    configuration: configurationFromWire(offer.configuration),
    sizeBytes: toNumber(offer.sizeBytes),
    checksum: offer.checksum,
  };
}
