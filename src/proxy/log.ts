/**
 * The log of a process that must start fast and stay small: one line an event, fields at the end, no library. The text
 * names the event, the fields carry the facts; secrets never come here.
 *
 *     2026-11-24T06:30:00.123Z [INFO]  proxy: starting listener: listener=public address=0.0.0.0:21000
 */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry these fields too. */
  with(fields: LogFields): Logger;
}

export interface LogOptions {
  readonly name: string;
  readonly level: LogLevel;
  readonly json: boolean;
  /** Receives whole lines, newline included. */
  readonly write: (line: string) => void;
  readonly nowMs: () => number;
}

export function createLogger(options: LogOptions, bound: LogFields = {}): Logger {
  const threshold = logLevels.indexOf(options.level);
  const at = (level: LogLevel) => {
    const enabled = logLevels.indexOf(level) >= threshold;
    return (message: string, fields: LogFields = {}): void => {
      if (enabled) options.write(format(options, level, message, { ...bound, ...fields }));
    };
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => createLogger(options, { ...bound, ...fields }),
  };
}

/** Swallows everything: for tests and for callers that want silence. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
};

function format(options: LogOptions, level: LogLevel, message: string, fields: LogFields): string {
  const time = new Date(options.nowMs()).toISOString();
  if (options.json) {
    const line = { '@level': level, '@message': message, '@module': options.name, '@timestamp': time, ...fields };
    return `${JSON.stringify(line)}\n`;
  }
  const tag = `[${level.toUpperCase()}]`.padEnd(7);
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${printable(value)}`);
  const tail = pairs.length === 0 ? '' : `: ${pairs.join(' ')}`;
  return `${time} ${tag} ${options.name}: ${message}${tail}\n`;
}

/** Words stay as they are; anything with blanks, quotes or control characters is quoted, so a line stays one line. */
function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text === undefined) return 'undefined';
  return typeof value !== 'string' || /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}
