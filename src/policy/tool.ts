import type { Verdict } from './policy.ts';

/** Who a turn answers. */
export type TurnFrom = 'owner' | 'guest' | 'schedule';

/**
 * How far a call reaches: `inside` px; `asks` a server on the network and nothing more (GET); `sends` out, or changes something beyond
 * this conversation.
 */
export type Reach = 'inside' | 'asks' | 'sends';

/** A call to be judged. */
export interface Judged {
  tool: string;
  /** `px`, `plugin/<name>`, `mcp/<server>`. */
  origin: string;
  reach: Reach;
  /** Set when the tool wants a person's word by itself, with the reason. */
  wants?: string | undefined;
  conversation: string;
  from: TurnFrom;
  /** Where text from outside came from that the conversation has read; empty when it has read none. */
  labels: string[];
  /** Whether all it is called with stands word for word in what was read or said: a link is followed, nothing is told. */
  quoted: boolean;
}

/** What px.yaml says about it. */
export interface ToolPolicy {
  rules: {
    tool: string;
    conversation: string;
    from?: TurnFrom[] | undefined;
    outside?: boolean | undefined;
    do: 'allow' | 'ask' | 'deny';
  }[];
  outside: 'ask' | 'allow' | 'deny';
  guests: string[];
}

/** What becomes of a call, and why in words a person understands. */
export type Judgement = { do: 'allow' } | { do: 'ask' | 'deny'; reason: string };

/** Whether no pattern of `agent.tools.deny` covers a tool's name. `*` matches any part, also none. */
export function toolAllowed(denyPatterns: string[], name: string): Verdict {
  const pattern = denyPatterns.find((deny) => covers(deny, name));
  return pattern === undefined
    ? { allow: true }
    : { allow: false, reason: `px.yaml denies the tool (agent.tools.deny: ${pattern})` };
}

/** Judges a call: the first rule of px.yaml that fits, then what holds for guests, then what text from outside asks for. */
export function judgeTool(call: Judged, policy: ToolPolicy): Judgement {
  const tainted = call.labels.length > 0;
  const fromOutside = `this conversation has read text from outside (${call.labels.slice(0, 3).join(', ')}${call.labels.length > 3 ? ', …' : ''})`;
  const rule = policy.rules.find((one) => fits(one, call, tainted));
  if (rule && rule.do !== 'allow')
    return { do: rule.do, reason: `px.yaml says ${rule.do} (policy.rules: ${rule.tool})` };
  if (!rule && call.from === 'guest' && !policy.guests.some((pattern) => covers(pattern, call.tool)))
    return { do: 'deny', reason: 'a guest is answered without it (policy.guests)' };
  if (!rule && call.wants !== undefined) return { do: 'ask', reason: call.wants };
  if (!tainted || call.reach === 'inside' || rule?.outside === true) return { do: 'allow' };
  if (call.reach === 'asks' && call.quoted) return { do: 'allow' };
  if (policy.outside === 'allow') return { do: 'allow' };
  return { do: policy.outside, reason: `${fromOutside}, and ${call.tool} can send something out or change something` };
}

function fits(rule: ToolPolicy['rules'][number], call: Judged, tainted: boolean): boolean {
  const name = rule.tool.includes('/') ? `${call.origin}/${call.tool}` : call.tool;
  if (!covers(rule.tool, name) || !covers(rule.conversation, call.conversation)) return false;
  if (rule.do === 'allow') return (rule.from ?? ['owner', 'schedule']).includes(call.from);
  return (rule.from?.includes(call.from) ?? true) && (rule.outside === undefined || rule.outside === tainted);
}

/** Whether everything in `args` that could carry news stands word for word in one of `texts`; a little may be new (a page number). */
export function isQuoted(args: unknown, texts: () => string[]): boolean {
  let fresh = 0;
  let quotes = 0;
  let said: string[] | undefined;
  const walk = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) walk(inner);
    else if (typeof value !== 'string') fresh += value === null ? 0 : String(value).length;
    else {
      const bare = value.replace(/^https?:\/\/(?:www\.)?/, '').replace(/\/$/, '');
      said ??= texts();
      // Many words that each stand somewhere can say anything together.
      if (bare.length < 4 || !said.some((text) => text.includes(bare)) || ++quotes > mostQuotes) fresh += value.length;
    }
  };
  walk(args);
  return fresh <= mostFresh;
}

/** Quoted texts a call may hold. */
const mostQuotes = 3;
/** Characters a call may hold that were not read or said before. */
const mostFresh = 12;

function covers(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const first = parts.shift() ?? '';
  const last = parts.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
