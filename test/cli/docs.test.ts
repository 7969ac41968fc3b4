/** docs/cli.md lists the commands that there are: printed from the registry, rewritten by `npx vitest run test/cli -u`. */
import { expect, it } from 'vitest';
import type { Command } from '../../src/cli/command.ts';
import { placeholderOf } from '../../src/cli/flags.ts';
import { sharedFlags } from '../../src/cli/http-flags.ts';
import { type Group, isGroup, type Leaf, root } from '../../src/cli/registry.ts';

it('docs/cli.md lists what there is', async () => {
  const parts = [head];
  for (const [path, leaf] of leaves(root)) parts.push(section(path, leaf, await leaf.load()));
  await expect(`${parts.join('\n\n')}\n`).toMatchFileSnapshot('../../docs/cli.md');
});

const head = `# Command line

Every command answers \`-help\`. Flags are written \`-name value\`, \`-name=value\` or with two dashes, and stand before the
arguments; a boolean takes a value only with \`=\`. \`heddle agent\` takes the settings of [configuration.md](configuration.md).
Results go to standard output, messages to standard error; the exit code is 0, 1 for a failure, 127 for an unknown command,
and 2 where a command says so.

## Commands

${[...leaves(root)].map(([path, { summary }]) => `- [\`heddle ${path.join(' ')}\`](#heddle-${path.join('-')}): ${summary}`).join('\n')}

## Flags of all commands that ask an agent

${list(sharedFlags(['client']))}

And of those that ask the servers:

${list(sharedFlags(['server']))}`;

function* leaves(group: Group, path: string[] = []): Generator<[string[], Leaf]> {
  for (const [name, entry] of Object.entries(group.commands)) {
    if (isGroup(entry)) yield* leaves(entry, [...path, name]);
    else yield [[...path, name], entry];
  }
}

function section(path: readonly string[], { summary }: Leaf, command: Command): string {
  const parts = [
    `## heddle ${path.join(' ')}`,
    `${summary}: \`heddle ${`${path.join(' ')} ${command.usage}`.trim()}\``,
  ];
  parts.push(fenced(command.description));
  // The agent's stand in docs/configuration.md.
  if (command.flags.length > 0 && path[0] !== 'agent') parts.push(list(command.flags));
  if (command.groups.length > 0)
    parts.push(`With the flags of ${command.groups.includes('server') ? 'the servers' : 'an agent'}.`);
  return parts.join('\n\n');
}

/** Examples are indented by four in the help: fenced here. */
function fenced(text: string): string {
  return text.replace(/(?:^ {4}.*(?:\n(?= {4}))?)+/gm, (block) => `\`\`\`\n${block.replace(/^ {4}/gm, '')}\n\`\`\``);
}

function list(flags: Command['flags']): string {
  return [...flags]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((flag) => `- \`-${flag.name}${flag.type === 'bool' ? '' : `=<${placeholderOf(flag)}>`}\`: ${flag.help}`)
    .join('\n');
}
