/**
 * Leaving in good order, so that the others see a member that left and not one that failed:
 *
 *     leave intent, until it was told often enough
 *       then "dead" by our own word, likewise
 *         then a pause in which we still answer, so that nobody who has not heard yet suspects us
 */
import type { SerfContext } from './context.ts';

export interface DepartureHooks {
  anyOtherActive(): boolean;
  /** Applies our leave intent and, if somebody is there to hear it, queues it with the token. */
  announce(token: string | undefined): void;
  /** SWIM's part; false when there is nobody to tell. */
  swimLeave(token: string): boolean;
}

type Stage = 'none' | 'intent' | 'dead' | 'propagating' | 'done';

const intentToken = 'leave-intent';
const deadToken = 'leave-dead';

export class Departure {
  private readonly context: SerfContext;
  private readonly hooks: DepartureHooks;
  private stage: Stage = 'none';

  constructor(context: SerfContext, hooks: DepartureHooks) {
    this.context = context;
    this.hooks = hooks;
  }

  get started(): boolean {
    return this.stage !== 'none';
  }

  get finished(): boolean {
    return this.stage === 'done';
  }

  start(): void {
    if (this.started) return;
    this.stage = 'intent';
    const heard = this.hooks.anyOtherActive();
    this.hooks.announce(heard ? intentToken : undefined);
    if (!heard) return this.tellDead();
    this.context.outbox.after(this.context.config.broadcastTimeoutMs, { kind: 'leaveStep', step: 'intentTimeout' });
  }

  /** True if the token was ours. */
  broadcastDone(token: string): boolean {
    if (token === intentToken) {
      if (this.stage === 'intent') this.tellDead();
      return true;
    }
    if (token !== deadToken) return false;
    if (this.stage === 'dead') this.propagate();
    return true;
  }

  /** A broadcast that takes too long (nobody answers any more) does not hold us here. */
  timer(step: 'intentTimeout' | 'leaveTimeout' | 'propagated'): void {
    if (step === 'intentTimeout' && this.stage === 'intent') this.tellDead();
    else if (step === 'leaveTimeout' && this.stage === 'dead') this.propagate();
    else if (step === 'propagated' && this.stage === 'propagating') this.finish();
  }

  private tellDead(): void {
    this.stage = 'dead';
    if (!this.hooks.swimLeave(deadToken)) return this.finish();
    this.context.outbox.after(this.context.config.broadcastTimeoutMs, { kind: 'leaveStep', step: 'leaveTimeout' });
  }

  private propagate(): void {
    this.stage = 'propagating';
    this.context.outbox.after(this.context.config.leavePropagateDelayMs, { kind: 'leaveStep', step: 'propagated' });
  }

  private finish(): void {
    this.stage = 'done';
    this.context.outbox.notify({ kind: 'left' });
  }
}
