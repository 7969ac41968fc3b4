/** How a server stands, in columns for eyes. */
import type { SimServer } from './server.ts';

export interface ServerLine {
  readonly server: string;
  readonly role: string;
  readonly term: string;
  readonly log: string;
  readonly durable: string;
  readonly commit: string;
  readonly applied: string;
  readonly lease: string;
  readonly voters: string;
}

export function describeServer({ id, node, condition, paused, damage }: SimServer): ServerLine {
  const nothing = { term: '', log: '', durable: '', commit: '', applied: '', lease: '', voters: '' };
  if (node === undefined) return { server: id, role: damage === undefined ? condition : 'damaged', ...nothing };
  const { state } = node.core;
  const { voters, votersOutgoing, learners } = state.membership.latest;
  const leaving = votersOutgoing.length > 0 ? ` (from ${votersOutgoing.join(' ')})` : '';
  const learning = learners.length > 0 ? ` + ${learners.join(' ')}` : '';
  const leads = state.leadership !== undefined;
  return {
    server: id,
    role: `${condition === 'up' ? '' : `${condition} `}${state.role}${paused ? ', paused' : ''}`,
    term: String(state.term),
    log: `${state.log.prefix.index + 1}..${state.log.lastIndex}`,
    durable: String(state.persistence.durableIndex),
    commit: String(state.commitIndex),
    applied: String(state.appliedIndex),
    lease: leads ? (node.status().leaseValid ? 'held' : 'not held') : '',
    voters: `${voters.join(' ')}${leaving}${learning}`,
  };
}

/** A table with a head. */
export function table(lines: readonly ServerLine[]): string[] {
  const names = Object.keys(lines[0] ?? {}) as (keyof ServerLine)[];
  const rows = [names, ...lines.map((line) => names.map((name) => line[name]))];
  const widths = names.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
