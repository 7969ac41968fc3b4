/** The documentation of an agent's settings, printed from their declaration. */

import { identity } from './keys/identity.ts';
import { doors, fixedKeys, operation } from './keys/operation.ts';
import { foreign, security } from './keys/security.ts';
import { type Fields, type LeafKey, leaves, type NamedKey } from './schema.ts';

const sections: readonly (readonly [string, Fields])[] = [
  ['Who it is, where it listens, whom it joins', identity],
  ['How it runs', operation],
  ['Doors: DNS, HTTP, console', doors],
  ['Access, identities, encryption', security],
  ['Known, and without effect here', foreign],
  ['Accepted, and fixed whatever they say', fixedKeys],
];

/** Markdown. */
export function configurationDocument(): string {
  return [
    '# Agent configuration',
    '',
    'Keys of configuration files (`-config-file`, `-config-dir`: JSON, or HCL 1), with the flag where there is one. Scalars: the last',
    'source wins, in the order: defaults, `-dev`, flags that are lists, files as typed, other flags, `-hcl`. Maps are laid over each',
    'other, lists are joined. Services and checks stand under `service`, `services`, `check`, `checks`. What says _refused_ cannot be',
    'honoured by this version: an agent that finds it set does not start, rather than run without it.',
    ...sections.flatMap(([title, fields]) => ['', `## ${title}`, '', ...leaves(fields).map(row)]),
    '',
  ].join('\n');
}

function row({ path, key }: NamedKey): string {
  const { doc } = key;
  const facts = [
    typeOf(key),
    fallbackOf(key),
    doc.flag === undefined ? '' : `\`-${doc.flag}\``,
    doc.min === undefined ? '' : `${doc.min} to ${doc.max}`,
    doc.reload ? 'reloads' : '',
    doc.secret ? 'secret' : '',
  ].filter((fact) => fact !== '');
  const notes = [
    doc.why === undefined ? '' : `Why the default: ${doc.why}.`,
    doc.refused === undefined ? '' : `_Refused_: ${doc.refused}.`,
    doc.inert === undefined || doc.inert === 'fixed' ? '' : `No effect: ${doc.inert}.`,
    doc.enterprise ? 'No effect, warned about.' : '',
  ].filter((note) => note !== '');
  return `- \`${path}\` (${facts.join(', ')}): ${[doc.help, ...notes].join(' ')}`;
}

function typeOf({ kind, doc }: LeafKey): string {
  const names: Partial<Record<LeafKey['kind'], string>> = {
    opaque: 'object',
    opaques: 'list of objects',
    float: 'number',
  };
  return `${names[kind] ?? kind}${doc.unit === undefined ? '' : `, ${doc.unit}`}`;
}

function fallbackOf(key: LeafKey): string {
  if (!('fallback' in key) || key.fallback === undefined || key.fallback === '') return '';
  if (typeof key.fallback === 'object') return '';
  return `default ${key.fallback === Number.MAX_VALUE ? 'unlimited' : String(key.fallback)}`;
}
