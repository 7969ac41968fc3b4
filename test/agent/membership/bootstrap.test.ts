import { describe, expect, it } from 'vitest';
import {
  BootstrapConsent,
  type BootstrapView,
  consentMs,
  decideBootstrap,
} from '../../../src/agent/membership/bootstrap.ts';
import type { ServerMember } from '../../../src/agent/membership/tags.ts';

const server = (n: number, more: Partial<ServerMember> = {}): ServerMember => ({
  name: `s${n}`,
  id: `id-${n}`,
  address: `10.0.0.${n}`,
  rpcPort: 8300,
  wanJoinPort: undefined,
  datacenter: 'dc1',
  build: '0.1.0',
  bootstrap: false,
  expect: 3,
  status: 'alive',
  ...more,
});
const nobody = (...ids: number[]): Map<string, boolean> => new Map(ids.map((n) => [`id-${n}`, false]));
const view = (more: Partial<BootstrapView> = {}): BootstrapView => ({
  expect: 3,
  datacenter: 'dc1',
  servers: [server(2), server(1), server(3)],
  hasPeers: nobody(2, 3),
  ownId: 'id-1',
  ...more,
});

describe('a new cluster', () => {
  it('is begun by the server with the lowest id, and by no other', () => {
    const voters = [1, 2, 3].map((n) => ({ id: `id-${n}`, address: `10.0.0.${n}:8300` }));
    expect(decideBootstrap(view())).toEqual({ kind: 'begin', voters });
    expect(decideBootstrap(view({ ownId: 'id-3', hasPeers: nobody(1, 2) }))).toMatchObject({
      kind: 'wait',
      reason: 's1 begins the cluster',
    });
  });

  it.each<[string, Partial<BootstrapView>, string, RegExp]>([
    ['too few are here', { servers: [server(1), server(2)] }, 'wait', /2 of 3/],
    ['one has not answered', { hasPeers: nobody(2) }, 'wait', /s3 has not said/],
    ['they disagree', { servers: [server(1), server(2), server(3, { expect: 5 })] }, 'wait', /s3 expects 5/],
    ['one has a cluster', { hasPeers: new Map([['id-2', true]]) }, 'join', /s2 belongs/],
    ['another bootstraps alone', { servers: [server(1), server(2, { bootstrap: true })] }, 'join', /s2 belongs/],
    ['this one expects nobody', { expect: 0, servers: [server(1)] }, 'join', /waits/],
    ['one failed', { servers: [server(1), server(2), server(3, { status: 'failed' })] }, 'wait', /2 of 3/],
    [
      'one is of another datacenter',
      { servers: [server(1), server(2), server(3, { datacenter: 'dc2' })] },
      'wait',
      /2 of 3/,
    ],
  ])('is not begun when %s', (_, more, kind, reason) => {
    const decision = decideBootstrap(view(more));
    expect(decision.kind).toBe(kind);
    expect('reason' in decision && decision.reason).toMatch(reason);
  });
});

describe('consent', () => {
  const set = (...ids: number[]) => ids.map((n) => ({ id: `id-${n}`, address: `10.0.0.${n}:8300` }));

  it('is given to one set, as often as it is asked for', () => {
    const consent = new BootstrapConsent();
    expect([
      consent.ask(set(1, 2, 3), 0, false),
      consent.ask(set(1, 2, 3), 1, false),
      consent.ask(set(0, 1, 2), 2, false),
    ]).toEqual([true, true, false]);
  });

  it('expires, so that a beginner that died holds nobody up', () => {
    const consent = new BootstrapConsent();
    consent.ask(set(1, 2, 3), 0, false);
    expect(consent.ask(set(0, 1, 2), consentMs, false)).toBe(true);
  });

  it('is not given by a server that belongs to a cluster', () => {
    expect(new BootstrapConsent().ask(set(1, 2, 3), 0, true)).toBe(false);
  });

  it('cannot be had by two sets that share a server', () => {
    const consents = new Map([0, 1, 2, 3].map((n) => [n, new BootstrapConsent()]));
    const all = (...ids: number[]): boolean =>
      ids.map((n) => consents.get(n)!.ask(set(...ids), 0, false)).every(Boolean);
    expect([all(1, 2, 3), all(0, 1, 2)]).toEqual([true, false]);
  });
});
