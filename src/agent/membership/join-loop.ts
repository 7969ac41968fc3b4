/**
 * `retry_join`: tries the given addresses until one answers, and says so each time it did not. Also used for `join`, which
 * tries once and fails the start.
 */
import type { Clock } from '../../std/clock.ts';

export interface JoinLoopOptions {
  readonly addresses: readonly string[];
  readonly intervalMs: number;
  /** 0: for ever. */
  readonly attemptsMax: number;
}

export interface JoinLoopEdges {
  readonly clock: Clock;
  /** How many members were reached; rejects when none was. */
  join(addresses: readonly string[]): Promise<number>;
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class JoinLoop {
  readonly #options: JoinLoopOptions;
  readonly #edges: JoinLoopEdges;
  #attempts = 0;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(options: JoinLoopOptions, edges: JoinLoopEdges) {
    this.#options = options;
    this.#edges = edges;
  }

  /** Resolves when a member was reached; rejects when the attempts are used up. Never settles once stopped. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      const attempt = (): void => {
        this.#attempts++;
        this.#edges.join(this.#options.addresses).then(
          (joined) => {
            if (this.#stopped) return;
            this.#edges.info('Join cluster completed. Synced with initial agents', {
              cluster: 'LAN',
              num_agents: joined,
            });
            resolve();
          },
          (error: unknown) => {
            if (this.#stopped) return;
            if (this.#options.attemptsMax > 0 && this.#attempts >= this.#options.attemptsMax) {
              reject(new Error('max join LAN retry exhausted, exiting', { cause: error }));
              return;
            }
            const fields = { cluster: 'LAN', retry_interval: `${this.#options.intervalMs}ms`, error: String(error) };
            this.#edges.warn('Join cluster failed, will retry', fields);
            this.#cancel = this.#edges.clock.after(this.#options.intervalMs, attempt);
          },
        );
      };
      attempt();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}
