// Somebody who uses the dashboard all the time: one request after another, each with when it began, how long it took and whether a
// count came back. What a fault costs is what this client saw of it.
export class Prober {
  requests = [];
  #stopped = false;
  #running;

  constructor(url, { everyMs = 20, timeoutMs = 1_000 } = {}) {
    this.url = url;
    this.#running = this.#run(everyMs, timeoutMs);
  }

  async stop() {
    this.#stopped = true;
    await this.#running;
  }

  /** Since a moment: how many, how many failed, and the longest time without a good answer, ms. */
  since(startMs) {
    const requests = this.requests.filter(({ beganMs, tookMs }) => beganMs + tookMs >= startMs);
    let lastGood = startMs;
    let gapMs = 0;
    for (const { ok, beganMs, tookMs } of requests) {
      if (!ok) continue;
      gapMs = Math.max(gapMs, beganMs + tookMs - lastGood);
      lastGood = beganMs + tookMs;
    }
    return { asked: requests.length, failed: requests.filter(({ ok }) => !ok).length, gapMs };
  }

  /** Resolves with the moment of the first of `count` good answers in a row that began after `startMs`. */
  async goodAgain(startMs, { count = 5, ms = 30_000 } = {}) {
    for (const deadline = performance.now() + ms; performance.now() < deadline; ) {
      const after = this.requests.filter(({ beganMs }) => beganMs >= startMs);
      const lastBad = after.findLastIndex(({ ok }) => !ok);
      const good = after.slice(lastBad + 1);
      if (good.length >= count) return good[0].beganMs + good[0].tookMs;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return Number.POSITIVE_INFINITY;
  }

  async #run(everyMs, timeoutMs) {
    while (!this.#stopped) {
      const beganMs = performance.now();
      let ok = false;
      let count = null;
      try {
        const answer = await fetch(this.url, { signal: AbortSignal.timeout(timeoutMs) });
        const body = await answer.text();
        ok = answer.ok && body.includes('"count"');
        if (ok) count = JSON.parse(body);
      } catch {
        // no answer in time: that is what is being counted
      }
      this.requests.push({ beganMs, tookMs: performance.now() - beganMs, ok, count });
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}
