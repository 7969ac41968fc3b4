/**
 * The end of the event loop's turn. Answers wait for it, so that those of one turn leave together: the first write wakes the
 * client's process (on a virtual machine the dearest step of a small answer), and the others find it awake. Measured on two
 * cores with 32 connections: 18.9 against 13.4 microseconds of CPU a small answer. It costs an idle server nothing: the turn
 * ends as soon as what has arrived is read.
 */
let waiting: (() => void)[] = [];

/** Calls `work` at the end of this turn, in the order of asking. It must not throw. */
export function atEndOfTurn(work: () => void): void {
  if (waiting.push(work) === 1) setImmediate(runAll);
}

function runAll(): void {
  const works = waiting;
  waiting = [];
  for (const work of works) work();
}
