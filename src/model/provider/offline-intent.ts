import type { Json, JsonObject } from '../../wire/wire.ts';
import type { ToolSpec } from '../model.ts';
import { zoneOf } from './offline-zone.ts';

/** What a person wants, as far as the offline model can tell. */
export type Intent =
  | { kind: 'greeting' | 'thanks' | 'identity' | 'help' | 'remind' | 'unknown' }
  /** `place` as the person named it; empty for here. */
  | { kind: 'time'; place: string }
  | { kind: 'page'; url: string }
  | { kind: 'remember'; fact: string }
  /** `asked` is what the person wrote: a hit that only repeats it is no answer. */
  | { kind: 'search'; query: string; asked: string }
  | { kind: 'tool'; name: string; args: JsonObject }
  | { kind: 'broken'; why: string };

/** The intents of one message: several only when each line calls a tool. */
export function readIntents(message: string): Intent[] {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  const calls = lines.map(readCall);
  if (lines.length > 0 && calls.every((call) => call !== undefined)) return calls;
  // One call whose JSON goes over several lines.
  const whole = readCall(message.trim());
  return [whole ?? readPlain(message.trim())];
}

/** `/tool NAME {json}` or `!NAME {json}`. */
function readCall(line: string): Intent | undefined {
  const [, name, json] = /^(?:\/tool\s+|!)([\w.-]+)\s*([\s\S]*)$/.exec(line.trim()) ?? [];
  if (name === undefined) return undefined;
  if (!json?.trim()) return { kind: 'tool', name, args: {} };
  try {
    const args: Json = JSON.parse(json);
    if (typeof args === 'object' && args !== null && !Array.isArray(args)) return { kind: 'tool', name, args };
  } catch {
    // Said below.
  }
  return { kind: 'broken', why: `The arguments for \`${name}\` are not a JSON object.` };
}

