/** The wall clock of one server jumps by minutes, forward or back. Leases and timers must not care. */
import { writeFileSync } from 'node:fs';
import { faketimeFile, faketimeLibrary } from '../real/clock-skew.ts';
import { type Nemesis, victim } from './nemesis.ts';

export const clock: Nemesis = {
  name: 'clock',
  does: 'the wall clock of one server jumps by up to ten minutes (libfaketime)',
  missing: () => (faketimeLibrary() === undefined ? 'libfaketime is not installed' : undefined),
  async strike(context) {
    const server = await victim(context);
    const seconds = Math.round((context.chance() * 2 - 1) * 600);
    const file = faketimeFile(context.cluster.folder, server);
    writeFileSync(file, `${seconds >= 0 ? '+' : ''}${seconds}s\n`);
    return {
      what: `clock of server ${server} is ${seconds} s off`,
      heal() {
        writeFileSync(file, '+0s\n');
        return Promise.resolve();
      },
    };
  },
};
