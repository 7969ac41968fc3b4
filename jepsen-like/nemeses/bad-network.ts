/** What netem would do, by a proxy before every server: delay with jitter, loss, resets, silence on open connections. */
import { type Nemesis, type NemesisContext, victim } from './nemesis.ts';

const base = {
  proxied: true,
  missing: ({ proxy }: NemesisContext) => (proxy === undefined ? 'no fault proxy was started' : undefined),
} as const;

/** Takes all weather away again. */
const healing = ({ proxy }: NemesisContext) => ({
  heal() {
    proxy!.heal();
    return Promise.resolve();
  },
});

export const delay: Nemesis = {
  ...base,
  name: 'delay',
  does: 'what goes to one server takes 75 ms, give or take 50, each way',
  async strike(context) {
    const server = await victim(context);
    context.proxy!.setWeather(server, { delayMs: 25, jitterMs: 100 });
    return { what: `the way to server ${server} takes 25 to 125 ms`, ...healing(context) };
  },
};

export const loss: Nemesis = {
  ...base,
  name: 'loss',
  does: 'a fifth of the packets to every server is lost: gossip misses them, streams get them 200 ms late',
  strike(context) {
    for (let server = 0; server < context.cluster.size; server++) context.proxy!.setWeather(server, { loss: 0.2 });
    return Promise.resolve({ what: 'a fifth of all packets is lost', ...healing(context) });
  },
};

export const resets: Nemesis = {
  ...base,
  name: 'resets',
  does: 'every connection to one server is reset, again and again',
  async strike(context) {
    const server = await victim(context);
    let count = context.proxy!.reset(server);
    const timer = setInterval(() => {
      count += context.proxy!.reset(server);
    }, 250);
    return {
      what: `connections to server ${server} are reset, ${count} at first`,
      heal() {
        clearInterval(timer);
        return Promise.resolve();
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
    return { what: `nothing passes to server ${server}, nothing breaks`, ...healing(context) };
  },
};
