import { PxError } from '../error/error.ts';
import type { ModelRef } from '../wire/wire.ts';
import { knownModels, offlineRef, type ProviderName, providerFacts, providerNames } from './catalogue.ts';

/** What a name is looked up in. */
export interface RouteTable {
  aliases: Record<string, string>;
  /** What `auto` and `default` mean. */
  automatic: ModelRef;
  /** Ollama's models, as far as px has seen them. */
  local: string[];
}

/** True for a provider px has a client for. */
export function isProviderName(name: string): name is ProviderName {
  return (providerNames as readonly string[]).includes(name);
}

/** A reference, alias, provider or well-known model name as a reference. Throws PxError `model.unknown` with the nearest names. */
export function resolveName(name: string, table: RouteTable): ModelRef {
  const seen = new Set<string>();
  let at = name.trim();
  for (let target = ownValue(table.aliases, at); target !== undefined; target = ownValue(table.aliases, at)) {
    if (seen.has(at))
      throw new PxError('model.unknown', `The alias \`${name}\` leads back to itself.`, {
        hint: 'Mend model.aliases in px.yaml.',
      });
    seen.add(at);
    at = target.trim();
  }
  if (at === 'auto' || at === 'default') return table.automatic;
  if (at === offlineRef || at === 'offline') return offlineRef;
  const slash = at.indexOf('/');
  const provider = slash < 0 ? at : at.slice(0, slash);
  const model = slash < 0 ? '' : at.slice(slash + 1);
  if (isProviderName(provider) && model !== '') return `${provider}/${model}`;
  if (isProviderName(at)) return `${at}/${providerFacts[at].defaultModel}`;
  const owner = providerNames.find((p) => knownModels[p].includes(at));
  if (owner) return `${owner}/${at}`;
  if (table.local.includes(at)) return `ollama/${at}`;
  throw unknownModel(name, table);
}

function unknownModel(name: string, table: RouteTable): PxError {
  const near = nearest(name, [
    ...Object.keys(table.aliases),
    ...providerNames,
    'auto',
    offlineRef,
    ...table.local.map((model) => `ollama/${model}`),
    ...providerNames.flatMap((p) => knownModels[p].flatMap((model) => [`${p}/${model}`, model])),
  ]);
  return new PxError('model.unknown', `No model or alias is named \`${name}\`.`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.map((n) => `\`${n}\``).join(' or ')}?`
        : 'Write it as provider/model, with openai, anthropic, gemini, ollama or offline.',
    data: { nearest: near },
  });
}

/** The closest names, best first; none when all are far. */
function nearest(name: string, candidates: string[]): string[] {
  const wanted = name.toLowerCase();
  const scored = [...new Set(candidates)].map((candidate) => ({
    candidate,
    distance: distance(wanted, candidate.toLowerCase()),
  }));
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  return scored
    .filter((s) => s.distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map((s) => s.candidate);
}

/** Edits between two words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

function ownValue(record: Record<string, string>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
