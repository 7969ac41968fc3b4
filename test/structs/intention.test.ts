/** The view of stored sources as intentions, against a captured one with its hash. */
import { expect, it } from 'vitest';
import {
  encode,
  type IntentionSource,
  intention,
  intentionOf,
  type ServiceIntentions,
} from '../../src/structs/index.ts';

const web: IntentionSource = {
  Name: 'web',
  Action: 'allow',
  Permissions: null,
  Precedence: 9,
  LegacyID: '86f5f915-5866-843e-99f9-339fe56f2ab2',
  Type: 'consul',
  Description: 'web to db',
  LegacyMeta: { team: 'a' },
  LegacyCreateTime: '2026-11-23T07:04:37.053751204Z',
  LegacyUpdateTime: '2026-11-23T07:04:37.053751204Z',
};
const db: ServiceIntentions = {
  Kind: 'service-intentions',
  Name: 'db',
  Sources: [web],
  Meta: { owner: 'x' },
  CreateIndex: 14,
  ModifyIndex: 17,
};

it('a legacy source shows id, times, its own Meta and a hash', () => {
  expect(encode(intention, intentionOf(db, web))).toBe(
    '{"CreatedAt":"2026-11-23T07:04:37.053751204Z","UpdatedAt":"2026-11-23T07:04:37.053751204Z","ID":"86f5f915-5866-843e-99f9-339fe56f2ab2","Description":"web to db","SourceNS":"default","SourceName":"web","DestinationNS":"default","DestinationName":"db","SourceType":"consul","Action":"allow","Meta":{"team":"a"},"Precedence":9,"Hash":"d0I32lOdFeO9iLn/TiHk0ZYGZ4Dk9/m1rIWoxPOxIM8=","CreateIndex":14,"ModifyIndex":17}',
  );
});

it('a plain source shows none of them, and the Meta of the entry', () => {
  const plain = { ...web, LegacyID: '', LegacyMeta: null, LegacyCreateTime: '', LegacyUpdateTime: '' };
  expect(encode(intention, intentionOf(db, plain))).toBe(
    '{"Description":"web to db","SourceNS":"default","SourceName":"web","DestinationNS":"default","DestinationName":"db","SourceType":"consul","Action":"allow","Meta":{"owner":"x"},"Precedence":9,"CreateIndex":14,"ModifyIndex":17}',
  );
});
