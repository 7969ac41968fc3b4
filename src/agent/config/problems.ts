/** The texts of configuration problems, in the forms that existing tools show and match. */

/** Why a configuration cannot be used. The message is complete. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** What was wrong with the types of one source: `1 error(s) decoding:\n\n* a`. */
export function decodingErrors(items: readonly string[]): string {
  return `${items.length} error(s) decoding:\n\n${[...items]
    .sort()
    .map((item) => `* ${item}`)
    .join('\n')}`;
}
