/** Answers queries from this server's own state, waiting for news if asked to. Whether it may answer is decided before. */
import type { Answer, ReadOptions } from '../../api/backend.ts';
import {
  type BlockingResult,
  type Query,
  type QueryArgs,
  type QueryName,
  type QueryValue,
  queries,
  type Store,
} from '../../fsm/index.ts';
import type { Random } from '../../std/random.ts';
import { NotSent } from './forwarder.ts';
import type { Leadership } from './leadership.ts';

const defaultWaitMs = 300_000;
const waitMaxMs = 600_000;
/** Up to a sixteenth of the wait is added, so that readers that began together do not end together. */
const jitterDivisor = 16;

export class LocalReads {
  readonly #store: Store;
  readonly #leadership: Leadership;
  readonly #random: Random;
  /** Ends each read that waits as on the leader. */
  readonly #leaderReads = new Set<() => void>();

  constructor(store: Store, leadership: Leadership, random: Random) {
    this.#store = store;
    this.#leadership = leadership;
    this.#random = random;
  }

  /** The answer as it is now. Throws the query's Refusal. */
  now<N extends QueryName>(name: N, args: QueryArgs<N>): Answer<QueryValue<N>> {
    return this.#answerOf(this.#store.read(queryOf(name), args));
  }

  /** Throws the query's Refusal; rejects with `ABORTED` when the caller of a blocking read has gone. */
  async answer<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Promise<Answer<QueryValue<N>>> {
    const { minIndex = 0, signal } = options;
    if (minIndex === 0) return this.now(name, args);
    const waitMs = this.#waitMs(options.waitMs);
    const found = await this.#store.blocking(queryOf(name), args, {
      minIndex,
      waitMs,
      ...(signal === undefined ? {} : { signal }),
    });
    return this.#answerOf(found);
  }

  #answerOf<Value>({ index, value, notFound }: BlockingResult<Value>): Answer<Value> {
    return {
      value,
      index,
      notFound,
      knownLeader: this.#leadership.known,
      lastContactMs: Math.round(this.#leadership.lastContactMs()),
    };
  }

  /**
   * As the leader: a read that waits must not go on once this server no longer leads, since it could miss what others write.
   * It is given back with `NotSent`, to be asked again wherever the leader is.
   */
  async answerWhileLeading<N extends QueryName>(
    name: N,
    args: QueryArgs<N>,
    options: ReadOptions,
  ): Promise<Answer<QueryValue<N>>> {
    if ((options.minIndex ?? 0) === 0) return this.now(name, args);
    const { signal } = options;
    const controller = new AbortController();
    let lost = false;
    const end = (): void => {
      lost = true;
      controller.abort();
    };
    const abort = (): void => controller.abort();
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    this.#leaderReads.add(end);
    try {
      return await this.answer(name, args, { ...options, signal: controller.signal });
    } catch (error) {
      throw lost && !signal?.aborted ? new NotSent('leadership was lost while a read waited', { cause: error }) : error;
    } finally {
      this.#leaderReads.delete(end);
      signal?.removeEventListener('abort', abort);
    }
  }

  leadershipLost(): void {
    for (const end of [...this.#leaderReads]) end();
  }

  #waitMs(asked: number | undefined): number {
    const waitMs = asked === undefined || asked <= 0 ? defaultWaitMs : Math.min(asked, waitMaxMs);
    return waitMs + (this.#random.next() * waitMs) / jitterDivisor;
  }
}

function queryOf<N extends QueryName>(name: N): Query<QueryArgs<N>, QueryValue<N>> {
  return queries[name] as unknown as Query<QueryArgs<N>, QueryValue<N>>;
}
