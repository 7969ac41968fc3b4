/**
 * Address templates: `{{ GetPrivateIP }}`, `{{ GetAllInterfaces | include "flags" "loopback" | limit 1 | join "address" " " }}`.
 * The functions are those of go-sockaddr that configuration files use; what cannot be read is an error, and whoever asks
 * decides what an empty answer means.
 */
import { networkInterfaces } from 'node:os';
import { err, ok, type Result } from '../../std/result.ts';

export interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
  readonly family: 4 | 6;
  readonly prefixLength: number;
  readonly internal: boolean;
}

export function systemInterfaces(): InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? []).map((item) => ({
      name,
      address: item.address,
      family: item.family === 'IPv6' ? (6 as const) : (4 as const),
      prefixLength: Number((item.cidr ?? '').split('/')[1] ?? (item.family === 'IPv6' ? 128 : 32)),
      internal: item.internal,
    })),
  );
}

/** The text with every template replaced. */
export function expandTemplate(text: string, interfaces: () => InterfaceAddress[]): Result<string, string> {
  let problem: string | undefined;
  const out = text.replace(/\{\{(.*?)\}\}/gs, (_, pipeline: string) => {
    const value = evaluate(pipeline, interfaces());
    if (value.ok) return value.value;
    problem = value.error;
    return '';
  });
  if (problem === undefined && /\{\{|\}\}/.test(out)) problem = 'unclosed action';
  return problem === undefined ? ok(out) : err(`error parsing ${JSON.stringify(text)}: ${problem}`);
}

type Value = readonly InterfaceAddress[] | string;

