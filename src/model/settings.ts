import type { ConfigStore } from '../config/config.ts';
import type { Secrets } from '../secret/secret.ts';
import { type ProviderName, providerFacts } from './catalogue.ts';

/** What a provider needs for one call. Read anew at each call, so that an edit of px.yaml or a new key counts at once. */
export interface ProviderSettings {
  apiKey: string | undefined;
  baseUrl: string;
  /** False when the address is the provider's own: some servers that speak the same API know fewer parameters. */
  customBaseUrl: boolean;
  /** True when the environment names a proxy. */
  proxied?: boolean;
  /** Longest silence, in ms. */
  timeoutMs: number;
  /** OpenAI only. */
  api: 'chat' | 'responses';
}

const proxyNames = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

/** Reads a provider's settings: px.yaml first, then the environment or the secret store. Throws PxError `secret.missing`. */
export function readSettings(name: ProviderName, config: ConfigStore, secrets: Secrets): ProviderSettings {
  const facts = providerFacts[name];
  const section = config.current.providers[name];
  const configured =
    section.base_url === undefined ? config.env.get(facts.baseUrlName) || undefined : secrets.resolve(section.base_url);
  const custom = configured !== undefined && configured.replace(/\/+$/, '') !== facts.baseUrl;
  return {
    apiKey: section.api_key === undefined ? secrets.get(facts.keyName) || undefined : secrets.resolve(section.api_key),
    baseUrl: name === 'ollama' ? ollamaAddress(configured) : (configured ?? facts.baseUrl),
    customBaseUrl: custom,
    proxied: proxyNames.some((proxy) => Boolean(config.env.get(proxy))),
    timeoutMs: section.timeout_seconds * 1000,
    api: (name === 'openai' ? config.current.providers.openai.api : undefined) ?? (custom ? 'chat' : 'responses'),
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
