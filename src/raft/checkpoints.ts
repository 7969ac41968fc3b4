/**
 * Checkpoints in the driver: made when enough entries were applied, sent to followers that need one, received, installed.
 *
 * Making one runs beside everything else, and a large state waits longer for its next one. The log is truncated only behind a
 * checkpoint that is durable, and some entries are kept, so that a follower that is a little late is served from the log.
 */
import { assert } from '../std/assert.ts';
import type { Clock } from '../std/clock.ts';
import type { RaftSettings } from './config.ts';
import type { RaftCore } from './core/core.ts';
import type { CheckpointOffer } from './core/messages.ts';
import type { CheckpointMeta, LogIndex, ServerId } from './core/types.ts';
import { RaftError } from './errors.ts';
import type { RaftLog } from './log/log.ts';
import type { LogWriter } from './log-writer.ts';
import type { CheckpointFile, CheckpointReceiver, StateMachine } from './state-machine.ts';
import type { Transport } from './transport/transport.ts';

export interface CheckpointParts {
  readonly core: RaftCore;
  readonly settings: RaftSettings;
  readonly log: RaftLog;
  readonly writer: LogWriter;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly stateMachine: StateMachine;
  /** Carries out what an input of the core has caused. */
  pump(input: () => void): void;
  stopped(): boolean;
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}

