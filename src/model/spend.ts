import { mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigStore } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import { type CapState, cappedBy } from '../policy/policy.ts';
import type { ModelRef, Usage } from '../wire/wire.ts';
import { Ledger, type LedgerRow, ledgerTime } from './ledger.ts';
import type { ModelRequest } from './model.ts';
import { costOf, dollars, type Tariff, tariffOf, worstCost } from './price.ts';
import { providerName } from './ref.ts';
import { reportUsage, type UsageQuery, type UsageReport } from './usage.ts';

/** What became of a call. */
export interface CallOutcome {
  /** As the provider told; undefined when it told nothing. */
  usage: Usage | undefined;
  /** Of `usage.input`, those written to the provider's cache. */
  cacheWrite: number;
  /** False when the provider never began to answer: nothing is charged. */
  begun: boolean;
  /** Characters that came, for an estimate. */
  chars: number;
}

/** A call that may be made. */
export interface Reservation {
  /** Books what it cost. Returns once it counts; the row is on disk soon after. */
  settle(outcome: CallOutcome): void;
}

/** Watches over what is spent: prices, caps and the ledger. Nothing is read before the first call. */
export class Spend {
  readonly #config: ConfigStore;
  readonly #log: Log;
  readonly #ledger: Ledger;
  readonly #open: string;
  readonly #baseUrl: (provider: string) => string | undefined;
  #totals = new Map<string, number>();
  #reserved = new Map<string, number>();
  #read: { month: string; stamp: string | undefined; all: boolean } | undefined;

  constructor(config: ConfigStore, log: Log, baseUrl: (provider: string) => string | undefined) {
    this.#config = config;
    this.#log = log;
    this.#ledger = new Ledger(config.home.memory);
    this.#open = join(config.home.state, 'calls');
    this.#baseUrl = baseUrl;
  }

