/** A mesh with a name and no keys: enough for decisions, which compare trust domains. */
import type { TestBackend } from '../support/backend.ts';

export const caller = { token: '', address: '', call: 'test', datacenter: '' };

export async function initialiseCa(backend: TestBackend, clusterId: string): Promise<void> {
  await backend.apply(
    'ca.set',
    {
      Roots: [
        {
          ID: '0b:81',
          Name: 'Test root',
          SerialNumber: 7,
          SigningKeyID: '5c:86',
          ExternalTrustDomain: clusterId,
          NotBefore: '2026-11-23T07:04:32Z',
          NotAfter: '2036-11-23T07:04:32Z',
          RootCert: '',
          IntermediateCerts: null,
          Active: true,
          RotatedOutAt: 0,
          LeafTTLMax: 0,
          PrivateKeyType: 'ec',
          PrivateKeyBits: 256,
          CreateIndex: 0,
          ModifyIndex: 0,
        },
      ],
      Configuration: {
        ClusterID: clusterId,
        Provider: 'consul',
        Config: null,
        State: null,
        ForceWithoutCrossSigning: false,
        CreateIndex: 0,
        ModifyIndex: 0,
      },
      ProviderState: { ID: 'test', PrivateKey: '', RootCert: '', IntermediateCert: '', CreateIndex: 0, ModifyIndex: 0 },
      RootsIndex: 0,
      ConfigurationIndex: 0,
    },
    caller,
  );
}
