// Leaves and roots of real certificates: who must trust whom while roots rotate, and what the judge says where they do not.
import { beforeAll, expect, it } from 'vitest';
import { History, type Operation } from '../../jepsen-like/history.ts';
import { rotation } from '../../jepsen-like/workloads/rotation.ts';
import type { WorkloadContext } from '../../jepsen-like/workloads/workload.ts';
import { certificatePem } from '../../src/ca/x509/certificate.ts';
import { crossSign, type Issuer, issued } from '../../src/ca/x509/issue.ts';
import { authority, leaf, nextSerial, now } from '../ca/support.ts';

interface Root {
  readonly RootCert: string;
  readonly Active: boolean;
}

let first: Issuer;
let second: Issuer;
/** Of the first, of the second with its bridge, and of the second without. */
let old: string;
let bridged: string;
let bare: string;
beforeAll(async () => {
  [first, second] = [await authority(undefined, 'first'), await authority(undefined, 'second')];
  old = certificatePem((await leaf(first, 'web')).certificate);
  bare = certificatePem((await leaf(second, 'web')).certificate);
  bridged = bare + certificatePem(issued(crossSign(second.certificate, first, nextSerial(), now)));
});

const root = ({ certificate }: Issuer, Active: boolean): Root => ({ RootCert: certificatePem(certificate), Active });
const operation = (op: string, at: number, more: Partial<Operation>): Operation => ({
  ...{ client: 0, server: 0, op, key: 'roots', input: null, output: null, outcome: 'ok', startMs: at, endMs: at + 1 },
  ...more,
});
const rotated = (at: number, outcome: Operation['outcome'] = 'ok'): Operation => {
  const input = Buffer.from(second.certificate.spki).toString('base64');
  return operation('rotate', at, { input, outcome });
};
const given = (at: number, output: string): Operation => operation('leaf', at, { output });
const told = (at: number, ...output: Root[]): Operation => operation('roots', at, { output });

function violations(operations: Operation[], last: Root[]): string {
  const history = new History();
  for (const each of operations) history.add(each);
  return rotation.check(history, last, {} as WorkloadContext).violations.join('\n');
}

it('holds where the new leaf comes with a bridge and the old root stays', () => {
  const before = [root(first, true)];
  const after = [root(second, true), root(first, false)];
  const operations = [told(0, ...before), given(2, old), rotated(4), given(6, bridged), told(8, ...after)];
  expect(violations(operations, after)).toBe('');
});

it('finds a leaf that hosts do not trust which have not heard of the new root', () => {
  const operations = [told(0, root(first, true)), rotated(4), given(6, bare)];
  const last = [root(second, true), root(first, false)];
  expect(violations(operations, last)).toMatch(/^the leaf of server 0 at 6 ms leads to none of the roots before it$/);
});

it('finds a leaf of a root that nobody was told of', () => {
  const operations = [given(6, bare), told(8, root(first, true))];
  expect(violations(operations, [root(first, true)])).toMatch(/none of the roots after it\n.*none of the last roots/);
});

it('finds an old root that went while its leaves live', () => {
  expect(violations([told(0, root(first, true)), given(2, old), rotated(4)], [root(second, true)])).toMatch(
    /at 2 ms leads to none of the last roots/,
  );
});

it('finds roots of which none, two, or the wrong one is active', () => {
  const both = (one: boolean, other: boolean): Operation => told(8, root(first, one), root(second, other));
  const last = [root(second, true)];
  expect(violations([rotated(4), both(false, true)], last)).toBe('');
  expect(violations([rotated(4), both(false, false)], last)).toMatch(/0 roots are active/);
  expect(violations([rotated(4), both(true, true)], last)).toMatch(/2 roots are active/);
  expect(violations([rotated(4), both(true, false)], last)).toMatch(/of no rotation in force/);
});

it('lets a rotation of unknown outcome have happened, or not', () => {
  const last = [root(second, true), root(first, false)];
  expect(violations([rotated(4, 'unknown'), told(8, ...last)], last)).toBe('');
  expect(violations([rotated(4, 'unknown'), told(8, root(first, true))], last)).toBe('');
});
