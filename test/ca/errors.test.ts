/** The list of errors is what the code raises: no code is listed that nothing raises. (The compiler holds the other way.) */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { caErrorCodes } from '../../src/ca/errors.ts';

it('raises every code it lists', () => {
  const sources = ['src/ca', 'src/agent/connect'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
      .map((file) => readFileSync(`${folder}/${file}`, 'utf8')),
  );
  const unused = Object.keys(caErrorCodes).filter((code) => !sources.some((source) => source.includes(`'${code}'`)));
  expect(unused).toEqual([]);
});
