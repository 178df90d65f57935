/** A stretch of time in ms since the epoch: `from` counts, `to` does not any more. */
export interface Period {
  from: number;
  to: number;
}

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const months = 'january february march april may june july august september october november december'.split(' ');

/**
 * What a person means by a day, in local time: `today`, `yesterday`, `tuesday` (the latest one, today included), `last tuesday`, `3 days ago`, `this week` (from Monday),
 * `last weekend`, `last month`, `last 7 days`, `2025-11-22`, `2025-11`, `2025`, `22 november 2025`, `november 2025`, the same without a year (the latest that has begun), and a
 * range `2025-11-01..2025-11-07` with one end left out or not. Undefined for anything else.
 */
export function periodOf(text: string, now: number = Date.now()): Period | undefined {
  const said = text.trim().toLowerCase();
  const range = /^(.*?)\s*\.\.\s*(.*)$/.exec(said);
  if (range) {
    const [from, to] = [range[1] ?? '', range[2] ?? ''].map((end) => (end === '' ? null : periodOf(end, now)));
    if (from === undefined || to === undefined || (from === null && to === null)) return undefined;
    return { from: from?.from ?? 0, to: to?.to ?? Number.MAX_SAFE_INTEGER };
  }
  return relative(said, new Date(now)) ?? dated(said, now);
}

/** A time that is said from today on. */
function relative(said: string, today: Date): Period | undefined {
  const [year, month, date] = [today.getFullYear(), today.getMonth(), today.getDate()];
  const day = (back: number, count = 1) => days(year, month, date - back, count);
  if (said === 'today') return day(0);
  if (said === 'yesterday') return day(1);
  const span = /^last (\d{1,4}) days$/.exec(said)?.[1];
  if (span !== undefined) return day(Number(span) - 1, Number(span));
  const [, ago, unit] = /^(\d{1,4}) (day|week)s? ago$/.exec(said) ?? [];
  if (ago !== undefined) return day(Number(ago) * (unit === 'week' ? 7 : 1));
  const monday = (today.getDay() + 6) % 7;
  const [, which, what] = /^(last|this) (week|weekend|month|year)$/.exec(said) ?? [];
  const back = which === 'last' ? 1 : 0;
  if (what === 'week') return day(monday + 7 * back, 7);
  if (what === 'weekend') return day(monday - 5 + 7 * back, 2);
  if (what === 'month') return calendar(year, month - back);
  if (what === 'year') return calendar(year - back);
  const [, last, name = ''] = /^(last )?([a-z]{3,})$/.exec(said) ?? [];
  const weekday = name === '' ? -1 : weekdays.findIndex((one) => one === name || one.slice(0, 3) === name);
  if (weekday < 0) return undefined;
  const since = (today.getDay() - weekday + 7) % 7;
  return day(since === 0 && last ? 7 : since);
}

function dated(said: string, now: number): Period | undefined {
  const [, year, month, date] = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?$/.exec(said) ?? [];
  if (year !== undefined) {
    const at = month === undefined ? undefined : Number(month) - 1;
    return at !== undefined && (at < 0 || at > 11) ? undefined : calendar(Number(year), at, date && Number(date));
  }
  const words =
    /^(?:(\d{1,2})(?:st|nd|rd|th)? (?:of )?)?([a-z]{3,9})(?: (\d{1,2})(?:st|nd|rd|th)?)?(?:,? (\d{4}))?$/.exec(said) ??
    [];
  const at = words[2] === undefined ? -1 : months.findIndex((one) => one === words[2] || one.slice(0, 3) === words[2]);
  if (at < 0) return undefined;
  const dayOfMonth = words[1] ?? words[3];
  const of = (year: number) => calendar(year, at, dayOfMonth && Number(dayOfMonth));
  if (words[4] !== undefined) return of(Number(words[4]));
  const latest = new Date(now).getFullYear();
  const found = of(latest);
  return found && found.from > now ? of(latest - 1) : found;
}

