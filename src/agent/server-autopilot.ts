/** Autopilot on a server: a duty while it leads, and the calls by which operators see what it found. */
import { queries } from '../fsm/index.ts';
import { AutopilotDuty } from './autopilot/autopilot-duty.ts';
import { systemClock } from './clock.ts';
import type { Logger } from './log.ts';
import type { MemberSource, Server } from './server/index.ts';

/** `answering`: the id of the server that answers at an address; rejects when none does. */
export function addAutopilot(
  server: Server,
  members: MemberSource,
  log: Logger,
  answering: (address: string) => Promise<string>,
): AutopilotDuty {
  const logger = log.named('autopilot');
  const autopilot = new AutopilotDuty({
    raft: server.raft,
    members,
    clock: systemClock,
    answering,
    configuration: () => queries['autopilot.configuration'].run(server.view, {}).value,
    info: (message, fields) => logger.info(message, fields),
    warn: (message, fields) => logger.warn(message, fields),
  });
  server.addDuty(autopilot);
  server.handle('operator.autopilotHealth', { where: 'leader', run: () => autopilot.health() });
  server.handle('operator.autopilotState', { where: 'leader', run: () => autopilot.state() });
  return autopilot;
}
