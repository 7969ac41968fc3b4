/** Random commands over a small world (few nodes, services, keys, sessions), so that they meet each other often. */
import fc from 'fast-check';
import { type CommandArgs, type CommandName, encodeEnvelope } from '../../src/fsm/index.ts';
import { decode, registerRequest, s, txnOperation } from '../../src/structs/index.ts';

export type AnyCommand = { [N in CommandName]: { readonly name: N; readonly args: CommandArgs<N> } }[CommandName];

const sessionIds = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
const nodeIds = ['', 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'];
const key = fc.constantFrom('a', 'a/b', 'a/c', 'b', 'é/\u{1f600}');
const node = fc.constantFrom('n1', 'N1', 'n2', 'n3');
const serviceId = fc.constantFrom('web', 'web2', 'proxy', 'db');
const serviceName = fc.constantFrom('web', 'WEB', 'db', 'proxies');
const checkId = fc.constantFrom('serfHealth', 'c1', 'C1');
const status = fc.constantFrom('passing', 'warning', 'critical');
const session = fc.constantFrom(...sessionIds);
const index = fc.nat({ max: 60 });
const value = fc.constantFrom('', '1', '2').map((text) => Buffer.from(text));
const content = fc.record({ Key: key, Value: value, Flags: fc.constantFrom<number | bigint>(0, 1, 2n ** 64n - 1n) });

const service = fc
  .record({
    ID: serviceId,
    Service: serviceName,
    Tags: fc.constantFrom([], ['t'], null),
    Meta: fc.constantFrom(null, {}, { k: 'v' }),
    destination: fc.constantFrom('', 'web', 'db'),
  })
  .map(({ destination, ...plain }) =>
    destination === ''
      ? plain
      : { ...plain, Kind: 'connect-proxy', Port: 1, Proxy: { DestinationServiceName: destination } },
  );
const check = fc.record({
  CheckID: checkId,
  Name: checkId,
  Status: status,
  ServiceID: fc.option(serviceId, { nil: '' }),
});

const register = fc
  .record({
    Node: node,
    ID: fc.constantFrom(...nodeIds),
    Address: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    NodeMeta: fc.constantFrom(null, { k: 'v' }),
    Service: fc.option(service),
    Checks: fc.array(check, { maxLength: 2 }),
    SkipNodeUpdate: fc.boolean(),
  })
  .map((body) => {
    const checks = body.Checks.map((one) => ({ ...one, Node: body.Node }));
    const request = decode(registerRequest, { ...body, Checks: checks }, { naming: 'api', unknown: 'refuse' });
    if (!request.ok) throw new TypeError(request.error);
    return { name: 'catalog.register', args: { ...request.value, Datacenter: 'dc1' } } as const;
  });

const kvVerb = fc.constantFrom(
  'set',
  'cas',
  'lock',
  'unlock',
  'delete',
  'delete-cas',
  'delete-tree',
  'get',
  'check-index',
  'frob',
);
const operation = fc.oneof(
  fc
    .record({ Verb: kvVerb, Key: key, Value: fc.constant('eA=='), Index: index, Session: session })
    .map((KV) => ({ KV })),
  fc
    .record({
      Verb: fc.constantFrom('set', 'cas', 'delete', 'delete-cas', 'get'),
      Node: fc.record({ Node: node, Address: fc.constant('10.0.0.9'), ModifyIndex: index }),
    })
    .map((Node) => ({ Node })),
  fc
    .record({
      Verb: fc.constantFrom('set', 'delete'),
      Node: node,
      Service: fc.record({ ID: serviceId, Service: serviceName }),
    })
    .map((Service) => ({ Service })),
);
const txn = fc.array(operation, { minLength: 1, maxLength: 4 }).map((operations) => {
  const decoded = decode(s.list(txnOperation), operations, { naming: 'api', unknown: 'refuse' });
  if (!decoded.ok) throw new TypeError(decoded.error);
  return { name: 'txn', args: { Ops: decoded.value ?? [] } } as const;
});

const named = <N extends CommandName>(name: N, args: fc.Arbitrary<CommandArgs<N>>) =>
  args.map((one) => ({ name, args: one }));

/** As they lie in the log: what the leader decides (ids, defaults) is in them. */
export const anyCommand = fc.oneof(
  { arbitrary: register, weight: 6 },
  { arbitrary: txn, weight: 3 },
  named(
    'catalog.deregister',
    fc.record({
      Datacenter: fc.constant(''),
      Node: node,
      ServiceID: fc.option(serviceId, { nil: '' }),
      CheckID: fc.option(checkId, { nil: '' }),
    }),
  ),
  named('kv.set', content),
  named('kv.cas', fc.record({ Key: key, Value: value, Flags: fc.constant(0), Index: index })),
  named('kv.acquire', fc.record({ Key: key, Value: value, Flags: fc.constant(0), Session: session })),
  named('kv.release', fc.record({ Key: key, Value: value, Flags: fc.constant(0), Session: session })),
  named('kv.delete', fc.record({ Key: key })),
  named('kv.deleteTree', fc.record({ Prefix: fc.constantFrom('', 'a', 'a/', 'x') })),
  named(
    'session.create',
    fc.record({
      ID: session,
      Name: fc.constant(''),
      Node: node,
      LockDelay: fc.constant(0),
      Behavior: fc.constantFrom('release', 'delete'),
      TTL: fc.constant(''),
      NodeChecks: fc.constantFrom([], ['serfHealth'], ['c1']),
      ServiceChecks: fc.constant(null),
      Checks: fc.constant(null),
    }),
  ),
  named('session.destroy', fc.record({ ID: session })),
  named('tombstone.reap', fc.record({ Index: index })),
) as fc.Arbitrary<AnyCommand>;

const origin = { accessor: '', agent: 'test', address: '', call: 'test', timeMs: 0 };

export function encodeCommand({ name, args }: AnyCommand): Uint8Array {
  return encodeEnvelope({ name, version: 1, origin, args });
}
