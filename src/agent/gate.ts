import { printable } from '../log/log.ts';
import type { JournalEntry } from '../memory/memory.ts';
import type { Decided, TurnFrom } from '../policy/policy.ts';
import { isSummary, type Sessions } from '../session/session.ts';
import type { Tool, ToolContext } from '../tool/tool.ts';
import {
  type Approval,
  attachmentsIn,
  type Inbound,
  type Json,
  type Message,
  type ToolCallPart,
} from '../wire/wire.ts';
import type { TurnClock } from './clock.ts';
import type { AgentOptions } from './create.ts';
import { clip } from './request.ts';

/** The mark of the note that says a call waits for a word. */
const askedMark = 'px:asked';

/** What a gate works with. */
type GateOptions = Pick<AgentOptions, 'approvals' | 'who' | 'tell' | 'scrub' | 'config' | 'tools'> & {
  sessions: Pick<Sessions, 'open' | 'append'>;
};

/** Who a turn answers. */
export interface Who {
  from: TurnFrom;
  /** As the journal and the question name them. */
  name: string;
}

/** Who wrote a message; without anybody who knows, px's own surfaces are the owner's. */
export function whoOf(options: Pick<AgentOptions, 'who'>, inbound: Inbound): Who {
  return options.who?.(inbound) ?? { from: 'owner', name: inbound.sender.name || inbound.sender.id };
}

/** The label of a message: none for the owner's own words; a document, or what they forward, is somebody's text, whoever sends it. */
export function labelOf({ from, name }: Who, inbound: Pick<Inbound, 'metadata'>): { outside?: string[] } {
  const said: Json = inbound.metadata?.['outside'] ?? [];
  // A connector knows what was forwarded or quoted. It can only add to what is labelled.
  const quoted = (Array.isArray(said) ? said : []).flatMap((one) => (typeof one === 'string' ? [clip(one, 80)] : []));
  const outside = attachmentsIn(inbound.metadata).flatMap((part) =>
    part.type === 'file' ? [`document/${part.name}`] : [],
  );
  outside.unshift(...quoted.slice(0, 5), ...(from === 'guest' ? [`guest/${name}`] : []));
  return outside.length === 0 ? {} : { outside };
}

/** What stands between a turn and its tools: it knows what the conversation has read, and asks a person where px.yaml says so. */
export class Gate {
  readonly #with: GateOptions;
  readonly #inbound: Inbound;
  readonly #turn: string;
  readonly #clock: Pick<TurnClock, 'pause'>;
  readonly #labels = new Set<string>();
  #messages: Message[] = [];
  /** One question at a time: the answer to one may be the answer to the next. */
  #lane: Promise<unknown> = Promise.resolve();
  /** Tools that were refused in this turn: it does not ask for them again. */
  readonly #refused = new Map<string, Decided>();
  /** Nobody is there: nothing more is asked in this turn. */
  #unheard: Decided | undefined;

  constructor(options: GateOptions, inbound: Inbound, turn: string, clock: Pick<TurnClock, 'pause'>) {
    this.#with = options;
    this.#inbound = inbound;
    this.#turn = turn;
    this.#clock = clock;
  }

  /** Looks at what the model was just sent: from its answer on all of it counts as read. */
  async look(): Promise<void> {
    const { labels, messages } = await this.#with.sessions.open(this.#inbound.conversation);
    this.#messages = messages;
    for (const label of labels) this.#labels.add(label);
  }

