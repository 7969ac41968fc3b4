/** A check whose state others report. Silence for longer than the TTL is critical, once, until the next report. */
import { headOf } from './output.ts';
import type { Runner, RunnerContext, Verdict } from './runner.ts';

export class TtlCheck implements Runner {
  readonly ttlMs: number;
  readonly #outputBytesMax: number;
  readonly #context: RunnerContext;
  #lastOutput = '';
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(ttlMs: number, outputBytesMax: number, context: RunnerContext) {
    this.ttlMs = ttlMs;
    this.#outputBytesMax = outputBytesMax;
    this.#context = context;
  }

  start(): void {
    this.#arm(this.ttlMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** A report. Answers the output as kept. */
  update(status: Verdict, output: string): string {
    const kept = headOf(output, this.#outputBytesMax);
    this.#lastOutput = kept;
    this.#context.report(status, kept);
    this.#arm(this.ttlMs);
    return kept;
  }

  /** Goes on with a state of before a restart that has `leftMs` to live. */
  resume(output: string, leftMs: number): void {
    this.#lastOutput = output;
    this.#arm(leftMs);
  }

  #arm(delayMs: number): void {
    this.#cancel?.();
    if (this.#stopped) return;
    this.#cancel = this.#context.clock.after(delayMs, () => {
      const last = this.#lastOutput;
      const text = last === '' ? 'TTL expired' : `TTL expired (last output before timeout follows): ${last}`;
      this.#context.report('critical', text);
    });
  }
}