/** A year, a month of it (from 0, outside 0..11 in a neighbouring year) or a day; undefined for a day the month does not have. */
function calendar(year: number, month?: number, date?: number | ''): Period | undefined {
  if (month === undefined) return { from: new Date(year, 0).getTime(), to: new Date(year + 1, 0).getTime() };
  if (typeof date !== 'number')
    return { from: new Date(year, month).getTime(), to: new Date(year, month + 1).getTime() };
  return new Date(year, month, date).getMonth() === month ? days(year, month, date, 1) : undefined;
}

const days = (year: number, month: number, date: number, count: number): Period => ({
  from: new Date(year, month, date).getTime(),
  to: new Date(year, month, date + count).getTime(),
});

const monthNames = months.flatMap((one) => [one, one.slice(0, 3)]).join('|');
const weekdayNames = weekdays.join('|');
const dayNumber = '\\d{1,2}(?:st|nd|rd|th)?';

/** Where a question may name a time. `may`, `march` and their like alone are words of their own: a month alone counts after `in` and such. */
const mention = new RegExp(
  [
    '\\b\\d{4}-\\d\\d(?:-\\d\\d)?\\b',
    '\\b(?:today|yesterday)\\b',
    '\\blast \\d{1,4} days\\b',
    '\\b\\d{1,4} (?:day|week)s? ago\\b',
    '\\b(?:last|this) (?:week|weekend|month|year)\\b',
    `\\b(?:last )?(?:${weekdayNames})\\b`,
    `\\b${dayNumber} (?:of )?(?:${monthNames})\\b(?:,? \\d{4}\\b)?`,
    `\\b(?:${monthNames}) ${dayNumber}\\b(?:,? \\d{4}\\b)?`,
    `\\b(?:${monthNames}),? \\d{4}\\b`,
    `(?<=\\b(?:in|last|this|since|during|of) )(?:${months.join('|')})\\b`,
  ].join('|'),
  'g',
);

/** The times a question names; of those seen from today also the words. */
export function periodsIn(question: string, now: number = Date.now()): { period: Period; relative?: string }[] {
  return [...question.toLowerCase().matchAll(mention)].flatMap(([said]) => {
    const seen = relative(said, new Date(now));
    const period = seen ?? dated(said, now);
    return period ? [{ period, ...(seen ? { relative: said } : {}) }] : [];
  });
}

/** A time is looked for by its days, a longer one by its months or years, one of more years not at all: each spelling costs time. */
const spelled = { days: 8, months: 3, years: 3 };

/** How notes write a time, in words as FTS5 sees them: `2025 11 22` (also what a day's note or transcript is called), `22 november 2025`, `november 22 2025`; months and years alike. */
export function spellings({ from, to }: Period): string[] {
  const found: string[] = [];
  const first = new Date(from);
  const two = (n: number) => String(n).padStart(2, '0');
  for (let n = 0; n <= spelled.days; n++) {
    const day = new Date(first.getFullYear(), first.getMonth(), first.getDate() + n);
    if (day.getTime() >= to) return found;
    const [year, month, date] = [day.getFullYear(), day.getMonth(), day.getDate()];
    found.push(
      `${year} ${two(month + 1)} ${two(date)}`,
      `${date} ${months[month]} ${year}`,
      `${months[month]} ${date} ${year}`,
    );
  }
  found.length = 0;
  for (let n = 0; n <= spelled.months; n++) {
    const month = new Date(first.getFullYear(), first.getMonth() + n);
    if (month.getTime() >= to) return found;
    found.push(
      `${month.getFullYear()} ${two(month.getMonth() + 1)}`,
      `${months[month.getMonth()]} ${month.getFullYear()}`,
    );
  }
  const years = new Date(to - 1).getFullYear() - first.getFullYear() + 1;
  return years > spelled.years ? [] : Array.from({ length: years }, (_, n) => `${first.getFullYear() + n}`);
}
