/**
 * The agent's log: one event a line, to standard output, to a file, and to whoever watches (`/v1/agent/monitor`).
 *
 *     2026-11-24T06:30:00.123Z [INFO]  agent: Synced service: service=web
 *
 * The text names the event, the fields carry the facts; secrets never come here. Names nest by dots (`agent.server.raft`).
 */
import type { LogLevel } from '../api/local-agent.ts';

export type { LogLevel };
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** `agent` -> `agent.http`. */
  named(name: string): Logger;
}

const levels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];
const rank = (level: LogLevel): number => levels.indexOf(level);

/** The level that a configuration names, in any case; undefined for none. */
export function logLevelOf(text: string): LogLevel | undefined {
  const name = text.toLowerCase();
  return name === 'err' ? 'error' : levels.find((level) => level === name);
}

interface Sink {
  readonly level: () => LogLevel;
  readonly json: boolean;
  readonly write: (line: string) => void;
}

export class LogHub {
  /** Of what is written out; watchers have levels of their own. */
  level: LogLevel;
  readonly #sinks = new Set<Sink>();
  readonly #nowMs: () => number;
  #held: string[] | undefined;
  readonly #output: (line: string) => void;

  /** `output` gets whole lines without their newline. */
  constructor(options: { level: LogLevel; json: boolean; output: (line: string) => void; nowMs: () => number }) {
    this.level = options.level;
    this.#nowMs = options.nowMs;
    this.#output = options.output;
    this.#sinks.add({
      level: () => this.level,
      json: options.json,
      write: (line) => (this.#held === undefined ? this.#output(line) : void this.#held.push(line)),
    });
  }

  /** Keeps lines back until `release`: what is logged before the banner stands behind it. */
  hold(): void {
    this.#held = [];
  }
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const line of held) this.#output(line);
  }

  /** Writes also there, at the level of the log. */
  addOutput(json: boolean, write: (line: string) => void): void {
    this.#sinks.add({ level: () => this.level, json, write });
  }

  /** Lines from now on, until the returned function is called. */
  watch(level: LogLevel, json: boolean, write: (line: string) => void): () => void {
    const sink: Sink = { level: () => level, json, write };
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  /** A line that another process wrote in the same form, passed on as it is to everybody. */
  relay(line: string): void {
    const found = /\[(TRACE|DEBUG|INFO|WARN|ERROR)\]|"@level":"(\w+)"/.exec(line);
    const level = logLevelOf(found?.[1] ?? found?.[2] ?? 'info') ?? 'info';
    for (const sink of this.#sinks) if (rank(level) >= rank(sink.level())) sink.write(line);
  }

  logger(name: string): Logger {
    const at =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}): void =>
        this.#log(level, name, message, fields);
    return {
      trace: at('trace'),
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      named: (part) => this.logger(`${name}.${part}`),
    };
  }

  #log(level: LogLevel, name: string, message: string, fields: LogFields): void {
    let texts: { json?: string; plain?: string } | undefined;
    for (const sink of this.#sinks) {
      if (rank(level) < rank(sink.level())) continue;
      texts ??= {};
      const time = new Date(this.#nowMs()).toISOString();
      if (sink.json) texts.json ??= jsonLine(time, level, name, message, fields);
      else texts.plain ??= plainLine(time, level, name, message, fields);
      sink.write((sink.json ? texts.json : texts.plain)!);
    }
  }
}

function jsonLine(time: string, level: LogLevel, name: string, message: string, fields: LogFields): string {
  const values = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plainValue(value)]));
  return JSON.stringify({ '@level': level, '@message': message, '@module': name, '@timestamp': time, ...values });
}

function plainLine(time: string, level: LogLevel, name: string, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${word(plainValue(value))}`);
  const tail = pairs.length === 0 ? '' : `: ${pairs.join(' ')}`;
  return `${time} ${`[${level.toUpperCase()}]`.padEnd(7)} ${name}: ${message}${tail}`;
}

/** Errors show their text, everything else what JSON says of it. */
function plainValue(value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}

/** Words stay as they are; what has blanks, quotes or control characters is quoted, so that a line stays a line. */
function word(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'undefined';
  return /^[^\s"=\p{Cc}]+$/u.test(value) ? value : JSON.stringify(value);
}
