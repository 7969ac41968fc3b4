// What the demo prints: commands as an operator types them, what came back, and little else.
const colours = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code) => (text) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
const bold = paint('1');
const dim = paint('2');
export const green = paint('32');
export const red = paint('31');

export function title(text) {
  console.log(`\n${bold(`== ${text}`)}\n`);
}

export function note(text) {
  console.log(text === '' ? '' : dim(`# ${text}`));
}

export const seconds = (ms) => (Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : 'never');

export function typed(text) {
  console.log(`${bold('$')} ${text}`);
}

/** What a command printed, as it is; long outputs are cut in the middle. */
export function printed(text, linesMax = 24) {
  const lines = text.replace(/\n+$/, '').split('\n');
  if (lines.length === 1 && lines[0] === '') return;
  if (lines.length <= linesMax) console.log(lines.join('\n'));
  else {
    const half = Math.floor(linesMax / 2);
    const left = lines.length - 2 * half;
    console.log([...lines.slice(0, half), dim(`  … ${left} more lines …`), ...lines.slice(-half)].join('\n'));
  }
}

export function table(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  console.log(bold(line(head)));
  for (const row of rows)
    console.log(
      line(row)
        .replace(/\bok\b/, green('ok'))
        .replace(/\bFAILED\b/, red('FAILED')),
    );
}
