/**
 * The replicated state of a simulated server on its simulated disk, with reads outside the log. What it has applied survives the death of
 * the process (the kernel holds the pages) and not a power loss, after which it is rebuilt from its last checkpoint: as Heddle's own.
 */
import { crc32 } from 'node:zlib';
import type { CheckpointFile, CheckpointReceiver, CommittedEntry, StateMachine } from '../../src/raft/index.ts';
import type { Random } from '../../src/std/random.ts';
import type { Answers } from '../invariants/invariant.ts';
import type { ReplicatedState, Saved } from './state.ts';

export interface Command {
  /** Unique in the run. */
  readonly id: number;
  readonly key: string;
  readonly value: number;
  /** Compare-and-set: only if the register holds this. */
  readonly expect?: number | null;
  readonly padding?: string;
  /** Of Heddle's own state machine: the log entry as its leader made it, base64. */
  readonly envelope?: string;
  /** Absent: the first format. A server that does not know it must stop, not skip it. */
  readonly format?: number;
}

/** Formats of commands: what a server knows that has been upgraded. */
export const newestFormat = 2;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const encodeCommand = (command: Command): Uint8Array => encoder.encode(JSON.stringify(command));
export const decodeCommand = (data: Uint8Array): Command => JSON.parse(decoder.decode(data)) as Command;

export interface MachineEvents {
  later(delayMs: number, callback: () => void): void;
  nowMs(): number;
  /** An entry was applied; `hash` covers everything applied up to it. */
  applied(entry: CommittedEntry, command: Command, hash: number): void;
  restored(index: number, hash: number): void;
  /** What the state is after a run or a restore, where entries alone do not tell. */
  stateIs(index: number, fingerprint: string): void;
  answers(index: number, answers: Answers): void;
  /** Something is about to be, or has just been, written for good. True: the process has died here; nothing more is done. */
  persists(what: string): boolean;
  mark(name: string): void;
}

/** All queries are asked at one state in so many, the same on every server; an index that fell in between is still too low there. */
const answersEvery = 11;

/** What a dead process does: nothing, for ever. */
const dead = <T>(): Promise<T> => new Promise(() => {});

interface Content extends Saved {
  readonly hash: number;
  readonly appliedIndex: number;
  readonly format: number;
}

export class SimMachine implements StateMachine {
  readonly state: ReplicatedState;
  appliedIndex = 0;
  /** Over every command applied, in order. */
  hash = 0;
  /** A received checkpoint is compared with its checksum. */
  verifies = true;
  /** The next checkpoint fails. */
  failNextCheckpoint = false;
  /** There is no room for a checkpoint until then. */
  fullUntilMs = 0;
  /** The newest format of commands and checkpoints that this server knows: that of its version. */
  format = 1;
  /** It met something of a newer format, and stopped. */
  refused: string | undefined;
  /** The newest format of what it holds. */
  #written = 1;
  readonly #files = new Map<string, Uint8Array>();
  #latest: CheckpointFile | undefined;
  /** A checkpoint of which not everything has arrived. */
  #partial: { readonly id: string; readonly chunks: Uint8Array[] } | undefined;
  #number = 0;
  readonly #name: string;
  readonly #random: Random;
  readonly #events: MachineEvents;

  constructor(name: string, random: Random, state: ReplicatedState, events: MachineEvents) {
    this.#name = name;
    this.state = state;
    this.#random = random.stream('machine');
    this.#events = events;
  }

  apply(entries: readonly CommittedEntry[]): readonly unknown[] {
    const commands = entries.map(({ data }) => decodeCommand(data));
    this.#persists('apply, before');
    // All of a run or none: a transaction that meets what this release does not know is rolled back.
    for (const [i, { format }] of commands.entries()) this.#know(format ?? 1, `entry ${entries[i]!.index}`);
    const results = this.state.apply(entries, commands);
    for (const [i, entry] of entries.entries()) {
      this.appliedIndex = entry.index;
      this.hash = crc32(entry.data, crc32(`${entry.index} ${entry.term}`, this.hash));
      this.#events.applied(entry, commands[i]!, this.hash);
    }
    this.#tellState();
    this.#persists('apply, after');
    return results;
  }

