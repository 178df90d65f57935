import type { ConfigStore } from '../config/config.ts';
import type { Secrets } from '../secret/secret.ts';
import { factsOf, providerNames, sectionOf } from './catalogue.ts';
import type { ProviderInfo } from './model.ts';
import { providerSection, readSettings } from './settings.ts';

/** What is read to say how a provider stands. */
export interface ProviderParts {
  config: ConfigStore;
  secrets: Secrets;
}

/** Every networked provider px could use, in the order `auto` looks for them; nothing is asked of any of them. */
export function describeProviders(parts: ProviderParts): Omit<ProviderInfo, 'problem'>[] {
  return [...providerNames, ...Object.keys(parts.config.current.providers.compatible)].map((name) => {
    const facts = factsOf(name);
    const reference = providerSection(name, parts.config).api_key ?? '';
    // A key of px.yaml is kept under the name that stands there.
    const [, kept, variable] = /^(?:secret:([\w.-]+)|\$\{(?:secret:)?([\w.-]+)\})$/.exec(reference) ?? [];
    return {
      name,
      label: facts.label,
      secret: kept ?? variable ?? facts.keyName,
      keyUrl: facts.keyUrl,
      keyNeeded: !facts.keyOptional,
      key: keySource(name, parts) ?? '',
      url: addressOf(name, parts) ?? '',
      defaultModel: facts.defaultModel,
    };
  });
}

/** Why a provider counts as having a key, in words; undefined when it has none. */
export function keySource(name: string, { config, secrets }: ProviderParts): string | undefined {
  const reference = providerSection(name, config).api_key;
  const { keyName } = factsOf(name);
  if (reference !== undefined) {
    try {
      return secrets.resolve(reference) === '' ? undefined : `${sectionOf(name)}.api_key is set in px.yaml`;
    } catch {
      return undefined;
    }
  }
  if (!secrets.get(keyName)) return undefined;
  return secrets.names().includes(keyName) ? `${keyName} is in the secret store` : `${keyName} is set`;
}

/** Whether px.yaml gives a provider an address of its own. */
export function hasOwnServer(name: string, { config }: ProviderParts): boolean {
  return providerSection(name, config).base_url !== undefined;
}

/** Where a provider's requests go; undefined when that cannot be said now. */
export function addressOf(provider: string, { config, secrets }: ProviderParts): string | undefined {
  try {
    return readSettings(provider, config, secrets).baseUrl;
  } catch {
    return undefined;
  }
}
