import { describe, expect, it } from 'vitest';
import {
  type AutopilotSettings,
  assess,
  decide,
  type LeaderView,
  type SeenServer,
} from '../../../src/agent/autopilot/autopilot.ts';

const settings: AutopilotSettings = {
  cleanupDeadServers: true,
  lastContactThresholdMs: 200,
  maxTrailingLogs: 250,
  minQuorum: 0,
  serverStabilizationTimeMs: 10_000,
};
const server = (n: number, more: Partial<SeenServer> = {}): SeenServer => ({
  id: `id-${n}`,
  name: `s${n}`,
  address: `10.0.0.${n}:8300`,
  build: '0.1.0',
  gossip: 'alive',
  suffrage: 'voter',
  isLeader: n === 1,
  logLost: false,
  lastContactMs: n === 1 ? 0 : 20,
  lastTerm: 2,
  lastIndex: 1000,
  ...more,
});
const view = (servers: readonly SeenServer[], nowMs = 0): LeaderView => ({ nowMs, term: 2, lastIndex: 1000, servers });
const changes = (servers: readonly SeenServer[], more: Partial<AutopilotSettings> = {}) => {
  const all = { ...settings, ...more };
  return decide(view(servers), assess(view(servers), all, undefined), all);
};

describe('health', () => {
  it.each<[string, Partial<SeenServer>, boolean]>([
    ['as it should be', {}, true],
    ['silent for too long', { lastContactMs: 201 }, false],
    ['of another term', { lastTerm: 1 }, false],
    ['as far behind as allowed', { lastIndex: 750 }, true],
    ['further behind', { lastIndex: 749 }, false],
    ['failed by gossip', { gossip: 'failed' }, false],
  ])('of a server that is %s', (_, more, healthy) => {
    const health = assess(view([server(1), server(2, more), server(3)]), settings, undefined);
    expect([health.servers[1]!.healthy, health.failureTolerance]).toEqual([healthy, healthy ? 1 : 0]);
  });

  it('remembers since when, and begins anew when it changes', () => {
    const first = assess(view([server(1), server(2)], 100), settings, undefined);
    const second = assess(view([server(1), server(2)], 200), settings, first);
    const third = assess(view([server(1), server(2, { gossip: 'failed' })], 300), settings, second);
    expect([second, third].map(({ servers }) => servers[1]!.stableSinceMs)).toEqual([100, 300]);
  });
});

describe('changes', () => {
  it('takes in a server that gossip shows, as a learner', () => {
    expect(changes([server(1), server(2, { suffrage: 'none' })]).add).toEqual([
      { id: 'id-2', address: '10.0.0.2:8300' },
    ]);
  });

  it('takes a voter that lost its log in anew, as a learner, which has no word in any decision', () => {
    const servers = [server(1), server(2, { logLost: true }), server(3)];
    expect(changes(servers)).toMatchObject({ demote: ['id-2'], remove: [] });
    expect(assess(view(servers), settings, undefined)).toMatchObject({ healthy: false, failureTolerance: 0 });
    expect(changes([server(1), server(2), server(3)]).demote).toEqual([]);
  });

  it('promotes a learner after its time of health, not before', () => {
    const servers = [server(1), server(2, { suffrage: 'learner' })];
    const before = assess(view(servers, 0), settings, undefined);
    const at = (nowMs: number) =>
      decide(view(servers, nowMs), assess(view(servers, nowMs), settings, before), settings).promote;
    expect([at(9_999), at(10_000)]).toEqual([[], ['id-2']]);
  });

  it('takes out at once who said that it left', () => {
    expect(changes([server(1), server(2), server(3, { gossip: 'left' })]).remove).toEqual([
      { id: 'id-3', reason: 'it left the cluster' },
    ]);
  });

  it('keeps a dead voter until a healthy new server has come', () => {
    const dead = server(3, { gossip: 'failed' });
    expect(changes([server(1), server(2), dead]).remove).toEqual([]);
    const replaced = changes([server(1), server(2), dead, server(4, { suffrage: 'learner' })]);
    expect(replaced.remove.map(({ id }) => id)).toEqual(['id-3']);
  });

  it('never takes out half of the voters or more, nor goes below the least quorum', () => {
    const learner = server(5, { suffrage: 'learner' });
    const halfDead = [server(1), server(2), server(3, { gossip: 'failed' }), server(4, { gossip: 'failed' }), learner];
    expect(changes(halfDead).remove).toEqual([]);
    const oneDead = [server(1), server(2), server(3, { gossip: 'failed' }), learner];
    expect(changes(oneDead, { minQuorum: 3 }).remove).toEqual([]);
    expect(changes(oneDead, { cleanupDeadServers: false }).remove).toEqual([]);
  });
});
