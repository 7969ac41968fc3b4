/** Answers queries from this server's own state, waiting for news if asked to. Whether it may answer is decided before. */
import type { Answer, ReadOptions } from '../../api/backend.ts';
import { type Query, type QueryArgs, type QueryName, type QueryValue, queries, type Store } from '../../fsm/index.ts';
import type { Random } from '../../std/random.ts';
import type { Leadership } from './leadership.ts';

const defaultWaitMs = 300_000;
const waitMaxMs = 600_000;
/** Up to a sixteenth of the wait is added, so that readers that began together do not end together. */
const jitterDivisor = 16;

export class LocalReads {
  readonly #store: Store;
  readonly #leadership: Leadership;
  readonly #random: Random;

  constructor(store: Store, leadership: Leadership, random: Random) {
    this.#store = store;
    this.#leadership = leadership;
    this.#random = random;
  }

  /** Throws the query's Refusal; rejects with `ABORTED` when the caller of a blocking read has gone. */
  async answer<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Promise<Answer<QueryValue<N>>> {
    const query = queries[name] as unknown as Query<QueryArgs<N>, QueryValue<N>>;
    const minIndex = options.minIndex ?? 0;
    const { index, value, notFound } =
      minIndex === 0
        ? this.#store.read(query, args)
        : await this.#store.blocking(query, args, {
            minIndex,
            waitMs: this.#waitMs(options.waitMs),
            ...(options.signal === undefined ? {} : { signal: options.signal }),
          });
    return {
      value,
      index,
      notFound,
      knownLeader: this.#leadership.known,
      lastContactMs: Math.round(this.#leadership.lastContactMs()),
    };
  }

  #waitMs(asked: number | undefined): number {
    const waitMs = asked === undefined || asked <= 0 ? defaultWaitMs : Math.min(asked, waitMaxMs);
    return waitMs + (this.#random.next() * waitMs) / jitterDivisor;
  }
}
