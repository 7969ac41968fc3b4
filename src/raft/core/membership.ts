/**
 * Who is in the cluster, by position in the log. A configuration counts from the moment it is appended (Raft §6), so a
 * truncation takes it back; and a compaction must keep the one in force at the prefix. Both are a list with an end and a start.
 *
 * `planChange` computes the next configuration from a wish, or says why it cannot be.
 */
import { assert } from '../../std/assert.ts';
import { err, ok, type Result } from '../../std/result.ts';
import type { Configuration, ConfigurationAt, LogId, LogIndex, ServerId } from './types.ts';

export class Membership {
  #history: ConfigurationAt[];

  /** `base` is in force at the log's prefix. */
  constructor(base: ConfigurationAt, later: readonly ConfigurationAt[]) {
    this.#history = [base, ...later];
  }

  get latest(): Configuration {
    return this.#history.at(-1)!.configuration;
  }

  get latestIndex(): LogIndex {
    return this.#history.at(-1)!.index;
  }

  /** The configuration in force at `index`, which must not be below the prefix. */
  at(index: LogIndex): Configuration {
    for (let i = this.#history.length - 1; i > 0; i--) {
      if (this.#history[i]!.index <= index) return this.#history[i]!.configuration;
    }
    return this.#history[0]!.configuration;
  }

  append(index: LogIndex, configuration: Configuration): void {
    assert(index > this.latestIndex, 'configurations come in log order');
    this.#history.push({ index, configuration });
  }

  truncate(from: LogIndex): void {
    while (this.#history.length > 1 && this.latestIndex >= from) this.#history.pop();
  }

  compact(index: LogIndex): void {
    while (this.#history.length > 1 && this.#history[1]!.index <= index) this.#history.shift();
  }

  reset(base: ConfigurationAt): void {
    this.#history = [base];
  }

  /** Replaces what is in force at the prefix and keeps what came later. */
  rebase(base: ConfigurationAt): void {
    this.#history[0] = base;
  }
}

export const isVoter = (configuration: Configuration, id: ServerId): boolean =>
  configuration.voters.includes(id) || configuration.votersOutgoing.includes(id);

/** The log that a voter must have to count as one. */
export const logIdOf = (configuration: Configuration, id: ServerId): LogId => configuration.logIds?.[id] ?? 0;

/** Every server that receives the log, sorted. */
export function membersOf(configuration: Configuration): ServerId[] {
  return [...new Set([...configuration.voters, ...configuration.votersOutgoing, ...configuration.learners])].sort();
}

/** What is wished for; see `MembershipChange` at the door. */
export interface ChangeWish {
  readonly addLearners?: readonly { readonly id: ServerId; readonly address: string }[];
  readonly promote?: readonly ServerId[];
  readonly demote?: readonly ServerId[];
  readonly remove?: readonly ServerId[];
  readonly readdress?: Readonly<Record<ServerId, string>>;
}

/**
 * The configuration to append: joint if the voters change, direct if only learners or addresses do. A learner becomes a voter with the
 * log that it has now.
 */
export function planChange(
  now: Configuration,
  wish: ChangeWish,
  logIdOfLearner: (id: ServerId) => LogId = () => 0,
): Result<Configuration, string> {
  const voters = new Set(now.voters);
  const learners = new Set(now.learners);
  const addresses: Record<ServerId, string> = { ...now.addresses };
  const logIds: Record<ServerId, LogId> = { ...now.logIds };
  for (const { id, address } of wish.addLearners ?? []) {
    if (id === '' || address === '') return err('a server needs an id and an address');
    if (voters.has(id)) return err(`${id} is a voter already`);
    learners.add(id);
    addresses[id] = address;
  }
  for (const id of wish.promote ?? []) {
    if (!learners.delete(id)) return err(`${id} is not a learner`);
    voters.add(id);
    logIds[id] = logIdOfLearner(id);
  }
  for (const id of wish.demote ?? []) {
    if (!voters.delete(id)) return err(`${id} is not a voter`);
    learners.add(id);
  }
  for (const id of wish.remove ?? []) {
    const known = voters.delete(id) || learners.delete(id);
    if (!known) return err(`${id} is not a member`);
  }
  for (const [id, address] of Object.entries(wish.readdress ?? {})) {
    if (!voters.has(id) && !learners.has(id)) return err(`${id} is not a member`);
    addresses[id] = address;
  }
  if (voters.size === 0) return err('no voter would be left');
  const nextVoters = [...voters].sort();
  const changed = nextVoters.join('\n') !== [...now.voters].sort().join('\n');
  return ok(complete(nextVoters, changed ? now.voters : [], [...learners].sort(), addresses, logIds));
}

/** What follows a joint configuration: the new voters alone. */
export function leaveJoint(configuration: Configuration): Configuration {
  const { voters, learners, addresses, logIds } = configuration;
  return complete(voters, [], learners, addresses, logIds ?? {});
}

/** With an address for each member, and a log for each voter that has another than 0. */
function complete(
  voters: readonly ServerId[],
  votersOutgoing: readonly ServerId[],
  learners: readonly ServerId[],
  addresses: Readonly<Record<ServerId, string>>,
  logIds: Readonly<Record<ServerId, LogId>>,
): Configuration {
  const bare: Configuration = { voters, votersOutgoing: [...votersOutgoing].sort(), learners, addresses: {} };
  const members = membersOf(bare);
  const known = members.filter((id) => isVoter(bare, id) && (logIds[id] ?? 0) !== 0);
  return {
    ...bare,
    addresses: Object.fromEntries(members.map((id) => [id, addresses[id] ?? ''])),
    ...(known.length === 0 ? {} : { logIds: Object.fromEntries(known.map((id) => [id, logIds[id]!])) }),
  };
}
