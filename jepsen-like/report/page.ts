/** Colours, style and wording that all parts of a report share. */
export const colours = { ok: '#2f8a63', fail: '#d08a1d', unknown: '#c2352b' } as const;
export const leaderColours = ['#4c6ef5', '#e8590c', '#0ca678', '#ae3ec9', '#f59f00', '#1098ad', '#d6336c'];
export const width = 1_120;

export const style = `
  :root { --ink: #1d2330; --quiet: #5b6270; --paper: #fbfaf7; --sheet: #fff; --line: #e6e2d9; --band: #c2352b; --warn: #fff3f2; color-scheme: light dark; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --quiet: #9aa1ae; --paper: #16181d; --sheet: #1d2027; --line: #32363f; --band: #ff8a80; --warn: #33211f; } }
  body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: ${width}px; padding: 0 1rem 4rem; }
  h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 2.4rem 0 .4rem; } a { color: inherit; }
  .quiet { color: var(--quiet); } code { background: var(--sheet); border: 1px solid var(--line); border-radius: 4px; padding: 0 .3rem; }
  .verdict { display: inline-block; padding: 0 .6rem; border-radius: 1rem; color: #fff; font-weight: 600; font-size: .85em; vertical-align: 1px; }
  .good { background: ${colours.ok}; } .bad { background: ${colours.unknown}; } .poor { background: ${colours.fail}; }
  .cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; } .card { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .6rem 1rem; flex: 1 1 8rem; max-width: 16rem; }
  .card b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; } .card span { color: var(--quiet); font-size: 12.5px; line-height: 1.3; display: block; }
  .key span { margin-right: 1.2rem; white-space: nowrap; font-size: 13px; } .dot { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .3rem; }
  svg { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; max-width: 100%; height: auto; display: block; }
  text { font: 11px system-ui, sans-serif; fill: var(--quiet); } .name { fill: var(--ink); } .grid { stroke: var(--line); } .band { fill: var(--band); opacity: .09; } .bar { fill: var(--band); opacity: .75; } .idle { fill: var(--line); }
  table { border-collapse: collapse; font-size: 13px; width: 100%; } th { text-align: left; font-weight: 500; color: var(--quiet); } td, th { padding: .22rem .9rem .22rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
  .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
  pre { background: var(--warn); padding: .6rem .8rem; overflow: auto; border-radius: 6px; white-space: pre-wrap; }
  details { border-top: 1px solid var(--line); padding: .5rem 0; } summary { cursor: pointer; }
`;

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
export const milliseconds = (ms: number): string =>
  ms < 1000 ? `${ms > 0 && ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : seconds(ms);

export function html(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);
}
