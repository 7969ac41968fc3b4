// A process that appends to a log until it is killed, and tells what is durable. It runs the built library, so that it is a
// plain Node program: node victim.mjs DIRECTORY BUNDLE
import { writeSync } from 'node:fs';

const [, , directory, bundle] = process.argv;
const { openRaftLog } = await import(bundle);
const log = await openRaftLog(directory);
if (log.recovered.identity === undefined) await log.initialize({ id: 'a', clusterId: 'crash' }, undefined);
let last = log.recovered.lastIndex;
let { term } = log.recovered.hardState;
const data = new Uint8Array(300);
for (let round = 0; ; round++) {
  const entries = [];
  let truncateFrom;
  // Now and then a conflict: the newest entries give way to others of a new term.
  const hardState = round % 7 === 3 ? { term: ++term, votedFor: 'a' } : undefined;
  if (hardState !== undefined && last > 5) {
    truncateFrom = last - 3;
    last = truncateFrom - 1;
  }
  // Sometimes more operations than one block holds.
  const count = round % 11 === 5 ? 1500 : 1 + (round % 9);
  for (let i = 0; i < count; i++) entries.push({ kind: 'command', index: ++last, term: Math.max(term, 1), data });
  if (term === 0) term = 1;
  const state = hardState ?? (round === 0 ? { term, votedFor: '' } : undefined);
  if (truncateFrom !== undefined) writeSync(1, `truncating ${truncateFrom}\n`);
  await log.write([{ number: round, hardState: state, truncateFrom, entries }]);
  writeSync(1, `durable ${last} ${term}\n`);
}