  /** What a call is made with. */
  context(call: ToolCallPart, signal: AbortSignal): ToolContext {
    const { conversation } = this.#inbound;
    const { approvals } = this.#with;
    return {
      conversation,
      turn: this.#turn,
      signal,
      from: whoOf(this.#with, this.#inbound).from,
      labels: () => [...this.#labels],
      texts: () => textsOf(this.#messages, this.#with.tools.list()),
      ...(approvals ? { ask: (tool: Tool, reason: string) => this.#inLane(call, tool, reason, signal) } : {}),
    };
  }

  #inLane(call: ToolCallPart, tool: Tool, reason: string, signal: AbortSignal): Promise<Decided> {
    const mine = this.#lane.then(() => this.#ask(call, tool, reason, signal));
    this.#lane = mine.catch(() => {});
    return mine;
  }

  /** Asks, unless a yes given before covers it. Question and answer are in the journal before the call is made. */
  async #ask(call: ToolCallPart, tool: Tool, reason: string, signal: AbortSignal): Promise<Decided> {
    const { approvals, tell, config, scrub = (text: string) => text } = this.#with;
    const { conversation } = this.#inbound;
    if (!approvals) return { decision: 'expired', by: 'px' };
    const labels = [...this.#labels];
    const standing = approvals.covers(tool.name, conversation, labels.length > 0);
    if (standing) {
      const decision = standing.until === 0 ? 'session' : 'time';
      await this.#note(decidedNote(call, { decision, by: standing.by }, ` (as said before, ${standing.id})`));
      return { decision, by: standing.by, standing: true };
    }
    const before = this.#refused.get(tool.name) ?? this.#unheard;
    if (before) {
      await this.#note(decidedNote(call, before, ' (as said before in this turn)'));
      return before;
    }
    const summary = middle(printable(scrub(JSON.stringify(call.args))), 2000);
    const text = `May I call ${tool.name} with ${summary}? I ask because ${reason}.`;
    await this.#note({ at: 0, kind: 'note', text, data: { mark: askedMark, call: call.id, tool: tool.name, reason } });
    const question = {
      conversation,
      turn: this.#turn,
      call: call.id,
      tool: tool.name,
      origin: tool.origin,
      arguments: summary,
      reason,
      labels,
      asked: whoOf(this.#with, this.#inbound).name,
    };
    const resume = this.#clock.pause();
    try {
      const minutes = config.current.policy.ask_minutes;
      const asked = (approval: Approval) => tell?.(approval, this.#inbound);
      const decided = await approvals.ask(question, minutes * 60_000, signal, asked);
      if (decided.decision === 'deny') this.#refused.set(tool.name, decided);
      if (decided.decision === 'expired') this.#unheard = decided;
      await this.#note(decidedNote(call, decided));
      return decided;
    } finally {
      resume();
    }
  }

  #note(entry: JournalEntry): Promise<void> {
    return this.#with.sessions.append(this.#inbound.conversation, [entry]);
  }
}

const words = {
  once: 'Allowed once',
  session: 'Allowed for this session',
  time: 'Allowed for some time',
  deny: 'Denied',
  expired: 'Not allowed in time',
} as const;

/** The note that says who decided about a call: the audit reads it. */
export function decidedNote(call: ToolCallPart, { decision, by }: Decided, more = ''): JournalEntry {
  const text = `${words[decision]}, ${call.name}, by ${by}${more}.`;
  return { at: 0, kind: 'note', text, data: { approval: { call: call.id, decision, by } } };
}

/** Calls that waited for a word when px was stopped: they were never made. */
export function undecided(entries: JournalEntry[], open: ToolCallPart[]): Set<string> {
  const waiting = new Set<string>();
  const ids = new Set(open.map((call) => call.id));
  for (const entry of entries) {
    if (entry.kind !== 'note') continue;
    const asked = field(entry.data, 'mark') === askedMark ? field(entry.data, 'call') : undefined;
    if (typeof asked === 'string' && ids.has(asked)) waiting.add(asked);
    const decided = field(field(entry.data, 'approval'), 'call');
    if (typeof decided === 'string') waiting.delete(decided);
  }
  return waiting;
}

function field(data: unknown, key: string): unknown {
  return typeof data === 'object' && data !== null ? Reflect.get(data, key) : undefined;
}

const reachOf = (tool: Tool) => (typeof tool.reach === 'function' ? tool.reach({}) : tool.reach);

/** What people said and what servers on the network answered: a link in it can be followed without telling anybody anything. */
function textsOf(messages: Message[], tools: Tool[]): string[] {
  // A tool that stays inside, or one that failed, may only say back what the model told it.
  const outer = new Set(tools.filter((tool) => reachOf(tool) !== 'inside').map((tool) => tool.name));
  return messages.flatMap((message): string[] => {
    if (message.role === 'user')
      return message.parts.flatMap((p) => (p.type === 'text' && !isSummary(p.text) ? [p.text] : []));
    if (message.role === 'tool')
      return message.parts
        .filter((part) => outer.has(part.name) && !part.isError)
        .flatMap((part) => part.content.flatMap((p) => (p.type === 'text' ? [p.text] : [])));
    return [];
  });
}

/** A text whose middle may be left out, and that says so: what comes last is seen as well as what comes first. */
function middle(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  return `${text.slice(0, half).toWellFormed()} … (${text.length - 2 * half} characters not shown) … ${text.slice(-half).toWellFormed()}`;
}
