import { describe, expect, it } from 'vitest';
import { type BootstrapView, decideBootstrap } from '../../../src/agent/membership/bootstrap.ts';
import type { ServerMember } from '../../../src/agent/membership/tags.ts';

const server = (n: number, more: Partial<ServerMember> = {}): ServerMember => ({
  name: `s${n}`,
  id: `id-${n}`,
  address: `10.0.0.${n}`,
  rpcPort: 8300,
  datacenter: 'dc1',
  build: '0.1.0',
  bootstrap: false,
  expect: 3,
  status: 'alive',
  ...more,
});
const view = (more: Partial<BootstrapView> = {}): BootstrapView => ({
  expect: 3,
  datacenter: 'dc1',
  hasState: false,
  servers: [server(2), server(1), server(3)],
  hasPeers: new Map([
    ['id-2', false],
    ['id-3', false],
  ]),
  ownId: 'id-1',
  ...more,
});

describe('a new cluster', () => {
  it('begins with the expected servers, in the same order on each of them', () => {
    const voters = [1, 2, 3].map((n) => ({ id: `id-${n}`, address: `10.0.0.${n}:8300` }));
    expect(decideBootstrap(view())).toEqual({ kind: 'start', voters });
    const seenByThird = view({
      ownId: 'id-3',
      servers: [server(3), server(1), server(2)],
      hasPeers: new Map([
        ['id-1', false],
        ['id-2', false],
      ]),
    });
    expect(decideBootstrap(seenByThird)).toEqual({ kind: 'start', voters });
  });

  it.each<[string, Partial<BootstrapView>, string, RegExp]>([
    ['too few are here', { servers: [server(1), server(2)] }, 'wait', /2 of 3/],
    ['one has not answered', { hasPeers: new Map([['id-2', false]]) }, 'wait', /s3 has not said/],
    ['they disagree', { servers: [server(1), server(2), server(3, { expect: 5 })] }, 'wait', /s3 expects 5/],
    [
      'one has state',
      {
        hasPeers: new Map([
          ['id-2', true],
          ['id-3', false],
        ]),
      },
      'join',
      /s2 already belongs/,
    ],
    ['this one has state', { hasState: true }, 'join', /already belongs/],
    [
      'another bootstraps alone',
      { servers: [server(1), server(2, { bootstrap: true }), server(3)] },
      'join',
      /bootstraps alone/,
    ],
    ['one failed', { servers: [server(1), server(2), server(3, { status: 'failed' })] }, 'wait', /2 of 3/],
    [
      'one is of another datacenter',
      { servers: [server(1), server(2), server(3, { datacenter: 'dc2' })] },
      'wait',
      /2 of 3/,
    ],
  ])('does not begin when %s', (_, more, kind, reason) => {
    const decision = decideBootstrap(view(more));
    expect(decision.kind).toBe(kind);
    expect('reason' in decision && decision.reason).toMatch(reason);
  });
});
