/**
 * A failing run for eyes: what broke; the cluster and its weather; what happened to the servers, from the beginning; how they stood
 * when it broke; and the last events, without the hum of heartbeats.
 */
import { table } from './server-line.ts';
import type { RunResult } from './world.ts';

const storyMax = 60;
const eventsMax = 60;

/** The newest lines, and how many there were before. */
function newest(lines: readonly string[], max: number): string[] {
  const left = lines.length - max;
  return [...(left > 0 ? [`    … ${left} before`] : []), ...lines.slice(-max).map((line) => `    ${line}`)];
}

export function report(result: RunResult): string[] {
  const { seed, violation, swarm, faults, timeline, story, end, virtualMs } = result;
  const told = timeline.filter((line) => !/ heartbeat(Response)? -> /.test(line));
  const { servers, spares, clients, script, network, disk, clockDrift, settings } = swarm;
  return [
    '',
    `seed ${seed}: ${violation?.message ?? 'no violation'}`,
    `  after ${virtualMs.toFixed(0)} virtual ms; ${servers} servers, ${spares} spare, ${clients} clients${script === undefined ? '' : `, scene ${script}`}`,
    `  network ${JSON.stringify(network)}`,
    `  disk ${JSON.stringify(disk)}, clock drift ${clockDrift.toFixed(3)}`,
    `  settings ${JSON.stringify(settings)}`,
    `  scheduled faults: ${faults.filter(({ atMs }) => atMs <= virtualMs).length}`,
    '  what happened to servers (virtual ms, who, what):',
    ...newest(story, storyMax),
    '  how they stood:',
    ...table(end).map((line) => `    ${line}`),
    '  last events:',
    ...newest(told, eventsMax),
  ];
}
