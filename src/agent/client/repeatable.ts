/**
 * What a client agent may ask a second time when it cannot know whether the first was carried out: its second time changes
 * nothing, whatever others did between the two. Writes in general are not: a key set to A, seen, set to B by somebody else, and
 * then set to A again by us would have been written twice. Their callers are told that the outcome is unknown.
 */
import type { CallName } from '../../api/backend.ts';
import type { CommandName } from '../../fsm/index.ts';

const calls: ReadonlySet<CallName> = new Set<CallName>([
  // Reads.
  'status.leader',
  'status.peers',
  'catalog.datacenters',
  'coordinate.datacenters',
  'keyring.list',
  'operator.raftConfiguration',
  'operator.autopilotHealth',
  'operator.autopilotState',
  // Lives from the last renewal on.
  'session.renew',
  // The newest one counts.
  'coordinate.update',
  // The certificate that nobody received leaves a gap in the serial numbers.
  'ca.sign',
]);

/** A session's id never comes back. */
const commands: ReadonlySet<CommandName> = new Set<CommandName>(['session.destroy']);

export const isRepeatableCall = (name: CallName): boolean => calls.has(name);
export const isRepeatableCommand = (name: CommandName): boolean => commands.has(name);
