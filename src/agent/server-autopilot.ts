/** Autopilot on a server: a duty while it leads, and the calls by which operators see what it found. */
import type { AutopilotConfiguration } from '../structs/index.ts';
import { AutopilotDuty } from './autopilot/autopilot-duty.ts';
import { systemClock } from './clock.ts';
import type { Logger } from './log.ts';
import type { MemberSource, Server } from './server/index.ts';

export function addAutopilot(server: Server, members: MemberSource, log: Logger): void {
  const logger = log.named('autopilot');
  const duty = new AutopilotDuty({
    raft: server.raft,
    members,
    clock: systemClock,
    configuration: () => (server.view.table('singletons').get(['autopilot']) as AutopilotConfiguration) ?? null,
    info: (message, fields) => logger.info(message, { ...fields }),
    warn: (message, fields) => logger.warn(message, { ...fields }),
  });
  server.addDuty(duty);
  server.handle('operator.autopilotHealth', { where: 'leader', run: () => duty.health() });
  server.handle('operator.autopilotState', { where: 'leader', run: () => duty.state() });
}
