/** A user event as it is delivered. */
export interface UserEvent {
  readonly name: string;
  readonly payload: Uint8Array;
  readonly lamportTime: number;
  /** The sender allowed that several of one name be delivered as the last one. */
  readonly coalesce: boolean;
}