  #tellState(): void {
    const fingerprint = this.state.fingerprint();
    if (fingerprint !== undefined) this.#events.stateIs(this.appliedIndex, fingerprint);
    const answers = this.appliedIndex % answersEvery === 0 ? this.state.answers() : undefined;
    if (answers !== undefined) this.#events.answers(this.appliedIndex, answers);
  }

  /** In the middle of a call that the dead process made: its node has stopped, and hears of no error. */
  #persists(what: string): void {
    if (this.#events.persists(what)) throw new Error('this process is dead');
  }

  checkpoint(): Promise<CheckpointFile> {
    const { hash, appliedIndex } = this;
    const content: Content = { ...this.state.save(), hash, appliedIndex, format: this.#written };
    const bytes = encoder.encode(JSON.stringify(content));
    const id = `${this.#name}-${this.#number++}`;
    const checksum = `${crc32(bytes)}`;
    const file = { id, index: this.appliedIndex, sizeBytes: bytes.length, checksum };
    return new Promise((resolve, reject) => {
      this.#events.later(this.#random.next() * 200, () => {
        if (this.failNextCheckpoint || this.#isFull) {
          this.failNextCheckpoint = false;
          reject(new Error('no space left: simulated'));
          return;
        }
        if (this.#events.persists('checkpoint, before')) return;
        this.#store(file, bytes);
        if (this.#events.persists('checkpoint, after')) return;
        resolve(file);
      });
    });
  }

  latestCheckpoint(): CheckpointFile | undefined {
    return this.#latest;
  }

  async readCheckpoint(file: CheckpointFile, offset: number, bytesMax: number): Promise<Uint8Array> {
    const bytes = this.#files.get(file.id);
    if (bytes === undefined) throw new Error(`checkpoint ${file.id} is gone`);
    return bytes.slice(offset, offset + bytesMax);
  }

  async receiveCheckpoint(file: CheckpointFile): Promise<CheckpointReceiver> {
    if (this.#partial?.id !== file.id) this.#partial = { id: file.id, chunks: [] };
    const { chunks } = this.#partial;
    const offset = chunks.reduce((sum, { length }) => sum + length, 0);
    if (offset > 0) this.#events.mark('checkpoint: resumed');
    return {
      offset,
      write: async (chunk) => {
        if (this.#isFull) throw new Error('no space left: simulated');
        chunks.push(chunk);
        if (this.#events.persists('chunk received')) return dead();
      },
      finish: async () => {
        const bytes = Buffer.concat(chunks);
        this.#partial = undefined;
        const whole = bytes.length === file.sizeBytes && `${crc32(bytes)}` === file.checksum;
        if (!whole && this.verifies) throw new Error('checksum');
        this.#files.set(file.id, bytes);
        if (this.#events.persists('checkpoint received')) return dead();
      },
      // What is here is kept: the next transfer of the same checkpoint goes on behind it.
      abort: async () => {},
    };
  }

  async restore(file: CheckpointFile): Promise<void> {
    if (this.#events.persists('restore, before')) return dead();
    this.#load(this.#files.get(file.id)!);
    this.#latest = file;
    this.#events.restored(this.appliedIndex, this.hash);
    this.#tellState();
    if (this.#events.persists('restore, after')) return dead();
  }

  /** What the applied state was is gone with the power; the last durable checkpoint is what there is. */
  losePower(): void {
    // Chunks are not synced until the last is here: how many the disk kept is chance.
    if (this.#partial !== undefined) this.#partial.chunks.length = this.#random.int(0, this.#partial.chunks.length);
    const file = this.#latest;
    if (file !== undefined) this.#load(this.#files.get(file.id)!);
    else this.#load(encoder.encode('{"hash":0,"appliedIndex":0,"format":1}'));
  }

  /** The disk is replaced by an empty one. */
  loseDisk(): void {
    this.#files.clear();
    this.#partial = undefined;
    this.#latest = undefined;
    this.losePower();
  }

  get #isFull(): boolean {
    return this.fullUntilMs > this.#events.nowMs();
  }

  /** Design: what this release does not know stops it loudly, at that index; to go on without it would be to diverge. */
  #know(format: number, where: string): void {
    if (format > this.format) {
      this.refused = `${where} has format ${format}, unknown to this release (${this.format})`;
      throw new Error(this.refused);
    }
    this.#written = Math.max(this.#written, format);
  }

  #load(bytes: Uint8Array): void {
    const content = JSON.parse(decoder.decode(bytes)) as Content;
    this.#know(content.format, `a checkpoint at ${content.appliedIndex}`);
    this.#written = content.format;
    this.state.load(content);
    this.hash = content.hash;
    this.appliedIndex = content.appliedIndex;
  }

  #store(file: CheckpointFile, bytes: Uint8Array): void {
    const old = this.#latest;
    this.#files.set(file.id, bytes);
    // One that was begun before a newer one was installed is of no use.
    if (old !== undefined && old.index > file.index) return;
    this.#latest = file;
    if (old !== undefined && this.#random.chance(0.5)) this.#files.delete(old.id);
  }
}
