/** String literals in double quotes, as Go reads them. */

const singleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** The content of a Go string literal in double quotes; undefined when it is none. */
export function unescapeGo(content: string): string | undefined {
  if (content.includes('\n')) return undefined;
  if (!content.includes('\\')) return content;
  let valid = true;
  const form = /\\(?:([abfnrtv\\])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|)/g;
  const value = content.replace(
    form,
    (_, single?: string, byte?: string, short?: string, long?: string, octal?: string) => {
      if (single !== undefined) return singleEscapes[single]!;
      const code = octal === undefined ? Number.parseInt(byte ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
      const isByte = byte !== undefined || octal !== undefined;
      if (Number.isNaN(code) || code > (isByte ? 0xff : 0x10_ffff) || (code >= 0xd800 && code < 0xe000)) {
        valid = false;
        return '';
      }
      // A lone byte beyond ASCII is not UTF-8: Go's string would hold it, text cannot.
      return isByte && code > 0x7f ? '\ufffd' : String.fromCodePoint(code);
    },
  );
  return valid ? value : undefined;
}