function evaluate(pipeline: string, all: InterfaceAddress[]): Result<string, string> {
  let value: Value | undefined;
  for (const step of pipeline.split(/\|(?=(?:[^"]*"[^"]*")*[^"]*$)/)) {
    const words = [...step.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((m) => m[1] ?? m[2]!);
    const [name = '', ...args] = words;
    const result: Result<Value, string> = value === undefined ? source(name, args, all) : filter(name, args, value);
    if (!result.ok) return result;
    value = result.value;
  }
  if (typeof value === 'string') return ok(value);
  return ok((value ?? []).map((item) => item.address).join(' '));
}

function source(name: string, args: readonly string[], all: InterfaceAddress[]): Result<Value, string> {
  const first = (list: readonly InterfaceAddress[]): Result<Value, string> => ok(list[0]?.address ?? '');
  const every = (list: readonly InterfaceAddress[]): Result<Value, string> =>
    ok(list.map((item) => item.address).join(' '));
  const ofInterface = all.filter((item) => item.name === args[0] && isForwardable(item));
  switch (name) {
    case 'GetAllInterfaces':
      return ok(all);
    case 'GetDefaultInterfaces':
      return ok(outside(all));
    case 'GetPrivateInterfaces':
      return ok(outside(all).filter(isPrivate));
    case 'GetPublicInterfaces':
      return ok(outside(all).filter((item) => !isPrivate(item)));
    case 'GetPrivateIP':
      return first(privateAddresses(all));
    case 'GetPrivateIPs':
      return every(privateAddresses(all));
    case 'GetPublicIP':
      return first(outside(all).filter((item) => !isPrivate(item)));
    case 'GetPublicIPs':
      return every(outside(all).filter((item) => !isPrivate(item)));
    case 'GetInterfaceIP':
      return first(ofInterface);
    case 'GetInterfaceIPs':
      return every(ofInterface);
    default:
      return err(`function ${JSON.stringify(name)} not defined`);
  }
}

function filter(name: string, args: readonly string[], value: Value): Result<Value, string> {
  if (typeof value === 'string') return err(`${name} needs a list`);
  const [a = '', b = ''] = args;
  const count = Number(a);
  switch (name) {
    case 'include':
    case 'exclude': {
      const test = predicate(a, b);
      if (test === undefined) return err(`invalid ${name} filter: ${JSON.stringify(a)}`);
      return ok(value.filter((item) => test(item) === (name === 'include')));
    }
    case 'sort':
      return ok(sorted(value, a));
    case 'unique': {
      const seen = new Set<string>();
      return ok(value.filter((item) => !seen.has(attribute(item, a)) && seen.add(attribute(item, a))));
    }
    case 'limit':
      return Number.isInteger(count) ? ok(value.slice(0, count)) : err(`invalid limit: ${a}`);
    case 'offset':
      return Number.isInteger(count) ? ok(value.slice(count)) : err(`invalid offset: ${a}`);
    case 'join':
      return ok(value.map((item) => attribute(item, a)).join(b));
    case 'attr':
      return ok(value[0] === undefined ? '' : attribute(value[0], a));
    default:
      return err(`function ${JSON.stringify(name)} not defined`);
  }
}

function attribute(item: InterfaceAddress, name: string): string {
  switch (name) {
    case 'name':
      return item.name;
    case 'type':
      return `IPv${item.family}`;
    case 'size':
      return String(2 ** ((item.family === 4 ? 32 : 128) - item.prefixLength));
    case 'network':
      return `${item.address}/${item.prefixLength}`;
    case 'port':
      return '0';
    default:
      return item.address;
  }
}

function predicate(kind: string, wanted: string): ((item: InterfaceAddress) => boolean) | undefined {
  switch (kind) {
    case 'name':
    case 'address': {
      try {
        const pattern = new RegExp(wanted);
        return (item) => pattern.test(kind === 'name' ? item.name : item.address);
      } catch {
        return undefined;
      }
    }
    case 'type':
      return (item) => wanted.toLowerCase() === 'ip' || `ipv${item.family}` === wanted.toLowerCase();
    case 'flags':
      return (item) => wanted.split('|').every((flag) => hasFlag(item, flag.trim()));
    case 'network':
      return (item) => inNetwork(item.address, wanted);
    case 'port':
      return () => wanted === '0';
    case 'rfc':
      return (item) => (networksOfRfc[wanted] ?? []).some((network) => inNetwork(item.address, network));
    case 'size':
      return (item) => attribute(item, 'size') === wanted;
    default:
      return undefined;
  }
}

function hasFlag(item: InterfaceAddress, flag: string): boolean {
  switch (flag) {
    case 'up':
      return true;
    case 'loopback':
      return item.internal;
    case 'forwardable':
      return isForwardable(item);
    case 'broadcast':
    case 'multicast':
      return !item.internal;
    default:
      return false;
  }
}

function sorted(list: readonly InterfaceAddress[], by: string): InterfaceAddress[] {
  const keys = by.split(',').map((key) => ({ down: key.startsWith('-'), name: key.replace(/^[+-]/, '') }));
  return [...list].sort((a, b) => {
    for (const { down, name } of keys) {
      const [x, y] = [sortKey(a, name), sortKey(b, name)];
      if (x !== y) return (x < y ? -1 : 1) * (down ? -1 : 1);
    }
    return 0;
  });
}

function sortKey(item: InterfaceAddress, name: string): string | number {
  if (name === 'size') return Number(attribute(item, 'size'));
  if (name === 'type') return item.family;
  if (name === 'private') return isPrivate(item) ? 0 : 1;
  if (name === 'default') return item.internal ? 1 : 0;
  return attribute(item, name);
}

const networksOfRfc: Readonly<Record<string, readonly string[]>> = {
  '1918': ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  '6598': ['100.64.0.0/10'],
  '3927': ['169.254.0.0/16'],
  '4193': ['fc00::/7'],
};

const isForwardable = (item: InterfaceAddress): boolean =>
  !item.internal && !inNetwork(item.address, '169.254.0.0/16') && !/^fe80/i.test(item.address);
const outside = (all: readonly InterfaceAddress[]): InterfaceAddress[] => all.filter(isForwardable);
const isPrivate = (item: InterfaceAddress): boolean =>
  [...networksOfRfc['1918']!, ...networksOfRfc['6598']!].some((network) => inNetwork(item.address, network));

/** IPv4 addresses of private networks on interfaces that lead outside. */
export function privateAddresses(all: readonly InterfaceAddress[]): InterfaceAddress[] {
  return outside(all).filter((item) => item.family === 4 && isPrivate(item));
}

/** IPv4 only: an IPv6 address is in no IPv4 network. */
function inNetwork(address: string, network: string): boolean {
  const [base = '', bits = '32'] = network.split('/');
  const [a, b] = [ipv4Number(address), ipv4Number(base)];
  if (a === undefined || b === undefined) return false;
  const shift = 2 ** (32 - Number(bits));
  return Math.floor(a / shift) === Math.floor(b / shift);
}

function ipv4Number(address: string): number | undefined {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
