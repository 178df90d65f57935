import type { Json, ToolResultPart } from '../../wire/wire.ts';
import { resultText } from '../protocol/history.ts';
import { type Intent, readIntents } from './offline-intent.ts';
import { zoneOf } from './offline-zone.ts';

/** One place in memory: `file#line` and what stands there. */
export interface CitedHit {
  place: string;
  heading: string;
  text: string;
}

/** Most hits in one answer, and characters of each. */
const maxHits = 3;
const maxChars = 240;

/** The answer to a message whose tools have run. */
export function wordResults(results: ToolResultPart[], said: string): string {
  const intents = readIntents(said);
  return results.map((result, at) => wordResult(result, intents[at] ?? intents[0])).join('\n\n');
}

function wordResult(result: ToolResultPart, intent: Intent | undefined): string {
  const text = result.content
    .flatMap((c) => (c.type === 'text' ? [c.text] : []))
    .join('\n')
    .trim();
  if (result.isError)
    return `\`${result.name}\` failed: ${resultText(result)
      .replace(/^error:?\s*/i, '')
      .replace(/^plugin\.guest: /, '')}`;
  switch (intent?.kind) {
    case 'time':
      return `It is ${readable(text)}${where(intent.place)}.`;
    case 'remember':
      return `I will remember that. ${text}`.trim();
    case 'search':
      return wordHits(citedHits(text), intent);
    default:
      return text === '' ? `\`${result.name}\` ran and said nothing.` : `\`${result.name}\` says:\n\n${text}`;
  }
}

/** Which clock was told: a place it does not know is not passed off as known. */
function where(place: string): string {
  if (place === '') return '';
  const zone = zoneOf(place);
  return zone ? ` in ${zone.place}` : ` here; I do not know the time in ${place}`;
}

/** What memory says, each line with the place it stands at. */
export function wordHits(hits: CitedHit[], intent: Extract<Intent, { kind: 'search' }>): string {
  const found = hits
    // Its own former answers are no source.
    .filter((hit) => !/(^|\s)px · offline\/px\b/.test(hit.heading))
    .map((hit) => ({ ...hit, text: withoutNoise(hit.text, intent) }))
    .filter((hit) => hit.text !== '');
  const distinct = found.filter((hit, at) => found.findIndex((other) => other.text === hit.text) === at);
  if (distinct.length === 0) return `I find nothing about “${intent.query}” in your memory.`;
  return `From your memory:\n${distinct
    .slice(0, maxHits)
    .map((hit) => `- ${hit.text} (${hit.place})`)
    .join('\n')}`;
}

/** The hits in a search tool's text: a line `file.md#12 (heading)` and what follows it, or JSON with `path` and `line`. */
function citedHits(text: string): CitedHit[] {
  const hits: CitedHit[] = [];
  for (const line of text.split('\n')) {
    const [, place, heading, rest] = /^[-*\s]*(\S+\.md#L?\d+)(?:\s+\(([^)]*)\))?:?\s*(.*)$/.exec(line) ?? [];
    if (place !== undefined) hits.push({ place, heading: heading ?? '', text: rest ?? '' });
    else {
      const last = hits.at(-1);
      if (last) last.text += `\n${line}`;
    }
  }
  return hits;
}

/** A passage without what is no answer: the question itself, journal marks, tool calls. */
function withoutNoise(passage: string, intent: Extract<Intent, { kind: 'search' }>): string {
  const asked = words(intent.asked);
  const kept = passage
    .split('\n')
    .map((line) => line.replace(/<!--.*?(-->|$)/g, '').trim())
    .filter(
      (line) =>
        line !== '' &&
        !/^(#{1,6} |```|\*\*tool\*\*|\*(stop|tool-calls|error|aborted|length) · |"?(query|limit)"?:|[{}[\]]+,?$|>)/.test(
          line,
        ),
    )
    .filter((line) => {
      const own = words(line);
      return (
        own !== '' &&
        !(asked === own || (own.length > 8 && asked.includes(own)) || (asked.length > 8 && own.includes(asked)))
      );
    })
    .map((line) => line.replace(/^[-*] /, ''));
  const topic = words(intent.query)
    .split(' ')
    .filter((word) => word.length > 2);
  const telling = kept.filter((line) => topic.some((word) => words(line).includes(word.slice(0, 5))));
  const joined = (telling.length > 0 ? telling : kept).join(' ').replace(/\s+/g, ' ').trim();
  return joined.length > maxChars ? `${joined.slice(0, maxChars)}…` : joined;
}

function words(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** A clock's answer in words: JSON is unpacked, a number of milliseconds becomes a date. */
function readable(text: string): string {
  let value: Json = text;
  try {
    value = JSON.parse(text);
  } catch {
    // Plain text already.
  }
  if (typeof value === 'number' || (typeof value === 'string' && /^\d{12,14}$/.test(value)))
    return new Date(Number(value)).toString();
  if (typeof value === 'string') return value.replace(/[.\s]+$/, '').replace(/^it is /i, '');
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const said = value['text'];
    if (typeof said === 'string') return said.replace(/[.\s]+$/, '');
    return Object.entries(value)
      .map(([key, inner]) => `${key}: ${typeof inner === 'string' ? inner : JSON.stringify(inner)}`)
      .join(', ');
  }
  return text;
}
