/** What the papers say to expect, so that a run can be read beside them. */
import type { GossipConfig } from '../../src/gossip/config.ts';
import { suspicionBounds } from '../../src/gossip/swim/suspicion.ts';

export interface Expectation {
  readonly what: string;
  readonly value: string;
  readonly source: string;
}

export function expectations(config: GossipConfig, members: number): Expectation[] {
  const { minMs, maxMs } = suspicionBounds(config, members);
  const firstPeriods = 1 / (1 - Math.exp(-1));
  const detectMs = firstPeriods * config.probeIntervalMs;
  const spreadPeriods = Math.ceil(Math.log2(members));
  return [
    {
      what: 'first probe of a crashed member by anybody, mean',
      value: `${firstPeriods.toFixed(2)} periods = ${detectMs.toFixed(0)} ms, whatever the size`,
      source: "SWIM (Das, Gupta, Motivala, DSN 2002) §3.1: T' / (1 - e^-1)",
    },
    {
      what: 'then suspicion',
      value: `${minMs.toFixed(0)} ms with confirmations, up to ${maxMs.toFixed(0)} ms without`,
      source: 'SWIM §4.2; Lifeguard (Dadgar, Phillips, Currey, arXiv 1707.00788) §IV-B',
    },
    {
      what: 'so the first declares it dead after about',
      value: `${(detectMs + config.probeIntervalMs + minMs).toFixed(0)} ms`,
      source: 'the sum: probe, its timeout, the shortest suspicion',
    },
    {
      what: 'and everybody knows',
      value: `O(log n) gossip rounds later: ${spreadPeriods} × ${config.gossipIntervalMs} ms = ${spreadPeriods * config.gossipIntervalMs} ms`,
      source: 'SWIM §4.1: infection reaches all but n^-(2λ-2) of n members in λ log n periods',
    },
  ];
}
