/**
 * Crashes in the log of a server. A server that must stop says why in a line of its own and exits; what Node writes when an
 * exception or rejection is caught by nobody, an assertion of its C++ fails or memory runs out, is a defect under any fault.
 */

/** What closes, or is, such a dump. */
const marks = [
  /^Node\.js v\d+\.\d+\.\d+/,
  /^(?:#|<--- )?.*FATAL ERROR: /,
  /Assertion .+ failed\.$/,
  /UnhandledPromiseRejection|ERR_UNHANDLED_REJECTION/,
  /^Segmentation fault|^Aborted/,
];
/** The line of a dump that says what happened. */
const reason = /^(?:\w*Error\b.*|.*\bError: .*)$/;
/** A dump is a screen long; the reason is above its last line. */
const linesBack = 40;

/** One text for each crash, with its reason if it is told. */
export function crashesIn(log: string): string[] {
  const lines = log.split('\n');
  return lines.flatMap((line, at) => {
    if (!marks.some((mark) => mark.test(line))) return [];
    const above = lines.slice(Math.max(0, at - linesBack), at).reverse();
    const said = above.find((each) => reason.test(each));
    return [said === undefined ? line : `${said} (${line})`];
  });
}
