/**
 * `retry_join`: tries the given addresses until another member answers, and says so each time none did. An agent whose own address
 * is among them, and that answers alone, goes on looking: it is the first one, or the others were too busy just then. Also used for `join`, which
 * tries once and fails the start. Attempts without end begin a second apart and slow down to the interval: hosts that start
 * together find each other at once.
 */
import type { Clock } from '../../std/clock.ts';

export interface JoinLoopOptions {
  /** `LAN` or `WAN`, for the log. */
  readonly cluster: string;
  readonly addresses: readonly string[];
  /** Between attempts; the longest pause where there is no end to them. */
  readonly intervalMs: number;
  /** 0: for ever. */
  readonly attemptsMax: number;
}

const firstPauseMs = 1_000;

export interface JoinLoopEdges {
  readonly clock: Clock;
  /** How many members were reached; rejects when none was. */
  join(addresses: readonly string[]): Promise<number>;
  /** Whether no other member is known to be alive. */
  alone(): boolean;
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class JoinLoop {
  readonly #options: JoinLoopOptions;
  readonly #edges: JoinLoopEdges;
  #attempts = 0;
  #cancel: () => void = () => undefined;
  #completed = false;
  #stopped = false;

  constructor(options: JoinLoopOptions, edges: JoinLoopEdges) {
    this.#options = options;
    this.#edges = edges;
  }

  /** Resolves when a member was reached, itself included; rejects when the attempts are used up. Never settles once stopped. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      const attempt = (): void => {
        this.#attempts++;
        this.#edges.join(this.#options.addresses).then(
          (joined) => {
            if (this.#stopped) return;
            if (!this.#completed) {
              this.#edges.info('Join cluster completed. Synced with initial agents', {
                cluster: this.#options.cluster,
                num_agents: joined,
              });
            }
            this.#completed = true;
            if (this.#edges.alone()) this.#cancel = this.#edges.clock.after(this.#pauseMs(), attempt);
            resolve();
          },
          (error: unknown) => {
            if (this.#stopped) return;
            if (!this.#completed && this.#options.attemptsMax > 0 && this.#attempts >= this.#options.attemptsMax) {
              reject(new Error(`max join ${this.#options.cluster} retry exhausted, exiting`, { cause: error }));
              return;
            }
            const pauseMs = this.#pauseMs();
            const { cluster } = this.#options;
            const fields = { cluster, retry_interval: `${pauseMs}ms`, error: String(error) };
            if (!this.#completed) this.#edges.warn('Join cluster failed, will retry', fields);
            this.#cancel = this.#edges.clock.after(pauseMs, attempt);
          },
        );
      };
      attempt();
    });
  }

  #pauseMs(): number {
    const { intervalMs, attemptsMax } = this.#options;
    return attemptsMax > 0 ? intervalMs : Math.min(intervalMs, firstPauseMs * 2 ** (this.#attempts - 1));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}
