/** What netem would do, by a proxy before every server: delay with jitter, loss, resets, silence on open connections. */
import type { FaultCounts } from '../real/fault-proxy.ts';
import { type Nemesis, type NemesisContext, type Strike, victim } from './nemesis.ts';

const base = {
  proxied: true,
  missing: ({ proxy }: NemesisContext) => (proxy === undefined ? 'no fault proxy was started' : undefined),
} as const;

/** Takes all weather away again; the proof is what the proxy counted. */
function weather({ proxy }: NemesisContext, what: string, counted: readonly (keyof FaultCounts)[]): Strike {
  const before = proxy!.counts;
  return {
    what,
    heal() {
      proxy!.heal();
      const now = proxy!.counts;
      const grown = counted.map((name) => [name, now[name] - before[name]] as const).filter(([, count]) => count > 0);
      return Promise.resolve(
        grown.length === 0 ? undefined : grown.map(([name, n]) => `${n} ${words[name]}`).join(', '),
      );
    },
  };
}

const words: Readonly<Record<keyof FaultCounts, string>> = {
  packetsLost: 'packets lost',
  packetsDelayed: 'packets late',
  chunksDelayed: 'segments late',
  chunksHeld: 'segments held',
  connectionsReset: 'connections reset',
};

export const delay: Nemesis = {
  ...base,
  name: 'delay',
  does: 'what goes to one server takes 75 ms, give or take 50, each way',
  async strike(context) {
    const server = await victim(context);
    context.proxy!.setWeather(server, { delayMs: 25, jitterMs: 100 });
    return weather(context, `the way to server ${server} takes 25 to 125 ms`, ['chunksDelayed', 'packetsDelayed']);
  },
};

export const loss: Nemesis = {
  ...base,
  name: 'loss',
  does: 'a fifth of the packets to every server is lost: gossip misses them, streams get them 200 ms late',
  strike(context) {
    for (let server = 0; server < context.cluster.size; server++) context.proxy!.setWeather(server, { loss: 0.2 });
    return Promise.resolve(weather(context, 'a fifth of all packets is lost', ['packetsLost', 'chunksDelayed']));
  },
};

export const resets: Nemesis = {
  ...base,
  name: 'resets',
  does: 'every connection to one server is reset, again and again',
  async strike(context) {
    const server = await victim(context);
    const { heal } = weather(context, '', ['connectionsReset']);
    context.proxy!.reset(server);
    const timer = setInterval(() => context.proxy!.reset(server), 250);
    return {
      what: `connections to server ${server} are reset four times a second`,
      heal() {
        clearInterval(timer);
        return heal();
      },
    };
  },
};

export const blackHole: Nemesis = {
  ...base,
  name: 'black-hole',
  does: 'connections to one server stay open and carry nothing, then everything at once',
  async strike(context) {
    const server = await victim(context);
    context.proxy!.setWeather(server, { blackHole: true });
    return weather(context, `nothing passes to server ${server}, nothing breaks`, ['chunksHeld', 'packetsLost']);
  },
};
