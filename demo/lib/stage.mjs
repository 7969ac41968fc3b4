// What the steps share: folders, ports, the processes on stage, and ways to act like an operator at a terminal.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { movePorts, portsAt } from './ports.mjs';
import { Process, run } from './processes.mjs';
import { note, printed, seconds, typed } from './terminal.mjs';

export class Stage {
  /** Filled by the steps: agent, connectProxy, tap, session. */
  agent = null;
  facts = {};
  services = {};
  hosts = null;
  times = [];

  constructor({ root, folder, offset, interactive, checks, sql }) {
    this.root = root;
    this.demo = join(root, 'demo');
    this.folder = folder;
    this.offset = offset;
    this.interactive = interactive;
    this.checks = checks;
    this.sql = sql;
    this.ports = portsAt(offset);
    this.configFolder = join(folder, 'config');
    mkdirSync(this.configFolder);
    this.env = offset === 0 ? {} : { HEDDLE_HTTP_ADDR: `127.0.0.1:${this.ports.http}` };
  }

  /** Every agent that was on stage and may have something to say. */
  get agents() {
    const hosts = this.hosts?.all.map(({ name, agent }) => ({ name, text: agent?.text ?? '' })) ?? [];
    return [{ name: 'the agent', text: this.agent?.text ?? '' }, ...hosts];
  }

  get api() {
    return `http://127.0.0.1:${this.ports.http}`;
  }

  /**
   * Definition files for this run: as they are in the project, but for two things. Ports are moved when the demo is told to;
   * and the sidecar of postgresql binds another port than it is registered at, where a wiretap will stand and listen.
   */
  install(from) {
    const source = join(this.demo, from);
    for (const file of readdirSync(source)) {
      const text = movePorts(readFileSync(join(source, file), 'utf8'), this.offset);
      writeFileSync(join(this.configFolder, file), file === 'postgresql.json' ? this.#behindTheTap(text) : text);
    }
  }

  #behindTheTap(text) {
    const definition = JSON.parse(text);
    definition.service.connect.sidecar_service.proxy.config.bind_port = this.ports.postgresBind;
    return JSON.stringify(definition, null, 2);
  }

  /** A figure for the table at the end. */
  time(what, ms) {
    this.times.push({ what, ms });
    note(`${what}: ${seconds(ms)}`);
  }

  check(claim, holds, detail) {
    return this.checks.check(claim, Boolean(holds), detail);
  }

  service(name, file, env) {
    return new Process(name, process.execPath, [join(this.demo, 'services', file)], { env });
  }

  /** A process of the command line that stays. */
  start(name, words, options = {}) {
    return new Process(name, process.execPath, [join(this.root, 'bin', 'heddle'), ...words], {
      cwd: this.folder,
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** Runs a command of the command line and shows it with what it printed. */
  async heddle(line, { linesMax } = {}) {
    typed(`heddle ${line}`);
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
    const result = await run(process.execPath, [join(this.root, 'bin', 'heddle'), ...words], {
      cwd: this.folder,
      env: this.env,
    });
    printed(result.output, linesMax);
    return result;
  }

  /** As `curl -i`: status line, headers and body, or the reason why there is no answer. */
  async curl(url) {
    typed(`curl -i ${url}`);
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      const body = await response.text();
      const headers = ['content-type'].map((name) => `${name}: ${response.headers.get(name)}`);
      printed(`HTTP/1.1 ${response.status} ${response.statusText}\n${headers.join('\n')}\n\n${body}`);
      return { status: response.status, body };
    } catch (error) {
      const reason = error.cause?.code ?? error.message;
      printed(`curl: cannot connect: ${reason}`);
      return { status: 0, body: reason };
    }
  }

  async sqlOnce(port, statement) {
    typed(`${this.sql.shown(port)} -c "${statement}"`);
    const result = await this.sql.once(port, statement);
    printed(result.output);
    return result;
  }

  /** In a terminal the visitor sets the pace. */
  async pause() {
    if (!this.interactive) return;
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    await new Promise((resolve) => terminal.question('\n[Enter] ', resolve));
    terminal.close();
  }

  /** Asks again until `holds` or `ms` are over; the last answer. For what must become true without our doing. */
  async eventually(ask, holds, ms = 10_000) {
    const deadline = performance.now() + ms;
    for (;;) {
      const answer = await ask();
      if (holds(answer) || performance.now() > deadline) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
