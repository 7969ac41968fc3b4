/** What is wrong with the text of a UUID, in the reference's words; undefined when nothing is. */
export function uuidProblem(text: string): string | undefined {
  if (text.length !== 36) return 'uuid string is wrong length';
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)) {
    return 'uuid is improperly formatted';
  }
  return undefined;
}
