/** Which addresses a configuration means: templates expanded, families checked, listeners listed. */
import { ipFamily, isAnyAddress } from '../../structs/index.ts';
import type { Listen } from './agent-config.ts';
import type { Settings } from './keys/index.ts';
import { ConfigError } from './problems.ts';
import { expandTemplate, type InterfaceAddress, privateAddresses } from './sockaddr.ts';

const unixPrefix = 'unix://';

export class Addresses {
  readonly #settings: Settings;
  readonly #interfaces: () => InterfaceAddress[];
  readonly #problems: string[];

  constructor(settings: Settings, interfaces: () => InterfaceAddress[], problems: string[]) {
    this.#settings = settings;
    this.#interfaces = interfaces;
    this.#problems = problems;
  }

  /** The address that servers and gossip bind: exactly one IP. */
  bind(): string {
    const words = this.#expand('bind_addr', this.#settings.bind_addr, false);
    const [first = ''] = words;
    if (first.startsWith(unixPrefix)) throw new ConfigError('bind_addr cannot be a unix socket');
    if (words.length > 1) {
      throw new ConfigError("bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead.");
    }
    if (ipFamily(strip(first)) === 0) throw new ConfigError('bind_addr cannot be empty');
    return strip(first);
  }

  /** The address that others reach this agent at. Bound to all addresses, it is the only private one. */
  advertise(bind: string): string {
    const given = this.one('advertise_addr', this.#settings.advertise_addr);
    if (given !== '') {
      if (isAnyAddress(given)) throw new ConfigError('Advertise address cannot be 0.0.0.0, :: or [::]');
      return given;
    }
    if (!isAnyAddress(bind)) return bind;
    if (ipFamily(bind) === 6) return this.#publicIpv6();
    const found = privateAddresses(this.#interfaces());
    if (found.length === 0)
      throw new ConfigError('Error detecting private IPv4 address: No private IPv4 address found');
    if (found.length > 1) {
      throw new ConfigError(
        "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
      );
    }
    return found[0]!.address;
  }

  #publicIpv6(): string {
    const found = this.#interfaces().filter(
      (item) => item.family === 6 && !item.internal && !/^f[ce]/i.test(item.address),
    );
    if (found.length === 0) throw new ConfigError('Error detecting public IPv6 address: No public IPv6 address found');
    if (found.length > 1) {
      throw new ConfigError(
        "Multiple public IPv6 addresses found. Please configure one with 'bind' and/or 'advertise'.",
      );
    }
    return found[0]!.address;
  }

  advertiseWan(lan: string): string {
    const given = this.one('advertise_addr_wan', this.#settings.advertise_addr_wan);
    if (isAnyAddress(given)) throw new ConfigError('Advertise WAN address cannot be 0.0.0.0, :: or [::]');
    return given === '' ? lan : given;
  }

  /** The node's addresses by name: given ones, overwritten by those that follow from the advertised. */
  tagged(lan: string, wan: string): Record<string, string> {
    const out: Record<string, string> = { ...this.#settings.tagged_addresses, lan, wan };
    const { settings } = { settings: this.#settings };
    const set = (tag: string, given: string, derived: string, family: 4 | 6): void => {
      const address = this.one(tag, given) || (ipFamily(derived) === family ? derived : '');
      if (address === '') return;
      if (ipFamily(address) !== family)
        this.#problems.push(`advertise_addr_${tag}: ${address} is not an ipv${family} address`);
      out[tag] = address;
    };
    set('lan_ipv4', settings.advertise_addr_ipv4, lan, 4);
    set('lan_ipv6', settings.advertise_addr_ipv6, lan, 6);
    set('wan_ipv4', settings.advertise_addr_wan_ipv4, wan, 4);
    set('wan_ipv6', settings.advertise_addr_wan_ipv6, wan, 6);
    return out;
  }

  client(): string[] {
    const words = this.#expand('client_addr', this.#settings.client_addr, true);
    if (words.some((word) => word.startsWith(unixPrefix))) {
      this.#problems.push('client_addr cannot be a unix socket');
      return [];
    }
    return words.map(strip);
  }

  /** Where a door listens: its own addresses, else those of all clients. A port of 0 or less opens nothing. */
  listeners(name: 'dns' | 'http' | 'https' | 'grpc', client: readonly string[], port: number): Listen[] {
    const given = this.#settings.addresses[name];
    const words = given === '' ? client : this.#expand(`addresses.${name}`, given, true).map(strip);
    return words.flatMap((word): Listen[] => {
      if (!word.startsWith(unixPrefix)) return port > 0 ? [{ kind: 'tcp', address: word, port }] : [];
      if (name === 'dns') throw new ConfigError('DNS address cannot be a unix socket');
      return [{ kind: 'unix', path: word.slice(unixPrefix.length) }];
    });
  }

  recursors(): string[] {
    const words = this.#settings.recursors.flatMap((word) => this.#expand('recursors', word, true));
    for (const word of words) {
      const host = /^\[(.*)\](:\d+)?$/.exec(word)?.[1] ?? (ipFamily(word) === 6 ? word : word.split(':')[0]!);
      if (isAnyAddress(host)) throw new ConfigError('DNS recursor address cannot be 0.0.0.0, :: or [::]');
    }
    return words;
  }

  /** One address or none. */
  one(key: string, text: string): string {
    const [first = '', second] = this.#expand(key, text, true);
    if (second !== undefined) this.#problems.push(`${key}: multiple addresses: ${text}`);
    if (first.startsWith(unixPrefix)) throw new ConfigError(`${key} cannot be a unix socket`);
    return strip(first);
  }

  /** A template that cannot be read is a problem, or (for bind_addr, which says so itself) nothing. */
  #expand(key: string, text: string, report: boolean): string[] {
    const expanded = expandTemplate(text, this.#interfaces);
    if (!expanded.ok) {
      if (report) this.#problems.push(`${key}: ${expanded.error}`);
      return [];
    }
    return expanded.value.split(/\s+/).filter((word) => word !== '');
  }
}

const strip = (address: string): string => /^\[(.*)\]$/.exec(address)?.[1] ?? address;
