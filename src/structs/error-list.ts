/** Several complaints as one text, in the form existing tools show: a count, then one line each. */
export function errorList(errors: readonly string[]): string {
  const count = `${errors.length} error${errors.length === 1 ? '' : 's'} occurred:`;
  return `${count}${errors.map((error) => `\n\t* ${error}`).join('')}\n\n`;
}
