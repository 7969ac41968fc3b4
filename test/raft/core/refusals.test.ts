/** Refusals of a window that came out of order: one of them is acted on. */
import { expect, it } from 'vitest';
import { defaultSettings } from '../../../src/raft/config.ts';
import { Cores } from './cores.ts';

it('a refusal of what left before the last refusal was acted on is old news', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  for (let i = 0; i < defaultSettings.partialAppendsMax; i++) cores.propose('a', `${i}`);
  const window = cores.wire.filter(({ to }) => to === 'b');
  cores.wire = [];
  const [refusal] = cores.do('b', (core) => core.step(window.at(-1)!, cores.nowMs));
  expect(refusal).toMatchObject({ kind: 'appendResponse', ok: false });
  const probe = (): unknown[] => {
    cores.nowMs += 1;
    return cores.do('a', (core) => core.step(refusal!, cores.nowMs)).filter(({ kind }) => kind === 'append');
  };
  expect(probe()).toHaveLength(1);
  expect(probe()).toHaveLength(0);
  cores.deliver();
  expect(cores.get('b').state.log.lastIndex).toBe(cores.get('a').state.log.lastIndex);
});
