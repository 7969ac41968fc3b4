/**
 * One fault, from its putting in to its taking out. A nemesis that fails is a finding, not the end of the run: what it broke shows
 * in the histories, which are checked all the same.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, History } from '../history.ts';
import type { Nemesis, NemesisContext } from '../nemeses/nemesis.ts';
import { say } from './say.ts';

const defaultLastsMs = { least: 1_500, most: 5_000 };

export async function befall(nemesis: Nemesis, stage: NemesisContext, clock: Pick<History, 'nowMs'>): Promise<Fault> {
  const startMs = clock.nowMs();
  const told = { nemesis: nemesis.name, startMs, onHost: nemesis.onHost === true };
  let what = 'not put in';
  try {
    const strike = await nemesis.strike(stage);
    what = strike.what;
    say(`${(startMs / 1000).toFixed(1).padStart(6)} s  ${nemesis.name}: ${what}`);
    const { least, most } = nemesis.lastsMs ?? defaultLastsMs;
    await delay(least + stage.chance() * (most - least));
    const proof = await strike.heal();
    say(`${' '.repeat(10)}${proof ?? 'IT DID NOTHING'}`);
    return { ...told, what, endMs: clock.nowMs(), proof };
  } catch (error) {
    const said = `nemesis ${nemesis.name} failed (${what}): ${String(error)}`;
    say(`${(startMs / 1000).toFixed(1).padStart(6)} s  ${said}`);
    stage.cluster.complain(said);
    return { ...told, what: `${what}; it failed: ${String(error)}`, endMs: clock.nowMs(), proof: undefined };
  }
}
