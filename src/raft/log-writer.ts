/**
 * The single writer of the log. Persists that queue up while a write is under way go to the disk together: one fsync for all
 * of them is what makes a busy log fast. Maintenance (truncation, installation) takes its turn between writes.
 */
import type { Persist } from './core/persistence.ts';
import type { RaftLog } from './log/log.ts';

export interface LogWriterEvents {
  /** Nothing else is to be done before the next write is on the disk. */
  mayHold(): boolean;
  persisted(number: number): void;
  failed(reason: unknown): void;
  /** Runs a callback at the end of this turn of the event loop. */
  later(callback: () => void): void;
}

export class LogWriter {
  readonly #log: RaftLog;
  readonly #events: LogWriterEvents;
  #queue: Persist[] = [];
  #tasks: (() => Promise<void>)[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(log: RaftLog, events: LogWriterEvents) {
    this.#log = log;
    this.#events = events;
  }

  /** `atEnd`: at the end of this turn, when what else it has to do is done. */
  write(persist: Persist, atEnd = false): void {
    this.#queue.push(persist);
    if (atEnd) this.#events.later(() => this.#run());
    else this.#run();
  }

  /** Runs when no write waits. A task that rejects stops the server. */
  task(work: () => Promise<void>): void {
    this.#tasks.push(work);
    this.#run();
  }

  /** Nothing new is started; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  #run(): void {
    if (this.#running !== undefined || this.#stopped) return;
    this.#running = this.#loop().finally(() => {
      this.#running = undefined;
      if (!this.#stopped && (this.#queue.length > 0 || this.#tasks.length > 0)) this.#run();
    });
  }

  async #loop(): Promise<void> {
    try {
      while (!this.#stopped) {
        const batch = this.#queue;
        const task = batch.length === 0 ? this.#tasks.shift() : undefined;
        if (batch.length > 0) {
          this.#queue = [];
          await this.#log.write(batch, this.#events.mayHold());
          if (!this.#stopped) this.#events.persisted(batch.at(-1)!.number);
        } else if (task !== undefined) await task();
        else return;
      }
    } catch (reason) {
      this.#stopped = true;
      this.#events.failed(reason);
    }
  }
}
