// Puts the compiled program into a few files. A start of the agent reads some 550 modules, half of them of libraries; finding
// and opening them costs more than running them, and V8 holds the text of every one for as long as the process lives. So the
// libraries go in too, comments and white space go out, and what is not needed to start (gRPC, metrics, single commands) stays
// in chunks of its own. Names stay, and lines stay short: a stack trace still tells where.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Elsewhere for a test that wants the sources as they are: `node scripts/bundle.mjs OUTDIR [METAFILE]`. The metafile is
 * esbuild's account of what went where.
 */
const [outdir = 'dist/bundle', metafilePath] = process.argv.slice(2);
rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ['src/cli/entry.ts', 'src/proxy/host.ts'],
  outdir,
  entryNames: '[name]',
  // Beside the entries: the agent finds the sidecar host as its neighbour.
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  // Machine code stays where it was installed, with what finds it; channelz, which nobody here asks for, loads the loader.
  external: ['lmdb', 'msgpackr-extract', '@grpc/proto-loader'],
  // The libraries are CommonJS: what is left of their `require` (Node's own modules, the above) needs one. A banner is not
  // seen by esbuild, hence a name that nobody else has.
  banner: {
    js: "import { createRequire as heddleRequire } from 'node:module'; const require = heddleRequire(import.meta.url);",
  },
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  legalComments: 'none',
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
});
if (metafilePath !== undefined) writeFileSync(metafilePath, JSON.stringify(metafile));
writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES.txt'), licences(metafile));

/** The licences of the packages whose code is inside. */
function licences({ inputs }) {
  const inside = (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
  const folders = [...new Set(Object.keys(inputs).map(inside))].filter((folder) => folder !== undefined).sort();
  const sections = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
    if (files.length === 0) throw new Error(`${name} comes without the text of its licence`);
    const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return [`${name} ${version} (${license})`, ...texts].join('\n\n');
  });
  return `${sections.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
