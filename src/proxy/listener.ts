/**
 * One listening socket and its life: bind, bind again after a failure (the port may become free), stop. Stopping closes
 * the door only; connections that are inside go on until they end, are drained or cut.
 */
import { chmodSync, statSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:net';
import type { Clock } from '../std/clock.ts';
import { backoffMs } from './backoff.ts';
import type { Chance } from './clock.ts';
import type { ProxyCounters } from './counters.ts';
import type { Logger } from './log.ts';
import { type ListenAddress, showAddress } from './snapshot.ts';
import type { Sweeper } from './sweeper.ts';

/** What every listener of a proxy shares. */
export interface ListenerContext {
  readonly log: Logger;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly counters: ProxyCounters;
  readonly sweeper: Sweeper;
}

/** A server with connections of its own. */
export interface ManagedServer {
  readonly server: Server;
  /** Connections open now, in whatever phase. */
  readonly active: number;
  destroyConnections(): void;
}

const retry = { baseMs: 500, maxMs: 15_000 } as const;
/** Connections that may wait to be accepted; the kernel's own limit is lower on many hosts and holds then. */
const backlog = 4_096;

export class Listener<S extends ManagedServer = ManagedServer> {
  readonly name: string;
  readonly at: ListenAddress;
  readonly inside: S;
  readonly #context: ListenerContext;
  #failures = 0;
  #stopped = false;
  #cancelRetry: () => void = () => {};
  readonly #onListening: () => void;

  constructor(name: string, at: ListenAddress, inside: S, context: ListenerContext, onListening: () => void) {
    this.name = name;
    this.at = at;
    this.inside = inside;
    this.#context = context;
    this.#onListening = onListening;
    inside.server.on('error', (error) => this.#failed(error));
    inside.server.on('listening', () => this.#listening());
    this.#bind();
  }

  get listening(): boolean {
    return this.inside.server.listening;
  }

  /** Closes the door at once; what is inside stays. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelRetry();
    if (this.listening) {
      this.inside.server.close();
      this.#context.log.info('listener stopped', { listener: this.name, address: showAddress(this.at) });
    }
  }

  #bind(): void {
    const { server } = this.inside;
    if (this.at.kind === 'unix') {
      removeStaleSocket(this.at.path);
      server.listen({ path: this.at.path, backlog });
    } else {
      server.listen({ host: this.at.address, port: this.at.port, backlog });
    }
  }

  #listening(): void {
    if (this.#stopped) {
      this.inside.server.close();
      return;
    }
    if (this.at.kind === 'unix' && this.at.mode !== undefined) chmodSync(this.at.path, this.at.mode);
    this.#failures = 0;
    this.#context.log.info('starting listener', { listener: this.name, address: showAddress(this.at) });
    this.#onListening();
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (this.#stopped) return;
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, retry, this.#context.chance);
    this.#context.log.error('listener cannot start, trying again', {
      listener: this.name,
      address: showAddress(this.at),
      reason: error.code ?? error.message,
      retryInMs: Math.round(delayMs),
    });
    this.#cancelRetry = this.#context.clock.after(delayMs, () => this.#bind());
  }
}

/** A socket file outlives a killed process and would make the address "in use" for ever. Anything else is left alone. */
function removeStaleSocket(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
}
