/** A stretch of time in ms since the epoch: `from` counts, `to` does not any more. */
export interface Period {
  from: number;
  to: number;
}

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const months = 'january february march april may june july august september october november december'.split(' ');

/**
 * What a person means by a day, in local time: `today`, `yesterday`, `tuesday` (the latest one, today included), `last tuesday`, `2025-11-22`, `2025-11`, `2025`,
 * `22 november 2025`, `november 2025`, `last 7 days`, and a range `2025-11-01..2025-11-07` with one end left out or not. Undefined for anything else.
 */
export function periodOf(text: string, now: number = Date.now()): Period | undefined {
  const said = text.trim().toLowerCase();
  const range = /^(.*?)\s*\.\.\s*(.*)$/.exec(said);
  if (range) {
    const [from, to] = [range[1] ?? '', range[2] ?? ''].map((end) => (end === '' ? null : periodOf(end, now)));
    if (from === undefined || to === undefined || (from === null && to === null)) return undefined;
    return { from: from?.from ?? 0, to: to?.to ?? Number.MAX_SAFE_INTEGER };
  }
  const today = new Date(now);
  const day = (back: number) => days(today.getFullYear(), today.getMonth(), today.getDate() - back, 1);
  if (said === 'today') return day(0);
  if (said === 'yesterday') return day(1);
  const span = /^last (\d{1,4}) days$/.exec(said)?.[1];
  if (span !== undefined) return { from: day(Number(span) - 1).from, to: day(0).to };
  const [, last, name = ''] = /^(last )?([a-z]{3,})$/.exec(said) ?? [];
  const weekday = name === '' ? -1 : weekdays.findIndex((one) => one === name || one.slice(0, 3) === name);
  if (weekday >= 0) {
    const back = (today.getDay() - weekday + 7) % 7;
    return day(back === 0 && last ? 7 : back);
  }
  return dated(said);
}

function dated(said: string): Period | undefined {
  const [, year, month, date] = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?$/.exec(said) ?? [];
  if (year !== undefined) return calendar(Number(year), month && Number(month) - 1, date && Number(date));
  const words =
    /^(?:(\d{1,2})(?:st|nd|rd|th)? )?([a-z]{3,9})(?: (\d{1,2})(?:st|nd|rd|th)?)?,? (\d{4})$/.exec(said) ?? [];
  const at = words[2] === undefined ? -1 : months.findIndex((one) => one === words[2] || one.slice(0, 3) === words[2]);
  if (at < 0) return undefined;
  const dayOfMonth = words[1] ?? words[3];
  return calendar(Number(words[4]), at, dayOfMonth && Number(dayOfMonth));
}

function calendar(year: number, month: number | '' | undefined, date: number | '' | undefined): Period | undefined {
  if (typeof month !== 'number') return { from: new Date(year, 0).getTime(), to: new Date(year + 1, 0).getTime() };
  if (month < 0 || month > 11) return undefined;
  if (typeof date !== 'number')
    return { from: new Date(year, month).getTime(), to: new Date(year, month + 1).getTime() };
  const first = new Date(year, month, date);
  return first.getMonth() === month ? days(year, month, date, 1) : undefined;
}

const days = (year: number, month: number, date: number, count: number): Period => ({
  from: new Date(year, month, date).getTime(),
  to: new Date(year, month, date + count).getTime(),
});
