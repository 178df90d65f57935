import type { ErrorShape } from '../../error/error.ts';
import type { Memory } from '../../memory/memory.ts';
import type { Message, ToolCallPart, ToolResultPart } from '../../wire/wire.ts';
import { offlineRef } from '../catalogue.ts';
import type { ModelEvent, ModelRequest, Provider } from '../model.ts';
import { newCallId } from '../protocol/tools.ts';
import { wordHits, wordResults } from './offline-answer.ts';
import { type Intent, readIntents, toolFor } from './offline-intent.ts';

/** How a person gets a real model, in one line. */
export const plugIn =
  'For a real model: `px setup`, or `px secret set OPENAI_API_KEY` (or ANTHROPIC_API_KEY, GEMINI_API_KEY).';

const label = '— offline model; for a real one, where px runs: px setup';

const noFormat: ErrorShape = {
  code: 'model.bad-request',
  message: 'The offline model cannot answer in JSON.',
  hint: plugIn,
  retryable: false,
};

/**
 * The embedded default: a small model of fixed rules that needs no network. It takes the same request and answers with the same
 * events as any other model, tool calls included, and never pretends to be more than it is.
 */
export function offlineProvider(memory: Pick<Memory, 'search'>): Provider {
  return {
    name: 'offline',
    stream: (request, signal) => answer(request, signal, memory),
    models: async () => ['px'],
  };
}

async function* answer(
  request: ModelRequest,
  signal: AbortSignal,
  memory: Pick<Memory, 'search'>,
): AsyncIterable<ModelEvent> {
  if (request.format) {
    yield { type: 'end', reason: 'error', error: noFormat };
    return;
  }
  const said = lastText(request.messages);
  const results = resultsOfThisTurn(request.messages);
  const intents = readIntents(said);
  const calls = results.length > 0 || request.toolChoice === 'none' ? [] : toCalls(intents, request);
  if (calls.length > 0) {
    for (const call of calls) yield { type: 'tool-call', call };
    yield { type: 'usage', usage: { input: tokens(request), output: 10 * calls.length, cachedInput: 0 } };
    yield { type: 'end', reason: 'tool-calls' };
    return;
  }
  let text =
    results.length > 0 ? wordResults(results, said) : intents.map((i) => word(i, request, memory)).join('\n\n');
  if (isFirstAnswer(request.messages) && !text.includes(plugIn)) text += `\n\n${label}`;
  for (const piece of text.match(/\s*\S+/g) ?? []) {
    if (signal.aborted) {
      yield { type: 'end', reason: 'aborted' };
      return;
    }
    yield { type: 'text', text: piece };
  }
  yield { type: 'usage', usage: { input: tokens(request), output: Math.ceil(text.length / 4), cachedInput: 0 } };
  yield { type: 'end', reason: 'stop' };
}

function toCalls(intents: Intent[], request: ModelRequest): ToolCallPart[] {
  return intents.flatMap((intent): ToolCallPart[] => {
    const call = toolFor(intent, request.tools);
    return call ? [{ type: 'tool-call', id: newCallId(), ...call }] : [];
  });
}

/** What it says itself, when no tool is asked. */
function word(intent: Intent, request: ModelRequest, memory: Pick<Memory, 'search'>): string {
  switch (intent.kind) {
    case 'greeting':
      return 'Hello! I am the offline model of px: I can tell the time, remember things, search what you told me, and call tools. Say `help` for how.';
    case 'thanks':
      return 'You are welcome.';
    case 'identity':
      return `I am ${offlineRef}, the offline model built into px: fixed rules, no network. ${plugIn}`;
    case 'help':
      return help(request);
    case 'time':
      return `It is ${new Date().toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'short' })} by the clock of this machine.`;
    case 'page':
      return 'I cannot read web pages here: no tool for it was given to me.';
    case 'remind':
      return 'I cannot remind you of things yet. I can keep it for you to find: say `remember that …`.';
    case 'remember':
      return 'I cannot write to memory here: no tool for it was given to me.';
    case 'search': {
      const hits = memory.search(intent.query, { limit: 10 });
      return wordHits(
        hits.map((h) => ({ place: `${h.path}#${h.line}`, heading: h.heading, text: h.snippet })),
        intent,
      );
    }
    case 'tool':
      return `There is no tool named \`${intent.name}\`. ${toolList(request)}`;
    case 'broken':
      return `${intent.why} Write \`/tool NAME {"argument": "value"}\` or \`!NAME {"argument": "value"}\`.`;
    case 'unknown':
      return `I am only the offline model and do not understand that. I can tell the time, remember things, search your memory and call tools (\`help\` says how). ${plugIn}`;
  }
}

function help(request: ModelRequest): string {
  return [
    'I am the offline model of px. I follow fixed rules and need no network:',
    '- `what time is it`, `what time is it in Tokyo`',
    '- `remember that …` keeps a line in MEMORY.md',
    '- `what did I say about …`, `search …`, or any question: searches your notes and conversations',
    '- `fetch https://…` reads a page of a host that px.yaml grants',
    '- `/tool NAME {"argument": "value"}` or `!NAME {"argument": "value"}` calls a tool; several lines call several at once',
    '',
    toolList(request),
    plugIn,
  ].join('\n');
}

function toolList(request: ModelRequest): string {
  return request.tools.length === 0
    ? 'No tools are available.'
    : `Tools: ${request.tools.map((tool) => `\`${tool.name}\``).join(', ')}.`;
}

function lastText(messages: Message[]): string {
  const last = messages.findLast((m) => m.role === 'user');
  return (last?.parts ?? []).flatMap((p) => (p.type === 'text' ? [p.text] : [])).join('\n');
}

/** Tool results since the person last spoke. */
function resultsOfThisTurn(messages: Message[]): ToolResultPart[] {
  const from = messages.findLastIndex((m) => m.role === 'user');
  return messages.slice(from + 1).flatMap((m) => (m.role === 'tool' ? m.parts : []));
}

function isFirstAnswer(messages: Message[]): boolean {
  return !messages.some(
    (m) => m.role === 'assistant' && m.parts.some((p) => p.type === 'text' && p.text.trim() !== ''),
  );
}

function tokens(request: ModelRequest): number {
  return Math.ceil((request.system.length + JSON.stringify(request.messages).length) / 4);
}
