/** Every key an agent file may hold. Keys of the reference that are not here are `invalid config key`. */
import { definition, type RawFields, type SettledFields } from '../schema.ts';
import { identity } from './identity.ts';
import { doors, fixedKeys, operation } from './operation.ts';
import { foreign, security } from './security.ts';

export const keys = {
  ...identity,
  ...operation,
  ...doors,
  ...security,
  ...foreign,
  ...fixedKeys,
  service: definition('service', 'One service definition.'),
  services: definition('services', 'Service definitions.'),
  check: definition('check', 'One check definition.'),
  checks: definition('checks', 'Check definitions.'),
};

/** What one source (file, flag, fragment) says. */
export type RawConfig = RawFields<typeof keys>;
/** Every key with a value. */
export type Settings = SettledFields<typeof keys>;
