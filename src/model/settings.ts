import type { Config, ConfigStore } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { Secrets } from '../secret/secret.ts';
import { factsOf, type ProviderName, providerFacts, providerNames } from './catalogue.ts';
import { isReachable } from './protocol/reach.ts';

/** What a provider needs for one call. Read anew at each call, so that an edit of px.yaml or a new key counts at once. */
export interface ProviderSettings {
  apiKey: string | undefined;
  baseUrl: string;
  /** False when the address is the provider's own: some servers that speak the same API know fewer parameters. */
  customBaseUrl: boolean;
  /** Whether a connection can be made at all; left out where one of our own says nothing, as through a proxy. */
  reachable?: ((withinMs: number) => Promise<boolean>) | undefined;
  /** Longest silence, in ms. */
  timeoutMs: number;
  /** OpenAI only. */
  api: 'chat' | 'responses';
}

type Section = Config['providers']['openai'];

/** What px.yaml says of a provider, or of a server of `providers.compatible`. Throws PxError `model.unknown`. */
export function providerSection(name: string, { current }: Pick<ConfigStore, 'current'>): Section {
  const { compatible, ...own } = current.providers;
  const known: ProviderName | undefined = providerNames.find((one) => one === name);
  const section: Section | undefined = known
    ? own[known]
    : Object.hasOwn(compatible, name)
      ? compatible[name]
      : undefined;
  if (section) return section;
  const names = [...providerNames, ...Object.keys(compatible)];
  throw new PxError('model.unknown', `No provider is named \`${name}\`.`, {
    hint: `Use one of ${names.join(', ')}, offline.`,
  });
}

const proxyNames = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

/** Reads a provider's settings: px.yaml first, then the environment or the secret store. Throws PxError `secret.missing`. */
export function readSettings(name: string, config: ConfigStore, secrets: Secrets): ProviderSettings {
  const facts = factsOf(name);
  const section = providerSection(name, config);
  const configured =
    section.base_url === undefined ? config.env.get(facts.baseUrlName) || undefined : secrets.resolve(section.base_url);
  const custom = configured !== undefined && configured.replace(/\/+$/, '') !== facts.baseUrl;
  const baseUrl = name === 'ollama' ? ollamaAddress(configured) : (configured ?? facts.baseUrl);
  return {
    apiKey: section.api_key === undefined ? secrets.get(facts.keyName) || undefined : secrets.resolve(section.api_key),
    baseUrl,
    customBaseUrl: custom,
    reachable: proxyNames.some((proxy) => config.env.get(proxy)) ? undefined : (ms) => isReachable(baseUrl, ms),
    timeoutMs: section.timeout_seconds * 1000,
    api: section.api ?? (custom ? 'chat' : 'responses'),
  };
}

/** `OLLAMA_HOST` as its users write it (`0.0.0.0`, `:11434`, `box.lan`) as a URL a client can reach. */
export function ollamaAddress(host: string | undefined): string {
  const given = host?.trim().replace(/\/+$/, '');
  if (!given) return providerFacts.ollama.baseUrl;
  const url = URL.parse(
    given.includes('://') ? given : `http://${given.startsWith(':') ? `127.0.0.1${given}` : given}`,
  );
  if (!url) return providerFacts.ollama.baseUrl;
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  if (!url.port && !given.includes('://')) url.port = '11434';
  return url.href.replace(/\/+$/, '');
}
