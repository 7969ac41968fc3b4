/** The wall clock of one server jumps by minutes, forward or back. Leases and timers must not care. */
import { writeFileSync } from 'node:fs';
import { faketimeFile, faketimeLibrary } from '../real/clock-skew.ts';
import { type Nemesis, type NemesisContext, victim } from './nemesis.ts';

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
      async heal() {
        const read = await offSeconds(context, server);
        writeFileSync(file, '+0s\n');
        return read !== undefined && Math.abs(read - seconds) < 5 ? `its answers are dated ${read} s off` : undefined;
      },
    };
  },
};

/** How far the server's clock is from ours, by the date of an answer; undefined: it does not answer. */
async function offSeconds({ cluster }: NemesisContext, server: number): Promise<number | undefined> {
  try {
    const answer = await fetch(`http://${cluster.target(server)}/v1/status/leader`, {
      signal: AbortSignal.timeout(4_000),
    });
    await answer.text();
    return Math.round((Date.parse(answer.headers.get('date') ?? '') - Date.now()) / 1000);
  } catch {
    return undefined;
  }
}
