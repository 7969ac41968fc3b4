/**
 * Saving and restoring the whole state over HTTP.
 *
 * Saving reads from a compacted copy, made in the background, so that writes go on meanwhile. Restoring goes through the log:
 * the rows are sent in pieces, out of every reader's sight, and one last command makes them the state on every server.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caller, ReadOptions, SavedSnapshot, Snapshots } from '../../../api/backend.ts';
import {
  isKnownRecord,
  LmdbStorage,
  Refusal,
  StateFileReader,
  type StateHeader,
  type StateRecord,
  writeState,
} from '../../../fsm/index.ts';
import { HeddleError } from '../../../std/errors.ts';
import type { Server } from '../server.ts';
import { readArchive } from './archive-read.ts';
import { writeArchive } from './archive-write.ts';

/** Bytes of rows in one log entry of a restore. */
const entryBytes = 512 * 1024;

export class ServerSnapshots implements Snapshots {
  readonly #server: Server;
  readonly #nowMs: () => number;

  constructor(server: Server, nowMs: () => number) {
    this.#server = server;
    this.#nowMs = nowMs;
  }

  async save(options: Pick<ReadOptions, 'caller' | 'consistency'>): Promise<SavedSnapshot> {
    if (options.consistency === 'stale') return this.#saveHere();
    return this.#server.whereLed(
      options.caller,
      () => this.#saveHere(),
      (forwarder, leaderId) => forwarder.saveSnapshot(leaderId, options),
    );
  }

  async #saveHere(): Promise<SavedSnapshot> {
    const server = this.#server;
    const directory = await mkdtemp(join(server.state.directory, 'scratch-save-'));
    const discard = (): Promise<void> => rm(directory, { recursive: true, force: true });
    try {
      const statePath = join(directory, 'state.bin');
      const { term, configuration, configurationIndex } = server.raft.status();
      const { lastIndex, ...written } = await this.#writeStateFile(directory, statePath);
      const parts = { index: lastIndex, term, configuration, configurationIndex, nowMs: this.#nowMs(), statePath };
      return {
        archive: writeArchive({ ...parts, ...written }, discard),
        index: lastIndex,
        knownLeader: server.leadership.known,
        lastContactMs: Math.round(server.leadership.lastContactMs()),
      };
    } catch (error) {
      await discard();
      throw error;
    }
  }

  async #writeStateFile(
    directory: string,
    statePath: string,
  ): Promise<{ readonly stateBytes: number; readonly stateSum: string; readonly lastIndex: number }> {
    const copy = join(directory, 'copy.mdb');
    await this.#server.state.copyTo(copy);
    const storage = new LmdbStorage(copy, { readOnly: true });
    const file = await open(statePath, 'wx', 0o600);
    const hash = createHash('sha256');
    const reader = new StateFileReader();
    let stateBytes = 0;
    try {
      // Each write gives the event loop a turn, so that a large state holds nobody up.
      for (const piece of writeState(storage)) {
        if (reader.header === undefined) reader.push(piece);
        hash.update(piece);
        stateBytes += piece.length;
        await file.write(piece);
      }
    } finally {
      await file.close();
      await storage.close();
    }
    if (reader.header === undefined) throw new HeddleError('STATE_FILE_BAD', 'a state file begins with its header');
    return { stateBytes, stateSum: hash.digest('hex'), lastIndex: reader.header.LastIndex };
  }

  async restore(archive: AsyncIterable<Uint8Array>, caller: Caller): Promise<void> {
    await this.#server.untilLed();
    return this.#server.whereLed(
      caller,
      () => this.#restoreHere(archive, caller),
      (forwarder, leaderId) => forwarder.restoreSnapshot(leaderId, archive, caller),
    );
  }

  async #restoreHere(archive: AsyncIterable<Uint8Array>, caller: Caller): Promise<void> {
    const directory = await mkdtemp(join(this.#server.state.directory, 'scratch-restore-'));
    try {
      const statePath = join(directory, 'state.bin');
      await readArchive(archive, statePath);
      const header = await this.#check(statePath);
      await this.#send(statePath, header, caller);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Reads all of the state file before anything changes: half of a state must never take over. */
  async #check(statePath: string): Promise<StateHeader> {
    const reader = new StateFileReader();
    try {
      for await (const records of readRecords(statePath, reader)) {
        const unknown = records.find((record) => !isKnownRecord(record));
        if (unknown !== undefined)
          throw new HeddleError('STATE_FILE_BAD', `Unrecognized msg type ${unknown[0].charCodeAt(0)}`);
      }
      reader.end();
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      throw new Refusal('failed', `Raft error when restoring snapshot: ${error.message}`, {}, { cause: error });
    }
    return reader.header!;
  }

  async #send(statePath: string, { LastIndex }: StateHeader, caller: Caller): Promise<void> {
    const server = this.#server;
    const Id = randomUUID();
    await server.write('snapshot.begin', { Id }, caller);
    let Count = 0;
    let batch: StateRecord[] = [];
    let size = 0;
    const flush = async (): Promise<void> => {
      if (batch.length > 0) await server.write('snapshot.rows', { Id, Rows: batch }, caller);
      Count += batch.length;
      batch = [];
      size = 0;
    };
    for await (const records of readRecords(statePath, new StateFileReader())) {
      for (const record of records) {
        batch.push(record);
        size += record[0].length + record[1].length;
        if (size >= entryBytes) await flush();
      }
    }
    await flush();
    await server.write('snapshot.takeOver', { Id, Count, StateIndex: LastIndex }, caller);
  }
}

async function* readRecords(path: string, reader: StateFileReader): AsyncGenerator<readonly StateRecord[]> {
  for await (const piece of createReadStream(path, { highWaterMark: 256 * 1024 })) yield reader.push(piece as Buffer);
}
