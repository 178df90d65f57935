import type { CapState } from '../policy/policy.ts';
import type { Ledger, LedgerRow } from './ledger.ts';
import { catalogueVersion } from './prices.ts';

/** How usage can be added up. */
export const usageBy = ['model', 'day', 'month', 'conversation', 'plugin'] as const;
type UsageBy = (typeof usageBy)[number];

/** Which calls are added up, and how. */
export interface UsageQuery {
  by: UsageBy;
  /** `2026-11`, or `2026-11-22` for a day; everything when left out. */
  since?: string | undefined;
  conversation?: string | undefined;
}

/** One line of a report. Tokens and dollars are sums. */
interface UsageLine {
  key: string;
  calls: number;
  input: number;
  cached: number;
  output: number;
  usd: number;
  /** Notes of the calls (where their price is from), each once. */
  notes: string[];
}

/** What was spent. */
export interface UsageReport {
  by: UsageBy;
  since: string;
  /** The day of px's own price list. */
  catalogue: string;
  caps: CapState[];
  total: UsageLine;
  lines: UsageLine[];
}

/** Adds the ledger up. */
export function reportUsage(ledger: Ledger, query: UsageQuery, caps: CapState[]): UsageReport {
  const since = query.since ?? '';
  const lines = new Map<string, UsageLine>();
  const total = line('total');
  for (const month of ledger.months()) {
    if (month < since.slice(0, 7)) continue;
    for (const row of ledger.read(month)) {
      if (row.at < since || (query.conversation !== undefined && row.conversation !== query.conversation)) continue;
      const key = keyOf(row, query.by);
      const found = lines.get(key) ?? line(key);
      lines.set(key, found);
      for (const sum of [found, total]) count(sum, row);
    }
  }
  const byTime = query.by === 'day' || query.by === 'month';
  const sorted = [...lines.values()].sort((a, b) =>
    byTime ? (a.key < b.key ? -1 : 1) : b.usd - a.usd || b.calls - a.calls,
  );
  return { by: query.by, since, catalogue: catalogueVersion, caps, total, lines: sorted };
}

function keyOf(row: LedgerRow, by: UsageBy): string {
  if (by === 'day') return row.at.slice(0, 10);
  if (by === 'month') return row.at.slice(0, 7);
  return row[by] || (by === 'plugin' ? '(no plugin)' : '(no conversation)');
}

function line(key: string): UsageLine {
  return { key, calls: 0, input: 0, cached: 0, output: 0, usd: 0, notes: [] };
}

function count(sum: UsageLine, row: LedgerRow): void {
  sum.calls++;
  sum.input += row.input;
  sum.cached += row.cached;
  sum.output += row.output;
  sum.usd += row.usd;
  if (row.note !== '' && !sum.notes.includes(row.note) && sum.notes.length < 8) sum.notes.push(row.note);
}
