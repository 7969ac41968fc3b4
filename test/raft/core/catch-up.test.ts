/**
 * A follower that is far behind gets the log in pieces: never more on its way than one turn of an event loop should have to deal
 * with, on either side, and without a pause until it has everything.
 */
import { expect, it } from 'vitest';
import { defaultSettings } from '../../../src/raft/config.ts';
import { Cores } from './cores.ts';

const entries = 20_000;

it('gets no more entries at once than may be on their way, and in the end all', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  const towardsC = (message: { readonly to: string }): boolean => message.to === 'c';
  for (let i = 0; i < entries / 100; i++) {
    const batch = Array.from({ length: 100 }, () => new Uint8Array(64));
    cores.do('a', (core) => core.propose(batch, cores.nowMs));
    cores.deliver(towardsC);
  }
  const last = cores.get('a').state.log.lastIndex;
  expect(cores.get('a').state.commitIndex).toBe(last);
  expect(cores.get('c').state.log.lastIndex).toBeLessThan(last - entries + 10);

  // The next heartbeat's answer shows what c lacks; from then on nothing is lost, and nobody's clock moves.
  cores.nowMs += 1_000;
  for (let i = 0; i < defaultSettings.heartbeatTicks; i++) cores.do('a', (core) => core.tick(cores.nowMs));
  let most = 0;
  while (cores.wire.length > 0) {
    const message = cores.wire.shift()!;
    cores.do(message.to, (core) => core.step(message, cores.nowMs));
    const onTheirWay = cores.wire.flatMap((sent) => (sent.kind === 'append' && sent.to === 'c' ? sent.entries : []));
    most = Math.max(most, onTheirWay.length);
  }
  const { inflightEntriesMax, appendEntriesMax } = defaultSettings;
  // The limit is looked at before each append: the last one may go over it by less than its own length.
  expect(most).toBeLessThan(inflightEntriesMax + appendEntriesMax);
  expect(most).toBeGreaterThan(appendEntriesMax);
  expect(cores.get('c').state.log.lastIndex).toBe(last);
});
