/**
 * The script that recorded the command line, read as a list of steps: bash runs it with its verbs (`g` runs a case, `agent`
 * starts one, `until_ok` waits) replaced by ones that only write down what they were asked. The files that cases read are
 * written as the script goes; its network and its folder are moved, so that two runs on one machine do not meet.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export type Step =
  | { readonly kind: 'case'; readonly name: string; readonly command: string; readonly seconds: number; readonly address: string }
  | { readonly kind: 'agent'; readonly name: string; readonly address: string; readonly args: readonly string[] }
  | { readonly kind: 'until'; readonly condition: string }
  | { readonly kind: 'kill'; readonly name: string };

/** Where this run lives: the recording's `127.0.5.` and its folder, and what stands for them; of one length, for tables. */
export interface Moved {
  readonly network: string;
  readonly folder: string;
}
export const recorded: Moved = { network: '127.0.5.', folder: '/tmp/consul-golden' };

/** Replaces the script's verbs, just before it starts to work. */
const verbs = `
record() { printf '%s\\0' "$#" "$@" >&3; }
g() { record case "$1" "$2" "\${T:-60}" "$CONSUL_HTTP_ADDR"; }
agent() { PIDS+=("$1"); record agent "$@"; }
until_ok() { record until "$1"; }
kill() { record kill "\${@: -1}"; }
trap - EXIT
`;

/** `program` is what the cases call by the recorded name. */
export function readScript(path: string, to: Moved, program: string): Step[] {
  const text = readFileSync(path, 'utf8')
    .replaceAll(recorded.network, to.network)
    .replaceAll(recorded.folder, to.folder)
    .replace(/^BIN=\$\(readlink.*$/m, `BIN='${program}'; OUT='${to.folder}/out'; mkdir -p "$OUT"`)
    .replace(/^cd \$WORK\/w$/m, `${verbs}cd $WORK/w`);
  const { status, stdout, stderr, output } = spawnSync('bash', ['-c', text, path], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`the script of the recording ended with ${status}: ${stdout}${stderr}`);
  return [...records(output[3]!.split('\0'))].map(stepOf);
}

function* records(words: readonly string[]): Generator<string[]> {
  for (let i = 0; i + 1 < words.length; ) {
    const count = Number(words[i]);
    yield words.slice(i + 1, i + 1 + count);
    i += 1 + count;
  }
}

function stepOf([kind, first, second, third, fourth]: readonly string[], _: number, all: readonly string[][]): Step {
  const words = all[_]!;
  switch (kind) {
    case 'case':
      return { kind, name: first!, command: second!, seconds: Number(third), address: fourth! };
    case 'agent':
      return { kind, name: first!, address: second!, args: words.slice(3) };
    case 'until':
      return { kind, condition: first! };
    case 'kill':
      return { kind, name: first! };
    default:
      throw new Error(`no step: ${words.join(' ')}`);
  }
}
