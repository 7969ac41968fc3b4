/**
 * The way out when a majority of the voters is lost for good: an operator says who the cluster is, and every server that is
 * left appends that to its log before it starts. Whatever its log held stays, committed or not; then Raft goes on as ever.
 *
 * The servers append without asking each other, so the term of that entry must keep three promises:
 *
 *  - the server with the newest log still wins: the term rises with the last term of the log, and nothing else;
 *  - no two servers have different entries of one index and term (log matching, Raft §5.3): logs that end in the same term are
 *    prefixes of each other, so they differ in length, or not at all; and no leader, past or to come, writes in such a term;
 *  - each election after it is newer.
 *
 *     elections   0 … 10^9   |   recovery   10^9 + 1000 x last term   |   elections   2 x 10^9 …   |   recovery   3 x 10^9 + …
 *
 * s1 ends in term 7 and s2 in 8: they append in 1,000,007,000 and 1,000,008,000, and meet in an election of 2,000,000,001, which only
 * s2 can win. A file that was wrong and is corrected before the servers meet gets the next term, 1,000,007,001.
 */
import type { Configuration, ServerId, Term } from './core/types.ts';
import { RaftError } from './errors.ts';
import type { LogIdentity, RaftLog } from './log/log.ts';

/** So many terms for elections, then as many for recoveries, in turn. */
const band = 1_000_000_000;
/** How often a recovery may be corrected before the servers meet. */
const corrections = 1_000;

/** The term of the entry, and the one after it in which elections go on. */
export function recoveryTerms(lastTerm: Term): { readonly entry: Term; readonly next: Term } {
  const bandOfLast = Math.floor(lastTerm / band);
  const recovered = bandOfLast % 2 === 1;
  const start = (recovered ? bandOfLast : bandOfLast + 1) * band;
  const entry = recovered ? lastTerm + 1 : start + (lastTerm - bandOfLast * band) * corrections;
  return { entry, next: start + band };
}

/**
 * Makes `configuration` the last word of the log of server `id`. Returns where it stands. Durable when it resolves; doing it again
 * is harmless. Throws `badOptions`, with nothing changed, when the log is empty, belongs to another server, or is in the middle
 * of taking a checkpoint in.
 */
export async function recoverConfiguration(
  log: RaftLog,
  id: ServerId,
  configuration: Configuration,
): Promise<{ readonly index: number; readonly term: Term }> {
  const { identity, lastIndex, termBoundaries, prefix, hardState, installing } = log.recovered;
  const refuse = (detail: string): never => {
    throw new RaftError('badOptions', { detail });
  };
  if (identity === undefined || lastIndex === 0)
    return refuse('there is no Raft state to recover: this server never took part');
  if (identity.id !== id) return refuse(`the log belongs to server "${identity.id}"`);
  if (installing !== undefined)
    return refuse('a checkpoint is being taken in: start once without recovery, so that this is completed');
  if (!(id in configuration.addresses)) return refuse(`the configuration does not name this server, "${id}"`);
  const vouched = await vouchFor(log, identity, configuration);
  const { entry: term, next } = recoveryTerms(termBoundaries.at(-1)?.term ?? prefix.term);
  const index = lastIndex + 1;
  await log.write([
    {
      number: 0,
      hardState: { term: Math.max(next, hardState.term), votedFor: '' },
      truncateFrom: undefined,
      entries: [{ kind: 'configuration', index, term, configuration: vouched }],
    },
  ]);
  log.reload();
  return { index, term };
}

/**
 * The voters' logs as the newest configuration of this log knows them: the same on every server whose log is the same, as log
 * matching demands. This server's own log is given the name that it has there, since the operator says that it counts.
 */
async function vouchFor(log: RaftLog, identity: LogIdentity, configuration: Configuration): Promise<Configuration> {
  const { base, configurations } = log.recovered;
  const { logIds: known = {} } = (configurations.at(-1) ?? base).configuration;
  const kept = configuration.voters.filter((id) => known[id] !== undefined);
  const { id, clusterId, logId = 0 } = identity;
  const vouchedId = configuration.voters.includes(id) ? (known[id] ?? 0) : logId;
  if (vouchedId !== logId) await log.rename({ id, clusterId, ...(vouchedId === 0 ? {} : { logId: vouchedId }) });
  if (kept.length === 0) return configuration;
  return { ...configuration, logIds: Object.fromEntries(kept.map((voter) => [voter, known[voter]!])) };
}
