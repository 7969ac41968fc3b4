/** A failing run for eyes: what it was, which faults hit it, and its last events without the hum of heartbeats. */
import type { RunResult } from './world.ts';

export function report(result: RunResult, linesMax = 70): string[] {
  const { seed, violation, swarm, faults, timeline } = result;
  const told = timeline.filter((line) => !/ heartbeat(Response)? -> /.test(line));
  return [
    '',
    `seed ${seed}: ${violation?.message ?? 'no violation'}`,
    `  ${swarm.servers} servers, ${swarm.spares} spare, ${swarm.clients} clients; network ${JSON.stringify(swarm.network)}`,
    `  disk ${JSON.stringify(swarm.disk)}, drift ${swarm.clockDrift.toFixed(3)}, settings ${JSON.stringify(swarm.settings)}`,
    '  faults:',
    ...faults
      .filter(({ atMs }) => atMs <= result.virtualMs)
      .slice(-30)
      .map(({ atMs, kind, durationMs }) => `    ${atMs.toFixed(0).padStart(7)} ${kind} ${durationMs.toFixed(0)} ms`),
    '  last events:',
    ...told.slice(-linesMax).map((line) => `    ${line}`),
  ];
}
