/**
 * Blocking queries stand on indexes: a client waits with the one it was told, and a server answers when its own is greater. So from one
 * state to the next no index falls, an answer that changed has a greater one, and none is beyond what was applied; and since a client goes
 * to another server with what it was told, two servers that have applied the same answer every query alike.
 */
import { type Answers, hold, type Invariant } from './invariant.ts';

const name = 'query-indexes';
/** Says 0, as existing tools expect, of a node that is not there; a client that is told 0 begins anew. */
const mayFallToNone = (question: string): boolean => question.startsWith('catalog.node ');
/** Reports no index of its own, but always 1. */
const reportsNone = (question: string): boolean => question.startsWith('txn.read ');

export const queryIndexes: Invariant = {
  name,
  source: 'blocking queries: a client waits with the index that it was told; fault catalogue C05, C08',
  says: 'The index of a query never falls, is never beyond what was applied, and grows when the answer changes; servers that have applied the same answer every query alike; what a consistent read is told never falls, whichever servers are asked.',
  create: () => {
    /** By applied index, and who answered first. */
    const seen = new Map<number, { readonly on: string; readonly answers: Answers }>();
    /** By server, since it was started or restored. */
    const last = new Map<string, { readonly at: number; readonly answers: Answers }>();
    return {
      answered: ({ id }, key, index, before) =>
        hold(index >= before, name, () => `${id} answers ${key} with index ${index}, after ${before} had been told`),
      started: ({ id }) => void last.delete(id),
      restored: ({ id }) => void last.delete(id),
      answers: ({ id }, at, answers) => {
        const known = seen.get(at);
        if (known === undefined) seen.set(at, { on: id, answers });
        else
          alike(known.answers, answers, (question) => `at ${at}, ${known.on} and ${id} answer ${question} differently`);
        const before = last.get(id);
        if (before !== undefined && before.at < at)
          follows(before.answers, answers, at, `${id}, ${before.at} to ${at}`);
        last.set(id, { at, answers });
      },
    };
  },
};

function alike(a: Answers, b: Answers, what: (question: string) => string): void {
  for (const [i, question] of a.questions.entries()) {
    hold(a.indexes[i] === b.indexes[i] && a.hashes[i] === b.hashes[i], name, () => {
      const told = ({ indexes, hashes }: Answers): string => `index ${indexes[i]}, content ${hashes[i]}`;
      return `${what(question)}: ${told(a)}; ${told(b)}`;
    });
  }
}

function follows(before: Answers, now: Answers, applied: number, where: string): void {
  for (const [i, question] of now.questions.entries()) {
    const old = before.indexes[i]!;
    const index = now.indexes[i]!;
    const step = (): string => `${where}: ${question} goes from index ${old} to ${index}`;
    hold(index <= applied, name, () => `${step()}, beyond what is applied`);
    if (reportsNone(question) || (index === 0 && mayFallToNone(question))) continue;
    hold(index >= old, name, step);
    hold(index > old || now.hashes[i] === before.hashes[i], name, () => `${step()}, and answers otherwise`);
  }
}
