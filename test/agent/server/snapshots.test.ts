/** Saving and restoring the whole state: the archive, what it brings back, and every text of a bad one. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Server, ServerSnapshots } from '../../../src/agent/server/index.ts';
import { tarEnd, tarHeader, tarPadding } from '../../../src/agent/server/snapshots/tar.ts';
import { second } from '../../../src/std/duration.ts';
import { eventually } from '../../support/eventually.ts';
import { reference } from '../../support/shared.ts';
import { caller, openServer, reading } from './support.ts';

let directory: string;
let server: Server;
let snapshots: ServerSnapshots;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'heddle-snapshots-'));
  server = await openServer();
  snapshots = new ServerSnapshots(server, Date.now);
});
afterEach(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const put = (to: Server, Key: string, value: string) =>
  to.apply('kv.set', { Key, Value: Buffer.from(value), Flags: 0 }, caller);
async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
async function* piecesOf(bytes: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const save = async (): Promise<Buffer> => collect((await snapshots.save(reading)).archive);
const restore = (bytes: Uint8Array): Promise<void> => snapshots.restore(piecesOf(bytes), caller);

describe('an archive', () => {
  it('is a gzipped tar of meta.json, state.bin and SHA256SUMS that tar and sha256sum accept', async () => {
    await put(server, 'a', '1');
    const saved = await snapshots.save(reading);
    const file = join(directory, 'backup.snap');
    writeFileSync(file, await collect(saved.archive));
    const names = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n');
    expect(names).toEqual(['meta.json', 'state.bin', 'SHA256SUMS']);
    execFileSync('tar', ['-xzf', file, '-C', directory]);
    execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: directory });
    const meta = JSON.parse(readFileSync(join(directory, 'meta.json'), 'utf8'));
    expect(meta).toMatchObject({
      Version: 1,
      Index: saved.index,
      Size: readFileSync(join(directory, 'state.bin')).length,
    });
    expect(saved.index).toBeGreaterThanOrEqual((await server.query('kv.get', { key: 'a' }, reading)).index);
  });

  it('brings back exactly what was saved, wakes who waits, and lets writes go on above', async () => {
    await put(server, 'a', 'old');
    const node = { Datacenter: '', ID: '', Node: 'n1', Address: '10.0.0.1', TaggedAddresses: null, NodeMeta: null };
    await server.apply(
      'catalog.register',
      { ...node, Service: null, Check: null, Checks: null, SkipNodeUpdate: false },
      caller,
    );
    const session = { ID: '', Name: '', Node: 'n1', LockDelay: second, Behavior: '', TTL: '', NodeChecks: [] };
    const id = await server.apply('session.create', { ...session, ServiceChecks: null, Checks: null }, caller);
    await server.apply('kv.acquire', { Key: 'lock', Value: null, Flags: 0, Session: id }, caller);
    const look = async () => [
      (await server.query('kv.list', { prefix: '' }, reading)).value,
      (await server.query('session.node', { node: 'N1' }, reading)).value,
      (await server.query('catalog.services', {}, reading)).value,
    ];
    await eventually(async () => (await server.query('health.node', { node: 's1' }, reading)).value[0]);
    const before = await look();
    const archive = await save();

    await put(server, 'a', 'new');
    await server.apply('kv.deleteTree', { Prefix: '' }, caller);
    const { index } = await server.query('kv.get', { key: 'a' }, reading);
    const waiting = server.query('kv.get', { key: 'a' }, { ...reading, minIndex: index });
    const highest = server.view.appliedIndex;
    await restore(archive);

    expect(Buffer.from((await waiting).value!.Value!).toString()).toBe('old');
    expect(await look()).toEqual(before);
    await server.apply('session.destroy', { ID: id }, caller);
    const lock = (await server.query('kv.get', { key: 'lock' }, reading)).value;
    expect(lock?.Session).toBe('');
    expect(lock?.ModifyIndex).toBeGreaterThan(highest);
  });

  it('takes a new cluster above the indexes that the old one had reached', async () => {
    for (let i = 0; i < 50; i++) await put(server, 'a', String(i));
    const archive = await save();
    const reached = server.view.appliedIndex;
    const other = await openServer({ nodeName: 's1' });
    try {
      await new ServerSnapshots(other, Date.now).restore(piecesOf(archive), caller);
      await put(other, 'b', '1');
      expect((await other.query('kv.get', { key: 'b' }, reading)).index).toBeGreaterThan(reached);
      expect(Buffer.from((await other.query('kv.get', { key: 'a' }, reading)).value!.Value!).toString()).toBe('49');
    } finally {
      await other.stop();
    }
  });
});

describe('a bad archive changes nothing and is told why', () => {
  const golden = reference('golden/state');
  const files = ['extra', 'badhash', 'unlisted', 'padded', 'badmeta', 'garbage', 'empty', 'gzip-only'];
  const numbers: Record<string, number> = { garbage: 389, empty: 390, 'gzip-only': 391 };
  for (const [i, name] of files.entries()) {
    const path = golden === null ? '' : join(golden, `basic-${numbers[name] ?? 422 + i}-snapshot-restore-${name}.json`);
    it.skipIf(!existsSync(path))(`as captured: ${name}`, async () => {
      const { request, response } = JSON.parse(readFileSync(path, 'utf8'));
      const body =
        typeof request.body === 'string'
          ? Buffer.from(request.body)
          : Buffer.from(request.body?.base64 ?? '', 'base64');
      await put(server, 'a', '1');
      await expect(restore(body)).rejects.toMatchObject({ code: 'failed', message: response.body });
      expect((await server.query('kv.get', { key: 'a' }, reading)).value).not.toBeNull();
    });
  }

  it('cut anywhere', async () => {
    await put(server, 'a', 'x'.repeat(10_000));
    const archive = await save();
    const step = Math.ceil(archive.length / 40);
    // Every few bytes, and each place in what closes the compression.
    for (let at = 0; at < archive.length; at += at < archive.length - step ? step : 1) {
      await expect(restore(archive.subarray(0, at))).rejects.toMatchObject({ code: 'failed' });
    }
    await restore(archive);
  });

  it('with a member after the end', async () => {
    await put(server, 'a', '1');
    const archive = await save();
    await expect(restore(Buffer.concat([archive, Buffer.from('rubbish')]))).rejects.toThrow('gzip: invalid header');
  });

  it('with a state that is none, though its sums are right', async () => {
    const { createHash } = await import('node:crypto');
    const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    const meta = Buffer.from('{"Version":1,"ID":"1-1-1","Index":1,"Term":1}\n');
    const state = Buffer.from('HEDDLX and so on, not a state');
    const sums = Buffer.from(`${sum(meta)}  meta.json\n${sum(state)}  state.bin\n`);
    const member = (name: string, content: Buffer) => [
      tarHeader(name, content.length, 0),
      content,
      tarPadding(content.length),
    ];
    const tar = [...member('meta.json', meta), ...member('state.bin', state), ...member('SHA256SUMS', sums), tarEnd];
    await expect(restore(gzipSync(Buffer.concat(tar)))).rejects.toThrow(
      'Raft error when restoring snapshot: not a state file: it does not begin as one',
    );
    expect(gunzipSync(gzipSync(Buffer.concat(tar))).length % 512).toBe(0);
  });
});
