/** Limits on signing and the instants of renewal: pure arithmetic, and the half second a request may wait. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsrConcurrencyLimit, CsrRateLimit } from '../../../src/ca/lifecycle/csr-limits.ts';
import { renewalAt, retryAt, rootChangeAt } from '../../../src/ca/lifecycle/leaf-renewal.ts';
import { open, parseSealKey, seal } from '../../../src/ca/seal.ts';
import type { Clock } from '../../../src/std/clock.ts';
import { problem } from '../support.ts';
import { sealKey } from './support.ts';

describe('the rate limit', () => {
  it('lets one through, makes the next wait, and refuses whoever would wait longer than half a second', () => {
    const limit = new CsrRateLimit(5); // a token every 200 ms
    expect([0, 0, 0, 0].map((now) => limit.take(now))).toEqual([0, 200, 400, null]);
    expect(limit.take(100)).toBe(500);
    expect(limit.take(100)).toBeNull();
    expect(limit.take(5_000)).toBe(0);
  });

  it('saves up no more than one token', () => {
    const limit = new CsrRateLimit(1);
    expect(limit.take(60_000)).toBe(0);
    expect(limit.take(60_000)).toBeNull();
  });

  it('is off at 0', () => {
    const limit = new CsrRateLimit(0);
    expect(Array.from({ length: 100 }, () => limit.take(0)).every((wait) => wait === 0)).toBe(true);
  });
});

describe('the concurrency limit', () => {
  /** A clock whose timers run when the test says so. */
  function manualClock(): Clock & { run(): void } {
    const timers = new Set<() => void>();
    return {
      monotonicMs: () => 0,
      wallMs: () => 0,
      after: (_delayMs, callback) => {
        timers.add(callback);
        return () => timers.delete(callback);
      },
      run: () => {
        for (const callback of [...timers]) callback();
      },
    };
  }

  it('gives a freed place to who waits longest', async () => {
    const limit = new CsrConcurrencyLimit(1, manualClock());
    expect(await limit.enter()).toBe(true);
    const [second, third] = [limit.enter(), limit.enter()];
    limit.leave();
    expect(await second).toBe(true);
    limit.leave();
    expect(await third).toBe(true);
  });

  it('turns away who waited in vain, without losing a place', async () => {
    const clock = manualClock();
    const limit = new CsrConcurrencyLimit(1, clock);
    await limit.enter();
    const second = limit.enter();
    clock.run();
    expect(await second).toBe(false);
    limit.leave();
    expect(await limit.enter()).toBe(true);
  });
});

describe('renewal', () => {
  const leaf = { validAfterMs: 0, validBeforeMs: 1_000 };
  const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

  it('falls between 60 and 90 % of the lifetime, never before now', () => {
    expect(renewalAt(leaf, 0, () => 0)).toBe(600);
    expect(renewalAt(leaf, 0, () => 0.5)).toBe(750);
    fc.assert(
      fc.property(fc.nat(2_000), chance, (now, random) => {
        const at = renewalAt(leaf, now, () => random);
        expect(at).toBeGreaterThanOrEqual(Math.max(now, 600));
        expect(at).toBeLessThanOrEqual(Math.max(now, 900));
      }),
    );
  });

  it('is at once past 90 %', () => {
    expect(renewalAt(leaf, 900, () => 0.99)).toBe(900);
    expect(renewalAt(leaf, 5_000, () => 0)).toBe(5_000);
  });

  it('after a change of roots is spread over half a minute; refused requests come back in the next window', () => {
    expect(rootChangeAt(1_000, () => 0.5)).toBe(16_000);
    expect(retryAt(1_000, 1, () => 0)).toBe(31_000);
    expect(retryAt(1_000, 3, () => 0.5)).toBe(106_000);
  });
});

describe('sealing', () => {
  it('takes a key of 32 bytes in base64, and repeats no wrong one', () => {
    expect(parseSealKey(sealKey.toString('base64'))).toEqual({ ok: true, value: sealKey });
    expect(parseSealKey('')).toEqual({ ok: true, value: null });
    for (const wrong of ['c2hvcnQ=', sealKey.toString('hex'), sealKey.toString('base64url'), 'secret']) {
      expect(problem(parseSealKey(wrong)).message).toBe('a key is 32 bytes in base64, as `heddle keygen` prints');
    }
  });

  const nonce = new Uint8Array(12).fill(7);
  it('opens only whole, with the key and for the place it was sealed for', () => {
    const sealed = seal('a secret', sealKey, 'here', nonce);
    expect(sealed).not.toContain('secret');
    expect(open(sealed, sealKey, 'here')).toEqual({ ok: true, value: 'a secret' });
    expect(problem(open(sealed, sealKey, 'there')).code).toBe('sealed');
    expect(problem(open(sealed, new Uint8Array(32), 'here')).code).toBe('sealed');
    expect(problem(open('a secret', sealKey, 'here')).message).toBe('value is not sealed');
    const bytes = Buffer.from(sealed.slice('sealed:v1:'.length), 'base64');
    for (let i = 0; i < bytes.length; i++) {
      const altered = Buffer.from(bytes);
      altered[i]! ^= 1;
      expect(open(`sealed:v1:${altered.toString('base64')}`, sealKey, 'here').ok).toBe(false);
      expect(open(`sealed:v1:${bytes.subarray(0, i).toString('base64')}`, sealKey, 'here').ok).toBe(false);
    }
  });
});
