import { expect, it } from 'vitest';
import {
  type AgentTags,
  admissionFault,
  encodeTags,
  type PoolMember,
  serverOf,
} from '../../../src/agent/membership/tags.ts';

const tags: AgentTags = {
  role: 'server',
  datacenter: 'dc1',
  id: 'a',
  build: '0.1.0',
  aclsEnabled: false,
  rpcPort: 8300,
  bootstrap: false,
  bootstrapExpect: 3,
  usesTls: false,
};
const member = (more: Partial<PoolMember> = {}): PoolMember => ({
  name: 's1',
  address: '10.0.0.1',
  port: 8301,
  status: 'alive',
  protocolMin: 1,
  protocolMax: 5,
  protocolCur: 2,
  tags: encodeTags(tags),
  ...more,
});

it('reads a server from the tags that a server writes', () => {
  expect(serverOf(member())).toMatchObject({
    id: 'a',
    rpcPort: 8300,
    expect: 3,
    bootstrap: false,
    build: '0.1.0',
    datacenter: 'dc1',
  });
});

it('tells one that awaits nobody by the tag bootstrap', () => {
  expect(encodeTags({ ...tags, bootstrapExpect: 1 })).toMatchObject({ bootstrap: '1' });
  expect(encodeTags({ ...tags, bootstrapExpect: 1 })).not.toHaveProperty('expect');
});

it.each([
  ['a client', encodeTags({ ...tags, role: 'client' })],
  ['one without a port', { ...encodeTags(tags), port: 'x' }],
  ['one without a version', { ...encodeTags(tags), build: 'new' }],
  ['one with an expectation that is no number', { ...encodeTags(tags), expect: 'many' }],
  ['a plain serf agent', { role: 'web' }],
])('does not take %s for a server', (_, other) => {
  expect(serverOf(member({ tags: other as Record<string, string> }))).toBeUndefined();
});

it.each([
  ['another datacenter', { ...encodeTags(tags), dc: 'dc2' }, /wrong datacenter 'dc2'/],
  ['our node id under another name', { ...encodeTags(tags), id: 'mine' }, /conflicting node ID/],
  ['a segment', { ...encodeTags(tags), segment: 'x' }, /wrong segment 'x'/],
])('refuses %s', (_, other, text) => {
  expect(admissionFault(member({ tags: other }), { name: 'me', id: 'mine', datacenter: 'dc1' })).toMatch(text);
});

it('admits an agent of our own, and a plain serf agent', () => {
  const own = { name: 'me', id: 'mine', datacenter: 'dc1' };
  expect(admissionFault(member(), own)).toBeUndefined();
  expect(admissionFault(member({ tags: { role: 'web' } }), own)).toBeUndefined();
});
