/**
 * The command line: finds the command, parses its flags, gives it a client and prints what it throws.
 *
 * Exit codes: 0 done, 1 failed, 127 unknown command, 2 where a command says so. Results go to standard output, messages
 * for people to standard error.
 */
import { type Command, CommandFailure, type Io } from './command.ts';
import { parseFlags } from './flags.ts';
import { bareFlagList, commandHelp, groupHelp, mainHelp } from './help.ts';
import { ApiClient } from './http-client.ts';
import { clientSettings, type Environment, sharedFlags, tenancyFlags } from './http-flags.ts';
import { type Group, isGroup, root } from './registry.ts';

const helpWords = new Set(['-h', '-help', '--help']);
const versionWords = new Set(['-v', '-version', '--version']);

export interface MainOptions {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly io: Io;
  readonly signal: AbortSignal;
}

export async function main({ argv, env, io, signal }: MainOptions): Promise<number> {
  const [first] = argv;
  if (first === undefined) {
    io.error(mainHelp(root));
    return 127;
  }
  if (versionWords.has(first)) return main({ argv: ['version'], env, io, signal });
  if (helpWords.has(first)) {
    io.out(mainHelp(root));
    return 0;
  }
  if (first.startsWith('-')) {
    io.error(
      'Invalid flags before the subcommand. If these flags are for the subcommand,\nplease put them after the subcommand.\n',
    );
    io.error(
      await helpFor(
        argv.filter(
          (word, i) => i > 0 && !(word.startsWith('-') && argv.slice(0, i).every((each) => each.startsWith('-'))),
        ),
      ),
    );
    return 1;
  }
  const beforeDashes = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const wantsHelp = beforeDashes.some((word) => helpWords.has(word));
  let group: Group = root;
  const path: string[] = [];
  for (let i = 0; ; i++) {
    const entry =
      argv[i] === undefined
        ? undefined
        : Object.hasOwn(group.commands, argv[i]!)
          ? group.commands[argv[i]!]
          : undefined;
    if (entry === undefined) return missing(group, path, wantsHelp, io);
    path.push(argv[i]!);
    if (isGroup(entry)) group = entry;
    else return run(path, await entry.load(), argv.slice(i + 1), wantsHelp, { env, io, signal });
  }
}

/** The help of the command that the words begin with, or of the last group they lead to. */
async function helpFor(words: readonly string[]): Promise<string> {
  let group: Group = root;
  for (const [i, word] of words.entries()) {
    const entry = Object.hasOwn(group.commands, word) ? group.commands[word] : undefined;
    if (entry === undefined) return group === root ? mainHelp(root) : groupHelp(words.slice(0, i), group);
    if (!isGroup(entry)) return commandHelp(words.slice(0, i + 1), await entry.load());
    group = entry;
  }
  return group === root ? mainHelp(root) : groupHelp(words, group);
}

function missing(group: Group, path: readonly string[], wantsHelp: boolean, io: Io): number {
  const help = group === root ? mainHelp(root) : groupHelp(path, group);
  if (wantsHelp && group !== root) {
    io.out(help);
    return 0;
  }
  io.error(help);
  return group === root ? 127 : 1;
}

async function run(
  path: readonly string[],
  command: Command,
  words: readonly string[],
  wantsHelp: boolean,
  { env, io, signal }: Omit<MainOptions, 'argv'>,
): Promise<number> {
  const help = commandHelp(path, command);
  if (wantsHelp) {
    io.out(help);
    return 0;
  }
  const specs = [...sharedFlags(command.groups), ...command.flags, ...tenancyFlags(command.groups)];
  const parsed = parseFlags(words, specs);
  if (!parsed.ok) {
    io.error(`${parsed.error}\n${bareFlagList(command)}`);
    if (command.flagErrorTail !== undefined) io.error(command.flagErrorTail(parsed.error));
    return command.usageExit ?? 1;
  }
  try {
    const { flags, args } = parsed.value;
    const client = new ApiClient(clientSettings(flags, env, (text) => io.error(text)));
    return await command.run({ args, flags, env, io, client, help, signal });
  } catch (error) {
    if (error instanceof CommandFailure) {
      io.error(error.message);
      return error.exitCode;
    }
    io.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
}
