/** All planted bugs. */
import { commandMutations } from './commands.ts';
import { edgeMutations } from './edges.ts';
import type { Mutation } from './mutation.ts';
import { ruleMutations } from './rules.ts';

export type { Mutation } from './mutation.ts';
export const mutations: readonly Mutation[] = [...ruleMutations, ...edgeMutations, ...commandMutations];
