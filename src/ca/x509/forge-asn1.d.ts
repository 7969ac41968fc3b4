/** node-forge's ASN.1 layer alone: the whole library is 43 files of ciphers and protocols that every agent would hold in memory. */
declare module 'node-forge/lib/asn1.js' {
  import type forge from 'node-forge';

  const asn1: typeof forge.asn1;
  export = asn1;
}
