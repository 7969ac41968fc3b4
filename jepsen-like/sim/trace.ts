/**
 * The trace: one line an event, hashed as it goes. Two runs of one seed must give the same bytes, so the hash of one run tells
 * whether another was the same; the lines themselves are kept for the timeline only (the newest ones).
 */
import { createHash, type Hash } from 'node:crypto';
import type { Message } from '../../src/raft/core/messages.ts';

export class Trace {
  readonly #hash: Hash = createHash('sha256');
  readonly #keep: number;
  #lines: string[] = [];
  /** Lines without messages and clients: what happened to servers, from the beginning. */
  readonly #story: string[] = [];
  #count = 0;
  readonly #sink: ((line: string) => void) | undefined;

  constructor(keep: number, sink?: (line: string) => void) {
    this.#keep = keep;
    this.#sink = sink;
  }

  /** `isStory`: not one of the thousands of messages and operations. */
  add(atMs: number, who: string, what: string, isStory = false): void {
    const line = `${atMs.toFixed(3).padStart(11)} ${who.padEnd(4)} ${what}`;
    this.#hash.update(line);
    this.#hash.update('\n');
    this.#count++;
    this.#sink?.(line);
    if (isStory) this.#story.push(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * this.#keep) this.#lines = this.#lines.slice(-this.#keep);
  }

  get count(): number {
    return this.#count;
  }

  newest(): readonly string[] {
    return this.#lines.slice(-this.#keep);
  }

  story(): readonly string[] {
    return this.#story;
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}

/** A message in a line. */
export const messageText = (message: Message): string =>
  `${message.kind} -> ${message.to} t${message.term}${details(message)}`;

function details(message: Message): string {
  switch (message.kind) {
    case 'append':
      return ` after ${message.prevIndex}:${message.prevTerm} +${message.entries.length} commit ${message.commitIndex}`;
    case 'appendResponse':
      return message.ok
        ? ` ok ${message.matchIndex}`
        : ` no ${message.rejectedIndex}, try ${message.hintIndex}:${message.hintTerm}`;
    case 'heartbeat':
      return ` commit ${message.commitIndex} round ${message.readRound}`;
    case 'heartbeatResponse':
      return ` round ${message.readRound}`;
    case 'preVoteResponse':
    case 'voteResponse':
      return message.granted ? ' yes' : ' no';
    case 'preVoteRequest':
    case 'voteRequest':
      return ` last ${message.lastIndex}:${message.lastTerm}`;
    default:
      return '';
  }
}
