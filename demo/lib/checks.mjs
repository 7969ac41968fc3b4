// Every claim of the demo, and whether it held. A claim that does not hold is told at once and at the end.
import { green, red, table } from './terminal.mjs';

export class Checks {
  #rows = [];
  step = '';

  check(claim, holds, detail = '') {
    this.#rows.push({ step: this.step, claim, holds, detail });
    console.log(holds ? green(`  ok: ${claim}`) : red(`  FAILED: ${claim}${detail === '' ? '' : ` (${detail})`}`));
    return holds;
  }

  get failed() {
    return this.#rows.filter(({ holds }) => !holds).length;
  }

  print() {
    table(
      ['step', 'check', 'result'],
      this.#rows.map(({ step, claim, holds, detail }) => [step, claim, holds ? 'ok' : `FAILED ${detail}`]),
    );
    console.log(`\n${this.#rows.length} checks, ${this.failed} failed`);
  }
}
