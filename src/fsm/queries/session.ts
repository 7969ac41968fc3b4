/** Reads of sessions. All of them report the index of the sessions table. */
import type { Session } from '../../structs/index.ts';
import { query } from '../contract.ts';
import { notAUuid } from '../errors.ts';

export const sessionInfo = query<{ readonly id: string }, Session | null>({
  name: 'session.info',
  run(tx, { id }) {
    if (id.length !== 36) throw notAUuid();
    const session = tx.table('sessions').get([id]);
    const index = tx.unwatched.table('sessions').index();
    return session === undefined ? { index, value: null, notFound: true } : { index, value: session };
  },
});

export const sessionList = query<Record<string, never>, readonly Session[]>({
  name: 'session.list',
  run: (tx) => ({ index: tx.table('sessions').index(), value: [...tx.unwatched.table('sessions').range([])] }),
});

export const sessionNode = query<{ readonly node: string }, readonly Session[]>({
  name: 'session.node',
  run(tx, { node }) {
    const value = [...tx.table('sessions').by('node', [node])];
    return { index: tx.unwatched.table('sessions').index(), value };
  },
});
