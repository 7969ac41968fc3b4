// A picture of real terminal output: `node scripts/terminal-svg.mjs TITLE < output.txt > docs/picture.svg`.
// Lines that begin with `$ ` are commands, `# ` remarks, `  ok:` checks; the rest is what came back.
const title = process.argv[2] ?? 'heddle';
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const columns = 112;
const lines = Buffer.concat(chunks)
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line));

const escapeXml = (text) => text.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char]);
function colour(line) {
  if (line.startsWith('$ ')) return '#7ee2b8';
  if (line.startsWith('== ')) return '#ffd479';
  if (line.startsWith('# ')) return '#8b93a7';
  if (line.startsWith('  ok:')) return '#5fb98d';
  if (line.includes('[WARN]') || line.includes('refused') || line.startsWith('psql: error')) return '#ff9e8a';
  return '#d7dbe6';
}
const lineHeight = 19;
const width = columns * 7.85 + 40;
const height = lines.length * lineHeight + 70;
const text = lines
  .map(
    (line, i) =>
      `<text x="20" y="${62 + i * lineHeight}" fill="${colour(line)}" xml:space="preserve">${escapeXml(line) || ' '}</text>`,
  )
  .join('\n');
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">
<rect width="100%" height="100%" rx="10" fill="#171a23"/>
<circle cx="22" cy="22" r="6" fill="#ff5f57"/><circle cx="42" cy="22" r="6" fill="#febc2e"/><circle cx="62" cy="22" r="6" fill="#28c840"/>
<text x="50%" y="26" text-anchor="middle" fill="#8b93a7" font-family="system-ui, sans-serif" font-size="13">${escapeXml(title)}</text>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13">
${text}
</g>
</svg>
`);
