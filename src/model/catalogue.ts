/** What px knows by heart about one provider. Everything about models that goes stale with time stands in this file. */
export interface ProviderFacts {
  /** As a person writes it. */
  label: string;
  /** The variable (and secret) its key is usually kept in. */
  keyName: string;
  /** Where a person gets a key; empty where none is needed or nobody can say. */
  keyUrl: string;
  /** True when the provider answers without a key. */
  keyOptional: boolean;
  /** The variable that moves its address, as its own SDK reads it. */
  baseUrlName: string;
  baseUrl: string;
  /** Current, cheap, and calls tools. */
  defaultModel: string;
}

/** The networked providers, in the order `auto` looks for them. */
export const providerNames = ['openai', 'anthropic', 'gemini', 'ollama'] as const;
export type ProviderName = (typeof providerNames)[number];

export const providerFacts: Record<ProviderName, ProviderFacts> = {
  openai: {
    label: 'OpenAI',
    keyName: 'OPENAI_API_KEY',
    keyUrl: 'https://platform.openai.com/api-keys',
    keyOptional: false,
    baseUrlName: 'OPENAI_BASE_URL',
    baseUrl: 'https://api.openai.com/v1',
    defaultModel: 'gpt-5.4-mini',
  },
  anthropic: {
    label: 'Anthropic',
    keyName: 'ANTHROPIC_API_KEY',
    keyUrl: 'https://console.anthropic.com/settings/keys',
    keyOptional: false,
    baseUrlName: 'ANTHROPIC_BASE_URL',
    baseUrl: 'https://api.anthropic.com',
    defaultModel: 'claude-haiku-5-5',
  },
  gemini: {
    label: 'Gemini',
    keyName: 'GEMINI_API_KEY',
    keyUrl: 'https://aistudio.google.com/apikey',
    keyOptional: false,
    baseUrlName: 'GOOGLE_GEMINI_BASE_URL',
    baseUrl: 'https://generativelanguage.googleapis.com',
    defaultModel: 'gemini-flash-latest',
  },
  ollama: {
    label: 'Ollama',
    keyName: 'OLLAMA_API_KEY',
    keyUrl: '',
    keyOptional: true,
    baseUrlName: 'OLLAMA_HOST',
    baseUrl: 'http://127.0.0.1:11434',
    defaultModel: 'qwen3',
  },
};

/** What px knows of a provider; of a server of `providers.compatible` only its name. */
export function factsOf(provider: string): ProviderFacts {
  const known = providerNames.find((name) => name === provider);
  if (known) return providerFacts[known];
  const keyName = `${provider.toUpperCase().replaceAll('-', '_')}_API_KEY`;
  return { label: provider, keyName, keyUrl: '', keyOptional: true, baseUrlName: '', baseUrl: '', defaultModel: '' };
}

/** The section of px.yaml with a provider's key and address. */
export function sectionOf(provider: string): string {
  return providerNames.some((name) => name === provider) ? `providers.${provider}` : `providers.compatible.${provider}`;
}

/** The embedded model that needs no network. */
export const offlineRef = 'offline/px' as const;

/** Context windows in tokens, by the start of a model's name; the first match counts. */
const contextWindows: [prefix: string, tokens: number][] = [
  ['offline/', 8_000],
  ['openai/gpt-6', 1_050_000],
  ['openai/gpt-5.6', 1_050_000],
  ['openai/gpt-5.5', 1_050_000],
  ['openai/gpt-5.4-mini', 400_000],
  ['openai/gpt-5.4-nano', 400_000],
  ['openai/gpt-5.4', 1_050_000],
  ['openai/gpt-5', 400_000],
  ['openai/gpt-4.1', 1_047_576],
  ['openai/gpt-4o', 128_000],
  ['openai/o', 200_000],
  ['anthropic/claude-haiku-4', 200_000],
  ['anthropic/claude-sonnet-4', 200_000],
  ['anthropic/claude-opus-4', 200_000],
  ['anthropic/claude-3', 200_000],
  ['anthropic/claude-', 1_000_000],
  ['gemini/gemini-', 1_048_576],
];

/** The context window of a model in tokens, where known. */
export function contextWindow(ref: string): number | undefined {
  return contextWindows.find(([prefix]) => ref.startsWith(prefix))?.[1];
}

/** Well-known names a person may write without the provider, and that "did you mean" proposes. */
export const knownModels: Record<ProviderName, string[]> = {
  openai: [
    'gpt-5.4-mini',
    'gpt-5.4',
    'gpt-5.4-nano',
    'gpt-6-luna',
    'gpt-6.2-sol',
    'gpt-6.2-astra',
    'gpt-6.1-terra',
    'gpt-5.6-sol',
    'gpt-5.6-terra',
    'gpt-5.6-luna',
    'gpt-5-mini',
    'gpt-5',
    'gpt-4.1-mini',
    'gpt-4o',
    'gpt-4o-mini',
  ],
  anthropic: [
    'claude-haiku-5-5',
    'claude-sonnet-5-5',
    'claude-opus-5-5',
    'claude-sonnet-5',
    'claude-opus-5',
    'claude-haiku-4-5',
  ],
  gemini: [
    'gemini-flash-latest',
    'gemini-flash-lite-latest',
    'gemini-pro-latest',
    'gemini-3.8-flash',
    'gemini-2.5-flash',
    'gemini-2.5-pro',
  ],
  ollama: ['qwen3', 'gpt-oss', 'llama3.2', 'llama3.1', 'mistral-small', 'granite4'],
};

/** Families of local models that call tools well, best first: which installed one Ollama's default is. */
const localPreference = [
  'qwen3',
  'gpt-oss',
  'granite4',
  'mistral-small',
  'ministral',
  'llama3.3',
  'llama3.2',
  'llama3.1',
  'qwen2.5',
  'devstral',
  'mistral-nemo',
  'gemma4',
  'gemma3',
];

/** The installed Ollama model px would take, or undefined when none can chat. `names` are as `/api/tags` lists them. */
export function pickLocalModel(names: string[]): string | undefined {
  const chat = names.filter((name) => !/embed|bge-|minilm|reranker/i.test(name));
  for (const family of localPreference) {
    const found = chat.find((name) => name.startsWith(family));
    if (found) return found;
  }
  return chat[0];
}
