/** The provider's configuration: defaults, leniency, every refusal with its text, and which changes mean a new root. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaError } from '../../../src/ca/errors.ts';
import {
  decodeProviderConfig,
  fromFileKeys,
  keyMark,
  providerId,
  withoutSecrets,
} from '../../../src/ca/lifecycle/provider-config.ts';
import { hourMs, must, problem } from '../support.ts';

describe('provider configuration', () => {
  it('has these defaults', () => {
    expect(must(decodeProviderConfig({}))).toEqual({
      leafCertTtlMs: 72 * hourMs,
      intermediateCertTtlMs: 8760 * hourMs,
      rootCertTtlMs: null,
      keySpec: { type: 'ec', bits: 256 },
      privateKey: '',
      rootCert: '',
      csrMaxPerSecond: 50,
      csrMaxConcurrent: 0,
      disableCrossSigning: false,
    });
  });

  it.each([
    ['keys in any case', { leafcertTTL: '48h' }, { leafCertTtlMs: 48 * hourMs }],
    ['the exact spelling first', { leafcertttl: '10h', LeafCertTTL: '20h' }, { leafCertTtlMs: 20 * hourMs }],
    [
      'numbers as text',
      { PrivateKeyBits: '384', CSRMaxPerSecond: '1.5' },
      { keySpec: { type: 'ec', bits: 384 }, csrMaxPerSecond: 1.5 },
    ],
    ['durations as nanoseconds', { LeafCertTTL: 3.6e12 }, { leafCertTtlMs: hourMs }],
    ['booleans as text', { DisableCrossSigning: 'true' }, { disableCrossSigning: true }],
    ['null as unset', { LeafCertTTL: null }, { leafCertTtlMs: 72 * hourMs }],
    [
      'keys it does not know, without effect',
      { leaf_cert_ttl: '47h', RotationPeriod: '2160h' },
      { leafCertTtlMs: 72 * hourMs },
    ],
    ['ranges skipped on demand', { LeafCertTTL: '2s', SkipValidate: true }, { leafCertTtlMs: 2_000 }],
  ])('takes %s', (_name, config, expected) => {
    expect(must(decodeProviderConfig(config))).toMatchObject(expected);
  });

  it.each([
    [{ LeafCertTTL: '59m' }, 'leaf cert TTL must be greater or equal than 1h0m0s'],
    [{ LeafCertTTL: '8761h' }, 'leaf cert TTL must be less than 8760h0m0s'],
    [{ LeafCertTTL: '1h', IntermediateCertTTL: '2h' }, 'Intermediate Cert TTL must be greater or equal than 3h'],
    [
      { LeafCertTTL: '72h', IntermediateCertTTL: '100h' },
      'Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=216h0m0s).',
    ],
    [
      { RootCertTTL: '8760h' },
      'root cert TTL is set and is not greater than intermediate cert ttl. root cert ttl: 8760h0m0s, intermediate cert ttl: 8760h0m0s',
    ],
    [{ PrivateKeyType: 'dsa' }, "private key type must be either 'ec' or 'rsa'"],
    [{ PrivateKeyBits: 333 }, 'EC key length must be one of (224, 256, 384, 521) bits'],
    [{ PrivateKeyType: 'rsa', PrivateKeyBits: 1024 }, 'RSA key length must be 2048 or 4096 bits'],
    [{ RootCert: 'x' }, 'must provide a private key when providing a root cert'],
    [
      { LeafCertTTL: 'soon' },
      'error decoding config: 1 error(s) decoding:\n\n* error decoding \'LeafCertTTL\': time: invalid duration "soon"',
    ],
    [
      { PrivateKeyBits: 'many', CSRMaxPerSecond: {} },
      "error decoding config: 2 error(s) decoding:\n\n* 'CSRMaxPerSecond' expected type 'float32', got unconvertible type 'map[string]interface {}'\n* cannot parse 'PrivateKeyBits' as int: strconv.ParseInt: parsing \"many\": invalid syntax",
    ],
    [{ LeafCertTTL: '0s', SkipValidate: true }, 'cert TTLs must be at least 1s'],
    [{ CSRMaxPerSecond: -1, SkipValidate: true }, 'CSR limits must not be negative'],
  ])('refuses %j', (config, text) => {
    expect(problem(decodeProviderConfig(config)).message).toBe(text);
  });

  it('never throws, whatever the values', () => {
    const key = fc.constantFrom(
      'LeafCertTTL',
      'privatekeybits',
      'CSRMaxPerSecond',
      'PrivateKeyType',
      'SkipValidate',
      'RootCert',
    );
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), (config) => {
        const result = decodeProviderConfig(config);
        if (!result.ok) expect(result.error).toBeInstanceOf(CaError);
      }),
    );
  });

  it('means a new root exactly when the key or the root certificate changes', () => {
    const id = (config: Record<string, unknown>) => providerId(must(decodeProviderConfig(config)), true);
    const same = [{}, { LeafCertTTL: '48h' }, { PrivateKeyType: 'rsa', PrivateKeyBits: 2048 }, { CSRMaxPerSecond: 1 }];
    expect(new Set(same.map(id)).size).toBe(1);
    const different = [{}, { PrivateKey: 'a' }, { PrivateKey: 'b' }, { PrivateKey: 'a', RootCert: 'r' }];
    expect(new Set(different.map(id)).size).toBe(4);
    expect(id({ PrivateKey: 'a' })).toBe(id({ PrivateKey: keyMark('a') }));
  });

  it('is stored and shown without the key, whatever the case of its name', () => {
    const shown = JSON.stringify(withoutSecrets({ privatekey: 'SECRET', PrivateKey: 'SECRET', LeafCertTTL: '1h' }));
    expect(shown).not.toContain('SECRET');
    expect(shown).toContain('"LeafCertTTL":"1h"');
  });

  it('comes from files in snake_case', () => {
    expect(fromFileKeys({ leaf_cert_ttl: '1h', csr_max_per_second: 2, RootCert: 'x' })).toEqual({
      LeafCertTTL: '1h',
      CSRMaxPerSecond: 2,
      RootCert: 'x',
    });
  });
});
