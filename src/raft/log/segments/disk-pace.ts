/**
 * Whether the disk is quick enough to wait for it on the thread that asks. A sync in the thread pool costs two changes of thread,
 * on a virtual machine as much as a good disk takes for the sync itself; but what holds the event loop must be short.
 *
 * Trust is a balance. It grows with quick syncs and shrinks with slow ones, so that two of three must be quick; a stall takes away
 * for each of its milliseconds, so that a disk that stalls now and then is waited for in the pool nearly always: 50 ms are forgotten
 * after some 200 quick syncs.
 */
const quickMs = 1;
const stallMs = 10;
const slowCost = 2;
const stallCostOfMs = 4;
const balanceMax = 64;
const balanceMin = -4_000;

export class DiskPace {
  #balance = 0;

  get isQuick(): boolean {
    return this.#balance > 0;
  }

  /** A small sync was done; so long it took. */
  took(ms: number): void {
    const change = ms <= quickMs ? 1 : ms < stallMs ? -slowCost : -stallCostOfMs * ms;
    this.#balance = Math.max(balanceMin, Math.min(balanceMax, this.#balance + change));
  }
}
