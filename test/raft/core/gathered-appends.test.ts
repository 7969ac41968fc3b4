/** Entries that come while appends are on their way gather to one message; full ones are pipelined. */
import { expect, it } from 'vitest';
import { defaultSettings } from '../../../src/raft/config.ts';
import type { Append } from '../../../src/raft/core/messages.ts';
import { Cores } from './cores.ts';

const appendsTo = (cores: Cores, to: string): Append[] =>
  cores.wire.filter((message): message is Append => message.kind === 'append' && message.to === to);

it('a third append waits until one of two is answered, and then carries all that has gathered', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  const { partialAppendsMax } = defaultSettings;
  for (let i = 0; i < partialAppendsMax + 5; i++) cores.propose('a', `${i}`);
  expect(appendsTo(cores, 'b').map((append) => append.entries.length)).toEqual(Array(partialAppendsMax).fill(1));
  const sent: number[] = [];
  cores.deliver((message) => {
    if (message.kind === 'append' && message.to === 'b') sent.push(message.entries.length);
    return false;
  });
  expect(sent).toContain(5);
  expect(cores.get('b').state.log.lastIndex).toBe(cores.get('a').state.log.lastIndex);
  expect(cores.get('a').state.commitIndex).toBe(cores.get('a').state.log.lastIndex);
});
