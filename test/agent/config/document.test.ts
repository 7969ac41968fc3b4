// The documentation of the settings is printed from their declaration; `vitest -u` writes it anew.
import { expect, it } from 'vitest';
import { configurationDocument } from '../../../src/agent/config/document.ts';

it('docs/configuration.md says what the declaration says', async () => {
  await expect(configurationDocument()).toMatchFileSnapshot('../../../docs/configuration.md');
});
