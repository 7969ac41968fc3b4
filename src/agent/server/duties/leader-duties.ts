/**
 * What a leader does besides answering: it starts with its leadership and ends with it. Each duty is a file of its own; here
 * they are started in order, once the leader has applied its predecessors' log.
 */
import type { AppliedCommand, CommandArgs } from '../../../fsm/index.ts';
import { millisecond, second } from '../../../std/duration.ts';
import type { NodeCoordinate, Session } from '../../../structs/index.ts';
import { CatalogDuty, type MemberSource } from './catalog-duty.ts';
import { CoordinateBatch } from './coordinate-batch.ts';
import type { DutyServer } from './duty-server.ts';
import { LockDelays } from './lock-delays.ts';
import { SessionTimers } from './session-timers.ts';
import { TombstoneGc } from './tombstone-gc.ts';

/** A duty of another room (the certificate authority, autopilot). */
export interface ExtraDuty {
  readonly name: string;
  start(): void | Promise<void>;
  stop(): void;
}

export type AutopilotSeed = CommandArgs<'autopilot.setConfiguration'>['Config'];

/** What the first leader stores where the agent's configuration says nothing else. */
export const autopilotDefaults: AutopilotSeed = {
  CleanupDeadServers: true,
  LastContactThreshold: 200 * millisecond,
  MaxTrailingLogs: 250,
  MinQuorum: 0,
  ServerStabilizationTime: 10 * second,
  RedundancyZoneTag: '',
  DisableUpgradeMigration: false,
  UpgradeVersionTag: '',
};

/**
 * How long the duties that nobody waits for stay behind a new leadership, ms: the requests that were held through the election go first,
 * and to read a certificate authority's keys holds the event loop for 10 to 20 ms.
 */
const restPauseMs = 25;

export class LeaderDuties {
  readonly lockDelays = new LockDelays();
  readonly #server: DutyServer;
  readonly #sessions: SessionTimers;
  readonly #tombstones: TombstoneGc;
  readonly #coordinates: CoordinateBatch;
  readonly #catalog: CatalogDuty;
  readonly #extra: ExtraDuty[] = [];
  readonly #autopilot: AutopilotSeed;
  #active = false;
  /** The duties that nobody waits for have begun. */
  #restActive = false;
  #cancelRest: () => void = () => {};

  constructor(server: DutyServer, members: MemberSource, autopilot: AutopilotSeed) {
    this.#server = server;
    this.#autopilot = autopilot;
    const { clock } = server;
    const warn = server.warn.bind(server);
    const edges = { clock, warn };
    this.#sessions = new SessionTimers({
      ...edges,
      destroy: (ID) => server.write('session.destroy', { ID }, 'leader/session-ttl'),
    });
    this.#tombstones = new TombstoneGc({
      ...edges,
      reap: (Index) => server.write('tombstone.reap', { Index }, 'leader/tombstone-gc'),
    });
    this.#coordinates = new CoordinateBatch({
      ...edges,
      write: (Updates) => server.write('coordinate.update', { Updates }, 'leader/coordinates'),
    });
    this.#catalog = new CatalogDuty(server, members);
  }

  /** Adds a duty; if this server leads already it starts at once. */
  add(duty: ExtraDuty): void {
    this.#extra.push(duty);
    if (this.#restActive) this.#startExtra(duty);
  }

  start(): void {
    this.stop();
    this.#active = true;
    this.#sessions.start(this.#server.view());
    this.#cancelRest = this.#server.clock.after(restPauseMs, () => this.#startRest());
  }

  /** For a request that one of the waiting duties answers: they begin now. */
  hurry(): void {
    if (this.#active && !this.#restActive) this.#startRest();
  }

  #startRest(): void {
    this.#cancelRest();
    this.#restActive = true;
    for (const duty of this.#extra) this.#startExtra(duty);
    this.#initialise().catch((error: unknown) => {
      this.#server.warn('the first writes of a leader failed', { error: String(error) });
    });
    this.#catalog.start();
  }

  stop(): void {
    if (!this.#active) return;
    this.#active = false;
    this.#restActive = false;
    this.#cancelRest();
    this.#sessions.stop();
    this.#tombstones.stop();
    this.#coordinates.stop();
    this.#catalog.stop();
    this.lockDelays.clear();
    for (const duty of this.#extra) duty.stop();
  }

  applied(command: AppliedCommand): void {
    if (!this.#active) return;
    this.lockDelays.applied(command, this.#server.clock.wallMs());
    this.#sessions.applied(command);
    this.#tombstones.applied(command);
  }

  /** The state is another one: what speaks of the old one is void, and begins again. */
  replaced(): void {
    if (this.#active) this.start();
  }

  renew(session: Session): void {
    this.#sessions.renew(session);
  }

  report(update: NodeCoordinate): void {
    this.#coordinates.add(update);
  }

  #startExtra(duty: ExtraDuty): void {
    Promise.resolve(duty.start()).catch((error: unknown) => {
      this.#server.warn('a duty of the leader failed', { duty: duty.name, error: String(error) });
    });
  }

  /** What every state must hold, written by the first leader that does not find it. */
  async #initialise(): Promise<void> {
    const singletons = this.#server.view().table('singletons');
    if (singletons.get(['system/intention-format']) === undefined) {
      const fact = { Key: 'intention-format', Value: 'config-entry' };
      await this.#server.write('systemMetadata.set', fact, 'leader/initialise');
    }
    if (singletons.get(['autopilot']) === undefined) {
      const args = { Config: this.#autopilot, Cas: 0 };
      await this.#server.write('autopilot.setConfiguration', args, 'leader/initialise');
    }
  }
}
