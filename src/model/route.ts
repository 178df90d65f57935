import { nearest } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { ModelRef } from '../wire/wire.ts';
import { knownModels, offlineRef, type ProviderName, providerFacts, providerNames } from './catalogue.ts';

/** What a name is looked up in. */
export interface RouteTable {
  aliases: Record<string, string>;
  /** What `auto` and `default` mean. */
  automatic: ModelRef;
  /** Names of `providers.compatible`. */
  servers: string[];
  /** Ollama's models, as far as px has seen them. */
  local: string[];
}

/** True for a provider px has a client for. */
function isProviderName(name: string): name is ProviderName {
  return (providerNames as readonly string[]).includes(name);
}

/** A reference, alias, provider or well-known model name as a reference. Throws PxError `model.unknown` with the nearest names. */
export function resolveName(name: string, table: RouteTable): ModelRef {
  const wanted = name.trim();
  const at = Object.hasOwn(table.aliases, wanted) ? (table.aliases[wanted] ?? wanted) : wanted;
  if (at === 'auto' || at === 'default') return table.automatic;
  if (at === offlineRef || at === 'offline') return offlineRef;
  const slash = at.indexOf('/');
  const provider = slash < 0 ? at : at.slice(0, slash);
  const model = slash < 0 ? '' : at.slice(slash + 1);
  if ((isProviderName(provider) || table.servers.includes(provider)) && model !== '') return `${provider}/${model}`;
  if (isProviderName(at)) return `${at}/${providerFacts[at].defaultModel}`;
  const owner = providerNames.find((p) => knownModels[p].includes(at));
  if (owner) return `${owner}/${at}`;
  if (table.local.includes(at)) return `ollama/${at}`;
  throw unknownModel(name, table);
}

function unknownModel(name: string, table: RouteTable): PxError {
  const near = nearestTwo(name, [
    ...Object.keys(table.aliases),
    ...providerNames,
    ...table.servers,
    'auto',
    offlineRef,
    ...table.local.map((model) => `ollama/${model}`),
    ...providerNames.flatMap((p) => knownModels[p].flatMap((model) => [`${p}/${model}`, model])),
  ]);
  return new PxError('model.unknown', `No model or alias is named \`${name}\`.`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.map((n) => `\`${n}\``).join(' or ')}?`
        : 'Write it as provider/model, with openai, anthropic, gemini, ollama, offline or a server of providers.compatible.',
    data: { nearest: near },
  });
}

/** The two closest names, best first; none when all are far. */
function nearestTwo(name: string, candidates: string[]): string[] {
  const first = nearest(name, candidates);
  if (first === undefined) return [];
  const second = nearest(
    name,
    candidates.filter((c) => c !== first),
  );
  return second === undefined ? [first] : [first, second];
}