  /** What a model is charged by. */
  tariff(ref: ModelRef): Tariff {
    return tariffOf(ref, this.#config.current.model.prices, this.#baseUrl(providerName(ref)));
  }

  /** Sets the worst case of a call aside. Throws PxError `model.budget` when it could pass a cap: the call must not be made. */
  reserve(request: ModelRequest): Reservation {
    const tariff = this.tariff(request.model);
    const worst = worstCost(tariff.price, request);
    const row = this.#row(request, tariff);
    const keys = keysOf(row);
    if (worst > 0) {
      this.#refresh(row.at);
      const over = cappedBy(this.#caps(row), worst);
      if (over) throw overCap(over, worst, request.model, tariff, row.plugin);
      for (const key of keys) add(this.#reserved, key, worst);
    }
    const mark = worst > 0 ? this.#mark({ ...row, usd: worst }) : undefined;
    let settled = false;
    return {
      settle: (outcome) => {
        if (settled) return;
        settled = true;
        for (const key of keys) add(this.#reserved, key, -worst);
        this.#book({ ...row, ...counted(outcome, request, tariff) }, outcome, mark);
      },
    };
  }

  /** The caps and what is used of them, for everybody or for one conversation. */
  caps(conversation?: string): CapState[] {
    const at = ledgerTime();
    this.#refresh(at);
    return this.#caps({ at, conversation: conversation ?? '', plugin: this.#plugin(conversation ?? '') });
  }

  /** What was spent, added up. */
  report(query: UsageQuery): UsageReport {
    this.#refresh(ledgerTime());
    return reportUsage(this.#ledger, query, this.caps(query.conversation));
  }

  /** Resolves when every row is on disk. */
  idle(): Promise<void> {
    return this.#ledger.idle();
  }

  #row(request: ModelRequest, tariff: Tariff): LedgerRow {
    const { conversation = '', turn = '', channel } = request.origin ?? {};
    const plugin = this.#plugin(conversation, channel);
    const tokens = { input: 0, cached: 0, output: 0, usd: 0 };
    return { at: ledgerTime(), conversation, turn, plugin, model: request.model, ...tokens, note: tariff.source };
  }

  /** The plugin whose channel the message came over: by the conversation's name where nobody says. */
  #plugin(conversation: string, channel = conversation.slice(0, conversation.indexOf('/'))): string {
    const { channels } = this.#config.current;
    return Object.hasOwn(channels, channel) ? (channels[channel]?.plugin ?? channel) : '';
  }

  #caps(row: Pick<LedgerRow, 'at' | 'conversation' | 'plugin'>): CapState[] {
    const { budget } = this.#config.current.model;
    const [day, month, conversation, plugin] = keysOf(row);
    const state = (cap: CapState['cap'], key: string | undefined): CapState[] => {
      const limit = budget[cap];
      if (limit === undefined || key === undefined) return [];
      return [{ cap, limit, spent: this.#totals.get(key) ?? 0, reserved: this.#reserved.get(key) ?? 0 }];
    };
    return [
      ...state('day', day),
      ...state('month', month),
      ...(row.conversation === '' ? [] : state('conversation', conversation)),
      ...(row.plugin === '' ? [] : state('plugin', plugin)),
    ];
  }

  #book(row: LedgerRow, outcome: CallOutcome, mark: string | undefined): void {
    const nothing = row.usd === 0 && row.input === 0 && row.output === 0;
    for (const key of keysOf(row)) add(this.#totals, key, row.usd);
    const done = () => mark !== undefined && remove(mark);
    if (nothing || (!outcome.begun && outcome.usage === undefined)) return void done();
    this.#ledger
      .append(row)
      .then(() => {
        if (this.#read?.month === row.at.slice(0, 7)) this.#read.stamp = this.#ledger.stamp(this.#read.month);
        done();
      })
      .catch((error) => this.#log.error(`the ledger cannot be written: ${String(error)}`, { usd: row.usd }));
  }

  /** Reads the ledger again when it is another month's, somebody edited it, or an older month is needed. */
  #refresh(at: string): void {
    const month = at.slice(0, 7);
    const all = this.#config.current.model.budget.conversation !== undefined;
    const stamp = this.#ledger.stamp(month);
    const known = this.#read;
    if (known && known.month === month && (known.all || !all) && (stamp === undefined || known.stamp === stamp)) return;
    const first = known === undefined;
    this.#totals = new Map();
    for (const one of all ? this.#ledger.months() : [month])
      for (const row of this.#ledger.read(one)) for (const key of keysOf(row)) add(this.#totals, key, row.usd);
    this.#read = { month, stamp, all };
    if (first) this.#takeUp();
  }

  /** Leaves a mark of a call that is under way: should px be killed, its worst case is booked at the next start. */
  #mark(row: LedgerRow): string | undefined {
    const file = join(this.#open, `${crypto.randomUUID()}.json`);
    try {
      mkdirSync(this.#open, { recursive: true, mode: 0o700 });
      writeFileSync(file, JSON.stringify(row), { mode: 0o600 });
      return file;
    } catch (error) {
      this.#log.warn(`a running call cannot be noted: ${String(error)}`);
      return undefined;
    }
  }

  /** Books what was running when px was killed. */
  #takeUp(): void {
    let names: string[] = [];
    try {
      names = readdirSync(this.#open);
    } catch {
      return;
    }
    for (const name of names) {
      const file = join(this.#open, name);
      try {
        const row = { ...EMPTY, ...JSON.parse(readFileSync(file, 'utf8')) } as LedgerRow;
        const note = `${row.note}; px was stopped during this call: counted as its worst case`;
        this.#book({ ...row, note }, { usage: undefined, cacheWrite: 0, begun: true, chars: 0 }, file);
      } catch {
        remove(file);
      }
    }
  }
}

const EMPTY: LedgerRow = {
  at: '',
  conversation: '',
  turn: '',
  plugin: '',
  model: '',
  input: 0,
  cached: 0,
  output: 0,
  usd: 0,
  note: '',
};

/** What a call is counted under: its day, month, conversation, and the plugin's day. */
function keysOf(row: Pick<LedgerRow, 'at' | 'conversation' | 'plugin'>): string[] {
  const day = row.at.slice(0, 10);
  return [`day ${day}`, `month ${day.slice(0, 7)}`, `conversation ${row.conversation}`, `plugin ${day} ${row.plugin}`];
}

function add(sums: Map<string, number>, key: string, value: number): void {
  const sum = (sums.get(key) ?? 0) + value;
  if (Math.abs(sum) < 1e-12) sums.delete(key);
  else sums.set(key, sum);
}

/** What is booked: what the provider told, or a careful guess when it charged and told nothing. */
function counted(outcome: CallOutcome, request: ModelRequest, tariff: Tariff) {
  const { usage, begun, cacheWrite, chars } = outcome;
  if (usage)
    return {
      input: usage.input,
      cached: usage.cachedInput,
      output: usage.output,
      usd: costOf(tariff.price, usage, cacheWrite),
    };
  if (!begun) return {};
  const input = Math.ceil(JSON.stringify([request.system, request.messages, request.tools]).length / 3);
  const guess = { input, output: Math.ceil(chars / 2), cachedInput: 0 };
  const note = `${tariff.source}; tokens estimated`;
  return { input, cached: 0, output: guess.output, usd: costOf(tariff.price, guess), note };
}

function overCap(state: CapState, worst: number, model: ModelRef, tariff: Tariff, plugin: string): PxError {
  const { cap, limit, spent, reserved } = state;
  const of = {
    day: "today's",
    month: "this month's",
    conversation: "this conversation's",
    plugin: `today's (for ${plugin})`,
  }[cap];
  const left = Math.max(0, limit - spent - reserved);
  const more = Math.ceil(Math.max(limit * 2, spent + reserved + worst) * 100) / 100;
  return new PxError(
    'model.budget',
    `Not asked: this call to ${model} could cost up to ${dollars(worst)}, and ${dollars(left)} of ${of} ${dollars(limit)} is left${tariff.known ? '' : ` (${tariff.source})`}.`,
    {
      hint: `Raise it with \`px config set model.budget.${cap} ${more}\`, or switch to a free local model with /model. \`px usage\` shows what was spent.`,
      data: { cap, limit, spent, reserved, worst, model },
    },
  );
}

function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // It is gone already.
  }
}
