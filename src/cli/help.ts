/** Help texts, printed from the declarations of commands and flags. */
import type { Command } from './command.ts';
import { type FlagSpec, placeholderOf } from './flags.ts';
import { sharedFlags, tenancyFlags } from './http-flags.ts';
import type { Group } from './registry.ts';

const width = 72;

export function commandHelp(path: readonly string[], command: Command): string {
  const parts = [`Usage: heddle ${path.join(' ')} ${command.usage}`.trimEnd(), '', indent(command.description, 2)];
  const shared = sharedFlags(command.groups);
  if (shared.length > 0) parts.push('', 'HTTP API Options', '', flagList(shared));
  const own = [...command.flags, ...tenancyFlags(command.groups)];
  if (own.length > 0) parts.push('', 'Command Options', '', flagList(own));
  return parts.join('\n').trimEnd();
}

export function groupHelp(path: readonly string[], group: Group): string {
  return [
    `Usage: heddle ${path.join(' ')} <subcommand> [options] [args]`,
    '',
    indent(group.description, 2),
    '',
    '  For the options of a subcommand, run it with -help.',
    '',
    'Subcommands:',
    '',
    ...table(group.commands),
  ].join('\n');
}

export function mainHelp(root: Group): string {
  return [
    'Usage: heddle [--version] [--help] <command> [<args>]',
    '',
    indent(root.description, 2),
    '',
    'Available commands are:',
    ...table(root.commands),
  ].join('\n');
}

/** Every flag of a command as Go's flag package lists them after an error. */
export function bareFlagList(command: Command): string {
  const flags = [...sharedFlags(command.groups), ...command.flags, ...tenancyFlags(command.groups)].sort(byName);
  const lines = flags.map((flag) => {
    const value = flag.type === 'bool' ? '' : ` ${placeholderOf(flag)}`;
    const fallback =
      flag.default === undefined || flag.default === '' || flag.default === 0
        ? ''
        : ` (default ${shown(flag.default)})`;
    return `  -${flag.name}${value}\n    \t${flag.help}${fallback}`;
  });
  return ['Usage:', ...lines].join('\n');
}

function shown(value: string | number | boolean): string {
  return typeof value === 'string' && !/^\d/.test(value) ? JSON.stringify(value) : String(value);
}

function flagList(flags: readonly FlagSpec[]): string {
  return [...flags]
    .sort(byName)
    .map((flag) => {
      const value = flag.type === 'bool' ? '' : `=<${placeholderOf(flag)}>`;
      return `  -${flag.name}${value}\n${wrap(flag.help, width, 5)}\n`;
    })
    .join('\n');
}

function table(commands: Group['commands']): string[] {
  const names = Object.keys(commands).sort();
  const longest = Math.max(...names.map((name) => name.length));
  return names.map((name) => `    ${name.padEnd(longest + 4)}${commands[name]!.summary}`);
}

const byName = (a: FlagSpec, b: FlagSpec): number => (a.name < b.name ? -1 : 1);

/** Paragraphs wrapped, however their source breaks lines; indented lines (examples) as they are. */
function indent(text: string, by: number): string {
  const out: string[] = [];
  let paragraph: string[] = [];
  const end = (): void => {
    if (paragraph.length > 0) out.push(wrap(paragraph.join(' '), width, by));
    paragraph = [];
  };
  for (const line of text.trim().split('\n')) {
    if (line !== '' && !line.startsWith(' ')) {
      paragraph.push(line);
      continue;
    }
    end();
    out.push(line === '' ? '' : ' '.repeat(by) + line);
  }
  end();
  return out.join('\n');
}

function wrap(text: string, columns: number, by: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((each) => ' '.repeat(by) + each).join('\n');
}
