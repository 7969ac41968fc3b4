/** The network between servers is cut: one alone, the leader alone, halves, a ring of majorities; clients still reach all. */
import { type Nemesis, victim } from './nemesis.ts';

export const partition: Nemesis = {
  name: 'partition',
  does: 'servers cut off from each other: one, the leader, a minority, a bridge; clients still reach all',
  missing: ({ network }) => (network === undefined ? 'network namespaces need root' : undefined),
  async strike(context) {
    const { cluster, chance } = context;
    const network = context.network!;
    const servers = Array.from({ length: cluster.size }, (_, i) => i);
    const shape = Math.floor(chance() * 3);
    if (shape === 0 || cluster.size < 3) {
      const alone = await victim(context);
      for (const other of servers) if (other !== alone) network.cut(alone, other);
      return { what: `server ${alone} isolated`, heal: () => healed(network) };
    }
    const shuffled = [...servers].sort(() => chance() - 0.5);
    if (shape === 1) {
      const minority = shuffled.slice(0, Math.floor((cluster.size - 1) / 2));
      for (const a of minority) for (const b of servers) if (!minority.includes(b)) network.cut(a, b);
      return { what: `minority ${minority.join(',')} cut off`, heal: () => healed(network) };
    }
    // A bridge: two halves that only one server connects.
    const bridge = shuffled[0]!;
    const left = shuffled.slice(1, 1 + Math.floor((cluster.size - 1) / 2));
    for (const a of left) for (const b of servers) if (b !== bridge && !left.includes(b)) network.cut(a, b);
    return { what: `only server ${bridge} reaches both halves`, heal: () => healed(network) };
  },
};

function healed(network: { heal(): void }): Promise<void> {
  network.heal();
  return Promise.resolve();
}
