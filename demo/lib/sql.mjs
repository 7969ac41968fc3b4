// psql where it is installed, else a small client of the same manners. A session stays open between questions.
import { join } from 'node:path';
import { onPath, Process, run } from './processes.mjs';

export class Sql {
  #command;

  static async find(demo) {
    const sql = new Sql();
    const real = process.env.HEDDLE_DEMO_PSQL !== '0' && (await onPath('psql'));
    sql.#command = real
      ? { shown: 'psql', file: 'psql', args: ['-X', '-A', '-t', '-q', '-U', 'postgres', '-d', 'postgres'] }
      : { shown: 'node demo/services/psql.mjs', file: process.execPath, args: [join(demo, 'services', 'psql.mjs')] };
    return sql;
  }

  get name() {
    return this.#command.shown;
  }

  shown(port) {
    const user = this.name === 'psql' ? ' -U postgres' : '';
    return `${this.name} -h 127.0.0.1 -p ${port}${user}`;
  }

  /** One statement over a connection of its own. */
  once(port, statement) {
    const { file, args } = this.#command;
    return run(file, [...args, '-h', '127.0.0.1', '-p', String(port), '-c', statement], this.#options);
  }

  open(port) {
    const { file, args } = this.#command;
    return new Session(new Process(this.name, file, [...args, '-h', '127.0.0.1', '-p', String(port)], this.#options));
  }

  get #options() {
    return { env: { PGCONNECT_TIMEOUT: '10', PGGSSENCMODE: 'disable' } };
  }
}

class Session {
  #process;
  #questions = 0;

  constructor(process) {
    this.#process = process;
  }

  /** The answer's lines, or null when the session ended instead. */
  async ask(statement) {
    this.#questions += 1;
    const from = this.#process.lines.length;
    const end = `answered-${this.#questions}`;
    this.#process.child.stdin.write(`${statement}\nselect '${end}';\n`);
    if ((await this.#process.line(new RegExp(`^${end}$`), { from })) === null) return null;
    return this.#process.lines.slice(from, this.#process.lines.lastIndexOf(end));
  }

  get text() {
    return this.#process.text;
  }

  get exitCode() {
    return this.#process.exitCode;
  }

  get exited() {
    return this.#process.exited;
  }

  stop() {
    return this.#process.stop();
  }
}
