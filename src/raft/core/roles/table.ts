/**
 * What a role does with each kind of message *of its own term* (other terms are settled before, in `core.ts`). The mapped type makes
 * the compiler name every case that a new role or a new message forgets; a case that means nothing says why.
 */
import type { MessageKind, MessageOf } from '../messages.ts';
import type { CoreState } from '../state.ts';

export type Handler<Kind extends MessageKind> = (state: CoreState, message: MessageOf<Kind>) => void;

export type RoleTable = { readonly [Kind in MessageKind]: Handler<Kind> } & {
  readonly tick: (state: CoreState) => void;
};

/** This message means nothing in this role. The reason is for the reader. */
export const ignored = (_why: string) => (): void => {};
