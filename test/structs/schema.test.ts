import { describe, expect, it } from 'vitest';
import { JsonNumber } from '../../src/std/json-value.ts';
import { decode, encode, healthCheck, node, nodeService, type Schema, s, snakeCase } from '../../src/structs/index.ts';

const api = { naming: 'api', unknown: 'refuse' } as const;
const probe = s.record('Probe', {
  Name: s.string(),
  Port: s.int(),
  Every: s.duration(),
  Tags: s.list(s.string()),
  Meta: s.omitEmpty(s.map(s.string())),
  Big: s.uint64(),
});

it('reads keys in any case, null as unset, and fills the rest with zeroes', () => {
  const read = decode(probe, { name: 'web', PORT: null, Every: '1m30s' }, api);
  expect(read).toEqual({ ok: true, value: { Name: 'web', Port: 0, Every: 90e9, Tags: null, Meta: null, Big: 0 } });
});

it.each([
  [{ Bogus: 1 }, 'json: unknown field "Bogus"'],
  [{ Port: '80' }, 'json: cannot unmarshal string into Go struct field .Port of type int'],
  [{ Port: 1.5 }, 'json: cannot unmarshal number 1.5 into Go struct field .Port of type int'],
  [{ Tags: 'a' }, 'json: cannot unmarshal string into Go struct field .Tags of type []string'],
  [{ Every: '10' }, 'time: missing unit in duration "10"'],
  [[], 'json: cannot unmarshal array into Go value of type Probe'],
])('refuses %j as Go does', (input, error) => {
  expect(decode(probe, input, api)).toEqual({ ok: false, error });
});

it('reads files in snake_case only', () => {
  const file = { naming: 'file', unknown: 'refuse' } as const;
  expect(decode(nodeService, { enable_tag_override: true, service: 'web' }, file)).toMatchObject({ ok: true });
  expect(decode(nodeService, { EnableTagOverride: true }, file)).toMatchObject({ ok: false });
});

it('prints in declared order, leaves out what is empty, escapes as Go does', () => {
  const value = { Name: 'a<b>&', Port: 1, Every: 1e9, Tags: ['x'], Meta: null, Big: 2n ** 64n - 1n };
  expect(encode(probe, value)).toBe(
    '{"Name":"a\\u003cb\\u003e\\u0026","Port":1,"Every":"1s","Tags":["x"],"Big":18446744073709551615}',
  );
});

it('prints a catalog service in the form of the catalog', () => {
  const value = { ...nodeService.zero(), ID: 'web', Service: 'web', Port: 80, Weights: { Passing: 1, Warning: 1 } };
  expect(encode(nodeService, value)).toBe(
    '{"ID":"web","Service":"web","Tags":[],"Address":"","Meta":null,"Port":80,"Weights":{"Passing":1,"Warning":1},' +
      '"EnableTagOverride":false,"Proxy":{"Mode":"","MeshGateway":{},"Expose":{}},"Connect":{},"CreateIndex":0,"ModifyIndex":0}',
  );
});

it('keeps a key named __proto__ as data', () => {
  const read = decode(node, JSON.parse('{"Meta":{"__proto__":"x"}}'), api);
  expect(read.ok && Object.keys(read.value.Meta ?? {})).toEqual(['__proto__']);
});

it.each([
  ['EnableTagOverride', 'enable_tag_override'],
  ['GRPCUseTLS', 'grpc_use_tls'],
  ['DockerContainerID', 'docker_container_id'],
  ['H2PING', 'h2ping'],
])('names %s in files %s', (name, snake) => {
  expect(snakeCase(name)).toBe(snake);
});

it('has every field of a health check in its zero', () => {
  expect(Object.keys(healthCheck.zero())).toHaveLength(Object.keys(healthCheck.fields!).length);
});

describe('numbers that JavaScript would round', () => {
  const read = (schema: Schema<unknown>, text: string) => {
    const value = new JsonNumber(text);
    return decode(schema, value, { naming: 'api', unknown: 'refuse' });
  };
  it.each([
    ['int', s.int(), 'json: cannot unmarshal number 1e2 into Go value of type int'],
    ['uint64', s.uint64(), 'json: cannot unmarshal number 1e2 into Go value of type uint64'],
    ['string', s.string(), 'json: cannot unmarshal number into Go value of type string'],
  ])('1e2 is no %s', (_, schema, error) => {
    expect(read(schema, '1e2')).toEqual({ ok: false, error });
  });
  it('but a float, a duration and a free-form value', () => {
    for (const schema of [s.float(), s.duration(), s.json()])
      expect(read(schema, '1e2')).toEqual({ ok: true, value: 100 });
  });
  it('no float is infinite', () => {
    const error = 'json: cannot unmarshal number 1e400 into Go value of type float64';
    for (const schema of [s.float(), s.json()]) expect(read(schema, '1e400')).toEqual({ ok: false, error });
  });
});
