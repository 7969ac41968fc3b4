/** The network between servers is cut: one alone, the leader alone, a minority, two halves with a bridge; clients still reach all. */
import { cannotPart, healed } from './links.ts';
import { type Nemesis, victim } from './nemesis.ts';

export const partition: Nemesis = {
  name: 'partition',
  does: 'servers cut off from each other: one, the leader, a minority, a bridge; clients still reach all',
  missing: cannotPart,
  async strike(context) {
    const { cluster, chance } = context;
    const network = context.network!;
    const servers = Array.from({ length: cluster.size }, (_, i) => i);
    const shape = Math.floor(chance() * 3);
    if (shape === 0 || cluster.size < 3) {
      const alone = await victim(context);
      for (const other of servers) if (other !== alone) network.cut(alone, other);
      return { what: `server ${alone} isolated`, heal: () => healed(context, alone, alone === 0 ? 1 : 0) };
    }
    const shuffled = [...servers].sort(() => chance() - 0.5);
    if (shape === 1) {
      const minority = shuffled.slice(0, Math.floor((cluster.size - 1) / 2));
      for (const a of minority) for (const b of servers) if (!minority.includes(b)) network.cut(a, b);
      const other = servers.find((each) => !minority.includes(each))!;
      return { what: `minority ${minority.join(',')} cut off`, heal: () => healed(context, minority[0]!, other) };
    }
    // A bridge: two halves that only one server connects.
    const bridge = shuffled[0]!;
    const left = shuffled.slice(1, 1 + Math.floor((cluster.size - 1) / 2));
    for (const a of left) for (const b of servers) if (b !== bridge && !left.includes(b)) network.cut(a, b);
    const other = servers.find((each) => each !== bridge && !left.includes(each))!;
    return { what: `only server ${bridge} reaches both halves`, heal: () => healed(context, left[0]!, other) };
  },
};
