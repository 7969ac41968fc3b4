/**
 * The nouns of Raft, in the paper's words. Everything here is plain data: it can be compared, printed and sent.
 */

/** Who a server is, for ever: an address may change, an id may not. */
export type ServerId = string;
/**
 * Which log of a server: 0 is one that was begun with the first configuration, any other was drawn when the log was begun empty. A
 * voter is a server together with its log: when its disk was emptied or replaced it has forgotten what it voted and acknowledged, and
 * comes back under the same id as somebody whom the configuration does not know.
 */
export type LogId = number;
/** A period with at most one leader. 0 before the first election. */
export type Term = number;
/** A position in the log. The first entry is 1; 0 is "before the log". */
export type LogIndex = number;

export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/**
 * Who belongs to the cluster. While `votersOutgoing` is not empty the configuration is *joint* (Raft §6): elections and
 * commitment need a majority of `voters` and a majority of `votersOutgoing`. A server that is being demoted stands in
 * `votersOutgoing` and in `learners`. Lists are sorted; `addresses` has one for each server in any list, `logIds` one for each voter
 * whose log has another than 0 (absent: none has).
 */
export interface Configuration {
  readonly voters: readonly ServerId[];
  readonly votersOutgoing: readonly ServerId[];
  readonly learners: readonly ServerId[];
  readonly addresses: Readonly<Record<ServerId, string>>;
  readonly logIds?: Readonly<Record<ServerId, LogId>>;
}

/** A configuration and the log position at which it took effect (a configuration counts from when it is *appended*). */
export interface ConfigurationAt {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

export type Entry =
  | { readonly kind: 'command'; readonly index: LogIndex; readonly term: Term; readonly data: Uint8Array }
  | { readonly kind: 'noop'; readonly index: LogIndex; readonly term: Term }
  | {
      readonly kind: 'configuration';
      readonly index: LogIndex;
      readonly term: Term;
      readonly configuration: Configuration;
    };

/** What must be on disk before any promise made from it leaves the server. '' is "no vote in this term". */
export interface HardState {
  readonly term: Term;
  readonly votedFor: ServerId;
}

/**
 * A checkpoint as Raft sees it: the state after the entry at `index`, and the configuration in force there. A checkpoint
 * without its configuration would let a server count the wrong majority.
 */
export interface CheckpointMeta {
  /** A name that the state machine understands. */
  readonly id: string;
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
  readonly sizeBytes: number;
  /** Over the whole content; the state machine computes and verifies it. */
  readonly checksum: string;
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

const entryOverheadBytes = 32;
const configurationBytes = 512;

/** The size that windows and limits count: the payload and an allowance for what surrounds it. */
export function entryBytes(entry: Entry): number {
  if (entry.kind === 'command') return entry.data.length + entryOverheadBytes;
  return entry.kind === 'noop' ? entryOverheadBytes : configurationBytes;
}

export const emptyConfiguration: Configuration = { voters: [], votersOutgoing: [], learners: [], addresses: {} };
