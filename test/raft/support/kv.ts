/** A small key-value state machine in memory: commands are JSON `{ set, to }` or `{ cas, from, to }`, results say what happened. */
import { createHash } from 'node:crypto';
import type { CheckpointFile, CheckpointReceiver, CommittedEntry, StateMachine } from '../../../src/raft/index.ts';

export type Command = { key: string; to: string; from?: string };
export const encode = (command: Command): Uint8Array => new TextEncoder().encode(JSON.stringify(command));

export class KvMachine implements StateMachine {
  appliedIndex = 0;
  readonly state = new Map<string, string>();
  readonly runs: number[] = [];
  #checkpoints = new Map<string, Uint8Array>();
  #latest: CheckpointFile | undefined;

  apply(entries: readonly CommittedEntry[]): readonly unknown[] {
    this.runs.push(entries.length);
    return entries.map((entry) => {
      const command = JSON.parse(new TextDecoder().decode(entry.data)) as Command;
      this.appliedIndex = entry.index;
      const before = this.state.get(command.key);
      if (command.from !== undefined && before !== command.from) return { ok: false, before };
      this.state.set(command.key, command.to);
      return { ok: true, before };
    });
  }

  async checkpoint(): Promise<CheckpointFile> {
    const bytes = new TextEncoder().encode(JSON.stringify([...this.state]));
    const checksum = createHash('sha256').update(bytes).digest('hex');
    const file = { id: `${this.appliedIndex}`, index: this.appliedIndex, sizeBytes: bytes.length, checksum };
    this.#checkpoints.set(checksum, bytes);
    this.#latest = file;
    return file;
  }

  latestCheckpoint(): CheckpointFile | undefined {
    return this.#latest;
  }

  async readCheckpoint(file: CheckpointFile, offset: number, bytesMax: number): Promise<Uint8Array> {
    const bytes = this.#checkpoints.get(file.checksum);
    if (bytes === undefined) throw new Error(`no checkpoint ${file.id}`);
    return bytes.subarray(offset, offset + bytesMax);
  }

  async receiveCheckpoint(file: CheckpointFile): Promise<CheckpointReceiver> {
    const chunks: Uint8Array[] = [];
    return {
      offset: 0,
      write: async (chunk) => {
        chunks.push(chunk);
      },
      finish: async () => {
        const bytes = Buffer.concat(chunks);
        const checksum = createHash('sha256').update(bytes).digest('hex');
        if (bytes.length !== file.sizeBytes || checksum !== file.checksum) throw new Error('checksum');
        this.#checkpoints.set(file.checksum, bytes);
      },
      abort: async () => {},
    };
  }

  async restore(file: CheckpointFile): Promise<void> {
    const bytes = this.#checkpoints.get(file.checksum)!;
    this.state.clear();
    for (const [key, value] of JSON.parse(new TextDecoder().decode(bytes))) this.state.set(key, value);
    this.appliedIndex = file.index;
    this.#latest = file;
  }
}
