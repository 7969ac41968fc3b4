/**
 * Waiting for what must become true. The test's own limit ends the wait; a wait that takes long says once where it stands and what
 * it saw last, since of a test that ran out of time nothing else tells.
 */
import { setTimeout as delay } from 'node:timers/promises';

const longMs = 15_000;
const everyMs = 20;

/** Looks until there is something. */
export async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  return (await waited(look, (value) => value !== undefined)) as T;
}

/** Looks until the value is as expected. */
export function until<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  return waited(look, holds);
}

async function waited<T>(look: () => T | Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const from = new Error();
  const startMs = performance.now();
  for (let told = false; ; ) {
    const value = await look();
    if (holds(value)) return value;
    if (!told && performance.now() - startMs > longMs) {
      told = true;
      const place = from.stack?.split('\n').find((line) => line.includes('.test.ts')) ?? '';
      console.warn(
        `still waiting after ${longMs / 1000} s${place.trimEnd()}; seen last: ${JSON.stringify(value)?.slice(0, 2_000)}`,
      );
    }
    await delay(everyMs);
  }
}
