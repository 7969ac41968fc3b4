/** Certificates for the proxy benchmark, made with the openssl program. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BenchIdentities {
  readonly roots: object;
  readonly leaf: (service: string) => object;
}

export async function makeIdentities(folder: string): Promise<BenchIdentities> {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key');
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', '/CN=bench', '-days', '2', '-out', 'ca.pem');
  return {
    roots: { TrustDomain: 'bench.consul', Roots: [{ RootCert: read('ca.pem') }] },
    leaf: (service) => {
      const uri = `spiffe://bench.consul/ns/default/dc/dc1/svc/${service}`;
      writeFileSync(join(folder, 'ext'), `subjectAltName=URI:${uri}\nextendedKeyUsage=clientAuth,serverAuth\n`);
      openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'leaf.key');
      openssl('req', '-new', '-key', 'leaf.key', '-subj', `/CN=${service}`, '-out', 'leaf.csr');
      const ca = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
      openssl('x509', '-req', '-in', 'leaf.csr', ...ca, '-days', '1', '-extfile', 'ext', '-out', 'leaf.pem');
      return {
        CertPEM: read('leaf.pem'),
        PrivateKeyPEM: read('leaf.key'),
        ServiceURI: uri,
        ValidBefore: '2036-01-01T00:00:00Z',
      };
    },
  };
}
