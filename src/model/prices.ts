/** What a model costs, in US dollars per million tokens. */
export interface Price {
  input: number;
  output: number;
  /** Input read from the provider's cache; a tenth of `input` when left out. */
  cachedInput?: number;
  /** Input written to the provider's cache; as `input` when left out. */
  cacheWrite?: number;
  /** A call with more input tokens than `above` is charged this much more, as a whole. */
  long?: { above: number; input: number; output: number };
  /** From this day on (UTC) it costs so many times as much. */
  later?: { from: string; times: number };
}

/**
 * The day these prices were looked up. Rows of the ledger name it; prices of px.yaml (`model.prices`) come before it. Read, as far as public
 * copies of the providers' pages go:
 * - OpenAI, developers.openai.com/api/docs/pricing: as of 2026-07 for what is older than GPT-5.6, of 2026-10-27 for GPT-5.6 to 6.1,
 *   GPT-6.2 as LiteLLM's price map had it. GPT-5.6 Sol was sold for less until 2026-11-21: its full price stands here.
 * - Anthropic, platform.claude.com/docs (models, pricing): as of 2026-10-24.
 * - Google, ai.google.dev/gemini-api/docs/pricing: as of 2026-10-07. A name that ends in `-latest` is priced as the dearest it may mean.
 */
export const catalogueVersion = '2026-11-23';

const openAiLong = { above: 272_000, input: 2, output: 1.5 };
const geminiLong = { above: 200_000, input: 2, output: 1.5 };

function claude(input: number, output: number, cached = 0.1): Price {
  return { input, output, cachedInput: input * cached, cacheWrite: input * 1.25 };
}

function gpt(input: number, cachedInput: number, output: number, more: Partial<Price> = {}): Price {
  return { input, cachedInput, output, ...more };
}

const newer = (input: number) => ({ cacheWrite: input * 1.25, long: openAiLong });

/** List prices by reference. A dated or `-latest` form of a name costs the same; any other name is not in here and counts as unknown. */
export const prices: Record<string, Price> = {
  'openai/gpt-6.2-astra': gpt(8, 0.4, 40, newer(8)),
  'openai/gpt-6.2-sol': gpt(2, 0.1, 10, newer(2)),
  'openai/gpt-6.1-sol': gpt(2, 0.1, 10, newer(2)),
  'openai/gpt-6.1-terra': gpt(1, 0.05, 5, newer(1)),
  'openai/gpt-6-astra': gpt(10, 1, 50, newer(10)),
  'openai/gpt-6-sol': gpt(2, 0.2, 10, newer(2)),
  'openai/gpt-6-luna': gpt(0.1, 0.01, 0.5, newer(0.1)),
  'openai/gpt-5.6-sol': gpt(5, 0.5, 30, newer(5)),
  'openai/gpt-5.6-terra': gpt(2, 0.2, 12, newer(2)),
  'openai/gpt-5.6-luna': gpt(0.2, 0.02, 1.2, newer(0.2)),
  'openai/gpt-5.5-pro': gpt(30, 30, 180),
  'openai/gpt-5.4-pro': gpt(30, 30, 180),
  'openai/gpt-5.5': gpt(5, 0.5, 30, { long: openAiLong }),
  'openai/gpt-5.4': gpt(2.5, 0.25, 15, { long: openAiLong }),
  'openai/gpt-5.4-mini': gpt(0.75, 0.075, 4.5),
  'openai/gpt-5.4-nano': gpt(0.2, 0.02, 1.25),
  'openai/gpt-5.2': gpt(1.75, 0.175, 14),
  'openai/gpt-5.1': gpt(1.25, 0.125, 10),
  'openai/gpt-5': gpt(1.25, 0.125, 10),
  'openai/gpt-5-mini': gpt(0.25, 0.025, 2),
  'openai/gpt-5-nano': gpt(0.05, 0.005, 0.4),
  'openai/gpt-4.1': gpt(2, 0.5, 8),
  'openai/gpt-4.1-mini': gpt(0.4, 0.1, 1.6),
  'openai/gpt-4.1-nano': gpt(0.1, 0.025, 0.4),
  'openai/gpt-4o': gpt(2.5, 1.25, 10),
  'openai/gpt-4o-mini': gpt(0.15, 0.075, 0.6),
  'openai/o3': gpt(2, 0.5, 8),
  'openai/o4-mini': gpt(1.1, 0.275, 4.4),
  'openai/text-embedding-3-small': { input: 0.02, output: 0 },
  'openai/text-embedding-3-large': { input: 0.13, output: 0 },
  'anthropic/claude-fable-5-1': claude(10, 50, 0.025),
  'anthropic/claude-fable-5': claude(10, 50),
  'anthropic/claude-opus-5-5': claude(4, 20, 0.05),
  'anthropic/claude-opus-5': claude(5, 25),
  'anthropic/claude-opus-4-8': claude(5, 25),
  'anthropic/claude-opus-4-7': claude(5, 25),
  'anthropic/claude-opus-4-6': claude(5, 25),
  'anthropic/claude-opus-4-5': claude(5, 25),
  'anthropic/claude-opus-4-1': claude(15, 75),
  'anthropic/claude-sonnet-5-5': claude(2, 10, 0.05),
  'anthropic/claude-sonnet-5': claude(2, 10),
  'anthropic/claude-sonnet-4-6': claude(3, 15),
  'anthropic/claude-sonnet-4-5': claude(3, 15),
  'anthropic/claude-haiku-5-5': { ...claude(0.1, 0.5), long: { above: 100_000, input: 5, output: 5 } },
  'anthropic/claude-haiku-4-5': claude(1, 5),
  'gemini/gemini-flash-latest': { input: 1.5, output: 9 },
  'gemini/gemini-flash-lite-latest': { input: 0.3, output: 2.5 },
  'gemini/gemini-pro-latest': { input: 2, output: 12, long: geminiLong },
  'gemini/gemini-3.8-flash': { input: 0.75, output: 3.75, later: { from: '2027-01-01', times: 2 } },
  'gemini/gemini-3.7-flash': { input: 0.75, output: 3.75, later: { from: '2027-01-01', times: 2 } },
  'gemini/gemini-3.5-flash': { input: 1.5, output: 9 },
  'gemini/gemini-3.5-flash-lite': { input: 0.3, output: 2.5 },
  'gemini/gemini-3.1-flash-lite': { input: 0.25, output: 1.5 },
  'gemini/gemini-embedding-2': { input: 0.2, output: 0 },
  'gemini/gemini-2.5-pro': { input: 1.25, output: 10, long: geminiLong },
  'gemini/gemini-2.5-flash': { input: 0.3, output: 2.5 },
  'gemini/gemini-2.5-flash-lite': { input: 0.1, output: 0.4 },
  'gemini/gemini-3.1-pro': { input: 2, output: 12, long: geminiLong },
  'gemini/gemini-3-pro': { input: 2, output: 12, long: geminiLong },
  'gemini/gemini-embedding-001': { input: 0.15, output: 0 },
  'gemini/gemini-3-flash': { input: 0.5, output: 3 },
};

/** What a model counts as whose price nobody told px: the dearest its provider is known for. */
export const dearest: Record<string, Price> = {
  openai: { input: 30, output: 180, cachedInput: 30 },
  anthropic: claude(15, 75),
  gemini: { input: 4, output: 18, cachedInput: 4 },
  ollama: { input: 4, output: 18, cachedInput: 4 },
};
