/**
 * What a decision about a connection costs.
 *
 *   npm run bench:intentions             all
 *   npm run bench:intentions -- process  in process: index, decisions, updates, at 1,000 to 1,000,000 intentions
 *   npm run bench:intentions -- http     over HTTP, as a ratio to a bare node:http responder with the same answer
 */
import { readCommandLine } from '../jepsen-like/command-line.ts';
import { benchOverHttp } from './intentions-http.ts';
import { benchInProcess } from './intentions-in-process.ts';

const counts = [1_000, 100_000, 1_000_000];
const parts = readCommandLine(
  {
    script: 'bench:intentions',
    about: 'What a decision about a connection costs, at 1,000 to 1,000,000 intentions.',
    words: { usage: '[process] [http]', help: 'these parts (both)', most: 2, names: ['process', 'http'] },
  },
  ({ names }) => names,
);
const wanted = (part: string): boolean => parts.length === 0 || parts.includes(part);

if (wanted('process')) benchInProcess(counts);
if (wanted('http')) await benchOverHttp(counts);
