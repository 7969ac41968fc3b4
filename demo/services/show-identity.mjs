// Connects to a sidecar as a service of the mesh and shows what was agreed on and who is who.
//   node demo/services/show-identity.mjs SERVICE HOST:PORT

import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';

const [service, at] = process.argv.slice(2);
const address = process.env.HEDDLE_HTTP_ADDR ?? '127.0.0.1:8500';
const ask = async (path) => (await fetch(`http://${address}${path}`)).json();

const leaf = await ask(`/v1/agent/connect/ca/leaf/${service}`);
const { Roots, TrustDomain } = await ask('/v1/agent/connect/ca/roots');
const [host, port] = at.split(':');
const socket = connect({
  host,
  port,
  cert: leaf.CertPEM,
  key: leaf.PrivateKeyPEM,
  ca: Roots.map(({ RootCert }) => RootCert),
  checkServerIdentity: () => undefined, // identities are URIs here, shown below
});
socket.on('error', (error) => {
  console.error(`cannot connect: ${error.message}`);
  process.exit(1);
});
socket.on('secureConnect', () => {
  const theirs = socket.getPeerX509Certificate();
  const ours = new X509Certificate(leaf.CertPEM);
  console.log(`protocol      ${socket.getProtocol()}, ${socket.getCipher().standardName}`);
  console.log(`trust domain  ${TrustDomain}`);
  console.log(`our name      ${ours.subjectAltName}`);
  console.log(`their name    ${theirs.subjectAltName}`);
  console.log(
    `their chain   verified against ${Roots.length === 1 ? 'the root' : `${Roots.length} roots`} of the mesh`,
  );
  socket.destroy();
});
