/** Everything that must always be true of a cluster. README.md prints this list. */
import { acknowledgedWrites } from './acknowledged-writes.ts';
import { appliedOnce } from './applied-once.ts';
import { askedFirst } from './asked-first.ts';
import { commitAgreement } from './commit-agreement.ts';
import { commitDurability } from './commit-durability.ts';
import { configurationSteps } from './configuration-steps.ts';
import { durablePromises } from './durable-promises.ts';
import { electionSafety } from './election-safety.ts';
import type { Invariant } from './invariant.ts';
import { leaderAppendOnly } from './leader-append-only.ts';
import { leaderCompleteness } from './leader-completeness.ts';
import { leadersStepDown } from './leaders-step-down.ts';
import { logMatching } from './log-matching.ts';
import { monotonicIndexes } from './monotonic-indexes.ts';
import { proposedOnce } from './proposed-once.ts';
import { queryIndexes } from './query-indexes.ts';
import { readFreshness } from './read-freshness.ts';
import { stateMachineSafety } from './state-machine-safety.ts';

export const invariants: readonly Invariant[] = [
  electionSafety,
  askedFirst,
  leadersStepDown,
  leaderAppendOnly,
  logMatching,
  commitAgreement,
  leaderCompleteness,
  commitDurability,
  stateMachineSafety,
  appliedOnce,
  monotonicIndexes,
  durablePromises,
  acknowledgedWrites,
  proposedOnce,
  readFreshness,
  configurationSteps,
  queryIndexes,
];
