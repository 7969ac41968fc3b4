/** Who may talk to whom, as pure data. */
export { type Client, clientNamed, type DefaultPolicy, type Mesh } from './client.ts';
export { type Cause, type Decision, decide } from './decide.ts';
export { DecisionIndex, indexIntentions, type RuleIntention } from './decision-index.ts';
export { type Consideration, type Explanation, explain } from './explain.ts';
export { reasonOf } from './reason.ts';
export { DestinationRow, type RuleEntry, type RuleSource } from './row.ts';
