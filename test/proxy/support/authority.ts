/** A certificate authority for tests, made with the openssl program: roots, cross-signing and leaves of any identity. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const trustDomain = '11111111-2222-3333-4444-555555555555.consul';

export interface IssuedLeaf {
  readonly certPem: string;
  readonly keyPem: string;
  readonly uri: string;
}

export class TestAuthority {
  readonly rootPem: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'heddle-authority-'));
  /** Appended to each leaf, as an agent does after a rotation. */
  intermediatesPem = '';

  readonly #name: string;

  constructor(name = 'root') {
    this.#name = name;
    this.#openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key');
    this.#openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', `/CN=${name}`, '-days', '30', '-out', 'ca.pem');
    this.rootPem = this.#read('ca.pem');
  }

  issue(service: string, options: { uris?: string[]; days?: string; datacenter?: string } = {}): IssuedLeaf {
    const uris = options.uris ?? [spiffe(service, options.datacenter)];
    const names = uris.map((uri) => `URI:${uri}`).join(',') || 'DNS:localhost';
    writeFileSync(
      join(this.#folder, 'ext'),
      `subjectAltName=${names}\nextendedKeyUsage=clientAuth,serverAuth\nbasicConstraints=critical,CA:FALSE\n`,
    );
    this.#openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'leaf.key');
    this.#openssl('req', '-new', '-key', 'leaf.key', '-subj', `/CN=${service}`, '-out', 'leaf.csr');
    this.#sign('leaf.csr', 'leaf.pem', 'ext', options.days ?? '3');
    return {
      certPem: this.#read('leaf.pem') + this.intermediatesPem,
      keyPem: this.#read('leaf.key'),
      uri: uris[0] ?? '',
    };
  }

  /** This (old) authority vouches for a newer one: the certificate that lets holders of our root accept its leaves. */
  crossSign(newer: TestAuthority): string {
    writeFileSync(join(this.#folder, 'cross.ext'), 'basicConstraints=critical,CA:TRUE\n');
    newer.#openssl(
      'req',
      '-new',
      '-key',
      'ca.key',
      '-subj',
      `/CN=${newer.#name}`,
      '-out',
      join(this.#folder, 'cross.csr'),
    );
    this.#sign('cross.csr', 'cross.pem', 'cross.ext', '7');
    return this.#read('cross.pem');
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #sign(csr: string, out: string, extensions: string, days: string): void {
    const ca = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    this.#openssl('x509', '-req', '-in', csr, ...ca, '-days', days, '-extfile', extensions, '-out', out);
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' });
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }
}

export function spiffe(service: string, datacenter = 'dc1', domain = trustDomain): string {
  return `spiffe://${domain}/ns/default/dc/${datacenter}/svc/${service}`;
}
