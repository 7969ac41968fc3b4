/** All planted bugs. */
import { edgeMutations } from './edges.ts';
import type { Mutation } from './mutation.ts';
import { ruleMutations } from './rules.ts';

export type { Mutation } from './mutation.ts';
export const mutations: readonly Mutation[] = [...ruleMutations, ...edgeMutations];
