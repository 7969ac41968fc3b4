/**
 * Local health awareness (Lifeguard §IV-A): a member that misses acks, has to refute, or notices that its own process
 * stood still is more likely to be the sick one, so it gives others more time. Score 0 is healthy; the time allowed for
 * a probe is multiplied by (score + 1).
 */
export class Awareness {
  private readonly scoreMax: number;
  private current = 0;

  /** `maxMultiplier` bounds the factor; the score stays below it. */
  constructor(maxMultiplier: number) {
    this.scoreMax = maxMultiplier - 1;
  }

  get score(): number {
    return this.current;
  }

  add(delta: number): void {
    this.current = Math.min(this.scoreMax, Math.max(0, this.current + delta));
  }

  scale(milliseconds: number): number {
    return milliseconds * (this.current + 1);
  }
}
