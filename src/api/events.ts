/** User events: short messages that an operator sends to every agent, and that an agent keeps a few of. */
import type { Caller } from './backend.ts';

export interface UserEvent {
  readonly ID: string;
  readonly Name: string;
  readonly Payload: Uint8Array | null;
  /** Regular expressions (RE2); '' for none. Node: on the agent's name. Service and tag: on one of its services. */
  readonly NodeFilter: string;
  readonly ServiceFilter: string;
  readonly TagFilter: string;
  readonly Version: number;
  /** Lamport time; 0 before it was sent. */
  readonly LTime: number;
}

export type UserEventRequest = Pick<UserEvent, 'Name' | 'Payload' | 'NodeFilter' | 'ServiceFilter' | 'TagFilter'>;

export interface Events {
  /** Hands the event to the members of the caller's datacenter. Throws a HeddleError when it cannot be sent. */
  fire(event: UserEventRequest, caller: Caller): Promise<UserEvent>;
  /** Those of the last ones that concern this agent, oldest first. */
  list(): readonly UserEvent[];
  /** Calls back after each event that is kept, until the returned function is called. */
  watch(changed: () => void): () => void;
}
