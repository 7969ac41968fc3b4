/**
 * The end of the event loop's turn. Answers wait for it, so that those of one turn leave together: the first write wakes the
 * client's process (on a virtual machine the dearest step of a small answer), and the others find it awake. Measured on two
 * cores with 32 connections: 18.9 against 13.4 microseconds of CPU a small answer. It costs an idle server nothing: the turn
 * ends as soon as what has arrived is read.
 */
let turn: Promise<void> | undefined;

export function endOfTurn(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  });
  return turn;
}
