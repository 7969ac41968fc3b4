/** The leader enters members in the catalog while their agents do the same. */
import { expect, it } from 'vitest';
import { encodeTags, type PoolMember } from '../../../../src/agent/membership/tags.ts';
import { CatalogDuty } from '../../../../src/agent/server/duties/catalog-duty.ts';
import type { DutyServer } from '../../../../src/agent/server/duties/duty-server.ts';
import { Bench, ManualClock } from '../../../fsm/support.ts';

const id = '11111111-1111-1111-1111-111111111111';
const member: PoolMember = {
  name: 'n1',
  address: '10.0.0.1',
  port: 8301,
  status: 'alive',
  protocolMin: 1,
  protocolMax: 5,
  protocolCur: 2,
  tags: encodeTags({
    role: 'client',
    datacenter: 'dc1',
    id,
    build: '0.1.0',
    aclsEnabled: false,
    rpcPort: 0,
    bootstrap: false,
    bootstrapExpect: 0,
    usesTls: false,
  }),
};

it('keeps what an agent says of its node when both write at once', async () => {
  const bench = new Bench();
  await new Promise<void>((resolve, reject) => {
    const server: DutyServer = {
      datacenter: 'dc1',
      nodeName: 'leader',
      clock: new ManualClock(),
      view: () => bench.store.view,
      // The agent's own registration is in the log before that of the leader, which has looked before.
      write: async (name, args) => {
        bench.register({
          ...{ ID: id, Node: 'n1', Address: '10.0.0.1' },
          ...{ TaggedAddresses: { lan: '10.0.0.1' }, NodeMeta: { rack: 'r1' } },
        });
        const result = bench.apply(name, args);
        resolve();
        return result;
      },
      warn: (message, fields) => reject(new Error(`${message}: ${JSON.stringify(fields)}`)),
    };
    const duty = new CatalogDuty(server, { members: () => [member], onChange: () => () => {} });
    duty.start();
    duty.stop();
  });
  expect(bench.store.view.table('nodes').get(['n1'])).toMatchObject({
    ID: id,
    TaggedAddresses: { lan: '10.0.0.1' },
    Meta: { rack: 'r1' },
  });
  expect(bench.store.view.table('checks').get(['n1', 'serfHealth'])?.Status).toBe('passing');
});