function readPlain(text: string): Intent {
  const plain = text.replace(/[!.\s]+$/, '');
  const bare = plain.replace(/\?+$/, '').trim().toLowerCase();
  if (/^(hi|hello|hey|hallo|good (morning|evening|day|afternoon)|greetings|\/start)( (there|px|you))?$/.test(bare))
    return { kind: 'greeting' };
  if (/^(thanks|thank you|thx|cheers)\b/.test(bare)) return { kind: 'thanks' };
  if (/^\/?help( me)?$|^what can you do|^how do (you|i use)( work| you| this)?$/.test(bare)) return { kind: 'help' };
  if (/^(who|what) are you|^what model|^which model|^are you (an? )?(ai|llm|real|offline)/.test(bare))
    return { kind: 'identity' };
  if (
    /\bwhat('s| is)? the (time|date)\b|\bwhat time\b|\bwhat (day|date) is (it|today)\b|^(the )?(current )?(time|date)( now)?$|\btell me the time\b|^what('s| is) today/.test(
      bare,
    )
  )
    return { kind: 'time', place: /\bin ([\p{L}\p{M}/_ '-]+?)( now| right now| today)?$/u.exec(bare)?.[1] ?? '' };
  const url =
    /^(?:please\s+)?(?:fetch|read|open|get|load|summari[sz]e)\s+(?:the page\s+)?<?(https?:\/\/[^\s<>]+)>?$/i.exec(
      plain,
    )?.[1];
  if (url) return { kind: 'page', url };
  if (
    /^(please )?(remind me|wake me|set (a|an) (timer|alarm|reminder))\b/.test(bare) &&
    !/^remind me (of|what|who|where|when|which|how)\b/.test(bare)
  )
    return { kind: 'remind' };
  const fact =
    /^(?:please\s+|can you\s+|could you\s+)*(?:remember|note|memori[sz]e|keep in mind|don't forget|do not forget)(?:\s+down)?(?:\s+that|\s*:|\s*,)?\s+([\s\S]+)$/i.exec(
      text,
    )?.[1];
  if (fact && !text.trim().endsWith('?')) return { kind: 'remember', fact: fact.trim() };
  const search =
    /^(?:please\s+)?(?:search|look up|look for|find|recall)(?:\s+(?:my\s+)?(?:memory|notes))?(?:\s+for)?[\s:]+([\s\S]+)$/i.exec(
      plain,
    )?.[1];
  if (search) return { kind: 'search', query: topic(search), asked: text };
  if (
    text.trim().endsWith('?') ||
    /^(what|who|whom|whose|when|where|which|why|how|do|does|did|is|are|was|were|can|have|has|tell me about|remind me)\b/i.test(
      bare,
    )
  )
    return { kind: 'search', query: topic(plain), asked: text };
  return { kind: 'unknown' };
}

/** The words worth searching for: a question without its question words. */
function topic(question: string): string {
  const words = question
    .replace(/\?+\s*$/, '')
    .split(/\s+/)
    .filter((word) => !fillers.has(word.toLowerCase().replace(/[^a-z']/g, '')));
  return words.join(' ') || question.replace(/\?+\s*$/, '');
}

const fillers = new Set(
  "what what's whats who who's whom whose when where which why how do does did is are was were am be been can could would should will have has had i me my mine we our you your the a an of to in on at for about say said tell told remember know anything something ever there it that this please and or".split(
    ' ',
  ),
);

/** The call that serves an intent with the tools at hand, or undefined. */
export function toolFor(intent: Intent, tools: ToolSpec[]): { name: string; args: JsonObject } | undefined {
  switch (intent.kind) {
    case 'tool': {
      const tool =
        tools.find((t) => t.name === intent.name) ??
        tools.find((t) => t.name.toLowerCase() === intent.name.toLowerCase());
      return tool && { name: tool.name, args: intent.args };
    }
    case 'time': {
      const tool =
        tools.find((t) => /(^|[_-])(clock|time|now|date)([_-]|$)/i.test(t.name)) ??
        tools.find((t) => /\b(current|local) (date|time)\b|\bclock\b|\bwhat time\b/i.test(t.description));
      return tool && { name: tool.name, args: zoneFor(tool, intent.place) };
    }
    case 'page': {
      const tool = tools.find((t) => t.name === 'web_fetch') ?? tools.find((t) => /(^|_)fetch$/i.test(t.name));
      return tool && { name: tool.name, args: fit(tool, { url: intent.url }) };
    }
    case 'remember': {
      const tool =
        tools.find((t) => t.name === 'memory_write') ??
        tools.find((t) => /memor.*(write|add|append|save)/i.test(t.name));
      return (
        tool && { name: tool.name, args: fit(tool, { path: 'MEMORY.md', text: `- ${intent.fact}`, mode: 'append' }) }
      );
    }
    case 'search': {
      const tool = tools.find((t) => t.name === 'memory_search') ?? tools.find((t) => /memor.*search/i.test(t.name));
      return tool && { name: tool.name, args: fit(tool, { query: intent.query, limit: 10 }) };
    }
    default:
      return undefined;
  }
}

/** Only the arguments the tool knows. */
function fit(tool: ToolSpec, args: JsonObject): JsonObject {
  const known = tool.parameters['properties'];
  if (typeof known !== 'object' || known === null) return args;
  return Object.fromEntries(Object.entries(args).filter(([key]) => key in known));
}

/** The zone in the words of the tool: an offset from UTC in minutes, or a name where one is required. */
function zoneFor(tool: ToolSpec, place: string): JsonObject {
  const known = tool.parameters['properties'];
  const offset =
    typeof known === 'object' && known !== null
      ? Object.keys(known).find((key) => /offset.*minutes/i.test(key))
      : undefined;
  if (offset !== undefined) return { [offset]: (zoneOf(place) ?? zoneOf(''))?.offset ?? 0 };
  const required = tool.parameters['required'];
  const zone = Array.isArray(required)
    ? required.find((key) => typeof key === 'string' && /zone|^tz$/i.test(key))
    : undefined;
  return typeof zone === 'string' ? { [zone]: Intl.DateTimeFormat().resolvedOptions().timeZone } : {};
}
