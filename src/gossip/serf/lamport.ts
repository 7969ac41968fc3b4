/**
 * A Lamport clock: orders intents, events and queries without any real time. Whoever sends takes the current value and
 * moves on; whoever hears of a value moves past it.
 */
export type LamportTime = number;

export class LamportClock {
  private current: LamportTime = 1;

  get time(): LamportTime {
    return this.current;
  }

  /** The current value, which is now used. */
  take(): LamportTime {
    return this.current++;
  }

  witness(seen: LamportTime): void {
    if (seen >= this.current) this.current = seen + 1;
  }
}