export class Checkpoints {
  readonly #parts: CheckpointParts;
  #making: Promise<CheckpointMeta> | undefined;
  #attemptedAt: LogIndex;
  #receiving: { readonly offer: CheckpointOffer; dead: boolean } | undefined;

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
    this.#attemptedAt = parts.stateMachine.latestCheckpoint()?.index ?? parts.core.state.log.prefix.index;
  }

  get latestIndex(): LogIndex {
    return this.#parts.stateMachine.latestCheckpoint()?.index ?? 0;
  }

  /** Entries between two checkpoints. */
  get #spacing(): number {
    const { settings, stateMachine } = this.#parts;
    const bytes = stateMachine.latestCheckpoint()?.sizeBytes ?? 0;
    return Math.max(settings.checkpointEntries, Math.ceil(bytes / settings.checkpointBytesPerEntry));
  }

  /** Entries were applied: is it time for a checkpoint? */
  applied(index: LogIndex): void {
    if (this.#making !== undefined || index - this.#attemptedAt < this.#spacing) return;
    this.make().catch((error: unknown) => this.#parts.warn('checkpoint failed', { error: String(error) }));
  }

  /** Makes one, or joins the one being made. */
  make(): Promise<CheckpointMeta> {
    if (this.#making !== undefined) return this.#making;
    const making = this.#make().finally(() => {
      this.#making = undefined;
    });
    this.#making = making;
    return making;
  }

  async #make(): Promise<CheckpointMeta> {
    const { core, stateMachine, settings, writer, log, clock } = this.#parts;
    this.#attemptedAt = core.state.appliedIndex;
    const startedMs = clock.monotonicMs();
    const meta = this.#describe(await stateMachine.checkpoint());
    const { index, sizeBytes } = meta;
    this.#parts.info('checkpoint made', { index, bytes: sizeBytes, ms: Math.round(clock.monotonicMs() - startedMs) });
    if (this.#parts.stopped()) throw new RaftError('stopped');
    const limit = core.state.rules.truncationLimit(meta.index, core.state.appliedIndex) - settings.trailingEntries;
    if (limit > core.state.log.prefix.index) {
      writer.task(async () => {
        const term = core.state.log.termAt(limit);
        if (term === undefined || limit <= core.state.log.prefix.index) return;
        await log.truncatePrefix(limit, term, core.state.membership.at(limit));
        core.compacted(limit);
        writer.task(() => this.#cleanUp());
      });
    }
    return meta;
  }

  async #cleanUp(): Promise<void> {
    if (await this.#parts.log.cleanUp()) this.#parts.writer.task(() => this.#cleanUp());
  }

  /** Adds what Raft knows: the term and the configuration at the checkpoint's index. */
  #describe(file: CheckpointFile): CheckpointMeta {
    const { log, membership } = this.#parts.core.state;
    const term = log.termAt(file.index);
    assert(term !== undefined, 'a checkpoint lies within the log');
    return { ...file, term, configuration: membership.at(file.index) };
  }

  /** A follower needs a checkpoint: sends the newest, or makes one if the log does not reach back to it. */
  send(to: ServerId): void {
    const { core, settings, clock, warn } = this.#parts;
    this.#send(to).then(
      (index) => this.#parts.pump(() => core.checkpointSent(to, index)),
      (error: unknown) => {
        if (this.#parts.stopped()) return;
        warn('sending a checkpoint failed', { to, error: String(error) });
        clock.after(settings.electionTimeoutTicks * settings.tickMs, () => {
          if (!this.#parts.stopped()) this.#parts.pump(() => core.checkpointSent(to, undefined));
        });
      },
    );
  }

  async #send(to: ServerId): Promise<LogIndex> {
    const { core, stateMachine, transport } = this.#parts;
    const { state } = core;
    const { term } = state;
    const latest = stateMachine.latestCheckpoint();
    const usable = latest !== undefined && latest.index >= Math.max(state.log.prefix.index, 1);
    const checkpoint = usable ? this.#describe(latest) : await this.make();
    if (state.leadership === undefined || state.term !== term) throw new RaftError('notLeader');
    const offer: CheckpointOffer = { from: state.id, to, term, checkpoint };
    await transport.sendCheckpoint(offer, (offset, bytesMax) =>
      stateMachine.readCheckpoint(checkpoint, offset, bytesMax),
    );
    return checkpoint.index;
  }

  /** Another server offers a checkpoint. The newest offer wins: the sender of an earlier one may be dead. */
  async offered(offer: CheckpointOffer): Promise<CheckpointReceiver | undefined> {
    const { core, clock, stateMachine } = this.#parts;
    let wanted = false;
    this.#parts.pump(() => {
      wanted = core.offered(offer, clock.monotonicMs());
    });
    if (!wanted || this.#parts.stopped()) return undefined;
    if (this.#receiving !== undefined) this.#receiving.dead = true;
    const receiving = { offer, dead: false };
    this.#receiving = receiving;
    const receiver = await stateMachine.receiveCheckpoint(offer.checkpoint);
    const alive = (): void => {
      if (receiving.dead || this.#parts.stopped())
        throw new RaftError('badPeer', { detail: 'another transfer took over' });
    };
    return {
      offset: receiver.offset,
      write: async (chunk) => {
        alive();
        await receiver.write(chunk);
      },
      finish: async () => {
        alive();
        await receiver.finish();
        alive();
        this.#receiving = undefined;
        await this.#install(offer.checkpoint);
      },
      abort: async () => {
        if (this.#receiving === receiving) this.#receiving = undefined;
        await receiver.abort();
      },
    };
  }

  async #install(checkpoint: CheckpointMeta): Promise<void> {
    const { core, clock, writer, log, stateMachine } = this.#parts;
    let begun = false;
    this.#parts.pump(() => {
      begun = core.received(checkpoint, clock.monotonicMs());
    });
    if (!begun) return;
    await new Promise<void>((resolve) => {
      writer.task(async () => {
        await log.beginInstall(checkpoint);
        await stateMachine.restore(checkpoint);
        assert(
          stateMachine.appliedIndex === checkpoint.index,
          'restore moves the applied index to that of the checkpoint',
        );
        await log.finishInstall(checkpoint);
        this.#parts.info('checkpoint installed', { index: checkpoint.index, bytes: checkpoint.sizeBytes });
        if (!this.#parts.stopped()) this.#parts.pump(() => core.installed(checkpoint, clock.monotonicMs()));
        this.#attemptedAt = checkpoint.index;
        writer.task(() => this.#cleanUp());
        resolve();
      });
    });
  }
}
