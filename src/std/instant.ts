/** Instants as RFC 3339 text in UTC, for rooms that have no Date. */

/** `2026-11-23T07:04:37.053Z`; a fraction of zero is left out, trailing zeros too, as Go prints. `ms` counts from 1970. */
export function formatInstant(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  const inDay = ms - days * 86_400_000;
  const [year, month, day] = civilDate(days);
  const hour = Math.floor(inDay / 3_600_000);
  const minute = Math.floor(inDay / 60_000) % 60;
  const second = Math.floor(inDay / 1000) % 60;
  const thousandths = two(inDay % 1000, 3).replace(/0+$/, '');
  const fraction = thousandths === '' ? '' : `.${thousandths}`;
  return `${two(year, 4)}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${fraction}Z`;
}

/**
 * Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian). Years are counted from March, so that the
 * leap day ends one, in cycles of 400 years of 146,097 days (Hinnant, "chrono-compatible low-level date algorithms").
 */
function civilDate(daysSince1970: number): [number, number, number] {
  const shifted = daysSince1970 + 719_468;
  const cycle = Math.floor(shifted / 146_097);
  const dayOfCycle = shifted - cycle * 146_097;
  const yearOfCycle = Math.floor(
    (dayOfCycle - Math.floor(dayOfCycle / 1460) + Math.floor(dayOfCycle / 36_524) - Math.floor(dayOfCycle / 146_096)) /
      365,
  );
  const dayOfYear = dayOfCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return [yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, day];
}

function two(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}
